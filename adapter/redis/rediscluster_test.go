package redis

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/parser"
)

// startRedisCluster starts a Redis Cluster of three masters that share the slots.
func startRedisCluster(t *testing.T) (masters []*server) {
	t.Helper()
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs redis-server: set SOCKEYE_PARTS=all")
	}
	ctx := context.Background()
	for i := range 3 {
		s := &server{t: t, port: freePort(t)}
		bus := freePort(t)
		s.cmd = exec.Command("redis-server", "--port", s.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir(),
			"--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "5000")
		if err := s.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.stop)
		c := s.client(t)
		s.until("redis-server answers", func() bool { return c.Ping(ctx).Err() == nil })
		for _, args := range [][]any{
			{"cluster", "addslotsrange", i * 16384 / 3, (i+1)*16384/3 - 1}, {"cluster", "set-config-epoch", i + 1},
		} {
			if err := c.Do(ctx, args...).Err(); err != nil {
				t.Fatal(err)
			}
		}
		if i > 0 {
			if err := masters[0].client(t).Do(ctx, "cluster", "meet", "127.0.0.1", s.port, bus).Err(); err != nil {
				t.Fatal(err)
			}
		}
		masters = append(masters, s)
	}
	for _, s := range masters {
		c := s.client(t)
		s.until("the cluster is there", func() bool {
			info, err := c.ClusterInfo(ctx).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		})
	}
	return masters
}

func clusterClient(t *testing.T, masters []*server) *goredis.ClusterClient {
	var addrs []string
	for _, s := range masters {
		addrs = append(addrs, s.addr())
	}
	c := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: addrs})
	t.Cleanup(func() { c.Close() })
	return c
}

// TestRedisCluster: three nodes on a Redis Cluster of three masters: what is for rooms
// of any slot arrives, in order, and once; requests are answered.
func TestRedisCluster(t *testing.T) {
	masters := startRedisCluster(t)
	for name, f := range map[string]func(goredis.UniversalClient) adapter.Factory{
		"classic": func(c goredis.UniversalClient) adapter.Factory { return New(c, nil) },
		"sharded": func(c goredis.UniversalClient) adapter.Factory { return NewSharded(c, nil) },
		"sharded, private": func(c goredis.UniversalClient) adapter.Factory {
			return NewSharded(c, &ShardedOptions{Mode: DynamicPrivate})
		},
		"interest": func(c goredis.UniversalClient) adapter.Factory { return NewInterest(c, nil) },
		"streams":  func(c goredis.UniversalClient) adapter.Factory { return NewStreams(c, nil) },
	} {
		t.Run(name, func(t *testing.T) { onRedisCluster(t, masters, f) })
	}
}

func onRedisCluster(t *testing.T, masters []*server, f func(goredis.UniversalClient) adapter.Factory) {
	s := masters[0]
	var as []adapter.Adapter
	for _, h := range adaptertest.NewHosts(3) {
		a, err := f(clusterClient(t, masters))(h)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		as = append(as, a)
	}
	for _, a := range as {
		s.until("all nodes are known", func() bool { n, err := a.ServerCount(t.Context()); return err == nil && n == 3 })
	}
	const rooms = 12 // in slots of all masters
	var sockets []*adaptertest.Socket
	for i := range rooms {
		sockets = append(sockets, adaptertest.NewSocket(as[1+i%2], fmt.Sprint("socket", i), fmt.Sprint("room", i)))
	}
	all := adaptertest.NewSocket(as[2], "all")
	send := func(event string, to ...string) {
		t.Helper()
		if err := as[0].Broadcast(adapter.Target{Rooms: to}, &adapter.Packet{Event: event, ID: parser.NoID}); err != nil {
			t.Error(err)
		}
	}
	for i := range rooms {
		room := fmt.Sprint("room", i)
		s.until("the room is subscribed", func() bool {
			send("hello", room)
			return slices.Contains(sockets[i].Got(), "hello")
		})
	}
	send("begin")
	for i := range rooms {
		s.until("what was sent before has come", func() bool { return slices.Contains(sockets[i].Got(), "begin") })
	}
	s.until("what was sent before has come", func() bool { return slices.Contains(all.Got(), "begin") })
	want := ""
	for n := range 100 {
		send(fmt.Sprint(n)) // to all, and to a room: one order
		send(fmt.Sprint("r", n), fmt.Sprint("room", n%rooms))
		want += fmt.Sprint(n, " ")
	}
	send("end")
	for i, m := range append(slices.Clone(sockets), all) {
		expected := 0
		for n := range 100 {
			if i < rooms && n%rooms == i {
				expected++
			}
		}
		mine, ordered := 0, ""
		s.until("all has come", func() bool { // of a room perhaps over another master
			for _, e := range m.Got() {
				if strings.HasPrefix(e, "r") {
					mine++
				} else {
					ordered += e + " "
				}
			}
			return strings.HasSuffix(ordered, "end ") && mine >= expected
		})
		if ordered != want+"end " || mine != expected {
			t.Errorf("socket %d got %d for its room and %s; want %d, and 0 to 99", i, mine, ordered, expected)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if infos, err := as[0].Fetch(ctx, adapter.Target{}); err != nil || len(infos) != rooms+1 {
		t.Errorf("Fetch = %d, %v; want %d", len(infos), err, rooms+1)
	}
	if err := as[0].SocketsJoin(adapter.Target{Rooms: []string{"room3"}}, "other"); err != nil {
		t.Error(err)
	}
	s.until("it joins", func() bool { return as[1].RoomSize("other")+as[2].RoomSize("other") == 1 })
}

// TestRedisClusterMoves: slots go over to another master, and with them what is
// subscribed.
func TestRedisClusterMoves(t *testing.T) {
	masters := startRedisCluster(t)
	s := masters[0]
	var as []adapter.Adapter
	for _, h := range adaptertest.NewHosts(2) {
		a, err := NewSharded(clusterClient(t, masters), nil)(h)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		as = append(as, a)
	}
	a := adaptertest.NewSocket(as[1], "a", "room")
	arrives := func(to ...string) {
		t.Helper()
		s.until("an event arrives on the other node", func() bool {
			_ = as[0].Broadcast(adapter.Target{Rooms: to}, &adapter.Packet{Event: "e", ID: parser.NoID})
			return slices.Contains(a.Got(), "e")
		})
	}
	arrives()
	arrives("room")
	ctx := t.Context()
	for _, channel := range []string{"socket.io#/test#", "socket.io#/test#room#"} {
		slot, err := s.client(t).ClusterKeySlot(ctx, channel).Result()
		if err != nil {
			t.Fatal(err)
		}
		to := masters[(int(slot)*3/16384+1)%3]
		id, err := to.client(t).ClusterMyID(ctx).Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []*server{to, masters[0], masters[1], masters[2]} {
			if err := m.client(t).Do(ctx, "cluster", "setslot", slot, "node", id).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 3 {
		arrives()
		arrives("room")
	}
	s.until("both nodes are well", func() bool { return as[0].Health() == nil && as[1].Health() == nil })
	s.until("both are counted", func() bool { n, err := as[0].ServerCount(ctx); return err == nil && n == 2 })
}
