package engineio

import (
	"time"

	"github.com/sockeye-go/socketio/internal/ws"
)

// A pingMeter counts the WebSocket pings of one second. Few clients send any.
type pingMeter struct {
	since time.Time
	n     int
}

var errTooManyPings = &ws.Error{Code: ws.ClosePolicy, Reason: "too many pings"}

// pingAllowed counts a ping and reports whether it may be answered.
func (t *wsTransport) pingAllowed() bool {
	now := time.Now()
	m := t.pings
	if m == nil {
		m = new(pingMeter)
		t.pings = m
	}
	if now.Sub(m.since) >= time.Second {
		*m = pingMeter{since: now}
	}
	m.n++
	return m.n <= t.s.srv.opts.MaxPings
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
