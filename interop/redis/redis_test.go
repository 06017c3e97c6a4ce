// Package redis has clusters of Node servers and ours on one Redis, with official
// clients on each.
package redis

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/redis"
)

// A node is a server of the cluster; do has it do something and returns what it
// says, in JSON.
type node interface {
	url() string
	do(t *testing.T, op string, args ...any) string
}

// TestMixed has two Node servers and two of ours do everything to clients on all
// four.
func TestMixed(t *testing.T) {
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs redis-server, Node and the packages of interop/redis: set SOCKEYE_PARTS=all")
	}
	if _, err := os.Stat("node_modules/@socket.io/redis-adapter"); err != nil {
		t.Fatal("run npm ci in interop/redis first: ", err)
	}
	port := startRedis(t)
	for _, mode := range []string{"classic", "sharded", "sharded static", "sharded private", "streams", "streams sharded"} {
		t.Run(mode, func(t *testing.T) { testMixed(t, port, mode) })
	}
}

func testMixed(t *testing.T, port, mode string) {
	all := []node{startNode(t, port, mode), startGo(t, port, mode), startNode(t, port, mode), startGo(t, port, mode)}
	names := []string{"Node", "Go", "Node", "Go"}
	for i, n := range all {
		until(t, names[i]+" knows of four servers", func() bool { return n.do(t, "count") == "4" })
	}
	c := startClients(t, all)
	ids := c.ids()
	room := func(i int) string { return fmt.Sprint("room", i) }
	for i := range all { // from the other kind, so that joining is tested too
		all[(i+1)%4].do(t, "join", ids[i], "shared", room(i))
	}
	until(t, "all have joined", func() bool {
		return strings.Count(all[0].do(t, "fetch", "shared"), `"shared"`) == 4 && strings.Count(all[1].do(t, "fetch", "shared"), `"shared"`) == 4
	})
	for i, n := range all {
		t.Run(fmt.Sprint(names[i], i), func(t *testing.T) {
			// A broadcast comes when the rooms of sharded nodes are subscribed.
			until(t, "the room is reached", func() bool {
				n.do(t, "emit", "shared", "nobody", "try", i)
				return c.everybody("try", i)
			})
			c.want(t, "to a room", []int{0, 1, 2, 3}, "one", `[1,{"a":[null,"é"]}]`, func() {
				n.do(t, "emit", "shared", "nobody", "one", 1, map[string]any{"a": []any{nil, "é"}})
			})
			c.want(t, "except a room", []int{1, 2, 3}, "two", `[]`, func() { n.do(t, "emit", "shared", room(0), "two") })
			c.want(t, "one client by its id", []int{(i + 1) % 4}, "three", `["x"]`, func() {
				n.do(t, "emit", ids[(i+1)%4], "nobody", "three", "x")
			})
			c.want(t, "binary", []int{0, 1, 2, 3}, "four", `[[1,2,3]]`, func() { n.do(t, "binary", "shared", "four") })
			c.want(t, "everybody", []int{0, 1, 2, 3}, "five", `[5]`, func() { n.do(t, "all", "five", 5) })
			c.want(t, "volatile", []int{0, 1, 2, 3}, "six", `[]`, func() { n.do(t, "volatile", "six") })
			if mode == "classic" {
				c.want(t, "the emitter", []int{0, 1, 2, 3}, "seven", `[7]`, func() { n.do(t, "emitter", "shared", "seven", 7) })
			}
			if got := sorted(t, n.do(t, "ask", "shared", "q")); got != `["q 0","q 1","q 2","q 3"]` {
				t.Errorf("acks = %s", got)
			}
			var found [][]any
			if err := json.Unmarshal([]byte(n.do(t, "fetch", "shared")), &found); err != nil || len(found) != 4 {
				t.Fatalf("fetch: %v, %v", found, err)
			}
			for _, f := range found {
				j := slices.Index(ids, f[0].(string))
				rooms := fmt.Sprint(f[1])
				if j < 0 || !strings.Contains(rooms, ids[j]) || !strings.Contains(rooms, room(j)) || fmt.Sprint(f[3]) != fmt.Sprint(j) {
					t.Errorf("fetch: %v", f)
				}
			}
			for _, other := range all {
				other.do(t, "said")
			}
			n.do(t, "hello", "from", i)
			for j, other := range all {
				want := fmt.Sprintf(`[["from",%d]]`, i)
				if j == i {
					continue
				}
				until(t, fmt.Sprintf("server %d hears it", j), func() bool { return other.do(t, "said") == want })
			}
			if got := n.do(t, "said"); got != "[]" {
				t.Errorf("the server itself heard %s", got)
			}
			one := fmt.Sprintf(`{"sum":%d}`, 1+i)
			if got, want := n.do(t, "sum", 1, i), "["+one+","+one+","+one+"]"; got != want {
				t.Errorf("answers of the servers = %s", got)
			}
			n.do(t, "leave", ids[i], room(i))
			until(t, "it has left", func() bool { return n.do(t, "fetch", room(i)) == "[]" })
			n.do(t, "join", ids[i], room(i))
			until(t, "it is back", func() bool { return n.do(t, "fetch", room(i)) != "[]" })
		})
	}
	for i, n := range all {
		n.do(t, "disconnect", ids[(i+1)%4])
		until(t, "the client is gone", func() bool { return c.gone((i + 1) % 4) })
	}
}

func sorted(t *testing.T, list string) string {
	t.Helper()
	var v []string
	if err := json.Unmarshal([]byte(list), &v); err != nil {
		t.Errorf("%s: %v", list, err)
	}
	slices.Sort(v)
	b, _ := json.Marshal(v)
	return string(b)
}

func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	timeout, tick := time.After(10*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("timeout: not so: %s", what)
		}
	}
}

func startRedis(t *testing.T) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(l.Addr().String())
	l.Close()
	cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	c := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:" + port})
	defer c.Close()
	until(t, "redis-server answers", func() bool { return c.Ping(context.Background()).Err() == nil })
	return port
}

// A process is a program that is told by lines and answers by lines.
type process struct {
	stdin io.Writer
	out   *bufio.Scanner
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	cmd := exec.Command("node", args...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	return &process{stdin, bufio.NewScanner(stdout)}
}

func (p *process) line() string {
	if !p.out.Scan() {
		return ""
	}
	return p.out.Text()
}

type nodeServer struct {
	*process
	port int
}

func startNode(t *testing.T, port, mode string) node {
	n := &nodeServer{process: start(t, "server.mjs", port, mode)}
	var first struct{ Port int }
	if err := json.Unmarshal([]byte(n.line()), &first); err != nil {
		t.Fatal(err)
	}
	n.port = first.Port
	return n
}

func (n *nodeServer) url() string { return fmt.Sprint("http://127.0.0.1:", n.port) }

func (n *nodeServer) do(t *testing.T, op string, args ...any) string {
	if args == nil {
		args = []any{}
	}
	b, _ := json.Marshal(map[string]any{"op": op, "args": args})
	fmt.Fprintf(n.stdin, "%s\n", b)
	return n.line()
}

// clients are the official ones.
type clients struct {
	mu  sync.Mutex
	id  [4]string
	up  [4]bool
	got map[string][4][]string // by event
}

func startClients(t *testing.T, all []node) *clients {
	args := []string{"clients.mjs"}
	for _, n := range all {
		args = append(args, n.url())
	}
	p := start(t, args...)
	c := &clients{got: make(map[string][4][]string)}
	go func() {
		for p.out.Scan() {
			var l struct {
				C          int
				On, ID, Ev string
				Args       json.RawMessage
			}
			if json.Unmarshal(p.out.Bytes(), &l) != nil {
				continue
			}
			c.mu.Lock()
			switch l.On {
			case "connect":
				c.id[l.C], c.up[l.C] = l.ID, true
			case "disconnect":
				c.up[l.C] = false
			case "event":
				got := c.got[l.Ev]
				got[l.C] = append(got[l.C], string(l.Args))
				c.got[l.Ev] = got
			}
			c.mu.Unlock()
		}
	}()
	until(t, "all clients are connected", func() bool { return !slices.Contains(c.ids(), "") })
	return c
}

func (c *clients) ids() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.id[:])
}

func (c *clients) gone(i int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.up[i]
}

func (c *clients) everybody(event string, v int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, got := range c.got[event] {
		if !slices.Contains(got, fmt.Sprintf("[%d]", v)) {
			return false
		}
	}
	return true
}

// want has something done and checks who gets it, once and as it was sent.
func (c *clients) want(t *testing.T, what string, who []int, event, args string, do func()) {
	t.Helper()
	c.mu.Lock()
	delete(c.got, event)
	c.mu.Unlock()
	do()
	take := func() [4][]string {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.got[event]
	}
	until(t, what+" arrives", func() bool {
		got := take()
		return !slices.ContainsFunc(who, func(i int) bool { return len(got[i]) == 0 })
	})
	for i, got := range take() {
		var want []string
		if slices.Contains(who, i) {
			want = []string{args}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: client %d got %q; want %q", what, i, got, want)
		}
	}
}

// goServer is ours.
type goServer struct {
	srv *socketio.Server
	hs  *httptest.Server
	em  *redis.Emitter

	mu   sync.Mutex
	said [][]any
}

func startGo(t *testing.T, port, mode string) node {
	client := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:" + port})
	factories := map[string]func() adapter.Factory{
		"classic":        func() adapter.Factory { return redis.New(client, nil) },
		"sharded":        func() adapter.Factory { return redis.NewSharded(client, nil) },
		"sharded static": func() adapter.Factory { return redis.NewSharded(client, &redis.ShardedOptions{Mode: redis.Static}) },
		"sharded private": func() adapter.Factory {
			return redis.NewSharded(client, &redis.ShardedOptions{Mode: redis.DynamicPrivate})
		},
		"streams": func() adapter.Factory { return redis.NewStreams(client, nil) },
		"streams sharded": func() adapter.Factory {
			return redis.NewStreams(client, &redis.StreamsOptions{Streams: 3, Sharded: true})
		},
		"recovery": func() adapter.Factory { return redis.NewStreams(client, nil) },
	}
	o := &socketio.Options{Adapter: factories[mode](), Logger: slog.New(slog.DiscardHandler)}
	if mode == "recovery" {
		o.Recovery = &socketio.Recovery{}
	}
	g := &goServer{srv: socketio.NewServer(o), em: redis.NewEmitter(client, nil)}
	g.srv.OnConnection(func(_ context.Context, s *socketio.Socket) error { return s.Join("go") })
	g.srv.OnServerSide("hello", func(_ context.Context, m *socketio.Message) error {
		args, err := m.Args()
		g.mu.Lock()
		g.said = append(g.said, args)
		g.mu.Unlock()
		return err
	})
	g.srv.OnServerSide("sum", func(_ context.Context, m *socketio.Message) error {
		var a, b int
		if err := m.Decode(&a, &b); err != nil {
			return err
		}
		return m.Ack(map[string]int{"sum": a + b})
	})
	g.hs = httptest.NewServer(g.srv)
	t.Cleanup(func() {
		g.srv.Close()
		g.hs.Close()
		client.Close()
	})
	return g
}

func (g *goServer) url() string { return g.hs.URL }

func (g *goServer) do(t *testing.T, op string, args ...any) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	str := func(i int) string { return args[i].(string) }
	var rest []string
	if len(args) > 0 {
		for _, a := range args[1:] {
			s, _ := a.(string)
			rest = append(rest, s)
		}
	}
	var result any
	var err error
	switch op {
	case "emit":
		err = g.srv.To(str(0)).Except(str(1)).Emit(str(2), args[3:]...)
	case "binary":
		err = g.srv.To(str(0)).Emit(str(1), map[string]any{"b": []byte{1, 2, 3}})
	case "all":
		err = g.srv.Emit(str(0), args[1:]...)
	case "volatile":
		err = g.srv.Volatile().Emit(str(0))
	case "ask":
		var answers []string
		for m, e := range g.srv.To(str(0)).EmitWithAcks(ctx, "ask", args[1]) {
			var v string
			if err = e; e == nil {
				err = m.Decode(&v)
			}
			answers = append(answers, v)
		}
		result = answers
	case "fetch":
		sockets, e := g.srv.In(str(0)).FetchSockets(ctx)
		list := [][]any{}
		for _, s := range sockets {
			var h struct{ Auth struct{ Who any } }
			_ = json.Unmarshal(s.Handshake(), &h)
			rooms := append(s.Rooms(), s.ID())
			slices.Sort(rooms)
			list = append(list, []any{s.ID(), rooms, nil, h.Auth.Who})
		}
		result, err = list, e
	case "join":
		err = g.srv.In(str(0)).SocketsJoin(rest...)
	case "leave":
		err = g.srv.In(str(0)).SocketsLeave(rest...)
	case "disconnect":
		err = g.srv.In(str(0)).DisconnectSockets(true)
	case "hello":
		err = g.srv.ServerSideEmit("hello", args...)
	case "sum":
		list := []json.RawMessage{}
		for m, e := range g.srv.ServerSideEmitWithAck(ctx, "sum", args...) {
			if err = e; e == nil {
				list = append(list, m.Raw(0))
			}
		}
		result = list
	case "said":
		g.mu.Lock()
		result = append([][]any{}, g.said...)
		g.said = nil
		g.mu.Unlock()
	case "count":
		result, err = g.srv.ServerCount(ctx)
	case "emitter":
		err = g.em.To(str(0)).Emit(ctx, str(1), args[2:]...)
	}
	if err != nil {
		t.Errorf("%s %v: %v", op, args, err)
	}
	b, _ := json.Marshal(result)
	return string(b)
}
