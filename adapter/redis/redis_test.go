package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
	"github.com/sockeye-go/socketio/internal/leak"
	"github.com/sockeye-go/socketio/parser"
)

func TestMain(m *testing.M) { leak.Main(m) }

// A server is a real redis-server.
type server struct {
	t    testing.TB
	port string
	cmd  *exec.Cmd
}

func startRedis(t testing.TB) *server {
	t.Helper()
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs redis-server: set SOCKEYE_PARTS=all")
	}
	s := &server{t: t, port: freePort(t)}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func (s *server) addr() string { return "127.0.0.1:" + s.port }

func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", "--port", s.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	c := goredis.NewClient(&goredis.Options{Addr: s.addr()})
	defer c.Close()
	s.until("redis-server answers", func() bool { return c.Ping(context.Background()).Err() == nil })
}

func (s *server) stop() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

func (s *server) until(what string, f func() bool) {
	s.t.Helper()
	timeout := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-timeout:
			s.t.Fatalf("timeout: not so: %s", what)
		}
	}
}

func (s *server) client(t testing.TB) *goredis.Client {
	c := goredis.NewClient(&goredis.Options{Addr: s.addr()})
	t.Cleanup(func() { c.Close() })
	return c
}

// TestContract holds both adapters to the contract, with three nodes.
func TestContract(t *testing.T) {
	s := startRedis(t)
	for name, f := range map[string]func(goredis.UniversalClient) adapter.Factory{
		"classic": func(c goredis.UniversalClient) adapter.Factory { return New(c, nil) },
		"classic, response channels": func(c goredis.UniversalClient) adapter.Factory {
			return New(c, &Options{PublishOnSpecificResponseChannel: true})
		},
		"sharded, static": func(c goredis.UniversalClient) adapter.Factory { return NewSharded(c, &ShardedOptions{Mode: Static}) },
	} {
		if name != "classic" && os.Getenv("SOCKEYE_LONG") == "" {
			continue // it takes real time
		}
		t.Run(name, func(t *testing.T) {
			adaptertest.RunReal(t, 3, func(t *testing.T, hosts []*adaptertest.Host) []adapter.Adapter {
				return nodes(t, s, f, hosts)
			}, nil)
		})
	}
	for name, mode := range map[string]SubscriptionMode{"sharded, dynamic": Dynamic, "sharded, dynamic and private": DynamicPrivate} {
		if mode != Dynamic && os.Getenv("SOCKEYE_LONG") == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			var buses []*sharded
			adaptertest.RunReal(t, 3, func(t *testing.T, hosts []*adaptertest.Host) []adapter.Adapter {
				buses = nil
				return nodes(t, s, func(c goredis.UniversalClient) adapter.Factory {
					b := newSharded(c, &ShardedOptions{Mode: mode})
					buses = append(buses, b)
					return cluster.NewFactory(b, &cluster.Options{})
				}, hosts)
			}, func() {
				for _, b := range buses {
					s.until("rooms are subscribed", b.settled)
				}
			})
		})
	}
}

// settled reports whether Redis knows of all rooms that there are.
func (b *sharded) settled() bool {
	for _, c := range b.channels() {
		if c.follow.busy() {
			return false
		}
	}
	return b.sub.settled()
}

func nodes(t *testing.T, s *server, f func(goredis.UniversalClient) adapter.Factory, hosts []*adaptertest.Host) []adapter.Adapter {
	t.Helper()
	var as []adapter.Adapter
	for _, h := range hosts {
		a, err := f(s.client(t))(h)
		if err != nil {
			t.Fatal(err)
		}
		as = append(as, a)
	}
	return as
}

// TestRestart kills the real server: local delivery goes on, callers are told,
// and all is well again when it is back.
func TestRestart(t *testing.T) {
	for name, f := range map[string]func(goredis.UniversalClient) adapter.Factory{
		"classic":  func(c goredis.UniversalClient) adapter.Factory { return New(c, nil) },
		"sharded":  func(c goredis.UniversalClient) adapter.Factory { return NewSharded(c, nil) },
		"interest": func(c goredis.UniversalClient) adapter.Factory { return NewInterest(c, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			s := startRedis(t)
			as := nodes(t, s, f, adaptertest.NewHosts(2))
			defer as[0].Close()
			defer as[1].Close()
			a, b := adaptertest.NewSocket(as[0], "a", "room"), adaptertest.NewSocket(as[1], "b", "room")
			arrives := func(event string) {
				t.Helper()
				s.until("an event arrives on the other node", func() bool {
					// What is emitted before the others have their connections again is lost.
					as[0].Broadcast(adapter.Target{Rooms: []string{"room"}}, &adapter.Packet{Event: event, ID: parser.NoID})
					return slices.Contains(b.Got(), event)
				})
				a.Got()
			}
			arrives("before")
			s.stop()
			s.until("both nodes are degraded", func() bool { return as[0].Health() != nil && as[1].Health() != nil })
			// A batch that failed degrades too, but does not keep the next from being tried.
			s.until("callers are told", func() bool {
				a.Got()
				err := as[0].Broadcast(adapter.Target{}, &adapter.Packet{Event: "local", ID: parser.NoID})
				if got := strings.Join(a.Got(), " "); got != "local" {
					t.Errorf("the socket of this node got %q; want local", got)
				}
				_, degraded := errors.AsType[*cluster.DegradedError](err)
				return degraded
			})
			b.Got()
			if _, err := as[0].Fetch(t.Context(), adapter.Target{}); err == nil {
				t.Error("Fetch = nil; want an error")
			}
			adaptertest.NewSocket(as[1], "c", "new room") // subscribed when Redis is back
			s.start()
			s.until("both nodes are well", func() bool { return as[0].Health() == nil && as[1].Health() == nil })
			arrives("after")
			infos, err := as[0].Fetch(t.Context(), adapter.Target{Rooms: []string{"new room"}})
			if err != nil || len(infos) != 1 {
				t.Errorf("Fetch = %v, %v; want c", infos, err)
			}
		})
	}
}

// TestNoRedis: without Redis a namespace cannot be opened, and says so.
func TestNoRedis(t *testing.T) {
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("takes as long as Redis may take to subscribe: set SOCKEYE_PARTS=all")
	}
	c := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer c.Close()
	if _, err := New(c, nil)(adaptertest.NewHosts(1)[0]); err == nil || !strings.Contains(fmt.Sprint(err), "refused") {
		t.Errorf("error = %v; want that the connection was refused", err)
	}
}
