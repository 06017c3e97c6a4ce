package admin

import (
	"cmp"
	"runtime"
	"slices"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio"
)

// How much of each list is shown.
const (
	shownNamespaces = 30
	shownEvents     = 50
	shownSlow       = 20
)

// A snapshot is what those who look are told once a second.
type snapshot struct {
	Point      point                                `json:"point"`
	Uptime     float64                              `json:"uptime"` // s
	Draining   bool                                 `json:"draining"`
	Transports map[string]int                       `json:"transports"`
	Goroutines int                                  `json:"goroutines"`
	Namespaces []namespaceView                      `json:"namespaces"`
	AllSpaces  int                                  `json:"allNamespaces"`
	Events     []eventView                          `json:"events"`
	Slow       slowClients                          `json:"slow"`
	Recovery   socketio.RecoveryStats               `json:"recovery"`
	Health     []healthView                         `json:"health"`
	Nodes      []nodeView                           `json:"nodes"`
	Panics     uint64                               `json:"panics"`
	Refused    uint64                               `json:"refused"` // sockets
	Closed     map[engineio.Reason]uint64           `json:"closed"`
	Left       map[socketio.DisconnectReason]uint64 `json:"left"`
	Dropped    map[engineio.DropReason]uint64       `json:"dropped"`
	Limits     map[string]uint64                    `json:"limits"`
	Requests   map[engineio.Code]uint64             `json:"requests"` // refused, by code
}

type namespaceView struct {
	Name    string `json:"name"`
	Sockets int    `json:"sockets"`
	Rooms   int    `json:"rooms"`
}

type healthView struct {
	Namespace string `json:"namespace"`
	Error     string `json:"error"`
}

type slowClients struct {
	Clients int        `json:"clients"`
	Bytes   int        `json:"bytes"`
	Worst   []slowView `json:"worst"`
	Time    int64      `json:"t"` // when it was looked, ms of Unix
}

type slowView struct {
	ID        string `json:"id"`
	Namespace string `json:"namespace"`
	User      string `json:"user,omitempty"`
	Transport string `json:"transport"`
	Bytes     int    `json:"bytes"`
	Packets   int    `json:"packets"`
}

type eventView struct {
	Namespace  string  `json:"namespace"`
	Event      string  `json:"event"`
	In         float64 `json:"in"` // a second
	Out        float64 `json:"out"`
	TotalIn    int64   `json:"totalIn"`
	TotalOut   int64   `json:"totalOut"`
	Failed     int64   `json:"failed"`
	Unanswered int64   `json:"unanswered"`
	Handler50  float64 `json:"handler50"` // ms
	Handler99  float64 `json:"handler99"`
	Ack50      float64 `json:"ack50"`
	Ack99      float64 `json:"ack99"`
}

// snapshot puts together what is shown. s.mu is held.
func (s *sampler) snapshot(now time.Time, p point, st *socketio.Stats) *snapshot {
	s.namespaces.run(now, 2*time.Second, s.walkNamespaces)
	s.backlog.run(now, 2*time.Second, func() { s.walkBacklog(now) })
	e := &st.Engine
	return &snapshot{
		Point: p, Uptime: now.Sub(s.d.nodes.started).Seconds(), Draining: s.d.srv.Draining(),
		Transports: map[string]int{
			engineio.Polling:      max(e.Sessions-e.WebSockets-e.WebTransports, 0),
			engineio.WebSocket:    e.WebSockets,
			engineio.WebTransport: e.WebTransports,
		},
		Goroutines: runtime.NumGoroutine(),
		Namespaces: s.spaces, AllSpaces: s.spacesTotal, Events: s.eventViews(now), Slow: s.slow,
		Recovery: s.recovery, Health: s.health, Nodes: s.d.nodes.view(now),
		Panics: st.Panics, Refused: st.Refused, Closed: e.Closed, Left: st.Left, Dropped: e.Dropped,
		Limits: st.Limits, Requests: e.Refused,
	}
}

// walkNamespaces looks at each namespace: a server may have made thousands for
// its clients.
func (s *sampler) walkNamespaces() {
	all := s.d.srv.Namespaces()
	views := make([]namespaceView, 0, len(all))
	var recovery socketio.RecoveryStats
	s.health = s.health[:0:0]
	for _, n := range all {
		views = append(views, namespaceView{n.Name(), n.Size(), n.RoomCount()})
		r := n.RecoveryStats()
		recovery.Sessions += r.Sessions
		recovery.Packets += r.Packets
		recovery.Bytes += r.Bytes
		recovery.Recovered += r.Recovered
		recovery.Refused += r.Refused
		if err := n.Health(); err != nil && len(s.health) < shownNamespaces {
			s.health = append(s.health, healthView{n.Name(), err.Error()})
		}
	}
	slices.SortFunc(views, func(a, b namespaceView) int {
		return cmp.Or(cmp.Compare(b.Sockets, a.Sockets), cmp.Compare(a.Name, b.Name))
	})
	s.spaces, s.spacesTotal, s.recovery = views[:min(len(views), shownNamespaces)], len(views), recovery
}

// walkBacklog looks for those who read slowly.
func (s *sampler) walkBacklog(now time.Time) {
	b := s.d.srv.Backlog(shownSlow)
	s.slow = slowClients{Clients: b.Clients, Bytes: b.Bytes, Worst: []slowView{}, Time: now.UnixMilli()}
	for _, w := range b.Worst {
		v := slowView{Transport: w.Transport, Bytes: w.Bytes, Packets: w.Packets}
		if w.Socket != nil {
			v.ID, v.Namespace, v.User = w.Socket.ID(), w.Socket.Namespace().Name(), s.d.user(w.Socket)
		}
		s.slow.Worst = append(s.slow.Worst, v)
	}
}

// eventViews returns the events that occur most.
func (s *sampler) eventViews(now time.Time) []eventView {
	var views []eventView
	for _, e := range s.d.events.all() {
		is := reading{e.in.Load(), e.out.Load(), now}
		v := eventView{
			Namespace: e.name.namespace, Event: e.name.event, TotalIn: is.in, TotalOut: is.out,
			Failed: e.failed.Load(), Unanswered: e.unanswered.Load(),
		}
		if seconds := now.Sub(e.seen.at).Seconds(); !e.seen.at.IsZero() && seconds > 0 {
			v.In, v.Out = float64(is.in-e.seen.in)/seconds, float64(is.out-e.seen.out)/seconds
		}
		e.seen = is
		handling, answers := e.handling.load(), e.answers.load()
		if diff, n := handling.since(&e.base[1].handling); n > 0 {
			v.Handler50, v.Handler99 = diff.percentile(n, .5), diff.percentile(n, .99)
		}
		if diff, n := answers.since(&e.base[1].answers); n > 0 {
			v.Ack50, v.Ack99 = diff.percentile(n, .5), diff.percentile(n, .99)
		}
		if is.in+is.out+v.Unanswered > 0 {
			views = append(views, v)
		}
	}
	slices.SortFunc(views, func(a, b eventView) int {
		return cmp.Or(cmp.Compare(b.In+b.Out, a.In+a.Out), cmp.Compare(b.TotalIn+b.TotalOut, a.TotalIn+a.TotalOut), cmp.Compare(a.Event, b.Event))
	})
	return views[:min(len(views), shownEvents)]
}
