package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio"
)

// A Collector is a [prometheus.Collector] for one server. It is safe for
// concurrent use.
type Collector struct {
	srv        *socketio.Server
	namespaces names
	events     *events // nil unless events are counted

	sessions, handshakes, opened, upgraded, closed, refused *prometheus.Desc
	sockets, rooms, joined, left, rejected                  *prometheus.Desc
	limits, dropped, panics, adapterUp                      *prometheus.Desc
	draining, behind, queued, packets, bytes                *prometheus.Desc
	keptSessions, keptPackets, keptBytes, recoveries        *prometheus.Desc
}

// NewCollector returns a collector for srv. With [Options.Events] it registers
// middleware, and has to be called before clients come.
func NewCollector(srv *socketio.Server, o *Options) *Collector {
	opts := o.withDefaults()
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("socketio_"+name, help, labels, opts.Labels)
	}
	c := &Collector{
		srv: srv, namespaces: newNames(opts.Namespaces),

		sessions:   desc("connections", "Connections there are now.", "transport"),
		handshakes: desc("handshakes_in_flight", "Handshakes that are being answered now."),
		opened:     desc("connections_opened_total", "Connections that were opened."),
		upgraded:   desc("connections_upgraded_total", "Connections that moved from polling to WebSocket."),
		closed:     desc("connections_closed_total", "Connections that ended, by reason.", "reason"),
		refused:    desc("requests_refused_total", "Requests that were refused, by the code of the protocol.", "code"),

		sockets:  desc("sockets", "Sockets there are now, on this node.", "namespace"),
		rooms:    desc("rooms", "Rooms that have sockets of this node in them.", "namespace"),
		joined:   desc("sockets_joined_total", "Sockets that joined a namespace."),
		left:     desc("sockets_left_total", "Sockets that left, by reason.", "reason"),
		rejected: desc("sockets_refused_total", "Sockets that middleware or a limit refused."),

		limits:    desc("limits_total", "How often a client ran into a limit, by the name of the option.", "limit"),
		dropped:   desc("messages_dropped_total", "Messages that were not sent, by reason.", "reason"),
		draining:  desc("draining", "1 once the server has been told to shut down."),
		behind:    desc("clients_behind", "Connections for whose client something waits, because it reads more slowly than it is sent to."),
		queued:    desc("queued_bytes", "Bytes that wait for these clients."),
		packets:   desc("packets_total", "Packets of Socket.IO, heartbeats and handshakes of transports not among them. Counted with Options.Events.", "direction"),
		bytes:     desc("bytes_total", "Bytes of these packets, before compression.", "direction"),
		panics:    desc("panics_total", "Panics that were survived."),
		adapterUp: desc("adapter_up", "1 if the other nodes can be reached, 0 if only this one is served.", "namespace"),

		keptSessions: desc("recovery_sessions", "Clients that are away and may come back.", "namespace"),
		keptPackets:  desc("recovery_packets", "Packets that are kept for them.", "namespace"),
		keptBytes:    desc("recovery_bytes", "Memory that these take.", "namespace"),
		recoveries:   desc("recoveries_total", "Clients that came back, by result.", "namespace", "result"),
	}
	if opts.Events != nil {
		c.events = newEvents(srv, opts, c.namespaces)
	}
	return c
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.sessions, c.handshakes, c.opened, c.upgraded, c.closed, c.refused,
		c.sockets, c.rooms, c.joined, c.left, c.rejected,
		c.limits, c.dropped, c.panics, c.adapterUp, c.draining, c.behind, c.queued,
		c.keptSessions, c.keptPackets, c.keptBytes, c.recoveries,
	} {
		ch <- d
	}
	if c.events != nil {
		ch <- c.packets
		ch <- c.bytes
		c.events.describe(ch)
	}
}

// Collect implements [prometheus.Collector].
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	st := c.srv.Stats()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	// The two numbers are not of one instant.
	gauge(c.sessions, float64(max(st.Engine.Sessions-st.Engine.WebSockets-st.Engine.WebTransports, 0)), engineio.Polling)
	gauge(c.sessions, float64(st.Engine.WebSockets), engineio.WebSocket)
	gauge(c.sessions, float64(st.Engine.WebTransports), engineio.WebTransport)
	gauge(c.handshakes, float64(st.Engine.Handshakes))
	counter(c.opened, st.Engine.Opened)
	counter(c.upgraded, st.Engine.Upgraded)
	for reason, n := range st.Engine.Closed {
		counter(c.closed, n, string(reason))
	}
	for code, n := range st.Engine.Refused {
		counter(c.refused, n, strconv.Itoa(int(code)))
	}
	counter(c.joined, st.Joined)
	for reason, n := range st.Left {
		counter(c.left, n, string(reason))
	}
	counter(c.rejected, st.Refused)
	for limit, n := range st.Limits {
		counter(c.limits, n, limit)
	}
	for reason, n := range st.Engine.Dropped {
		counter(c.dropped, n, string(reason))
	}
	counter(c.panics, st.Panics)
	draining := 0.0
	if c.srv.Draining() {
		draining = 1
	}
	gauge(c.draining, draining)
	backlog := c.srv.Backlog(0)
	gauge(c.behind, float64(backlog.Clients))
	gauge(c.queued, float64(backlog.Bytes))
	for label, n := range c.byNamespace() {
		gauge(c.sockets, float64(n.sockets), label)
		gauge(c.rooms, float64(n.rooms), label)
		gauge(c.adapterUp, n.up, label)
		gauge(c.keptSessions, float64(n.recovery.Sessions), label)
		gauge(c.keptPackets, float64(n.recovery.Packets), label)
		gauge(c.keptBytes, float64(n.recovery.Bytes), label)
		counter(c.recoveries, uint64(n.recovery.Recovered), label, "recovered")
		counter(c.recoveries, uint64(n.recovery.Refused), label, "refused")
	}
	if c.events != nil {
		counter(c.packets, st.Traffic.PacketsIn, "in")
		counter(c.packets, st.Traffic.PacketsOut, "out")
		counter(c.bytes, st.Traffic.BytesIn, "in")
		counter(c.bytes, st.Traffic.BytesOut, "out")
		c.events.collect(ch)
	}
}

// namespaceCounts are the sums of the namespaces with one label.
type namespaceCounts struct {
	sockets, rooms int
	up             float64
	recovery       socketio.RecoveryStats
}

func (c *Collector) byNamespace() map[string]*namespaceCounts {
	sums := make(map[string]*namespaceCounts)
	for _, n := range c.srv.Namespaces() {
		label := c.namespaces.label(n.Name())
		sum := sums[label]
		if sum == nil {
			sum = &namespaceCounts{up: 1}
			sums[label] = sum
		}
		sum.sockets += n.Size()
		sum.rooms += n.RoomCount()
		if n.Health() != nil {
			sum.up = 0
		}
		r := n.RecoveryStats()
		sum.recovery.Sessions += r.Sessions
		sum.recovery.Packets += r.Packets
		sum.recovery.Bytes += r.Bytes
		sum.recovery.Recovered += r.Recovered
		sum.recovery.Refused += r.Refused
	}
	return sums
}
