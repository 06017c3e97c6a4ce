package engineio

import (
	"time"

	"github.com/sockeye-go/socketio/internal/ws"
)

// A meter counts what few clients send.
type meter struct {
	late  int64     // bytes that came after closing
	since time.Time // the WebSocket pings of one second
	pings int
}

// metered returns the meter; s.recvMu is held.
func (t *wsTransport) metered() *meter {
	if t.meter == nil {
		t.meter = new(meter)
	}
	return t.meter
}

var errTooManyPings = &ws.Error{Code: ws.ClosePolicy, Reason: "too many pings"}

// pingAllowed counts a ping and reports whether it may be answered.
func (t *wsTransport) pingAllowed() bool {
	now := time.Now()
	m := t.metered()
	if now.Sub(m.since) >= time.Second {
		m.since, m.pings = now, 0
	}
	m.pings++
	return m.pings <= t.s.srv.opts.MaxPings
}

// hitBy counts the limit that a violation is about, if it is about one.
func (s *Server) hitBy(e *ws.Error) {
	switch {
	case e == errTooManyPings:
		s.hit("MaxPings")
	case e.Code == ws.CloseTooBig:
		s.hit("MaxPayload")
	case e.Code == ws.ClosePolicy:
		s.hit("MaxFragments")
	}
}
