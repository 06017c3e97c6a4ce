package admin

import (
	"os"
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

func (i *Instrumentation) report(events []eventCount) serverStats {
	host, _ := os.Hostname()
	st := i.srv.Stats()
	r := serverStats{
		ServerID: i.opts.ServerID, Hostname: host, PID: os.Getpid(),
		Uptime:         time.Since(i.started).Seconds(),
		Clients:        st.Engine.Sessions,
		PollingClients: max(st.Engine.Sessions-st.Engine.WebSockets-st.Engine.WebTransports, 0),
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
	last, is := i.last, i.srv.Stats()
	was := last.Engine
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
	add("packetsIn", "", is.Traffic.PacketsIn-last.Traffic.PacketsIn)
	add("packetsOut", "", is.Traffic.PacketsOut-last.Traffic.PacketsOut)
	add("bytesIn", "", is.Traffic.BytesIn-last.Traffic.BytesIn)
	add("bytesOut", "", is.Traffic.BytesOut-last.Traffic.BytesOut)
	return list
}
