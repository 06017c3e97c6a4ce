package socketio

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// An Observer is told what becomes of events, for those who count, time or trace
// them. Fields may be nil. Its functions are called on the path of each event, by
// many goroutines at once and perhaps with locks held: they must be quick, must
// not block and must not call the server. A server that nobody observes pays one
// look at an atomic per packet.
type Observer struct {
	// Received is called for each event of a client before its middleware, and
	// returns the context that middleware and handlers get. m must not be kept.
	Received func(ctx context.Context, m *Message) context.Context
	// Handled is called when all handlers of the event have returned, with the
	// first error among them, if any. ctx is what Received returned.
	Handled func(ctx context.Context, m *Message, took time.Duration, err error)
	// Sent is called for each event that is sent, once per recipient; args must
	// be neither kept nor changed.
	Sent func(s *Socket, event string, args []any)
	// Asked is called before an event that wants an answer is sent, and returns
	// the context for Answered.
	Asked func(ctx context.Context, q Question) context.Context
	// Answered is called once for each Asked.
	Answered func(ctx context.Context, q Question, o Outcome)
}

// A Question is an event that was sent and wants an answer.
type Question struct {
	Namespace *Namespace
	Socket    *Socket // nil if it went to several, or to another node
	Event     string
}

// An Outcome is what became of a [Question].
type Outcome struct {
	Took    time.Duration
	Answers int
	Err     error // nil if everybody answered
}

// Observe has o told of events from now on, until stop is called.
func (srv *Server) Observe(o Observer) (stop func()) {
	p := &o
	srv.rewatch(func(w *watch) { w.observers = extend(w.observers, p) })
	return sync.OnceFunc(func() {
		srv.rewatch(func(w *watch) { w.observers = without(w.observers, p) })
	})
}

// A watch is who looks at a server: replaced, never changed, and nil while nobody
// does, so that a packet pays for one look at a pointer.
type watch struct {
	observers []*Observer
	taps      []*tap
}

func (srv *Server) rewatch(change func(*watch)) {
	srv.watchMu.Lock()
	defer srv.watchMu.Unlock()
	var w watch
	if old := srv.watch.Load(); old != nil {
		w = *old
	}
	change(&w)
	if len(w.observers)+len(w.taps) == 0 {
		srv.watch.Store(nil)
		return
	}
	srv.watch.Store(&w)
}

// received tells of an event, and returns the context for its handlers.
func (w *watch) received(ctx context.Context, s *Socket, m *Message) context.Context {
	if len(w.observers) == 0 {
		return ctx
	}
	if m.end == nil {
		m.end = new(ending)
	}
	e := m.end
	e.observers, e.began = w.observers, s.nsp.srv.clock()
	for _, o := range w.observers {
		if o.Received != nil {
			_ = s.guard(m.event, func() error { ctx = o.Received(ctx, m); return nil })
		}
	}
	e.ctx = ctx
	return ctx
}

func (w *watch) sent(s *Socket, event string, args []any) {
	for _, o := range w.observers {
		if o.Sent != nil {
			o.Sent(s, event, args)
		}
	}
}

// An asking is a [Question] that somebody observes.
type asking struct {
	q         Question
	observers []*Observer
	contexts  []context.Context
	began     time.Duration
	srv       *Server
}

// ask tells that an answer is wanted. It returns nil if nobody wants to know.
func (n *Namespace) ask(ctx context.Context, s *Socket, event string) *asking {
	w := n.srv.watch.Load()
	if w == nil || len(w.observers) == 0 {
		return nil
	}
	a := &asking{q: Question{n, s, event}, observers: w.observers, began: n.srv.clock(), srv: n.srv}
	a.contexts = make([]context.Context, len(w.observers))
	for i, o := range w.observers {
		a.contexts[i] = ctx
		if o.Asked != nil {
			a.contexts[i] = o.Asked(ctx, a.q)
		}
	}
	return a
}

func (a *asking) answered(answers int, err error) {
	if a == nil {
		return
	}
	took := a.srv.clock() - a.began
	for i, o := range a.observers {
		if o.Answered != nil {
			o.Answered(a.contexts[i], a.q, Outcome{took, answers, err})
		}
	}
}

// clock is a time that only differences are taken of; it is cheaper than that of
// the day.
func (srv *Server) clock() time.Duration { return time.Since(srv.started) }

// Traffic counts the packets of Socket.IO, with their bytes before compression and
// without those of transports and heartbeats.
type Traffic struct {
	PacketsIn, PacketsOut, BytesIn, BytesOut uint64
}

// traffic is where they are counted: in several places, since a shared atomic per
// packet would go to and fro between cores.
type traffic [16]struct {
	packetsIn, packetsOut, bytesIn, bytesOut atomic.Uint64

	_ [32]byte // the rest of a line of the cache
}

// place is the one for a connection, whose sid is random.
func (t *traffic) place(sid string) int { return int(sid[len(sid)-1]) % len(t) }

func (t *traffic) in(sid string, bytes int) {
	place := &t[t.place(sid)]
	place.packetsIn.Add(1)
	place.bytesIn.Add(uint64(bytes))
}

func (t *traffic) out(sid string, bytes int) {
	place := &t[t.place(sid)]
	place.packetsOut.Add(1)
	place.bytesOut.Add(uint64(bytes))
}

func (t *traffic) sum() (sum Traffic) {
	for i := range t {
		sum.PacketsIn += t[i].packetsIn.Load()
		sum.PacketsOut += t[i].packetsOut.Load()
		sum.BytesIn += t[i].bytesIn.Load()
		sum.BytesOut += t[i].bytesOut.Load()
	}
	return sum
}
