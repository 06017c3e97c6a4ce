package engineio

import (
	"fmt"
	"runtime/debug"
)

// survive is deferred where a client's bytes are handled. A panic there is a
// mistake of ours, or of a receiver's, and must not end the process with all
// the other sessions: it ends this one.
func (s *Session) survive() {
	v := recover()
	if v == nil {
		return
	}
	s.srv.counts.panics.Add(1)
	if missed, ok := s.srv.panics.Allow(); ok { // a client can have it happen again and again
		s.srv.log.Error("panic while receiving: session is closed",
			"connection", s, "remote", s.RemoteAddr(), "panic", v, "stack", string(debug.Stack()), "unlogged", missed)
	}
	s.end(TransportError, fmt.Errorf("panic while receiving: %v", v))
}
