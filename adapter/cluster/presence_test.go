package cluster_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// A seeing bus knows which nodes are connected, and takes batches.
type seeing struct {
	*cluster.Hub
	mu   sync.Mutex
	gone map[string]bool
	sent []string
}

type seeingChannel struct {
	cluster.Channel
	bus *seeing
}

func (b *seeing) Open(nsp, uid string, r cluster.Receiver) (cluster.Channel, error) {
	c, err := b.Hub.Open(nsp, uid, r)
	return &seeingChannel{c, b}, err
}

func (c *seeingChannel) Send(ctx context.Context, ms []*cluster.Message, to []string) error {
	for i, m := range ms {
		c.bus.mu.Lock()
		c.bus.sent = append(c.bus.sent, m.Type.String())
		c.bus.mu.Unlock()
		var err error
		if to[i] == "" {
			err = c.Channel.Publish(ctx, []*cluster.Message{m})
		} else {
			err = c.Channel.Respond(ctx, to[i], m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *seeingChannel) Present(context.Context) (func(string) bool, error) {
	return func(uid string) bool {
		c.bus.mu.Lock()
		defer c.bus.mu.Unlock()
		return !c.bus.gone[uid]
	}, nil
}

func (b *seeing) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	sent := b.sent
	b.sent = nil
	return strings.Join(sent, " ")
}

// TestPresence: where the broker sees who is there, a quiet cluster is quiet, but
// for nodes that need heartbeats.
func TestPresence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &seeing{Hub: cluster.NewHub(), gone: map[string]bool{}}
		var as []adapter.Adapter
		for _, h := range adaptertest.NewHosts(3) {
			a, err := cluster.NewFactory(bus, &cluster.Options{Sequence: true})(h)
			if err != nil {
				t.Fatal(err)
			}
			as = append(as, a)
			synctest.Wait()
		}
		defer closeAll(as)
		bus.take()
		time.Sleep(time.Hour)
		if sent := bus.take(); sent != "" {
			t.Errorf("in a quiet hour was sent: %s", sent)
		}
		if n := count(t, as[0]); n != 3 {
			t.Errorf("%d nodes after an hour; want 3", n)
		}

		time.Sleep(500 * time.Millisecond) // between two looks of the nodes

		// A node that does not number what it sends, as those of Node.
		node, err := bus.Hub.Open("/test", "node", &deaf{})
		if err != nil {
			t.Fatal(err)
		}
		say := func(typ cluster.Type) {
			t.Helper()
			if err := node.Publish(t.Context(), []*cluster.Message{{UID: "node", NSP: "/test", Type: typ}}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		say(cluster.InitialHeartbeat)
		if n := count(t, as[0]); n != 4 {
			t.Errorf("%d nodes; want 4", n)
		}
		if sent := bus.take(); sent != "HEARTBEAT HEARTBEAT HEARTBEAT" {
			t.Errorf("the new node was answered %q", sent)
		}
		for range 4 {
			time.Sleep(4 * time.Second)
			say(cluster.Heartbeat)
		}
		if sent := strings.Fields(bus.take()); len(sent) < 2*3 || len(sent) > 3*3 {
			t.Errorf("in 16 seconds was sent: %q; want heartbeats of three nodes every 5 to 6", sent)
		}
		time.Sleep(time.Minute)
		bus.take()
		time.Sleep(time.Hour)
		if sent := bus.take(); sent != "" {
			t.Errorf("in an hour after it had died was sent: %s", sent)
		}

		// One of ours dies while a request waits for it.
		dead := as[2].(*cluster.Adapter).UID()
		bus.Drop(func(m *cluster.Message) bool { return m.UID == dead })
		time.AfterFunc(1500*time.Millisecond, func() {
			bus.mu.Lock()
			defer bus.mu.Unlock()
			bus.gone[dead] = true
		})
		start := time.Now()
		if _, err := as[0].Fetch(t.Context(), adapter.Target{}); err != nil || time.Since(start) > 3*time.Second {
			t.Errorf("Fetch: %v after %v; want that it ends when the node is gone", err, time.Since(start))
		}
		if n := count(t, as[0]); n != 2 {
			t.Errorf("%d nodes; want 2", n)
		}
	})
}

// TestAlwaysHeartbeat: the option has them sent nevertheless.
func TestAlwaysHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &seeing{Hub: cluster.NewHub()}
		a, err := cluster.NewFactory(bus, &cluster.Options{Sequence: true, AlwaysHeartbeat: true})(adaptertest.NewHosts(1)[0])
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		time.Sleep(time.Minute)
		if sent := strings.Fields(bus.take()); len(sent) < 10 {
			t.Errorf("in a minute was sent: %q", sent)
		}
	})
}

// A deaf node receives nothing.
type deaf struct{}

func (deaf) Receive(*cluster.Message) {}
func (deaf) Lost(error)               {}
func (deaf) Rooms(func(string, bool)) {}
func (deaf) Sockets(func(string))     {}
func (deaf) Local() *adapter.Memory   { return nil }
