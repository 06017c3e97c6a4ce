package adapter

import (
	"testing"

	"github.com/sockeye-go/socketio/internal/poll"
)

// TestConvoy: who walks to the same sockets waits for the last that began before it, and
// for nobody else.
func TestConvoy(t *testing.T) {
	room := func(names ...string) Target { return Target{Rooms: names} }
	all, a, b := newWalk(room(), nil), newWalk(room("a"), nil), newWalk(room("b"), nil)
	both := newWalk(room("a", "b"), nil)
	under := []*walk{all, a, b, both}
	for _, tt := range []struct {
		to     Target
		before *walk
	}{
		{room(), all}, {room("a"), a}, {room("b"), b}, {room("c"), nil}, {room("a", "b"), nil},
		{Target{Rooms: []string{"a"}, Except: []string{"x"}}, a},
	} {
		if w := newWalk(tt.to, under); w.before != tt.before {
			t.Errorf("to %q: behind %+v; want %+v", tt.to.Rooms, w.before, tt.before)
		}
	}

	w := newWalk(room("a"), under)
	for range poll.Glance { // the one before is not ahead, and does not go on: it is not waited for for ever
		w.next()
	}
	if w.before != a || w.served.Load() != poll.Glance {
		t.Errorf("after some steps: behind %+v, served %d", w.before, w.served.Load())
	}
	a.arrived()
	w.wait()
	if w.before != nil {
		t.Error("who has arrived is waited for, and kept")
	}
}
