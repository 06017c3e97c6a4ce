package otel

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio"
)

// instruments are those that are told of each event. What the server counts anyway
// is read when it is asked for.
type instruments struct {
	received, sent   metric.Int64Counter
	handling, asking metric.Float64Histogram
}

// buckets are those that the conventions advise for durations, in seconds.
var buckets = metric.WithExplicitBucketBoundaries(.0005, .001, .005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10)

func (i *Instrumentation) newInstruments(srv *socketio.Server) error {
	meter := i.opts.MeterProvider.Meter(scope)
	var errs []error
	counter := func(name, unit, text string) metric.Int64Counter {
		c, err := meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(text))
		errs = append(errs, err)
		return c
	}
	histogram := func(name, text string) metric.Float64Histogram {
		h, err := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(text), buckets)
		errs = append(errs, err)
		return h
	}
	i.m = &instruments{
		received: counter("messaging.client.consumed.messages", "{message}", "Events that came from clients and were handled."),
		sent:     counter("messaging.client.sent.messages", "{message}", "Events that were sent, one per recipient."),
		handling: histogram("messaging.process.duration", "Time from the middleware to the end of the handlers."),
		asking:   histogram("messaging.client.operation.duration", "Time from an event that wants an answer to the answer."),
	}
	errs = append(errs, i.observe(meter, srv))
	return errors.Join(errs...)
}

func (m *instruments) handled(ctx context.Context, of *series, took time.Duration, err error) {
	if err != nil {
		with := failed(of.process, err)
		m.handling.Record(ctx, took.Seconds(), with)
		m.received.Add(ctx, 1, with)
		return
	}
	m.handling.Record(ctx, took.Seconds(), of.recorded...)
	m.received.Add(ctx, 1, of.processed...)
}

func (m *instruments) sentTo(of *series) { m.sent.Add(context.Background(), 1, of.sent...) }

func (m *instruments) answered(ctx context.Context, of *series, o socketio.Outcome) {
	if o.Err != nil {
		m.asking.Record(ctx, o.Took.Seconds(), failed(of.ask, o.Err))
		return
	}
	m.asking.Record(ctx, o.Took.Seconds(), of.answered...)
}

// observe registers what the server counts anyway.
func (i *Instrumentation) observe(meter metric.Meter, srv *socketio.Server) error {
	var errs []error
	var all []metric.Observable
	gauge := func(name, unit, text string) metric.Int64ObservableUpDownCounter {
		g, err := meter.Int64ObservableUpDownCounter("socketio."+name, metric.WithUnit(unit), metric.WithDescription(text))
		errs, all = append(errs, err), append(all, g)
		return g
	}
	counter := func(name, unit, text string) metric.Int64ObservableCounter {
		c, err := meter.Int64ObservableCounter("socketio."+name, metric.WithUnit(unit), metric.WithDescription(text))
		errs, all = append(errs, err), append(all, c)
		return c
	}
	connections := gauge("connections", "{connection}", "Connections there are now.")
	sockets := gauge("sockets", "{socket}", "Sockets there are now, on this node.")
	rooms := gauge("rooms", "{room}", "Rooms that have sockets of this node in them.")
	behind := gauge("clients_behind", "{connection}", "Connections whose client reads more slowly than it is sent to.")
	queued := gauge("queued", "By", "Bytes that wait for these clients.")
	opened := counter("connections.opened", "{connection}", "Connections that were opened.")
	closed := counter("connections.closed", "{connection}", "Connections that ended, by reason.")
	dropped := counter("messages.dropped", "{message}", "Messages that were not sent, by reason.")
	limits := counter("limits", "{hit}", "How often a client ran into a limit, by the name of the option.")
	recoveries := counter("recoveries", "{client}", "Clients that came back, by result.")
	traffic := counter("io", "By", "Bytes of packets, before compression.")
	packets := counter("packets", "{packet}", "Packets of Socket.IO.")
	panics := counter("panics", "{panic}", "Panics that were survived.")
	if err := errors.Join(errs...); err != nil {
		return err
	}
	registration, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		st := srv.Stats()
		e := &st.Engine
		with := func(key, value string) metric.ObserveOption {
			return metric.WithAttributes(attribute.String(key, value))
		}
		o.ObserveInt64(connections, int64(max(e.Sessions-e.WebSockets-e.WebTransports, 0)), with("transport", engineio.Polling))
		o.ObserveInt64(connections, int64(e.WebSockets), with("transport", engineio.WebSocket))
		o.ObserveInt64(connections, int64(e.WebTransports), with("transport", engineio.WebTransport))
		b := srv.Backlog(0)
		o.ObserveInt64(behind, int64(b.Clients))
		o.ObserveInt64(queued, int64(b.Bytes))
		o.ObserveInt64(opened, int64(e.Opened))
		for reason, n := range e.Closed {
			o.ObserveInt64(closed, int64(n), with("reason", string(reason)))
		}
		for reason, n := range e.Dropped {
			o.ObserveInt64(dropped, int64(n), with("reason", string(reason)))
		}
		for limit, n := range st.Limits {
			o.ObserveInt64(limits, int64(n), with("limit", limit))
		}
		o.ObserveInt64(traffic, int64(st.Traffic.BytesIn), with("direction", "in"))
		o.ObserveInt64(traffic, int64(st.Traffic.BytesOut), with("direction", "out"))
		o.ObserveInt64(packets, int64(st.Traffic.PacketsIn), with("direction", "in"))
		o.ObserveInt64(packets, int64(st.Traffic.PacketsOut), with("direction", "out"))
		o.ObserveInt64(panics, int64(st.Panics))
		type sum struct{ sockets, rooms, recovered, refused int64 }
		sums := make(map[string]*sum) // several namespaces may be "other"
		for _, n := range srv.Namespaces() {
			label := i.labels.name(i.labels.namespaces, n.Name())
			s := sums[label]
			if s == nil {
				s = new(sum)
				sums[label] = s
			}
			r := n.RecoveryStats()
			s.sockets += int64(n.Size())
			s.rooms += int64(n.RoomCount())
			s.recovered += r.Recovered
			s.refused += r.Refused
		}
		for label, s := range sums {
			in := attribute.String(string(keyNamespace), label)
			o.ObserveInt64(sockets, s.sockets, metric.WithAttributes(in))
			o.ObserveInt64(rooms, s.rooms, metric.WithAttributes(in))
			o.ObserveInt64(recoveries, s.recovered, metric.WithAttributes(in, attribute.String("result", "recovered")))
			o.ObserveInt64(recoveries, s.refused, metric.WithAttributes(in, attribute.String("result", "refused")))
		}
		return nil
	}, all...)
	if err != nil {
		return err
	}
	i.unhook = registration.Unregister
	return nil
}
