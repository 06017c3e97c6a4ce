package socketio_test

import (
	"strings"
	"testing"
)

// TestBacklog has three polling clients of which none comes for what it is sent.
func TestBacklog(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		if b := h.Backlog(5); b.Clients != 0 || len(b.Worst) != 0 {
			t.Errorf("at first %+v", b)
		}
		for range 3 {
			h.openPolling()
		}
		var behind []string
		for s := range h.Sockets() {
			n := len(behind)
			behind = append(behind, s.ID())
			for range n + 1 {
				if err := s.Emit("news", strings.Repeat("x", 100)); err != nil {
					t.Fatal(err)
				}
			}
		}
		b := h.Backlog(2)
		if b.Clients != 3 || b.Packets != 6 || b.Bytes < 600 || len(b.Worst) != 2 {
			t.Fatalf("backlog = %+v; want 3 clients and 6 packets", b)
		}
		for i, w := range b.Worst {
			if w.Socket.ID() != behind[2-i] || w.Packets != 3-i || w.Transport != "polling" {
				t.Errorf("worst %d = %+v", i, w)
			}
		}
		if b := h.Backlog(0); b.Clients != 3 || len(b.Worst) != 0 {
			t.Errorf("without names: %+v", b)
		}
	})
}
