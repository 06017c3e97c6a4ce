package redis

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
	"github.com/sockeye-go/socketio/parser"
)

var testKey = []byte("a key of thirty-two bytes, or so")

func (b *interest) settled() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.open {
		if c.follow.busy() {
			return false
		}
	}
	return b.sub.settled()
}

// interestNodes makes a cluster, and waits until all nodes know of each other.
func interestNodes(t *testing.T, s *server, o *InterestOptions, hosts []*adaptertest.Host) ([]adapter.Adapter, []*interest) {
	t.Helper()
	var buses []*interest
	as := nodes(t, s, func(c goredis.UniversalClient) adapter.Factory {
		b := newInterest(c, o)
		buses = append(buses, b)
		return cluster.NewFactory(b, nil)
	}, hosts)
	for _, a := range as {
		s.until("all nodes are known", func() bool { n, _ := a.ServerCount(t.Context()); return n == len(hosts) })
	}
	return as, buses
}

// TestInterestContract holds the adapter to the contract, with so few channels
// that rooms share them.
func TestInterestContract(t *testing.T) {
	s := startRedis(t)
	var buses []*interest
	adaptertest.RunReal(t, 3, func(t *testing.T, hosts []*adaptertest.Host) (as []adapter.Adapter) {
		as, buses = interestNodes(t, s, &InterestOptions{Channels: 3, Key: testKey}, hosts)
		return as
	}, func() {
		for _, b := range buses {
			s.until("rooms are subscribed", b.settled)
		}
	})
}

// TestInterestOfSockets: what is for a socket, by an id that names its node, goes
// there and to nobody else; and to who has joined a room of that name.
func TestInterestOfSockets(t *testing.T) {
	s := startRedis(t)
	as, buses := interestNodes(t, s, new(InterestOptions), adaptertest.NewHosts(3))
	for _, a := range as {
		defer a.Close()
	}
	id := as[1].(adapter.Namer).NewID()
	if len(id) != 20 || id[0] != '~' || id == as[1].(adapter.Namer).NewID() {
		t.Errorf("id %q", id)
	}
	b := adaptertest.NewSocket(as[1], id)
	heard := make([]atomic.Int64, 3)
	watch := s.client(t)
	for i := range heard {
		c := buses[i].open[0]
		ps := watch.Subscribe(t.Context(), c.node(c.tag))
		defer ps.Close()
		if _, err := ps.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
		go func() {
			for range ps.Channel() {
				heard[i].Add(1)
			}
		}()
	}
	send := func(event string) {
		t.Helper()
		p := &adapter.Packet{Event: event, ID: parser.NoID}
		if err := as[0].Broadcast(adapter.Target{Rooms: []string{id}}, p); err != nil {
			t.Fatal(err)
		}
	}
	got := func(s2 *adaptertest.Socket, want string) {
		t.Helper()
		var all []string
		s.until("it gets "+want, func() bool { all = append(all, s2.Got()...); return strings.Join(all, " ") == want })
	}
	send("one")
	got(b, "one")
	s.until("Redis has carried it to its node", func() bool { return heard[1].Load() == 1 })
	if heard[0].Load() != 0 || heard[2].Load() != 0 {
		t.Errorf("other nodes were sent %d and %d", heard[0].Load(), heard[2].Load())
	}
	c := adaptertest.NewSocket(as[2], "c", id)
	s.until("rooms are subscribed", buses[2].settled)
	send("two")
	got(b, "two")
	got(c, "two")
}

// TestInterestKey: what is not sealed with the key of the cluster, or was said in
// another channel, is not heard.
func TestInterestKey(t *testing.T) {
	s := startRedis(t)
	as, buses := interestNodes(t, s, &InterestOptions{Key: testKey}, adaptertest.NewHosts(2))
	defer as[0].Close()
	defer as[1].Close()
	a := adaptertest.NewSocket(as[0], "a")
	c := buses[0].open[0]
	values, err := cluster.NewValues("forged")
	if err != nil {
		t.Fatal(err)
	}
	b, err := cluster.Encode(&cluster.Message{Type: cluster.Broadcast, UID: "x", NSP: "/test", Values: values})
	if err != nil {
		t.Fatal(err)
	}
	client := s.client(t)
	for _, forged := range [][]byte{
		b, cluster.Key("another key, of some length").Seal(c.common, b), cluster.Key(testKey).Seal("elsewhere", b), nil, {1},
	} {
		if err := client.Publish(t.Context(), c.common, forged).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := as[1].Broadcast(adapter.Target{}, &adapter.Packet{Event: "real", ID: parser.NoID}); err != nil {
		t.Fatal(err)
	}
	var got []string
	s.until("the real one arrives", func() bool { got = append(got, a.Got()...); return len(got) > 0 })
	if strings.Join(got, " ") != "real" {
		t.Errorf("got %q", got)
	}
}

// A meter counts what a node reads from Redis on connections that subscribe.
type meter struct {
	net.Conn
	read       *atomic.Int64
	subscribed atomic.Bool
}

func (m *meter) Write(b []byte) (int, error) {
	if strings.Contains(strings.ToLower(string(b[:min(len(b), 64)])), "subscribe") {
		m.subscribed.Store(true)
	}
	return m.Conn.Write(b)
}

func (m *meter) Read(b []byte) (int, error) {
	n, err := m.Conn.Read(b)
	if m.subscribed.Load() {
		m.read.Add(int64(n))
	}
	return n, err
}

// TestInterestBytes has eight nodes and a hundred rooms, each with members on two
// of them. To each room and to each member alone four messages of 200 bytes are
// emitted. What each node receives of that is counted, by the kinds of adapters.
func TestInterestBytes(t *testing.T) {
	s := startRedis(t)
	const nodeCount, rooms, each = 8, 100, 4
	measure := func(t *testing.T, f func(goredis.UniversalClient) adapter.Factory, settled func() bool) (perNode int64) {
		var read [nodeCount]atomic.Int64
		var as []adapter.Adapter
		hosts := adaptertest.NewHosts(nodeCount)
		for i, h := range hosts {
			c := goredis.NewClient(&goredis.Options{Addr: s.addr(), Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, addr)
				return &meter{Conn: conn, read: &read[i]}, err
			}})
			defer c.Close()
			a, err := f(c)(h)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			as = append(as, a)
		}
		for _, a := range as {
			s.until("all nodes are known", func() bool { n, _ := a.ServerCount(t.Context()); return n == nodeCount })
		}
		id := func(a adapter.Adapter, i int) string {
			if n, ok := a.(adapter.Namer); ok {
				if id := n.NewID(); id != "" {
					return id
				}
			}
			return fmt.Sprintf("%020d", i)
		}
		var members []*adaptertest.Socket
		for i := range rooms {
			for j, a := range []adapter.Adapter{as[i%nodeCount], as[(i*3+1)%nodeCount]} {
				members = append(members, adaptertest.NewSocket(a, id(a, 2*i+j), fmt.Sprint("room", i)))
			}
		}
		s.until("rooms are subscribed", settled)
		var before int64
		for i := range read {
			before += read[i].Load()
		}
		text := strings.Repeat("x", 200)
		emit := func(from int, room string) {
			p := &adapter.Packet{Event: "e", Args: []any{text}, ID: parser.NoID}
			if err := as[from%nodeCount].Broadcast(adapter.Target{Rooms: []string{room}}, p); err != nil {
				t.Fatal(err)
			}
		}
		for n := range each {
			for i := range rooms {
				emit(i+n, fmt.Sprint("room", i))
				emit(i+n, members[2*i].ID())
				emit(i+n, members[2*i+1].ID())
			}
		}
		got := make([]int, len(members))
		s.until("all has arrived", func() bool {
			sum := 0
			for i, m := range members {
				got[i] += len(m.Got())
				sum += got[i]
			}
			return sum == 4*each*rooms
		})
		var after int64
		for i := range read {
			after += read[i].Load()
		}
		return (after - before) / nodeCount
	}
	always := func() bool { return true }
	classic := measure(t, func(c goredis.UniversalClient) adapter.Factory { return New(c, nil) }, always)
	var sharded []*sharded
	dynamic := measure(t, func(c goredis.UniversalClient) adapter.Factory {
		b := newSharded(c, new(ShardedOptions))
		sharded = append(sharded, b)
		return cluster.NewFactory(b, nil)
	}, func() bool {
		for _, b := range sharded {
			if !b.settled() {
				return false
			}
		}
		return true
	})
	var buses []*interest
	own := measure(t, func(c goredis.UniversalClient) adapter.Factory {
		b := newInterest(c, new(InterestOptions))
		buses = append(buses, b)
		return cluster.NewFactory(b, nil)
	}, func() bool {
		for _, b := range buses {
			if !b.settled() {
				return false
			}
		}
		return true
	})
	t.Logf("bytes received per node: classic %d, sharded %d (%.2f of it), interest %d (%.2f of it)", classic, dynamic,
		float64(dynamic)/float64(classic), own, float64(own)/float64(classic))
	// Of 8 nodes 2 have a room, and 1 a socket: (2+1+1)/(8+8+8) of the messages,
	// besides acknowledgements of Redis and heartbeats.
	if own*4 > classic {
		t.Errorf("a node received %d bytes of %d; want a quarter at most", own, classic)
	}
	if path := os.Getenv("INTEREST_RESULTS"); path != "" {
		line := fmt.Sprintf("classic %d sharded %d interest %d\n", classic, dynamic, own)
		if err := os.WriteFile(path, []byte(line), 0o644); err != nil {
			t.Error(err)
		}
	}
}
