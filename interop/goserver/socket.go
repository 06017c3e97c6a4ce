package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sockeye-go/socketio"
)

// A selection is what the words "send", "ask all" and "fetch" carry.
type selection struct {
	From       string
	To, Except []string
	Flags      []string

	Event   string
	Args    []any
	Timeout int64
}

// target is the operator that a selection means.
func (sel *selection) target(s *socketio.Socket) *socketio.BroadcastOperator {
	has := func(flag string) bool { return slices.Contains(sel.Flags, flag) }
	var op *socketio.BroadcastOperator
	switch sel.From {
	case "", "socket":
		op = s.Compress(true)
	case "server":
		op = s.Namespace().Compress(true)
		if s.Namespace().Name() != "/" {
			panic("the scenarios use the server's own operators in / only")
		}
	default:
		op = s.Namespace().Compress(true)
	}
	for _, room := range sel.To {
		op = op.To(room)
	}
	if len(sel.Except) > 0 {
		op = op.Except(sel.Except...)
	}
	if has("broadcast") {
		op = op.Except()
	}
	if has("volatile") {
		op = op.Volatile()
	}
	if has("local") {
		op = op.Local()
	}
	return op
}

func onConnection(_ context.Context, s *socketio.Socket) error {
	nsp, id := s.Namespace().Name(), s.ID()
	report("connection", "nsp", nsp, "id", id)
	s.OnDisconnecting(func(reason socketio.DisconnectReason) {
		report("disconnecting", "nsp", nsp, "id", id, "reason", string(reason), "rooms", others(s))
	})
	s.OnDisconnect(func(reason socketio.DisconnectReason) {
		report("disconnect", "nsp", nsp, "id", id, "reason", string(reason), "rooms", others(s))
	})
	s.Use(func(_ context.Context, m *socketio.Message) error {
		args, err := m.Args()
		switch {
		case err != nil:
			return err
		case m.Event() == "forbidden":
			return notAllowed(args[0].(string))
		case m.Event() == "rewrite":
			return m.Replace(map[string]any{"seen": args[0]})
		}
		return nil
	})
	s.OnError(func(_ context.Context, err error) {
		report("error", "nsp", nsp, "id", id, "message", err.Error())
		_ = s.Emit("error", map[string]string{"message": err.Error()})
	})
	talk(s)
	roomWords(s)
	return s.Emit("hello", hello(s))
}

type notAllowed string

func (e notAllowed) Error() string { return "not allowed: " + string(e) }

func hello(s *socketio.Socket) map[string]any {
	h := s.Handshake()
	auth := s.Auth()
	if auth == nil {
		auth = json.RawMessage("{}")
	}
	m := map[string]any{
		"id": s.ID(), "nsp": s.Namespace().Name(), "auth": auth,
		"local": local(h.Address), "secure": h.Secure, "xdomain": h.CrossOrigin,
	}
	if name, ok := user.Get(s); ok {
		m["user"] = name
	}
	if q := h.Query(); q.Has("who") {
		m["query"] = q.Get("who")
	}
	if who, err := s.Header("X-Who"); err == nil && who != "" {
		m["header"] = who
	}
	return m
}

// talk answers the words about events and acks.
func talk(s *socketio.Socket) {
	on := func(event string, f func(ctx context.Context, m *socketio.Message, args []any) error) {
		s.On(event, func(ctx context.Context, m *socketio.Message) error {
			args, err := m.Args()
			if err != nil {
				return err
			}
			return f(ctx, m, args)
		})
	}
	on("echo", func(_ context.Context, m *socketio.Message, args []any) error {
		if m.WantsAck() {
			return m.Ack(args...)
		}
		return s.Emit("echo", args...)
	})
	on("rewrite", func(_ context.Context, m *socketio.Message, args []any) error { return m.Ack(args[0]) })
	on("forbidden", func(_ context.Context, m *socketio.Message, _ []any) error { return m.Ack("should not be reached") })

	var held []func() error
	on("hold", func(_ context.Context, m *socketio.Message, args []any) error {
		m = m.Detach()
		held = append(held, func() error { return m.Ack(args[0]) })
		return nil
	})
	on("release", func(_ context.Context, m *socketio.Message, _ []any) error {
		if err := m.Ack(len(held)); err != nil {
			return err
		}
		for _, answer := range held {
			if err := answer(); err != nil {
				return err
			}
		}
		held = nil
		return nil
	})
	s.On("ask", func(ctx context.Context, m *socketio.Message) error {
		var sel selection
		if err := m.Decode(&sel); err != nil {
			return err
		}
		// A handler of JavaScript does not wait: what the client asks before it
		// answers is handled meanwhile.
		m = m.Detach()
		go func() { _ = m.Ack(ask(ctx, s, &sel)) }()
		return nil
	})
	s.On("ask all", func(ctx context.Context, m *socketio.Message) error {
		var sel selection
		if err := m.Decode(&sel); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, ms(sel.Timeout))
		defer cancel()
		responses, missing := []any{}, false
		for answer, err := range sel.target(s).EmitWithAcks(ctx, sel.Event, sel.Args...) {
			if err != nil {
				missing = true
				continue
			}
			args, err := answer.Args()
			if err != nil {
				return err
			}
			if len(args) > 0 {
				responses = append(responses, args[0])
			} else {
				responses = append(responses, nil)
			}
		}
		return m.Ack(map[string]any{"responses": responses, "missing": missing})
	})

	s.On("volatile then plain", func(context.Context, *socketio.Message) error {
		if err := s.Volatile().Emit("volatile", 1); err != nil {
			return err
		}
		return s.Emit("plain", 2)
	})
	on("volatile", func(_ context.Context, _ *socketio.Message, args []any) error {
		return s.Volatile().Emit("volatile", args...)
	})
	s.On("flood", func(_ context.Context, m *socketio.Message) error {
		var f struct {
			Event      string
			Count, Pad int
			Batch      int
		}
		if err := m.Decode(&f); err != nil {
			return err
		}
		pad := strings.Repeat("x", f.Pad)
		for i := range f.Count {
			// The queue of a slow client is limited: wait for room, as an
			// application that sends this much would.
			for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
				if bytes, _ := s.Buffered(); bytes < 256<<10 || !s.Connected() {
					break
				}
				time.Sleep(wait)
			}
			if err := s.Emit(f.Event, i, pad); err != nil {
				return err
			}
		}
		if m.WantsAck() {
			return m.Ack(f.Count)
		}
		return nil
	})
	received, ordered := 0, true
	s.On("count", func(_ context.Context, m *socketio.Message) error {
		var n int
		if err := m.Decode(&n); err != nil {
			return err
		}
		ordered = ordered && n == received
		received++
		return nil
	})
	s.On("counted", func(_ context.Context, m *socketio.Message) error {
		return m.Ack(map[string]any{"received": received, "ordered": ordered})
	})
	tap(s)
}

// ask returns what the client answered.
func ask(ctx context.Context, s *socketio.Socket, sel *selection) map[string]any {
	ctx, cancel := context.WithTimeout(ctx, ms(sel.Timeout))
	defer cancel()
	answer, err := s.EmitWithAck(ctx, sel.Event, sel.Args...)
	if err != nil {
		return map[string]any{"timeout": true}
	}
	args, err := answer.Args()
	if err != nil {
		return map[string]any{"broken": err.Error()}
	}
	return map[string]any{"answer": append([]any{}, args...)}
}

// tap records what passes from now on.
func tap(s *socketio.Socket) {
	s.On("tap", func(_ context.Context, m *socketio.Message) error {
		var mu sync.Mutex
		seen := []any{}
		see := func(way, event string, args []any) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, []any{way, event, append([]any{}, args...)})
		}
		s.OnAny(func(_ context.Context, m *socketio.Message) error {
			args, err := m.Args()
			if err == nil {
				see("in", m.Event(), args)
			}
			return err
		})
		s.OnAnyOutgoing(func(event string, args []any) { see("out", event, args) })
		s.On("tapped", func(_ context.Context, m *socketio.Message) error {
			mu.Lock()
			defer mu.Unlock()
			return m.Ack(seen)
		})
		return m.Ack()
	})
}
