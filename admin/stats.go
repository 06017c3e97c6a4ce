package admin

import (
	"os"
	"sync/atomic"
	"time"
)

// A serverStats is what a node reports of itself.
type serverStats struct {
	ServerID       string           `json:"serverId"`
	Hostname       string           `json:"hostname"`
	PID            int              `json:"pid"`
	Uptime         float64          `json:"uptime"` // in seconds
	Clients        int              `json:"clientsCount"`
	PollingClients int              `json:"pollingClientsCount"`
	Events         []eventCount     `json:"aggregatedEvents"`
	Namespaces     []namespaceCount `json:"namespaces"`
}

// An eventCount says how often something happened in the time before Timestamp,
// which is in milliseconds.
type eventCount struct {
	Timestamp int64  `json:"timestamp"`
	Type      string `json:"type"`
	SubType   string `json:"subType,omitempty"`
	Count     uint64 `json:"count"`
}

type namespaceCount struct {
	Name    string `json:"name"`
	Sockets int    `json:"socketsCount"`
}

// traffic counts events. It is behind [Instrumentation.looking], and costs
// nothing while nobody looks.
type traffic struct{ in, out, bytesIn atomic.Uint64 }

func (i *Instrumentation) report(events []eventCount) serverStats {
	host, _ := os.Hostname()
	st := i.srv.Stats()
	r := serverStats{
		ServerID: i.opts.ServerID, Hostname: host, PID: os.Getpid(),
		Uptime:         time.Since(i.started).Seconds(),
		Clients:        st.Engine.Sessions,
		PollingClients: max(st.Engine.Sessions-st.Engine.WebSockets, 0),
		Events:         events,
	}
	if r.Events == nil {
		r.Events = []eventCount{}
	}
	for _, n := range i.srv.Namespaces() {
		r.Namespaces = append(r.Namespaces, namespaceCount{n.Name(), n.Size()})
	}
	return r
}

// events returns what happened since the last call.
func (i *Instrumentation) events() []eventCount {
	i.mu.Lock()
	defer i.mu.Unlock()
	was, is := i.last.Engine, i.srv.Stats()
	i.last = is
	at := time.Now().Truncate(time.Second).UnixMilli()
	var list []eventCount
	add := func(kind, sub string, n uint64) {
		if n > 0 {
			list = append(list, eventCount{at, kind, sub, n})
		}
	}
	add("rawConnection", "", is.Engine.Opened-was.Opened)
	for reason, n := range is.Engine.Closed {
		add("rawDisconnection", string(reason), n-was.Closed[reason])
	}
	add("packetsIn", "", i.traffic.in.Swap(0))
	add("packetsOut", "", i.traffic.out.Swap(0))
	add("bytesIn", "", i.traffic.bytesIn.Swap(0))
	return list
}
