package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
	"github.com/sockeye-go/socketio/parser"
)

func packet(event string) *adapter.Packet { return &adapter.Packet{Event: event, ID: parser.NoID} }

// three makes a cluster of three nodes with a socket on each.
func three(t *testing.T, hub *cluster.Hub, o *cluster.Options) ([]adapter.Adapter, []*adaptertest.Socket) {
	t.Helper()
	as := nodes(t, hub, o, adaptertest.NewHosts(3))
	var sockets []*adaptertest.Socket
	for i, a := range as {
		sockets = append(sockets, adaptertest.NewSocket(a, string(rune('a'+i)), "room"))
	}
	synctest.Wait()
	return as, sockets
}

func closeAll(as []adapter.Adapter) {
	for _, a := range as {
		a.Close()
	}
}

func count(t *testing.T, a adapter.Adapter) int {
	t.Helper()
	n, err := a.ServerCount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMembership(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := cluster.NewHub()
		as, _ := three(t, hub, nil)
		defer closeAll(as)
		if n := count(t, as[0]); n != 3 {
			t.Errorf("%d nodes; want 3", n)
		}
		time.Sleep(time.Minute) // heartbeats go on
		if n := count(t, as[0]); n != 3 {
			t.Errorf("%d nodes after a minute; want 3", n)
		}
		as[2].Close()
		synctest.Wait()
		if n := count(t, as[0]); n != 2 {
			t.Errorf("%d nodes after one left; want 2", n)
		}
		// A node that dies says nothing.
		dead := as[1].(*cluster.Adapter).UID()
		hub.Drop(func(m *cluster.Message) bool { return m.UID == dead })
		time.Sleep(13 * time.Second)
		if n := count(t, as[0]); n != 1 {
			t.Errorf("%d nodes after one died; want 1", n)
		}
		hub.Drop(nil)
		time.Sleep(6 * time.Second)
		if n := count(t, as[0]); n != 2 {
			t.Errorf("%d nodes after it came back; want 2", n)
		}
	})
}

// TestDeadNode: requests end with what the others answered, and the name of the
// one that did not.
func TestDeadNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := cluster.NewHub()
		as, sockets := three(t, hub, nil)
		defer closeAll(as)
		dead := as[2].(*cluster.Adapter).UID()
		hub.Drop(func(m *cluster.Message) bool { return m.UID == dead })

		start := time.Now()
		infos, err := as[0].Fetch(t.Context(), adapter.Target{})
		partial, ok := errors.AsType[*adapter.PartialError](err)
		if !ok || partial.Missing != 1 || !slices.Equal(partial.Nodes, []string{dead}) || len(infos) != 2 || time.Since(start) != 5*time.Second {
			t.Errorf("Fetch = %d sockets, %v after %v; want 2 and the name of the dead node after 5s", len(infos), err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		go func() {
			synctest.Wait()
			sockets[0].Answer(adapter.Answer{})
			sockets[1].Answer(adapter.Answer{Args: [][]byte{[]byte(`"b"`)}})
		}()
		answers := 0
		var last error
		for _, err := range as[0].BroadcastWithAck(ctx, adapter.Target{}, &adapter.Packet{Event: "ask", ID: 1}) {
			if err == nil {
				answers++
			}
			last = err
		}
		missing, ok := errors.AsType[*adapter.MissingError](last)
		if answers != 2 || !ok || !slices.Equal(missing.Nodes, []string{dead}) || !errors.Is(last, context.DeadlineExceeded) {
			t.Errorf("%d answers, then %v; want 2 and the name of the dead node", answers, last)
		}
		// When the others know that it is dead, nobody waits for it.
		time.Sleep(15 * time.Second)
		start = time.Now()
		if infos, err := as[0].Fetch(t.Context(), adapter.Target{}); err != nil || len(infos) != 2 || time.Since(start) != 0 {
			t.Errorf("Fetch = %d sockets, %v after %v; want 2 at once", len(infos), err, time.Since(start))
		}
	})
}

// TestDiesMeanwhile: a request ends early when the node it waits for is found
// dead.
func TestDiesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := cluster.NewHub()
		as, _ := three(t, hub, nil)
		defer closeAll(as)
		dead := as[2].(*cluster.Adapter).UID()
		hub.Drop(func(m *cluster.Message) bool { return m.UID == dead })
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		infos, err := as[0].Fetch(ctx, adapter.Target{})
		if err != nil || len(infos) != 2 || time.Since(start) > 12*time.Second {
			t.Errorf("Fetch = %d sockets, %v after %v", len(infos), err, time.Since(start))
		}
	})
}

// TestBusAway: what is local goes on, callers are told, and all is well again
// when the bus is back.
func TestBusAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := cluster.NewHub()
		as, sockets := three(t, hub, nil)
		defer closeAll(as)
		if err := as[0].Health(); err != nil {
			t.Errorf("Health = %v", err)
		}
		hub.Away(true)
		err := as[0].Broadcast(adapter.Target{}, packet("local"))
		if _, ok := errors.AsType[*cluster.DegradedError](err); !ok {
			t.Errorf("Broadcast = %v; want a DegradedError", err)
		}
		if _, ok := errors.AsType[*cluster.DegradedError](as[0].Health()); !ok {
			t.Errorf("Health = %v; want a DegradedError", as[0].Health())
		}
		if got := strings.Join(sockets[0].Take(), " "); got != "local" {
			t.Errorf("the socket of this node got %q; want local", got)
		}
		start := time.Now()
		infos, err := as[0].Fetch(t.Context(), adapter.Target{})
		partial, ok := errors.AsType[*adapter.PartialError](err)
		if len(infos) != 1 || !ok || partial.Missing != 2 || time.Since(start) != 0 {
			t.Errorf("Fetch = %d sockets, %v after %v; want this node's at once", len(infos), err, time.Since(start))
		}
		for _, err := range as[0].ServerSideEmitWithAck(t.Context(), "e", nil) {
			if _, ok := errors.AsType[*adapter.PartialError](err); !ok {
				t.Errorf("ServerSideEmitWithAck: %v", err)
			}
		}
		if err := as[0].SocketsJoin(adapter.Target{}, "x"); err == nil || as[0].RoomSize("x") != 1 {
			t.Errorf("SocketsJoin = %v with %d here", err, as[0].RoomSize("x"))
		}
		time.Sleep(30 * time.Second) // all take each other for dead
		if n := count(t, as[0]); n != 1 {
			t.Errorf("%d nodes; want 1", n)
		}
		hub.Away(false)
		synctest.Wait()
		if n := count(t, as[0]); n != 3 || as[0].Health() != nil {
			t.Errorf("%d nodes, health %v; want 3 and nil", n, as[0].Health())
		}
		if err := as[0].Broadcast(adapter.Target{}, packet("all")); err != nil {
			t.Error(err)
		}
		for _, s := range sockets {
			if got := strings.Join(s.Take(), " "); got != "all" {
				t.Errorf("%s got %q; want all", s.ID(), got)
			}
		}
	})
}

// A failing bus hands messages over, and answers what it was told to.
type failing struct {
	*cluster.Hub
	err atomic.Pointer[error]
}

type failingChannel struct {
	cluster.Channel
	bus *failing
}

func (b *failing) Open(nsp, uid string, r cluster.Receiver) (cluster.Channel, error) {
	c, err := b.Hub.Open(nsp, uid, r)
	return &failingChannel{c, b}, err
}

func (c *failingChannel) Publish(ctx context.Context, ms []*cluster.Message) error {
	if err := c.bus.err.Load(); err != nil {
		return *err
	}
	return c.Channel.Publish(ctx, ms)
}

// TestLeftOut: that a message does not encode says nothing of the broker, and does not
// hide what another error says.
func TestLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &failing{Hub: cluster.NewHub()}
		a, err := cluster.NewFactory(bus, nil)(adaptertest.NewHosts(1)[0])
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		away, unfit := errors.New("away"), &cluster.EncodeError{Err: errors.New("unfit")}
		for i, step := range []struct {
			err  error
			well bool
		}{
			{nil, true}, {unfit, true}, {away, false}, {unfit, false}, {nil, true},
			{errors.Join(unfit, away, nil), false}, {errors.Join(nil, unfit), false}, {nil, true}, {fmt.Errorf("in words: %w", away), false},
		} {
			bus.err.Store(nil)
			if step.err != nil {
				bus.err.Store(&step.err)
			}
			if err := a.Broadcast(adapter.Target{}, packet("e")); err != nil {
				t.Errorf("step %d: Broadcast = %v", i, err)
			}
			synctest.Wait()
			if err := a.Health(); (err == nil) != step.well {
				t.Errorf("step %d: %v, and Health = %v", i, step.err, err)
			}
		}
	})
}

// TestLostMessages: numbered messages that do not arrive are noticed.
func TestLostMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := cluster.NewHub()
		hosts := adaptertest.NewHosts(2)
		as := nodes(t, hub, &cluster.Options{Sequence: true}, hosts)
		defer closeAll(as)
		synctest.Wait()
		hub.Drop(func(m *cluster.Message) bool { return m.Type == cluster.Broadcast })
		as[0].Broadcast(adapter.Target{}, packet("lost"))
		as[0].Broadcast(adapter.Target{}, packet("lost"))
		synctest.Wait()
		hub.Drop(nil)
		as[0].Broadcast(adapter.Target{}, packet("arrives"))
		synctest.Wait()
		if log := hosts[1].Log(); !strings.Contains(log, "messages of another node were lost") || !strings.Contains(log, "messages=2") {
			t.Errorf("log: %s; want that 2 were lost", log)
		}
	})
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]*cluster.Options{
		"HeartbeatTimeout": {HeartbeatInterval: time.Minute},
		"RequestTimeout":   {RequestTimeout: -1},
		"MaxQueued":        {MaxQueued: -1},
	} {
		func() {
			defer func() {
				if v, _ := recover().(string); !strings.Contains(v, name) {
					t.Errorf("panic %q; want one that names %s", v, name)
				}
			}()
			cluster.NewFactory(cluster.NewHub(), o)
		}()
	}
}
