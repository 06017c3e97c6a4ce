package client

import (
	"context"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio"
)

// TestEarlyInRoot: a server of revision 3 speaks in "/" as soon as there is a
// connection, which may be before Connect has come to it.
func TestEarlyInRoot(t *testing.T) {
	for _, c := range []struct {
		name     string
		early    []string
		want     []string
		joined   bool
		answered bool // Connect has an answer
	}{
		{"events", []string{`0`, `2["a"]`, `2["b"]`}, []string{"a", "b", "c"}, true, true},
		{"let in later", []string{`2["a"]`}, []string{"a", "c"}, true, false},
		{"put out", []string{`0`, `2["a"]`, `1`, `2["b"]`}, []string{"a"}, false, true},
		{"refused", []string{`4"no"`}, nil, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := New("http://nowhere", &Options{Protocol: 3})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			s := m.Socket("/")
			got := make(chan string, 8)
			s.OnAny(func(_ context.Context, e *socketio.Message) error { got <- e.Event(); return nil })
			conn := newConnection(m)
			conn.sess = new(engineio.ClientSession)
			m.mu.Lock()
			s.active = true // Connect is on its way
			m.mu.Unlock()
			receive := func(packets ...string) {
				for _, p := range packets {
					conn.Receive(engineio.Message{Data: []byte(p)})
				}
				conn.Flush(false)
			}
			receive(c.early...)

			opened := make(chan error, 1)
			m.mu.Lock()
			s.conn, s.opened = conn, []chan error{opened}
			m.mu.Unlock()
			s.sendConnect(t.Context(), conn)
			if len(opened) > 0 != c.answered {
				t.Errorf("answered: %v", !c.answered)
			}
			if !c.answered {
				receive(`0`)
			}
			if s.Connected() != c.joined {
				t.Errorf("connected: %v", !c.joined)
			}
			receive(`2["c"]`)
			for _, want := range c.want {
				if event := <-got; event != want {
					t.Errorf("got %q; want %q", event, want)
				}
			}
			m.mu.Lock()
			s.end(ClientDisconnect, nil)
			m.mu.Unlock()
			m.Close()
			if len(got) > 0 {
				t.Errorf("got %q as well", <-got)
			}
		})
	}
}
