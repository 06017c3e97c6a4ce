package engineio

import (
	"net"

	"github.com/sockeye-go/socketio/internal/ws"
)

// startWebSocket opens a session that begins on WebSocket. answer, if any, is
// what the client has to be told first; it is not the caller's any more.
func (s *Server) startWebSocket(sess *Session, nc net.Conn, d ws.Deflate, answer, leftover []byte) {
	s.counts.connections(sess.form.transport()).Add(1)
	t := sess.newWebSocket(nc, sess.form, d, false)

	// What OnSession sent is in the queue; what other goroutines send from now
	// on waits for the lock and then takes the direct way.
	sess.mu.Lock()
	first := answer
	for _, m := range sess.polling.queue {
		first = append(first, t.framesIn(m, 0)...)
	}
	err := t.conn.Write(first, true)
	state := sess.state
	if sess.polling.closeTimer != nil {
		sess.polling.closeTimer.Stop()
	}
	sess.polling = nil
	sess.ws.Store(t)
	if sess.paused {
		t.conn.Pause()
	}
	sess.mu.Unlock()
	_ = sess.sendError(err)

	switch state { // OnSession may have closed it
	case closing:
		sess.end(ForcedClose, nil)
	case closed:
		t.close(closeFrame)
	}
	t.conn.Start(leftover)
}
