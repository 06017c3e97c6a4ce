package socketio_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
)

type said struct {
	From string `json:"from"`
	Text string `json:"text"`
}

type move struct {
	socketio.Positional
	X, Y float64
	Note string
}

type file struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

func TestTypedEvents(t *testing.T) {
	var (
		say    = socketio.NewEvent[said]("say")
		mv     = socketio.NewEvent[move]("move")
		upload = socketio.NewEvent[file]("upload")
		nudge  = socketio.NewEvent[socketio.None]("nudge")
		any    = socketio.NewEvent[json.RawMessage]("any")
	)
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		say.Handle(h, func(_ context.Context, s *socketio.Socket, v said) error {
			d.add("%+v", v)
			return say.Emit(s, said{"server", v.Text})
		})
		mv.Handle(h, func(_ context.Context, s *socketio.Socket, v move) error {
			d.add("%v %v %q", v.X, v.Y, v.Note)
			return mv.Emit(s, v)
		})
		upload.Handle(h, func(_ context.Context, s *socketio.Socket, v file) error {
			d.add("%s %x", v.Name, v.Data)
			return upload.Emit(s, v)
		})
		nudge.Handle(h, func(_ context.Context, s *socketio.Socket, _ socketio.None) error {
			return nudge.Emit(s, socketio.None{})
		})
		any.Handle(h, func(_ context.Context, s *socketio.Socket, v json.RawMessage) error {
			d.add("%s", v)
			return nil
		})
		c := h.join()
		c.packet(`2["say",{"from":"ann","text":"<hi> é"}]`)
		c.want(`42["say",{"from":"server","text":"<hi> é"}]`)
		c.packet(`2["say",{"text":"surplus"},1,2]`, `2["say"]`)
		c.take()
		c.packet(`2["move",1.5,-2]`, `2["move",1,2,"n",4]`)
		c.want(`42["move",1.5,-2,""]`, `42["move",1,2,"n"]`)
		c.packet(`51-["upload",{"name":"f","data":{"_placeholder":true,"num":0}}]`)
		c.binary(1, 2, 3)
		c.want(`451-["upload",{"name":"f","data":{"_placeholder":true,"num":0}}]`, "b010203")
		c.packet(`2["nudge"]`, `2["any",{"a":[1]}]`)
		c.want(`42["nudge"]`)
		d.want(t, "{From:ann Text:<hi> é}", "{From: Text:surplus}", "{From: Text:}",
			`1.5 -2 ""`, `1 2 "n"`, "f 010203", `{"a":[1]}`)
	})
}

func TestBadArguments(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		h.OnError(func(_ context.Context, s *socketio.Socket, err error) {
			var bad *socketio.ArgumentError
			if errors.As(err, &bad) {
				d.add("%s %d", bad.Event, bad.Index)
			} else {
				d.add("%v", err)
			}
		})
		say := socketio.NewEvent[said]("say")
		say.Handle(h, func(context.Context, *socketio.Socket, said) error { d.add("called"); return nil })
		upload := socketio.NewEventWithAck[file, int]("upload")
		upload.Handle(h, func(context.Context, *socketio.Socket, file) (int, error) { d.add("called"); return 1, nil })
		mv := socketio.NewEvent[move]("move")
		mv.Handle(h, func(context.Context, *socketio.Socket, move) error { d.add("called"); return nil })
		c := h.join()
		c.packet(`2["say","a string"]`, `21["upload",{"data":"no bytes"}]`, `2["move",1,"y"]`)
		c.want(`431[{"error":{"code":"bad_arguments","message":"field \"data\" of argument 0 of \"upload\" does not fit"}}]`)
		d.want(t, "say 0", "upload 0", "move 1")
	})
}

func TestAcksOfHandlers(t *testing.T) {
	type in struct{ How string }
	type out struct {
		N int `json:"n"`
	}
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		h.OnError(func(_ context.Context, _ *socketio.Socket, err error) { d.add("error: %v", err) })
		ask := socketio.NewEventWithAck[in, out]("ask")
		answer := func(v in) (out, error) {
			switch v.How {
			case "code":
				return out{}, fmt.Errorf("wrapped: %w", &socketio.AckError{Code: "c", Message: "m"})
			case "secret":
				return out{}, errors.New("secret")
			}
			return out{5}, nil
		}
		ask.Handle(h, func(_ context.Context, _ *socketio.Socket, v in) (out, error) { return answer(v) })
		n := h.Of("/policy")
		ask.Handle(n, func(_ context.Context, _ *socketio.Socket, v in) (out, error) { return answer(v) })
		n.AckErrors(func(err error) any {
			if err.Error() == "secret" {
				return nil
			}
			return err.Error()
		})
		two := socketio.NewEventWithAck[socketio.None, move]("two")
		two.Handle(h, func(context.Context, *socketio.Socket, socketio.None) (move, error) { return move{X: 1, Y: 2}, nil })
		bin := socketio.NewEventWithAck[socketio.None, []byte]("bin")
		bin.Handle(h, func(context.Context, *socketio.Socket, socketio.None) ([]byte, error) { return []byte{7}, nil })

		c := h.join()
		c.connect("/policy", "")
		c.packet(`21["ask",{}]`, `2["ask",{}]`, `22["ask",{"How":"code"}]`, `23["ask",{"How":"secret"}]`, `24["two"]`, `25["bin"]`)
		c.want(`431[{"n":5}]`, `432[{"error":{"code":"c","message":"m"}}]`,
			`433[{"error":{"code":"internal","message":"internal error"}}]`, `434[1,2,""]`,
			`461-5[{"_placeholder":true,"num":0}]`, "b07")
		d.want(t, "error: secret")
		c.packet(`2/policy,1["ask",{"How":"code"}]`, `2/policy,2["ask",{"How":"secret"}]`)
		c.want(`43/policy,1["wrapped: c: m"]`)
	})
}

func TestDynamic(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		var later *socketio.Message
		h.OnConnection(func(ctx context.Context, s *socketio.Socket) error {
			off := s.On("x", func(ctx context.Context, m *socketio.Message) error {
				var a string
				var b int
				err := m.Decode(&a, &b)
				d.add("first %s %d of %d, %v, %v", a, b, m.Len(), m.WantsAck(), err)
				return m.Ack("one", 2)
			})
			s.On("x", func(ctx context.Context, m *socketio.Message) error {
				d.add("second: %v", m.Ack("again"))
				return nil
			})
			s.Once("x", func(context.Context, *socketio.Message) error { d.add("once"); return nil })
			s.On("off", func(context.Context, *socketio.Message) error { off(); return nil })
			s.On("later", func(_ context.Context, m *socketio.Message) error {
				later = m.Detach()
				return nil
			})
			s.On("all", func(_ context.Context, m *socketio.Message) error {
				args, err := m.Args()
				d.add("%v %v", args, err)
				return nil
			})
			return nil
		})
		c := h.join()
		c.packet(`21["x","a",5,6]`, `2["x"]`)
		c.want(`431["one",2]`)
		d.want(t, "first a 5 of 3, true, <nil>", "second: socketio: acknowledged already", "once",
			"first  0 of 0, false, <nil>", "second: socketio: the sender wants no ack")
		c.packet(`2["off"]`, `2["x"]`)
		c.take()
		d.want(t, "second: socketio: the sender wants no ack")
		c.packet(`29["later"]`)
		c.want()
		wait(time.Hour)
		later.Ack(true)
		c.want(`439[true]`)
		c.packet(`51-["all",null,1.5,"s",{"k":[{"_placeholder":true,"num":0}]}]`)
		c.binary(9)
		c.take()
		d.want(t, "[<nil> 1.5 s map[k:[[9]]]] <nil>")
	})
}

func TestCatchAllAndEventMiddleware(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		h.OnAny(func(_ context.Context, _ *socketio.Socket, m *socketio.Message) error {
			d.add("any %s", m.Event())
			return nil
		})
		h.UseEvents(func(_ context.Context, s *socketio.Socket, m *socketio.Message) error {
			switch m.Event() {
			case "forbidden":
				return &socketio.AckError{Code: "forbidden", Message: "no"}
			case "shout":
				var text string
				if err := m.Decode(&text); err != nil {
					return err
				}
				return m.Replace(strings.ToUpper(text), []byte{1}, map[string]any{"b": []byte{2}})
			}
			return nil
		})
		h.OnAnyOutgoing(func(_ *socketio.Socket, event string, args []any) { d.add("out %s %v", event, args) })
		h.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			s.OnAny(func(_ context.Context, m *socketio.Message) error { d.add("own any"); return nil })
			s.Use(func(_ context.Context, m *socketio.Message) error {
				if m.Event() == "own" {
					return errors.New("own middleware")
				}
				return nil
			})
			s.OnError(func(_ context.Context, err error) { d.add("error: %v", err) })
			s.OnAnyOutgoing(func(event string, args []any) { d.add("own out") })
			s.On("shout", func(_ context.Context, m *socketio.Message) error {
				args, err := m.Args()
				d.add("%v %v", args, err)
				return nil
			})
			for _, e := range []string{"forbidden", "own"} {
				s.On(e, func(context.Context, *socketio.Message) error { d.add("reached"); return nil })
			}
			return nil
		})
		c := h.join()
		c.packet(`21["forbidden"]`)
		c.want(`431[{"error":{"code":"forbidden","message":"no"}}]`)
		d.want(t, "any forbidden", "own any")
		c.packet(`2["forbidden"]`)
		c.take()
		d.want(t, "any forbidden", "own any", "error: forbidden: no")
		c.packet(`2["shout","hey"]`)
		c.take()
		d.want(t, "any shout", "own any", "[HEY [1] map[b:[2]]] <nil>")
		c.packet(`2["own"]`)
		c.take()
		d.want(t, "any own", "own any", "error: own middleware")
		h.Emit("news", 1)
		c.want(`42["news",1]`)
		d.want(t, "out news [1]", "own out")
	})
}

func TestOneAfterTheOther(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		slow := socketio.NewEvent[int]("slow")
		slow.Handle(h, func(_ context.Context, _ *socketio.Socket, n int) error {
			time.Sleep(time.Second)
			d.add("slow %d", n)
			return nil
		})
		cancel := socketio.NewEvent[socketio.None]("cancel")
		cancel.Handle(h, func(context.Context, *socketio.Socket, socketio.None) error {
			d.add("cancel")
			time.Sleep(10 * time.Second)
			return nil
		}, socketio.Concurrent)
		quick := socketio.NewEvent[string]("quick")
		quick.Handle(h, func(_ context.Context, _ *socketio.Socket, who string) error {
			d.add("quick %s", who)
			return nil
		})
		a, b := h.join(), h.join()
		a.packet(`2["slow",1]`, `2["quick","a"]`, `2["cancel"]`, `2["slow",2]`, `2["quick","last"]`)
		a.take()
		b.packet(`2["quick","b"]`)
		b.take()
		d.want(t, "quick b")
		wait(time.Second)
		d.want(t, "slow 1", "quick a", "cancel")
		wait(time.Second)
		d.want(t, "slow 2", "quick last")
		wait(time.Minute)
	})
}

func TestOrderOfMany(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		const n = 3000 // more than fit the queue
		var got []int
		e := socketio.NewEvent[int]("n")
		e.Handle(h, func(_ context.Context, s *socketio.Socket, i int) error {
			got = append(got, i)
			return e.Emit(s, i)
		})
		c := h.join()
		for i := range n {
			c.packet(fmt.Sprintf(`2["n",%d]`, i))
		}
		answers := c.take()
		if len(got) != n || len(answers) != n {
			t.Fatalf("%d handled, %d answered; want %d", len(got), len(answers), n)
		}
		for i, v := range got {
			if v != i || answers[i] != fmt.Sprintf(`42["n",%d]`, i) {
				t.Fatalf("event %d: handled %d, answered %s", i, v, answers[i])
			}
		}
	})
}

func TestPanic(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		boom := socketio.NewEventWithAck[socketio.None, int]("boom")
		boom.Handle(h, func(context.Context, *socketio.Socket, socketio.None) (int, error) { panic("boom!") })
		h.OnError(func(_ context.Context, _ *socketio.Socket, err error) {
			var p *socketio.PanicError
			d.add("%v %v", errors.As(err, &p), err)
			panic("the hook too")
		})
		h.OnDisconnect(func(_ context.Context, _ *socketio.Socket, r socketio.DisconnectReason) { d.add("%s", string(r)) })
		bystander, c := h.join(), h.join()
		c.packet(`21["boom"]`, `22["boom"]`)
		c.want("41")
		d.want(t, "true socketio: boom: panic: boom!", "server namespace disconnect")
		if log := h.log.String(); !strings.Contains(log, "event_test.go") || !strings.Contains(log, "the hook too") {
			t.Errorf("the log has no stack: %s", log)
		}
		h.Emit("alive")
		bystander.want(`42["alive"]`)
		c.want()
	})
}

func TestReservedNames(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		c := h.open()
		s, _ := h.Socket(c.connect("/", ""))
		for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
			for _, err := range []error{h.Emit(name), s.Emit(name), func() error { _, err := s.EmitWithAck(t.Context(), name); return err }()} {
				if err == nil || !strings.Contains(err.Error(), "reserved event name") {
					t.Errorf("Emit(%q) = %v", name, err)
				}
			}
		}
		if err := s.Emit("x", func() {}); err == nil {
			t.Error("a function was encoded")
		}
		c.want()
	})
	for what, f := range map[string]func(){
		"reserved name": func() { socketio.NewEvent[int]("disconnect") },
		"channel":       func() { socketio.NewEvent[chan int]("x") },
		"hidden field": func() {
			socketio.NewEvent[struct {
				socketio.Positional
				x int
			}]("x")
		},
		"two handlers": func() {
			srv := socketio.NewServer(nil)
			e := socketio.NewEvent[int]("x")
			e.Handle(srv, func(context.Context, *socketio.Socket, int) error { return nil })
			e.Handle(srv, func(context.Context, *socketio.Socket, int) error { return nil })
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			f()
		}()
	}
}

// TestBytesAreTheCallers: what Emit was given may be changed when it returns,
// although a polling client gets it later.
func TestBytesAreTheCallers(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		query := h.openPolling()
		data := bytes.Repeat([]byte{1}, 3)
		var s *socketio.Socket
		for s = range h.Sockets() {
			s.Emit("one", data)
		}
		h.Emit("all", data)
		clear(data)
		want := strings.Join([]string{`451-["one",{"_placeholder":true,"num":0}]`, "bAQEB",
			`451-["all",{"_placeholder":true,"num":0}]`, "bAQEB"}, "\x1e")
		if got := h.get(query); got != want {
			t.Errorf("poll = %q; want %q", got, want)
		}
		if err := s.Volatile().Emit("lost"); err != nil { // no poll is open
			t.Errorf("Volatile().Emit = %v", err)
		}
		s.Emit("kept")
		if got := h.get(query); got != `42["kept"]` {
			t.Errorf("poll = %q", got)
		}
	})
}

func TestKeys(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		name, age := socketio.NewKey[string]("name"), socketio.NewKey[int]("age")
		wrong := socketio.NewKey[int]("name")
		l1, l2 := socketio.NewLocalKey[chan int](), socketio.NewLocalKey[chan int]()
		s, _ := h.Socket(h.open().connect("/", ""))
		if _, ok := name.Get(s); ok {
			t.Error("a value before Set")
		}
		name.Set(s, "ann")
		age.Set(s, 7)
		l1.Set(s, make(chan int))
		v, ok := name.Get(s)
		n, _ := age.Get(s)
		if v != "ann" || !ok || n != 7 {
			t.Errorf("Get = %q %v %d", v, ok, n)
		}
		if _, ok := wrong.Get(s); ok {
			t.Error("a string was returned as an int")
		}
		if _, ok := l2.Get(s); ok {
			t.Error("two LocalKeys share a place")
		}
		if c, ok := l1.Get(s); !ok || c == nil {
			t.Error("LocalKey lost its value")
		}
		name.Delete(s)
		l1.Delete(s)
		if _, ok := name.Get(s); ok {
			t.Error("Delete left the value")
		}
	})
}

// An error that is ErrHandled is answered as any other, and not reported.
func TestErrHandled(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		h.UseEvents(func(_ context.Context, _ *socketio.Socket, m *socketio.Message) error {
			switch m.Event() {
			case "quiet":
				return fmt.Errorf("seen to: %w", socketio.ErrHandled)
			case "told":
				return errors.Join(socketio.ErrHandled, &socketio.AckError{Code: "limited", Message: "no", Data: 7})
			}
			return nil
		})
		h.OnError(func(_ context.Context, _ *socketio.Socket, err error) { d.add("%v", err) })
		c := h.join()
		c.packet(`2["quiet"]`, `21["told"]`, `2["told"]`)
		c.want(`431[{"error":{"code":"limited","message":"no","data":7}}]`)
		d.want(t)
	})
}

// Middleware sees what became of each event.
func TestOnHandled(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		h.OnError(func(context.Context, *socketio.Socket, error) {})
		h.UseEvents(func(_ context.Context, _ *socketio.Socket, m *socketio.Message) error {
			start := time.Now()
			event := m.Event()
			m.OnHandled(func(err error) { d.add("%s %v %v", event, err, time.Since(start)) })
			if event == "refused" {
				return errors.New("no")
			}
			return nil
		})
		slow := socketio.NewEvent[bool]("slow")
		slow.Handle(h, func(_ context.Context, _ *socketio.Socket, fail bool) error {
			time.Sleep(time.Second)
			if fail {
				return errors.New("failed")
			}
			return nil
		}, socketio.Concurrent)
		bad := socketio.NewEvent[socketio.None]("bad")
		bad.Handle(h, func(context.Context, *socketio.Socket, socketio.None) error { panic("oh") })
		c := h.join()
		c.packet(`2["refused"]`, `2["unknown"]`, `2["slow",true]`)
		wait(2 * time.Second)
		c.packet(`2["slow",false]`)
		wait(2 * time.Second)
		c.packet(`2["bad"]`)
		d.want(t, "refused no 0s", "unknown <nil> 0s", "slow failed 1s", "slow <nil> 1s", "bad socketio: bad: panic: oh 0s")
	})
}
