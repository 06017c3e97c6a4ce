package redis

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// catchUp waits until all nodes have read all that was emitted.
func catchUp(t *testing.T, as []adapter.Adapter) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for range 2 { // what was sent, and what that caused
		for _, a := range as {
			if err := a.(adapter.Flusher).Flush(ctx); err != nil {
				t.Errorf("Flush: %v", err)
			}
		}
		for _, a := range as {
			if err := a.(*cluster.Ordered).CatchUp(ctx); err != nil {
				t.Errorf("CatchUp: %v", err)
			}
		}
	}
}

// ordered makes a cluster over streams, with a client for each node.
func ordered(t *testing.T, s *server, o *StreamsOptions, hosts []*adaptertest.Host) []adapter.Adapter {
	t.Helper()
	if err := s.client(t).FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	return nodes(t, s, func(c goredis.UniversalClient) adapter.Factory { return NewStreams(c, o) }, hosts)
}

// TestStreamsContract holds the adapter to the contract, with three nodes.
func TestStreamsContract(t *testing.T) {
	s := startRedis(t)
	var as []adapter.Adapter
	adaptertest.RunReal(t, 3, func(t *testing.T, hosts []*adaptertest.Host) []adapter.Adapter {
		as = ordered(t, s, nil, hosts)
		return as
	}, func() { catchUp(t, as) })
}

// TestStreamsStore holds stream and sessions to the contract of a store.
func TestStreamsStore(t *testing.T) {
	s := startRedis(t)
	adaptertest.RunStoreReal(t, func(t *testing.T) cluster.Store {
		c := s.client(t)
		if err := c.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		return newStreams(c, nil)
	})
}

// TestStreamsTrim: a position behind which something was let go is known.
func TestStreamsTrim(t *testing.T) {
	c := startRedis(t).client(t)
	l, err := newStreams(c, &StreamsOptions{MaxLen: 100}).Open("/", "a", nil, nobody{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	values, err := cluster.NewValues("e")
	if err != nil {
		t.Fatal(err)
	}
	early, seq := cluster.Position{}, uint64(0)
	for i := range 20 {
		var ms []*cluster.Message
		for range 50 {
			seq++
			ms = append(ms, &cluster.Message{UID: "a", NSP: "/", Type: cluster.Broadcast, Seq: seq, Values: values})
		}
		if err := l.Append(t.Context(), ms); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			early, _ = l.Head(t.Context())
			if ok, err := l.Reaches(t.Context(), l.Start()); !ok || err != nil {
				t.Errorf("nothing was let go, but: %v, %v", ok, err)
			}
		}
	}
	head, _ := l.Head(t.Context())
	for p, want := range map[cluster.Position]bool{l.Start(): false, early: false, head: true} {
		if ok, err := l.Reaches(t.Context(), p); ok != want || err != nil {
			t.Errorf("Reaches(%v) = %v, %v; want %v", p, ok, err, want)
		}
	}
}

type nobody struct{}

func (nobody) Read([]*cluster.Message)    {}
func (nobody) Lost(error)                 {}
func (nobody) Gap(cluster.Position, bool) {}

// TestStreamsRecovery: clients come back to any node.
func TestStreamsRecovery(t *testing.T) {
	s := startRedis(t)
	o := &StreamsOptions{Sharded: os.Getenv("SOCKEYE_LONG") != "", Streams: 3}
	adaptertest.RunRecoveryReal(t, func(t *testing.T, hosts []*adaptertest.Host) *adaptertest.Cluster {
		if err := s.client(t).FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		var as []adapter.Adapter
		lines := make([]lifeline, len(hosts))
		alive := map[int]bool{}
		for i, h := range hosts {
			c := lines[i].client(s.addr())
			t.Cleanup(func() { c.Close() })
			a, err := NewStreams(c, o)(h)
			if err != nil {
				t.Fatal(err)
			}
			as, alive[i] = append(as, a), true
		}
		for _, a := range as {
			s.until("all nodes are known", func() bool { n, err := a.ServerCount(t.Context()); return err == nil && n == 3 })
		}
		return &adaptertest.Cluster{
			Hosts: hosts, Adapters: as,
			Kill: func(i int) {
				alive[i] = false
				lines[i].kill()
			},
			Settle: func() {
				var living []adapter.Adapter
				for i, a := range as {
					if alive[i] {
						living = append(living, a)
					}
				}
				catchUp(t, living)
			},
		}
	})
}

// A lifeline is how a node reaches Redis. Cut, it is for Redis as if the node had
// been killed.
type lifeline struct {
	mu    sync.Mutex
	conns []net.Conn
	cut   bool
}

func (l *lifeline) client(addr string) *goredis.Client {
	return goredis.NewClient(&goredis.Options{Addr: addr, Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.cut {
			c.Close()
			return nil, net.ErrClosed
		}
		l.conns = append(l.conns, c)
		return c, nil
	}})
}

func (l *lifeline) kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	for _, c := range l.conns {
		c.Close()
	}
}

// TestStreamsFlushed: somebody has Redis forget everything, and no connection is lost:
// the nodes notice, sessions are there again, and what is emitted then is not lost.
func TestStreamsFlushed(t *testing.T) {
	s := startRedis(t)
	hosts := adaptertest.NewRecoveringHosts(2)
	as := ordered(t, s, &StreamsOptions{Block: 50 * time.Millisecond}, hosts)
	defer as[0].Close()
	defer as[1].Close()
	adaptertest.SettleBy(t, func() { catchUp(t, as) })
	emit := func(event string) {
		t.Helper()
		if err := as[1].Broadcast(adapter.Target{}, adaptertest.Kept(event)); err != nil {
			t.Error(err)
		}
	}
	c := adaptertest.NewClient(t, as[0], "x")
	emit("before")
	c.Want(t, "before")
	client := s.client(t)
	if err := client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	s.until("both nodes notice", func() bool {
		return strings.Contains(hosts[0].Log(), "messages of the log were lost") && strings.Contains(hosts[1].Log(), "messages of the log were lost")
	})
	emit("after")
	c.Want(t, "after")
	c.Cut()
	emit("missed")
	c.Back(t, as[1])
	c.Want(t, "missed")
	if rooms := c.Rooms(); !slices.Equal(rooms, []string{"x"}) {
		t.Errorf("rooms %q", rooms)
	}
}

// TestStreamsRestart kills redis-server, which forgets everything: nodes serve
// their own sockets meanwhile, and afterwards all is as it should be.
func TestStreamsRestart(t *testing.T) {
	s := startRedis(t)
	hosts := adaptertest.NewRecoveringHosts(2)
	as := ordered(t, s, nil, hosts)
	defer as[0].Close()
	defer as[1].Close()
	a, b := adaptertest.NewClient(t, as[0], "x"), adaptertest.NewClient(t, as[1], "x")
	emit := func(node int, event string) error {
		return as[node].Broadcast(adapter.Target{}, adaptertest.Kept(event))
	}
	received := func(c *adaptertest.Client, want string) {
		t.Helper()
		var got []string
		s.until("arrives: "+want, func() bool { got = append(got, c.Got()...); return slices.Contains(got, want) })
		if strings.Join(got, " ") != want {
			t.Errorf("got %q; want %s", got, want)
		}
	}
	if err := emit(0, "before"); err != nil {
		t.Error(err)
	}
	received(a, "before")
	received(b, "before")
	s.stop()
	s.until("both nodes are degraded", func() bool { return as[0].Health() != nil && as[1].Health() != nil })
	if err := emit(0, "here"); err == nil {
		t.Error("no error while Redis is away")
	}
	received(a, "here")
	s.start()
	s.until("both nodes are well", func() bool { return as[0].Health() == nil && as[1].Health() == nil })
	for i := range 3 {
		event := fmt.Sprint("after", i)
		if err := emit(i%2, event); err != nil {
			t.Error(err)
		}
		received(a, event)
		received(b, event)
	}
	catchUp(t, as)
	a.Cut()
	if err := emit(1, "missed"); err != nil {
		t.Error(err)
	}
	a.Back(t, as[1])
	received(a, "missed")
	received(b, "missed")
	if !strings.Contains(hosts[0].Log(), "messages of the log were lost") {
		t.Errorf("log: %s", hosts[0].Log())
	}
}
