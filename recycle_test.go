package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/sockeye-go/socketio"
)

type kept struct {
	N    int             `json:"n"`
	Text string          `json:"text"`
	Raw  json.RawMessage `json:"raw"`
	Any  any             `json:"any"`
}

// TestKeptValues keeps what typed handlers got, beyond their return, while the
// memory of the events is used again.
func TestKeptValues(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var got []kept
		socketio.NewEvent[kept]("keep").Handle(h, func(_ context.Context, _ *socketio.Socket, v kept) error {
			got = append(got, v)
			return nil
		})
		c := h.join()
		const n = 100
		for i := range n {
			c.packet(fmt.Sprintf(`2["keep",{"n":%d,"text":"text %[1]d","raw":[%[1]d],"any":["a %[1]d"]}]`, i))
		}
		c.packet(`2["keep",{}]`) // nothing is left of earlier ones
		socketio.NewEventWithAck[socketio.None, int]("done").Handle(h, func(context.Context, *socketio.Socket, socketio.None) (int, error) { return len(got), nil })
		c.packet(`27["done"]`)
		c.want(fmt.Sprintf("437[%d]", n+1))
		for i, v := range got[:n] {
			if v.N != i || v.Text != fmt.Sprintf("text %d", i) || string(v.Raw) != fmt.Sprintf("[%d]", i) || fmt.Sprint(v.Any) != fmt.Sprintf("[a %d]", i) {
				t.Fatalf("value %d is %+v", i, v)
			}
		}
		if last := got[n]; last.N != 0 || last.Text != "" || last.Raw != nil || last.Any != nil {
			t.Errorf("the empty value is %+v", last)
		}
	})
}

// TestKeptMessage keeps a Message longer than is allowed: it must not turn into
// another event.
func TestKeptMessage(t *testing.T) {
	for name, register := range map[string]func(*harness, func(*socketio.Message)){
		"OnAny": func(h *harness, f func(*socketio.Message)) {
			h.OnAny(func(_ context.Context, _ *socketio.Socket, m *socketio.Message) error { f(m); return nil })
		},
		"UseEvents": func(h *harness, f func(*socketio.Message)) {
			h.UseEvents(func(_ context.Context, _ *socketio.Socket, m *socketio.Message) error { f(m); return nil })
		},
		"On": func(h *harness, f func(*socketio.Message)) {
			h.OnConnection(func(_ context.Context, s *socketio.Socket) error {
				s.On("keep", func(_ context.Context, m *socketio.Message) error { f(m); return nil })
				return nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *harness) {
				var got []*socketio.Message
				register(h, func(m *socketio.Message) {
					if m.Event() == "keep" {
						got = append(got, m)
					}
				})
				socketio.NewEvent[string]("keep").Handle(h, func(context.Context, *socketio.Socket, string) error { return nil })
				socketio.NewEventWithAck[socketio.None, int]("done").Handle(h, func(context.Context, *socketio.Socket, socketio.None) (int, error) { return len(got), nil })
				c := h.join()
				for i := range 50 {
					c.packet(fmt.Sprintf(`2["keep","text %d"]`, i))
				}
				c.packet(`27["done"]`)
				c.want("437[50]")
				for i, m := range got {
					if want := fmt.Sprintf(`"text %d"`, i); string(m.Raw(0)) != want {
						t.Fatalf("message %d is %s", i, m.Raw(0))
					}
				}
			})
		})
	}
}

// TestHandlerEndsItsGoroutine: that concerns nobody else, and ends its socket as a panic
// does: its disconnect is told, and it may join again.
func TestHandlerEndsItsGoroutine(t *testing.T) {
	h := newTCPHarness(t)
	exit := socketio.NewEvent[socketio.None]("exit")
	leave := func(context.Context, *socketio.Socket, socketio.None) error { runtime.Goexit(); return nil }
	exit.Handle(h.srv, leave)
	socketio.NewEvent[socketio.None]("exit beside").Handle(h.srv, leave, socketio.Concurrent)
	socketio.NewEventWithAck[int, int]("echo").Handle(h.srv, func(_ context.Context, _ *socketio.Socket, n int) (int, error) { return n, nil })
	var gone, told atomic.Int32
	h.srv.OnDisconnect(func(_ context.Context, s *socketio.Socket, r socketio.DisconnectReason) {
		if r == socketio.ServerDisconnect {
			gone.Add(1)
			runtime.Goexit() // here too
		}
	})
	h.srv.OnError(func(_ context.Context, _ *socketio.Socket, err error) {
		if _, ok := errors.AsType[*socketio.PanicError](err); ok {
			told.Add(1)
		}
		runtime.Goexit()
	})
	bad, good := h.join(t), h.join(t)
	ctx := t.Context()
	rounds := 20
	for i := range rounds {
		event := []string{"exit", "exit beside"}[i%2]
		if err := bad.Send(ctx, fmt.Sprintf(`42["%s"]`, event)); err != nil {
			t.Fatal(err)
		}
		if _, err := bad.Expect(ctx, "41"); err != nil {
			t.Fatal(err)
		}
		if err := good.Send(ctx, fmt.Sprintf(`42%d["echo",5]`, i)); err != nil {
			t.Fatal(err)
		}
		if _, err := good.Expect(ctx, fmt.Sprintf("43%d[5]", i)); err != nil {
			t.Fatal(err)
		}
		if err := bad.Send(ctx, "40"); err != nil {
			t.Fatal(err)
		}
		if _, err := bad.Expect(ctx, "40{"); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.srv.Shutdown(ctx); err != nil { // waits for all that runs
		t.Error(err)
	}
	if n := gone.Load(); n < int32(rounds) {
		t.Errorf("%d disconnects were told, of %d", n, rounds)
	}
	if n := told.Load(); n < int32(rounds) {
		t.Errorf("%d errors were told, of %d", n, rounds)
	}
}
