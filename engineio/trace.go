package engineio

import (
	"context"
	"log/slog"
	"strconv"
)

// tracing reports whether every packet is logged. It is asked for each, so that
// the level can be changed while the server runs.
func (s *Server) tracing() bool {
	return s.log.Enabled(context.Background(), slog.LevelDebug)
}

// trace logs a packet, without what a message says: the layer above knows what
// of it is secret.
func (s *Session) trace(dir string, kind packetType, m Message) {
	s.srv.log.Debug("packet", "dir", dir, "type", kind.String(), "bytes", len(m.Data), "binary", m.Binary,
		"connection", s, "transport", s.Transport())
}

func (t packetType) String() string {
	switch t {
	case packetOpen:
		return "open"
	case packetClose:
		return "close"
	case packetPing:
		return "ping"
	case packetPong:
		return "pong"
	case packetMessage:
		return "message"
	case packetUpgrade:
		return "upgrade"
	case packetNoop:
		return "noop"
	}
	return "unknown " + strconv.Quote(string(rune(t)))
}
