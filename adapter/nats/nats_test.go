package nats_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
	"github.com/sockeye-go/socketio/adapter/nats"
	"github.com/sockeye-go/socketio/adapter/nats/embedded"
	"github.com/sockeye-go/socketio/parser"
)

func packet(event string) *adapter.Packet { return &adapter.Packet{Event: event, ID: parser.NoID} }

// A broker is a real NATS server in a bubble, with connections in memory. It can
// be ended and started again.
type broker struct {
	t   *testing.T
	dir string // of JetStream; "" without

	mu sync.Mutex
	s  *server.Server // nil while it is down
}

func startBroker(t *testing.T) *broker {
	b := &broker{t: t}
	b.start()
	t.Cleanup(b.stop)
	return b
}

// startStoring starts one with JetStream.
func startStoring(t *testing.T) *broker {
	b := &broker{t: t, dir: t.TempDir()}
	b.start()
	t.Cleanup(b.stop)
	return b
}

func (b *broker) start() {
	// NATS' client has timers in a sync.Pool, which it takes from when it connects
	// again: those of an earlier bubble have to be gone.
	runtime.GC()
	runtime.GC()
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true, JetStream: b.dir != "", StoreDir: b.dir})
	if err != nil {
		b.t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		b.t.Fatal("NATS does not start")
	}
	b.mu.Lock()
	b.s = s
	b.mu.Unlock()
}

func (b *broker) stop() {
	b.mu.Lock()
	s := b.s
	b.s = nil
	b.mu.Unlock()
	if s != nil {
		s.Shutdown()
		s.WaitForShutdown()
	}
}

// Dial implements natsgo.CustomDialer.
func (b *broker) Dial(string, string) (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.s == nil {
		return nil, errors.New("nobody listens")
	}
	return b.s.InProcessConn()
}

func (b *broker) connect(t *testing.T) *natsgo.Conn {
	t.Helper()
	conn, err := natsgo.Connect("nats://127.0.0.1:1", natsgo.SetCustomDialer(b), natsgo.MaxReconnects(-1), natsgo.ReconnectWait(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// TestTooLarge: a message that NATS does not take is not the end of NATS.
func TestTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := adaptertest.NewHosts(1)
		a, err := nats.New(startBroker(t).connect(t), nil)(hosts[0])
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		p := packet("large")
		p.Args = []any{strings.Repeat("x", 2<<20)}
		if err := a.Broadcast(adapter.Target{}, p); err != nil {
			t.Fatal(err)
		}
		if err := a.(adapter.Flusher).Flush(t.Context()); !errors.Is(err, natsgo.ErrMaxPayload) {
			t.Errorf("Flush = %v; want %v", err, natsgo.ErrMaxPayload)
		}
		if err := a.Health(); err != nil {
			t.Errorf("Health = %v", err)
		}
	})
}

// flushing is a context for FlushWithContext. Flush takes its timer from a pool,
// and bubbles may not share one.
func flushing(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// node makes the adapter of one node, with a connection of its own.
func (b *broker) node(t *testing.T, h adapter.Host, o *nats.Options) adapter.Adapter {
	t.Helper()
	a, err := nats.New(b.connect(t), o)(h)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestContract(t *testing.T) {
	for name, c := range map[string]struct {
		nodes   int
		options nats.Options
	}{
		"one node":       {1, nats.Options{}},
		"three nodes":    {3, nats.Options{}},
		"one subject":    {3, nats.Options{OneSubject: true}},
		"authenticated":  {3, nats.Options{Key: []byte("our secret")}},
		"another prefix": {3, nats.Options{Prefix: "app.chat"}},
	} {
		t.Run(name, func(t *testing.T) {
			adaptertest.Run(t, c.nodes, func(t *testing.T, hosts []*adaptertest.Host) []adapter.Adapter {
				b := startBroker(t)
				var as []adapter.Adapter
				for _, h := range hosts {
					as = append(as, b.node(t, h, &c.options))
				}
				return as
			})
		})
	}
}

// two are nodes with a socket each, in a bubble.
func two(t *testing.T, one, other nats.Options, f func(t *testing.T, b *broker, as []adapter.Adapter, sockets []*adaptertest.Socket)) {
	synctest.Test(t, func(t *testing.T) {
		b := startBroker(t)
		var as []adapter.Adapter
		var sockets []*adaptertest.Socket
		for i, h := range adaptertest.NewHosts(2) {
			a := b.node(t, h, []*nats.Options{&one, &other}[i])
			as = append(as, a)
			sockets = append(sockets, adaptertest.NewSocket(a, []string{"first", "second"}[i], "lobby"))
		}
		synctest.Wait()
		f(t, b, as, sockets)
		for _, a := range as {
			a.Close()
		}
	})
}

// got says what each socket has got since the last time.
func got(sockets []*adaptertest.Socket) string {
	var all []string
	for _, s := range sockets {
		all = append(all, strings.Join(s.Take(), " "))
	}
	return strings.Join(all, ", ")
}

// TestAway: while NATS is away each node serves its own and says so, and when it
// is back all is as before, without a word from anybody.
func TestAway(t *testing.T) {
	two(t, nats.Options{}, nats.Options{}, func(t *testing.T, b *broker, as []adapter.Adapter, sockets []*adaptertest.Socket) {
		emit := func(room, want string, fails bool) {
			t.Helper()
			err := as[0].Broadcast(adapter.Target{Rooms: []string{room}}, packet("e"))
			synctest.Wait()
			var degraded *cluster.DegradedError
			if g := got(sockets); g != want || errors.As(err, &degraded) != fails {
				t.Errorf("room %q: %q and %v; want %q", room, g, err, want)
			}
		}
		emit("lobby", "e, e", false)
		b.stop()
		synctest.Wait()
		emit("lobby", "e, ", true)
		if as[0].Health() == nil {
			t.Error("all is well while NATS is away")
		}
		as[1].Join(sockets[1], "joined meanwhile")
		b.start()
		<-time.After(5 * time.Second) // of the bubble: until both have connected again
		synctest.Wait()
		for _, a := range as {
			if err := a.Health(); err != nil {
				t.Errorf("back: Health = %v", err)
			}
		}
		emit("lobby", "e, e", false)
		emit("joined meanwhile", ", e", false)
	})
}

// TestStrangers: who has another key is no node, and hurts nobody.
func TestStrangers(t *testing.T) {
	two(t, nats.Options{Key: []byte("ours")}, nats.Options{Key: []byte("theirs")}, func(t *testing.T, b *broker, as []adapter.Adapter, sockets []*adaptertest.Socket) {
		for i, a := range as {
			if err := a.Broadcast(adapter.Target{}, packet([]string{"ours", "theirs"}[i])); err != nil {
				t.Error(err)
			}
		}
		if g, want := got(sockets), "ours, theirs"; g != want {
			t.Errorf("the sockets got %q; want %q", g, want)
		}
		if n, err := as[0].ServerCount(t.Context()); n != 1 || err != nil {
			t.Errorf("ServerCount = %d, %v; want 1", n, err)
		}
	})
}

// TestInterest: what is for one room goes to the nodes that have it.
func TestInterest(t *testing.T) {
	two(t, nats.Options{}, nats.Options{}, func(t *testing.T, b *broker, as []adapter.Adapter, sockets []*adaptertest.Socket) {
		listener := b.connect(t)
		heard := make(chan *natsgo.Msg, 100)
		if _, err := listener.ChanSubscribe("socketio.>", heard); err != nil {
			t.Fatal(err)
		}
		if err := listener.FlushWithContext(flushing(t)); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			rooms   []string
			subject string
		}{
			{[]string{"lobby"}, `room\.=lobby$`},
			{[]string{"with space"}, `room\.#[A-Za-z0-9_-]{43}$`},
			{[]string{"a.b"}, `room\.#[A-Za-z0-9_-]{43}$`},
			{[]string{"aaaaaaaaaaaaaaaaaaaa"}, `all$`}, // could be a socket
			{[]string{"a", "b"}, `all$`},
			{nil, `all$`},
		} {
			if err := as[0].Broadcast(adapter.Target{Rooms: c.rooms}, packet("e")); err != nil {
				t.Fatal(err)
			}
			if m := <-heard; !regexp.MustCompile(`^socketio\.=/test\.` + c.subject).MatchString(m.Subject) {
				t.Errorf("%q goes to %s; want %s", c.rooms, m.Subject, c.subject)
			}
		}
		got(sockets)
		as[1].Leave(sockets[1], "lobby")
		synctest.Wait()
		if err := as[0].Broadcast(adapter.Target{Rooms: []string{"lobby"}}, packet("again")); err != nil {
			t.Fatal(err)
		}
		if g, want := got(sockets), "again, "; g != want {
			t.Errorf("the sockets got %q; want %q", g, want)
		}
	})
}

// TestEmbedded: servers in several processes, here in one, are one NATS. A real
// network connects them, so this is no bubble.
func TestEmbedded(t *testing.T) {
	var servers []*embedded.Server
	var routes []string
	for range 3 {
		s, err := embedded.Start(&embedded.Options{Listen: "127.0.0.1:0", Routes: routes})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		servers = append(servers, s)
		routes = append(routes, s.Addr())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var nodes []*socketio.Server
	for _, s := range servers {
		conn, err := s.Connect()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		srv := socketio.NewServer(&socketio.Options{Adapter: nats.New(conn, nil), Logger: slog.New(slog.DiscardHandler)})
		defer srv.Close()
		nodes = append(nodes, srv)
	}
	heard := make(chan int, 100)
	for i, srv := range nodes {
		srv.OnServerSide("hello", func(context.Context, *socketio.Message) error {
			heard <- i
			return nil
		})
	}
	// Until the routes are up, nobody hears.
	seen := map[int]bool{}
	for ctx.Err() == nil && len(seen) < 2 {
		if err := nodes[0].ServerSideEmit("hello"); err != nil {
			t.Fatal(err)
		}
		select {
		case i := <-heard:
			seen[i] = true
		case <-time.After(20 * time.Millisecond):
		}
	}
	if !seen[1] || !seen[2] {
		t.Errorf("nodes %v heard of the first; want the other two", seen)
	}
}

func TestEmbeddedOptions(t *testing.T) {
	for _, o := range []embedded.Options{
		{Listen: "6222"}, {Listen: "127.0.0.1:x"}, {Routes: []string{"127.0.0.1:6222"}},
		{Listen: "127.0.0.1:0", Routes: []string{"nowhere"}},
	} {
		if s, err := embedded.Start(&o); err == nil {
			s.Close()
			t.Errorf("%+v starts", o)
		}
	}
}

// TestOpeningWhileItComesUp: namespaces that open while the connection comes up are
// not left degraded.
func TestOpeningWhileItComesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := startBroker(t)
		conn := b.connect(t)
		factory := nats.New(conn, nil)
		var as []adapter.Adapter
		open := func(h *adaptertest.Host) {
			a, err := factory(h)
			if err != nil {
				t.Fatal(err)
			}
			as = append(as, a)
		}
		for _, h := range adaptertest.NewHosts(20) {
			b.stop()
			synctest.Wait()
			up := make(chan struct{})
			go func() {
				defer close(up)
				b.start()
				<-time.After(time.Second) // of the bubble: until it tries again
			}()
			<-time.After(time.Second)
			open(h)
			<-up
		}
		<-time.After(5 * time.Second)
		synctest.Wait()
		for i, a := range as {
			if err := a.Health(); err != nil {
				t.Errorf("namespace %d: %v", i, err)
			}
			a.Close()
		}
	})
}

// A slow host takes its time for each message that it receives.
type slowHost struct {
	*adaptertest.Host
	slow chan struct{}
}

func (h slowHost) ServerSide(m adapter.ServerMessage, reply func(json.RawMessage)) {
	<-h.slow
	h.Host.ServerSide(m, reply)
}

// TestTooSlow: what a node was too slow for is told, if it was for a room, too.
func TestTooSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := startBroker(t)
		hosts := adaptertest.NewHosts(2)
		slow := slowHost{hosts[0], make(chan struct{})}
		receiver, sender := b.node(t, slow, nil), b.node(t, hosts[1], nil)
		defer receiver.Close()
		defer sender.Close()
		adaptertest.NewSocket(receiver, "first", "lobby")
		synctest.Wait()
		if err := sender.ServerSideEmit("stop", nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for i := range 17_000 { // 16,384 fit
			if err := sender.Broadcast(adapter.Target{Rooms: []string{"lobby"}}, packet("e")); err != nil {
				t.Fatal(i, err)
			}
			if i%1000 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		close(slow.slow)
		synctest.Wait()
		if !strings.Contains(hosts[0].Log(), "messages were dropped") {
			t.Errorf("nothing is said of what was dropped: %s", hosts[0].Log())
		}
		if err := receiver.Health(); err != nil {
			t.Errorf("Health = %v", err)
		}
	})
}
