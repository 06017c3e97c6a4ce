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
	wait := s.interval + s.timeout
	if s.d.opts.Protocol == 3 {
		wait = s.interval
	}
	b.timer = time.AfterFunc(wait, func() { b.due(s) })
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
	s.mu.Lock()
	paused := s.paused
	s.mu.Unlock()
	switch {
	case paused: // it may have come, but we do not read
		b.rearm(s, patience)
	case silence < patience:
		b.rearm(s, patience-silence)
	default:
		s.end(PingTimeout, nil)
	}
}

func (b *clientBeat) rearm(s *ClientSession, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != closed {
		b.timer.Reset(wait)
	}
}
