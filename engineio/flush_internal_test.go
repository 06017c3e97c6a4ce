package engineio

import (
	"net/http"
	"testing"
)

// overtaken is a receiver during whose Receive somebody else flushes, as the
// WebSocket of an upgrade does while a POST delivers.
type overtaken struct {
	s        *Session
	received bool
	flushed  bool // after Receive
}

func (r *overtaken) Receive(Message) {
	r.s.flush(true)
	r.received = true
}

func (r *overtaken) Flush(bool) { r.flushed = r.flushed || r.received }

func (r *overtaken) Closed(Reason, error) {}

func TestFlushDuringReceive(t *testing.T) {
	r := new(overtaken)
	srv := NewServer(&Options{OnSession: func(*Session, *http.Request) Receiver { return r }})
	r.s = &Session{srv: srv, recv: r}
	r.s.recvMu.Lock()
	r.s.receive(packetMessage, Message{Data: []byte("m")})
	r.s.recvMu.Unlock()
	r.s.flush(false)
	if !r.flushed {
		t.Error("a message was received and never flushed: its receiver does not know that it is there")
	}
}
