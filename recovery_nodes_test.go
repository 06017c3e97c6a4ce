package socketio_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// twoNodes runs f with two servers of one cluster, from which clients recover.
func twoNodes(t *testing.T, f func(*testing.T, *harness, *harness, *cluster.Shelf)) {
	synctest.Test(t, func(t *testing.T) {
		hub, shelf := cluster.NewHub(), cluster.NewShelf()
		o := recovering()
		o.Adapter = cluster.NewOrderedFactory(hub, shelf, nil)
		a, stopA := serve(t, o)
		defer stopA()
		b, stopB := serve(t, o)
		defer stopB()
		f(t, a, b, shelf)
	})
}

// TestRecoveryOnAnotherNode: id, rooms, data and what was missed are there, on
// whichever node, noticed or not, and the handlers of the old one are done first.
func TestRecoveryOnAnotherNode(t *testing.T) {
	name := socketio.NewKey[string]("name")
	times := socketio.NewKey[int]("times")
	twoNodes(t, func(t *testing.T, ha, hb *harness, _ *cluster.Shelf) {
		var d diary
		for node, h := range map[string]*harness{"a": ha, "b": hb} {
			h.OnConnection(func(_ context.Context, s *socketio.Socket) error {
				if !s.Recovered() {
					name.Set(s, "ann")
					s.Join("x")
				}
				v, _ := name.Get(s)
				n, _ := times.Get(s)
				times.Set(s, n+1)
				d.add("%s: %v %q %s %d", node, s.Recovered(), s.Rooms(), v, n)
				return nil
			})
			h.OnDisconnect(func(_ context.Context, s *socketio.Socket, r socketio.DisconnectReason) {
				s.Emit("farewell", node)
				d.add("%s: %s", node, string(r))
			})
		}
		c := ha.comeback()
		c.cut()
		ha.Emit("all", 1)
		synctest.Wait()
		hb.To("x").Emit("x", "text")
		hb.To("y").Emit("y")
		hb.Volatile().Emit("volatile")
		synctest.Wait()
		c.h = hb
		c.connect()
		c.want(true, "farewell a", "all 1", "x text")
		synctest.Wait()
		d.want(t, `a: false ["x"] ann 0`, "a: transport close", `b: true ["x"] ann 1`)
		hb.To("x").Emit("again", 2)
		synctest.Wait()
		ha.To(c.id).Emit("me", 3)
		synctest.Wait()
		c.want(true, "again 2", "me 3")

		old := c.c // its node does not notice
		c.h = ha
		c.connect()
		synctest.Wait()
		d.want(t, "b: transport close", `a: true ["x"] ann 2`)
		c.want(true, "farewell b")
		old.leave()
		hb.To("x").Emit("end", 4)
		synctest.Wait()
		c.want(true, "end 4")

		s, _ := ha.Socket(c.id)
		s.Disconnect(false)
		c.h = hb
		c.offset = ""
		c.connect()
		if c.recovered {
			t.Error("recovered although the server had sent it away")
		}
	})
}

// TestOrderOnNodes: acks and answers go behind what was emitted before, although
// that takes the way over the log.
func TestOrderOnNodes(t *testing.T) {
	twoNodes(t, func(t *testing.T, ha, _ *harness, _ *cluster.Shelf) {
		ha.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			s.On("ask", func(_ context.Context, m *socketio.Message) error {
				s.Emit("first", 1)
				ha.Emit("second", 2)
				return m.Ack("third")
			})
			return nil
		})
		c := ha.comeback()
		c.c.send(`427["ask"]`)
		synctest.Wait()
		got := c.c.take()
		if len(got) != 3 || !strings.HasPrefix(got[0], `42["first",1,`) || !strings.HasPrefix(got[1], `42["second",2,`) || got[2] != `437["third"]` {
			t.Errorf("got %q", got)
		}
	})
}

// TestFlush: it returns when the store has what was emitted.
func TestFlush(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		if err := h.Flush(t.Context()); err != nil {
			t.Errorf("in one process: %v", err)
		}
	})
	twoNodes(t, func(t *testing.T, ha, hb *harness, shelf *cluster.Shelf) {
		c := hb.comeback()
		shelf.Mute(true)
		ha.Emit("e", 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := ha.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush = %v while nothing is confirmed", err)
		}
		shelf.Mute(false)
		if err := ha.Flush(t.Context()); err != nil {
			t.Errorf("Flush = %v", err)
		}
		synctest.Wait()
		c.want(false, "e 1")
	})
}

// TestRecoveryAfterShutdown: a node that is replaced hands its clients over, with
// what is emitted meanwhile.
func TestRecoveryAfterShutdown(t *testing.T) {
	twoNodes(t, func(t *testing.T, ha, hb *harness, _ *cluster.Shelf) {
		ha.OnConnection(func(_ context.Context, s *socketio.Socket) error { return s.Join("x") })
		ha.OnDisconnect(func(_ context.Context, s *socketio.Socket, _ socketio.DisconnectReason) {
			s.Emit("goodbye")
		})
		c := ha.comeback()
		hb.To("x").Emit("before", 1)
		synctest.Wait()
		c.want(false, "before 1")
		if err := ha.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		hb.To("x").Emit("after", 2)
		synctest.Wait()
		c.c.take()
		c.h = hb
		c.connect()
		c.want(true, "goodbye", "after 2")
		if n := hb.RecoveryStats().Recovered; n != 1 {
			t.Errorf("%d recovered; want 1", n)
		}
	})
}

// An electing store is connected, and answers nothing for sessions while on.
type electing struct {
	cluster.Store
	on *atomic.Bool
}

type electingLog struct {
	cluster.Log
	on *atomic.Bool
}

func (e electing) Open(nsp, uid string, r *adapter.Recovery, to cluster.LogReader) (cluster.Log, error) {
	log, err := e.Store.Open(nsp, uid, r, to)
	return electingLog{log, e.on}, err
}

func (l electingLog) Load(ctx context.Context, key string) ([]byte, string, error) {
	if l.on.Load() {
		<-ctx.Done()
		return nil, "", ctx.Err()
	}
	return l.Log.Load(ctx, key)
}

// TestRecoveryWhileElecting: nobody can tell then whether there is a session, so
// the client is asked to come again; but not for ever.
func TestRecoveryWhileElecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var on atomic.Bool
		o := recovering()
		o.Adapter = cluster.NewOrderedFactory(cluster.NewHub(), electing{cluster.NewShelf(), &on}, nil)
		ha, stopA := serve(t, o)
		defer stopA()
		hb, stopB := serve(t, o)
		defer stopB()
		ha.OnConnection(func(_ context.Context, s *socketio.Socket) error { return s.Join("x") })
		c := ha.comeback()
		c.cut()
		ask := func(h *harness, answered bool) {
			t.Helper()
			on.Store(true)
			defer on.Store(false)
			again := h.open()
			again.send(`40{"pid":"` + c.pid + `"}`)
			if got := again.next(); got != "" {
				t.Errorf("answer %q while nothing can be known", got)
			}
			time.Sleep(21 * time.Second)
			got := strings.Join(again.take(), " ")
			if strings.HasPrefix(got, "40{") != answered || strings.HasSuffix(got, "end") == answered {
				t.Errorf("answer %q; want a new session: %v, and otherwise the end", got, answered)
			}
			again.leave()
		}
		ask(hb, false)
		hb.To("x").Emit("missed", 1)
		c.h = hb
		c.connect()
		c.want(true, "missed 1")
		c.cut()
		for range 3 {
			ask(ha, false)
		}
		ask(ha, true)
	})
}
