package client

import (
	"context"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio"
)

// TestReceivedBytes: what waits for handlers is counted as what has come, head and
// attachments, each once.
func TestReceivedBytes(t *testing.T) {
	m, err := New("http://nowhere", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := m.Socket("/")
	handled := make(chan bool)
	s.On("a", func(context.Context, *socketio.Message) error { <-handled; return nil })
	c := newConnection(m)
	m.mu.Lock()
	s.conn, s.joined, s.active = c, true, true
	m.mu.Unlock()
	messages := []engineio.Message{
		{Data: []byte(`452-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)[1:]},
		{Data: make([]byte, 1000), Binary: true},
		{Data: make([]byte, 50), Binary: true},
		{Data: []byte(`2["a"]`)},
	}
	total := 0
	for _, in := range messages {
		c.Receive(in)
		total += len(in.Data)
	}
	bytes := func() int {
		m.mu.Lock()
		defer m.mu.Unlock()
		return c.flow.bytes
	}
	if got := bytes(); got != total {
		t.Errorf("%d bytes wait, counted as %d", total, got)
	}
	c.Flush(false)
	handled <- true
	handled <- true
	m.mu.Lock()
	s.conn, s.joined = nil, false
	m.mu.Unlock()
	m.Close() // the last handler has ended
	if got := bytes(); got != 0 {
		t.Errorf("%d bytes are left", got)
	}
}
