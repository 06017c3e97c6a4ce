package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio"
)

func TestEmitWithAck(t *testing.T) {
	bubble(t, &socketio.Options{MaxPendingAcks: 1}, func(t *testing.T, h *harness) {
		var d diary
		ask := socketio.NewEventWithAck[string, int]("ask")
		c := h.open()
		s, _ := h.Socket(c.connect("/", ""))
		go func() {
			n, err := ask.EmitWithAck(t.Context(), s, "q")
			d.add("%d %v", n, err)
		}()
		c.want(`420["ask","q"]`)
		c.packet("30[5]", "30[6]") // the second is ignored
		d.want(t, "5 <nil>")

		go func() {
			_, err := ask.EmitWithAck(t.Context(), s, "q")
			d.add("%v", err != nil && strings.HasPrefix(err.Error(), `socketio: argument 0 of "ask"`))
		}()
		c.want(`421["ask","q"]`)
		c.packet(`31["five"]`)
		d.want(t, "true")

		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		_, err := s.EmitWithAck(ctx, "ask")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("EmitWithAck = %v after %v", err, time.Since(start))
		}
		c.want(`422["ask"]`)
		c.packet("32[1]") // too late, and harmless

		go func() {
			_, err := s.EmitWithAck(t.Context(), "ask")
			d.add("%v, %v", errors.Is(err, socketio.ErrDisconnected), err)
		}()
		synctest.Wait()
		if _, err := s.EmitWithAck(t.Context(), "one too many"); err != socketio.ErrTooManyAcks {
			t.Errorf("EmitWithAck = %v; want ErrTooManyAcks", err)
		}
		c.leave()
		d.want(t, "true, socketio: disconnected: transport close")
		if _, err := s.EmitWithAck(t.Context(), "gone"); !errors.Is(err, socketio.ErrDisconnected) {
			t.Errorf("EmitWithAck = %v; want ErrDisconnected", err)
		}
	})
}

// TestHandlerWaitsForItsOwnSocket is the first trap of design: the queue of a
// socket is full while its handler waits for an ack that comes behind all that.
func TestHandlerWaitsForItsOwnSocket(t *testing.T) {
	for name, ask := range map[string]func(context.Context, *socketio.Socket) (*socketio.Message, error){
		"by itself": func(ctx context.Context, s *socketio.Socket) (*socketio.Message, error) {
			return s.EmitWithAck(ctx, "really?")
		},
		"by a broadcast": func(ctx context.Context, s *socketio.Socket) (*socketio.Message, error) {
			for answer, err := range s.Namespace().To(s.ID()).EmitWithAcks(ctx, "really?") {
				return answer, err
			}
			return nil, errors.New("no answer")
		},
	} {
		t.Run(name, func(t *testing.T) { handlerWaits(t, ask) })
	}
}

func handlerWaits(t *testing.T, ask func(context.Context, *socketio.Socket) (*socketio.Message, error)) {
	bubble(t, &socketio.Options{MaxReceivedEvents: 4}, func(t *testing.T, h *harness) {
		var d diary
		h.OnConnection(func(ctx context.Context, s *socketio.Socket) error {
			s.On("start", func(ctx context.Context, m *socketio.Message) error {
				answer, err := ask(ctx, s)
				if err != nil {
					return err
				}
				var v string
				err = answer.Decode(&v)
				d.add("answer %s", v)
				return err
			})
			s.On("n", func(ctx context.Context, m *socketio.Message) error {
				var n int
				err := m.Decode(&n)
				d.add("%d", n)
				return err
			})
			return nil
		})
		c := h.join()
		c.packet(`2["start"]`)
		c.want(`420["really?"]`)
		for i := range 40 {
			c.packet(fmt.Sprintf(`2["n",%d]`, i))
		}
		c.packet(`30["yes"]`)
		want := []string{"answer yes"}
		for i := range 40 {
			want = append(want, fmt.Sprint(i))
		}
		d.want(t, want...)
	})
}

// TestHardLimit: while a handler waits, reading goes on, but not without end.
func TestHardLimit(t *testing.T) {
	bubble(t, &socketio.Options{MaxReceivedEvents: 4}, func(t *testing.T, h *harness) {
		var d diary
		h.OnConnection(func(ctx context.Context, s *socketio.Socket) error {
			s.On("start", func(ctx context.Context, m *socketio.Message) error {
				_, err := s.EmitWithAck(ctx, "really?")
				d.add("%v", err)
				return nil
			})
			return nil
		})
		bystander, c := h.join(), h.join()
		c.packet(`2["start"]`)
		c.want(`420["really?"]`)
		for range 16*4 + 1 {
			c.packet(`2["n"]`)
		}
		c.want("end")
		d.want(t, "socketio: disconnected: forced close")
		h.Emit("alive")
		bystander.want(`42["alive"]`)
	})
}

// TestFlow is the second trap: a connection that is not read, because its
// handlers are slow, is not dead for want of pongs.
func TestFlow(t *testing.T) {
	bubble(t, &socketio.Options{MaxReceivedEvents: 4}, func(t *testing.T, h *harness) {
		var handled atomic.Int32
		slow := socketio.NewEvent[socketio.None]("slow")
		slow.Handle(h, func(context.Context, *socketio.Socket, socketio.None) error {
			time.Sleep(time.Minute)
			handled.Add(1)
			return nil
		})
		c := h.join()
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for range 20 {
				c.packet(`2["slow"]`) // the network has no buffer: what is not read blocks
			}
		}()
		wait(time.Second)
		select {
		case <-sent:
			t.Error("everything was read at once")
		default:
		}
		wait(19*time.Minute + 30*time.Second)
		if handled.Load() != 19 || h.Connections() != 1 {
			t.Errorf("%d handled, %d connections; want 19, 1", handled.Load(), h.Connections())
		}
		wait(time.Hour)
		<-sent
		if handled.Load() != 20 || h.Connections() != 1 {
			t.Errorf("%d handled, %d connections; want 20, 1", handled.Load(), h.Connections())
		}
	})
}

func TestSlowHandlerKeepsHeartbeat(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		slow := socketio.NewEvent[socketio.None]("slow")
		slow.Handle(h, func(context.Context, *socketio.Socket, socketio.None) error {
			time.Sleep(time.Hour)
			return nil
		})
		c := h.join()
		c.packet(`2["slow"]`)
		wait(59 * time.Minute)
		if h.Connections() != 1 {
			t.Error("the connection ended while its handler ran")
		}
		c.want()
		wait(time.Hour)
	})
}
