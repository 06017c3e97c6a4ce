package engineio

import (
	"sync/atomic"
	"time"
)

// A clientBeat is the heartbeat of a client's session: one timer. In revision 4
// the server pings, and is gone when nothing at all has come for an interval
// and a timeout. In revision 3 the client pings, and the server is gone when
// neither a pong nor anything else has come in time.
//
// The original looks at pings alone, so that a large message on a slow line
// kills the connection it arrives on.
//
// While reading is paused the server's heartbeat is not seen, but the client lives:
// it sends its part of the heartbeat without being asked, often enough for each ping
// that waits unread to be answered in time.
type clientBeat struct {
	timer *time.Timer // guarded by ClientSession.mu
	start time.Time
	last  atomic.Int64 // when something came, since start
	asked atomic.Bool  // revision 3: a pong is awaited
}

func (b *clientBeat) begin(s *ClientSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.start = time.Now()
	b.timer = time.AfterFunc(b.first(s), func() { b.due(s) })
	if s.paused {
		b.paused(s)
	}
}

// first is how long the timer runs when nothing is owed.
func (b *clientBeat) first(s *ClientSession) time.Duration {
	if s.d.opts.Protocol == 3 {
		return s.interval
	}
	return s.interval + s.timeout
}

// paused has the client speak by itself. s.mu is held.
func (b *clientBeat) paused(s *ClientSession) {
	if b.timer != nil && s.state != closed {
		b.timer.Reset(min(s.interval, s.timeout) / 2)
	}
}

// resumed goes back to the ordinary heartbeat. s.mu is held.
func (b *clientBeat) resumed(s *ClientSession) {
	b.heard(s)
	b.asked.Store(false)
	if b.timer != nil && s.state != closed {
		b.timer.Reset(b.first(s))
	}
}

func (b *clientBeat) stop() {
	if b.timer != nil {
		b.timer.Stop()
	}
}

// heard notes that something came.
func (b *clientBeat) heard(*ClientSession) { b.last.Store(int64(time.Since(b.start))) }

// pong starts the next interval.
func (b *clientBeat) pong(s *ClientSession) {
	if b.asked.Swap(false) {
		b.rearm(s, s.interval)
	}
}

// due is called by the timer.
func (b *clientBeat) due(s *ClientSession) {
	if s.mayBePaused() {
		return
	}
	patience := s.interval + s.timeout
	if s.d.opts.Protocol == 3 {
		if !b.asked.Swap(true) {
			s.control(packetPing, nil)
			b.rearm(s, s.timeout)
			return
		}
		patience = s.timeout
	}
	silence := time.Since(b.start) - time.Duration(b.last.Load())
	if silence < patience {
		b.rearm(s, patience-silence)
		return
	}
	s.end(PingTimeout, nil)
}

// mayBePaused sends what a paused session sends, and reports whether it is one.
func (s *ClientSession) mayBePaused() bool {
	s.mu.Lock()
	paused := s.paused
	if paused {
		s.beat.paused(s)
	}
	s.mu.Unlock()
	if paused {
		kind := packetPong
		if s.d.opts.Protocol == 3 {
			kind = packetPing
		}
		s.control(kind, nil)
	}
	return paused
}

func (b *clientBeat) rearm(s *ClientSession, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state == closed:
	case s.paused:
		b.paused(s)
	default:
		b.timer.Reset(wait)
	}
}
