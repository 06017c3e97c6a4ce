package socketio_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio"
)

// TestShutdownAnswers: what came before the shutdown is answered, and nobody waits
// longer than the grace.
func TestShutdownAnswers(t *testing.T) {
	bubble(t, &socketio.Options{ShutdownGrace: 3 * time.Second}, func(t *testing.T, h *harness) {
		h.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			s.On("work", func(ctx context.Context, m *socketio.Message) error {
				var d time.Duration
				if err := m.Decode(&d); err != nil {
					return err
				}
				select {
				case <-time.After(d):
				case <-ctx.Done():
				}
				return m.Ack("done")
			})
			return nil
		})
		quick, slow := h.join(), h.join()
		quick.send(fmt.Sprintf(`421["work",%d]`, 2*time.Second))
		slow.send(fmt.Sprintf(`421["work",%d]`, time.Hour))
		synctest.Wait()
		start := time.Now()
		if err := h.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("Shutdown took %v; want the 3 s of the grace", took)
		}
		quick.want(`431["done"]`, "end")
		slow.want("end")
	})
}

// TestShutdownPace: connections are closed at the rate, and faster when the
// context would end before.
func TestShutdownPace(t *testing.T) {
	for _, c := range []struct {
		name    string
		limit   time.Duration
		longest time.Duration
	}{
		{"at the rate", time.Hour, 450 * time.Millisecond},
		{"before the context ends", 200 * time.Millisecond, 100 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, &socketio.Options{ShutdownRate: 20}, func(t *testing.T, h *harness) {
				var mu sync.Mutex
				var ends []time.Duration
				start := time.Now()
				h.OnDisconnect(func(context.Context, *socketio.Socket, socketio.DisconnectReason) {
					mu.Lock()
					defer mu.Unlock()
					ends = append(ends, time.Since(start))
				})
				for range 10 {
					h.join()
				}
				ctx, cancel := context.WithTimeout(t.Context(), c.limit)
				defer cancel()
				if err := h.Shutdown(ctx); err != nil {
					t.Error(err)
				}
				if len(ends) != 10 || ends[0] != 0 || slices.Max(ends) > c.longest || slices.Max(ends) == 0 {
					t.Errorf("closed after %v; want ten, the last after %v at most", ends, c.longest)
				}
			})
		})
	}
}

// TestShutdownDelay: a server that drains says so first, and refuses later.
func TestShutdownDelay(t *testing.T) {
	bubble(t, &socketio.Options{ShutdownDelay: 5 * time.Second}, func(t *testing.T, h *harness) {
		if h.Draining() {
			t.Error("it drains before it was told to")
		}
		done := make(chan error, 1)
		start := time.Now()
		go func() { done <- h.Shutdown(t.Context()) }()
		synctest.Wait()
		if !h.Draining() {
			t.Error("it does not say that it drains")
		}
		h.join() // is served still
		if err := <-done; err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("Shutdown took %v; want 5 s", took)
		}
	})
}

// TestShutdownDelayCut: a delay that the context has no time for leaves half of it
// for the connections.
func TestShutdownDelayCut(t *testing.T) {
	bubble(t, &socketio.Options{ShutdownDelay: time.Minute}, func(t *testing.T, h *harness) {
		c := h.join()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		start := time.Now()
		if err := h.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("Shutdown took %v; want half of 2 s", took)
		}
		c.want("end")
	})
}

// TestShutdownEvent: each socket of a connection is told before it ends.
func TestShutdownEvent(t *testing.T) {
	h := newTCPHarness(t, &socketio.Options{ShutdownEvent: "restarting", Recovery: &socketio.Recovery{}})
	h.srv.Of("/chat")
	c := h.join(t)
	say(t, c, "40/chat,")
	hear(t, c, "40/chat,")
	ended := make(chan error, 1)
	go func() { ended <- h.srv.Shutdown(t.Context()) }()
	told := map[string]bool{}
	for range 2 {
		packet, err := c.Expect(t.Context(), "42")
		if err != nil {
			t.Fatal(err)
		}
		told[packet] = true
	}
	// Without the position by which recovery would send it again.
	if !told[`42["restarting"]`] || !told[`42/chat,["restarting"]`] {
		t.Errorf("told %v", told)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a reserved name is taken")
		}
	}()
	socketio.NewServer(&socketio.Options{ShutdownEvent: "disconnect"})
}

// TestOnShutdown: the hooks run once, in Shutdown while the sockets are there and it
// waits for them, in Close with a context that has ended.
func TestOnShutdown(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var got []string
		h.OnShutdown(func(ctx context.Context) {
			time.Sleep(time.Second) // of the bubble
			got = append(got, fmt.Sprint(h.Size(), ctx.Err()))
		})
		h.OnShutdown(func(context.Context) { panic("is logged") })
		h.join()
		start := time.Now()
		if err := h.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("Shutdown took %v; want the second of the hook", took)
		}
		h.Close()
		if want := []string{"1 <nil>"}; !slices.Equal(got, want) {
			t.Errorf("got %q; want %q", got, want)
		}
	})
	bubble(t, nil, func(t *testing.T, h *harness) {
		var got error
		h.OnShutdown(func(ctx context.Context) { got = ctx.Err() })
		h.Close()
		if got != context.Canceled {
			t.Errorf("in Close the context says %v", got)
		}
	})
}
