package socketio_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/rawclient"
)

type seenKey struct{}

// TestObserver has every function of an observer called, with what belongs there,
// and none after it was stopped.
func TestObserver(t *testing.T) {
	h := newTCPHarness(t)
	var mu sync.Mutex
	var got []string
	note := func(s string) {
		mu.Lock()
		got = append(got, s)
		mu.Unlock()
	}
	stop := h.srv.Observe(socketio.Observer{
		Received: func(ctx context.Context, m *socketio.Message) context.Context {
			note("received " + m.Event())
			return context.WithValue(ctx, seenKey{}, m.Event())
		},
		Handled: func(ctx context.Context, m *socketio.Message, took time.Duration, err error) {
			if ctx.Value(seenKey{}) != m.Event() || took < 0 || m.Socket() == nil {
				note("bad handled")
			}
			text := "handled " + m.Event()
			if err != nil {
				text += ": " + err.Error()
			}
			note(text)
		},
		Sent: func(_ *socketio.Socket, event string, args []any) { note("sent " + event) },
		Asked: func(ctx context.Context, q socketio.Question) context.Context {
			note("asked " + q.Event)
			return context.WithValue(ctx, seenKey{}, q.Event)
		},
		Answered: func(ctx context.Context, q socketio.Question, o socketio.Outcome) {
			if ctx.Value(seenKey{}) != q.Event || o.Err != nil || o.Answers != 1 {
				note("bad answered")
			}
			note("answered " + q.Event)
		},
	})
	done := make(chan struct{}, 10)
	h.srv.OnConnection(func(ctx context.Context, s *socketio.Socket) error {
		s.On("work", func(ctx context.Context, m *socketio.Message) error {
			if ctx.Value(seenKey{}) != "work" {
				note("a handler without its context")
			}
			if _, err := s.EmitWithAck(ctx, "ask"); err != nil {
				return err
			}
			for _, err := range h.srv.EmitWithAcks(ctx, "ask all") {
				if err != nil {
					return err
				}
			}
			return s.Emit("tell", 1)
		})
		s.On("fail", func(context.Context, *socketio.Message) error { return errors.New("no") })
		s.On("last", func(context.Context, *socketio.Message) error { done <- struct{}{}; return nil })
		return nil
	})
	f := h.join(t)
	say(t, f, `42["work"]`)
	hear(t, f, `420["ask"]`)
	say(t, f, `430[]`)
	hear(t, f, `421["ask all"]`)
	say(t, f, `431[]`)
	hear(t, f, `42["tell",1]`)
	say(t, f, `42["fail"]`)
	say(t, f, `42["last"]`)
	<-done
	want := []string{
		"received work", "asked ask", "sent ask", "answered ask", "asked ask all", "sent ask all", "answered ask all",
		"sent tell", "handled work", "received fail", "handled fail: no", "received last",
	}
	mu.Lock()
	for i, w := range want {
		if i >= len(got) || got[i] != w {
			t.Errorf("%d: want %q of %q", i, w, got)
		}
	}
	mu.Unlock()
	st := h.srv.Stats().Traffic
	if st.PacketsIn != 6 || st.PacketsOut < 4 || st.BytesIn == 0 || st.BytesOut == 0 {
		t.Errorf("traffic = %+v", st)
	}
	stop()
	stop()
	say(t, f, `42["last"]`)
	<-done
	if after := h.srv.Stats().Traffic; after.PacketsIn != st.PacketsIn {
		t.Errorf("traffic is counted though nobody observes: %+v", after)
	}
}

// TestTap listens to one of two sockets.
func TestTap(t *testing.T) {
	h := newTCPHarness(t)
	ids := make(chan *socketio.Socket, 2)
	h.srv.OnConnection(func(_ context.Context, s *socketio.Socket) error { ids <- s; return nil })
	h.srv.OnAny(func(_ context.Context, s *socketio.Socket, m *socketio.Message) error {
		return s.Emit("heard", m.Event(), []byte{1, 2})
	})
	f, other := h.join(t), h.join(t)
	s := <-ids
	shown := make(chan socketio.TappedPacket, 100)
	stop := h.srv.Tap(s, 3, func(p socketio.TappedPacket) { shown <- p })
	for _, one := range []*rawclient.WebSocket{f, other} {
		say(t, one, `427["say",{"a":1}]`)
		hear(t, one, `451-["heard","say",{"_placeholder":true,"num":0}]`)
	}
	in, out := <-shown, <-shown
	if in.Out || in.Event != "say" || in.ID != 7 || in.Args != `{"a":1}` || in.Bytes != len(`27["say",{"a":1}]`) {
		t.Errorf("in = %+v", in)
	}
	if !out.Out || out.Event != "heard" || out.Attachments != 1 || out.Args != `"say", {"_placeholder":true,"num":0}` {
		t.Errorf("out = %+v", out)
	}
	for range 20 {
		say(t, f, `42["more"]`)
		hear(t, f, `451-["heard","more",{"_placeholder":true,"num":0}]`)
	}
	if n := len(shown); n > 20 {
		t.Errorf("%d of 40 packets were shown; want 3 a second", n)
	}
	stop()
	for len(shown) > 0 {
		<-shown
	}
	say(t, f, `42["unheard"]`)
	hear(t, f, `451-["heard","unheard",{"_placeholder":true,"num":0}]`)
	if len(shown) > 0 {
		t.Errorf("shown after stop: %+v", <-shown)
	}
}

func say(t *testing.T, c *rawclient.WebSocket, packet string) {
	t.Helper()
	if err := c.Send(t.Context(), packet); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, c *rawclient.WebSocket, packet string) {
	t.Helper()
	if _, err := c.Expect(t.Context(), packet); err != nil {
		t.Fatal(err)
	}
}
