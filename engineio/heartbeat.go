package engineio

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio/internal/poll"
)

// A heart keeps the deadlines of all sessions of a server: when to ping and
// when a pong is overdue. Because all wait for the same interval, each of the
// two lists is in order of its deadlines and one timer for its head suffices.
type heart struct {
	interval, timeout time.Duration
	start             time.Time

	mu    sync.Mutex
	pings deadlines // sessions whose next ping is not due yet
	pongs deadlines // sessions that owe a pong
	calls deadlines // sessions of revision 3, whose clients ping, that owe a ping
}

// A beat is a session's place in a heart.
type beat struct {
	prev, next *Session
	at         time.Duration // since heart.start
	in         atomic.Uint32 // a queue; changed under heart.mu
	owing      atomic.Bool   // a pong is awaited and nothing has come since the ping
}

// A queue names one of the deadlines of a heart, in less memory than a pointer.
type queue uint32

const (
	noQueue queue = iota
	pingQueue
	pongQueue
	callQueue
)

// of returns the deadlines that q names, nil for none.
func (h *heart) of(q queue) *deadlines {
	switch q {
	case pingQueue:
		return &h.pings
	case pongQueue:
		return &h.pongs
	case callQueue:
		return &h.calls
	}
	return nil
}

func (b *beat) queue() queue { return queue(b.in.Load()) }

// deadlines is a queue of sessions linked through their beats.
type deadlines struct {
	head, tail *Session
	timer      *time.Timer
	armed      bool
	due        func(*Session) // called without heart.mu
}

func newHeart(interval, timeout time.Duration, sendPing, pongOverdue, pingOverdue func(*Session)) *heart {
	h := &heart{interval: interval, timeout: timeout, start: time.Now()}
	h.pings.due = sendPing
	h.pongs.due = pongOverdue
	h.calls.due = pingOverdue
	return h
}

// awaitPing starts the interval before the next ping.
func (h *heart) awaitPing(s *Session) { h.enter(s, pingQueue, h.interval) }

// awaitPong starts the time that a pong may take.
func (h *heart) awaitPong(s *Session) { h.enter(s, pongQueue, h.timeout) }

// awaitCall starts the time that a client of revision 3 may be silent.
func (h *heart) awaitCall(s *Session) { h.enter(s, callQueue, h.interval+h.timeout) }

// pong ends the wait for one; without a wait it does nothing.
func (h *heart) pong(s *Session) {
	if s.beat.queue() != pongQueue {
		return // a flood of pongs must not keep everybody's lock busy
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.beat.queue() == pongQueue {
		h.leaveLocked(s)
		h.enterLocked(s, pingQueue, h.interval)
	}
}

// alive is called when something other than a pong arrives while one is owed.
// It gives the pong, which may be queued behind a large message, its full time
// again; once per ping, so that a client cannot do without pongs altogether.
func (h *heart) alive(s *Session) {
	if s.beat.owing.CompareAndSwap(true, false) {
		h.rearm(s)
	}
}

// rearm gives a pong, or the ping of revision 3, that is owed its full time
// again.
func (h *heart) rearm(s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch s.beat.queue() {
	case pongQueue:
		h.leaveLocked(s)
		h.enterLocked(s, pongQueue, h.timeout)
	case callQueue:
		h.leaveLocked(s)
		h.enterLocked(s, callQueue, h.interval+h.timeout)
	}
}

func (h *heart) enter(s *Session, q queue, wait time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.beat.queue() == noQueue {
		h.enterLocked(s, q, wait)
	}
}

func (h *heart) enterLocked(s *Session, q queue, wait time.Duration) {
	b, l := &s.beat, h.of(q)
	b.prev, b.next = l.tail, nil
	b.in.Store(uint32(q))
	b.at = time.Since(h.start) + wait
	b.owing.Store(false)
	if l.tail != nil {
		l.tail.beat.next = s
	} else {
		l.head = s
	}
	l.tail = s
	if !l.armed {
		h.armLocked(l, wait)
	}
}

func (h *heart) leave(s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leaveLocked(s)
}

func (h *heart) leaveLocked(s *Session) {
	b := &s.beat
	l := h.of(b.queue())
	if l == nil {
		return
	}
	if b.prev != nil {
		b.prev.beat.next = b.next
	} else {
		l.head = b.next
	}
	if b.next != nil {
		b.next.beat.prev = b.prev
	} else {
		l.tail = b.prev
	}
	b.prev, b.next = nil, nil
	b.in.Store(uint32(noQueue))
	if l.head == nil && l.armed {
		// Nobody waits: a server that is dropped must not be held by a timer.
		l.armed = !l.timer.Stop()
	}
}

func (h *heart) armLocked(l *deadlines, wait time.Duration) {
	l.armed = true
	if l.timer == nil {
		l.timer = time.AfterFunc(wait, func() { h.fire(l) })
	} else {
		l.timer.Reset(wait)
	}
}

// fire takes everything that is due out of l and hands it over.
func (h *heart) fire(l *deadlines) {
	h.mu.Lock()
	now := time.Since(h.start)
	var due []*Session
	for l.head != nil && l.head.beat.at <= now {
		due = append(due, l.head)
		h.leaveLocked(l.head)
	}
	if l.head != nil {
		h.armLocked(l, l.head.beat.at-now)
	} else {
		l.armed = false
	}
	h.mu.Unlock()
	var turns poll.Turns // clients that came together, as after a restart, are due together
	for _, s := range due {
		l.due(s)
		turns.Next(1)
	}
}

// sendPing is called when the interval of s is over.
func (s *Server) sendPing(sess *Session) {
	s.heart.awaitPong(sess)
	sess.beat.owing.Store(true)
	if sess.Send(ping, 0) != nil {
		s.heart.leave(sess) // it ended meanwhile, or does now
	}
}

// pongOverdue is called when the time for a pong is over.
func (s *Server) pongOverdue(sess *Session) {
	if sess.isPaused() {
		// The pong may well be there, but we do not read: not the client's fault.
		// Another ping finds out, by the error of writing, if the client is gone.
		s.sendPing(sess)
		return
	}
	sess.end(PingTimeout, nil)
}

// callOverdue is called when a client of revision 3 has been silent too long.
func (s *Server) callOverdue(sess *Session) {
	if sess.isPaused() {
		s.heart.awaitCall(sess)
		return
	}
	sess.end(PingTimeout, nil)
}

// beatReceived handles the client's part of the heartbeat: the pong that it
// owes, or, in revision 3, its ping.
func (s *Session) beatReceived() {
	if s.form&revision3 == 0 {
		s.srv.heart.pong(s)
		return
	}
	s.srv.heart.rearm(s)
	_ = s.Send(pong, 0) // the session ends for other reasons if it cannot
}
