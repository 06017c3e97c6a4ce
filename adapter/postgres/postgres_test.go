//go:build unix

package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
	"github.com/sockeye-go/socketio/internal/leak"
	"github.com/sockeye-go/socketio/internal/pgserver"
	"github.com/sockeye-go/socketio/parser"
)

// shared is the server of all tests but those that kill theirs.
var shared *pgserver.Server

func TestMain(m *testing.M) {
	leak.Main(m, func() {
		if shared != nil {
			shared.Stop()
		}
	})
}

func start(t *testing.T) *pgserver.Server {
	t.Helper()
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs PostgreSQL: set SOCKEYE_PARTS=all")
	}
	s, err := pgserver.Start("fsync=off", "max_connections=100")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// database makes one on the shared server, and returns its URL.
func database(t *testing.T) string {
	t.Helper()
	if shared == nil {
		shared = start(t)
	}
	name := "d" + cluster.RandomHex()
	conn, err := pgx.Connect(t.Context(), shared.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+name+""); err != nil {
		t.Fatal(err)
	}
	return shared.URL(name)
}

func pool(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	p, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	timeout, tick := time.After(20*time.Second), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("timeout: not so: %s", what)
		}
	}
}

// nodes are as many as there are hosts, each with a pool of its own.
func nodes(t *testing.T, url string, o *Options, hosts []*adaptertest.Host) []adapter.Adapter {
	t.Helper()
	var as []adapter.Adapter
	for _, h := range hosts {
		a, err := New(pool(t, url), o)(h)
		if err != nil {
			t.Fatal(err)
		}
		as = append(as, a)
	}
	return as
}

func closeAll(as []adapter.Adapter) {
	for _, a := range as {
		a.Close()
	}
}

// TestContract holds the adapter to the contract, with three nodes.
func TestContract(t *testing.T) {
	url := database(t)
	var settle func()
	for name, build := range map[string]func(*testing.T, []*adaptertest.Host) []adapter.Adapter{
		"by notifications": func(t *testing.T, hosts []*adaptertest.Host) []adapter.Adapter { return nodes(t, url, nil, hosts) },
		"by the table": func(t *testing.T, hosts []*adaptertest.Host) []adapter.Adapter {
			return nodes(t, url, &Options{PayloadThreshold: 1}, hosts)
		},
		"by the log": func(t *testing.T, hosts []*adaptertest.Host) []adapter.Adapter {
			c := logNodes(t, url, hosts)
			settle = c.Settle
			return c.Adapters
		},
	} {
		if name != "by notifications" && os.Getenv("SOCKEYE_LONG") == "" {
			continue // it takes real time
		}
		t.Run(name, func(t *testing.T) {
			settle = nil
			adaptertest.RunReal(t, 3, build, func() {
				if settle != nil {
					settle()
				}
			})
		})
	}
}

// TestRestart kills the real server: local delivery goes on, callers are told,
// and all is well again when it is back.
func TestRestart(t *testing.T) {
	s := start(t)
	t.Cleanup(s.Stop)
	as := nodes(t, s.URL("postgres"), nil, adaptertest.NewHosts(3))
	defer closeAll(as)
	a, b := adaptertest.NewSocket(as[0], "a", "room"), adaptertest.NewSocket(as[1], "b", "room")
	adaptertest.NewSocket(as[2], "c")
	emit := func(event string) error {
		return as[0].Broadcast(adapter.Target{Rooms: []string{"room"}}, &adapter.Packet{Event: event, ID: parser.NoID})
	}
	arrives := func(event string) {
		t.Helper()
		if err := emit(event); err != nil {
			t.Error(err)
		}
		until(t, "an event arrives on the other node", func() bool { return slices.Contains(b.Got(), event) })
		a.Got()
	}
	arrives("before")
	for range 2 {
		s.Kill()
		until(t, "all nodes are degraded", func() bool {
			return !slices.ContainsFunc(as, func(a adapter.Adapter) bool { return a.Health() == nil })
		})
		err := emit("local")
		if _, ok := errors.AsType[*cluster.DegradedError](err); !ok {
			t.Errorf("Broadcast = %v; want a DegradedError", err)
		}
		if got := strings.Join(a.Got(), " "); got != "local" {
			t.Errorf("the socket of this node got %q; want local", got)
		}
		if infos, err := as[0].Fetch(t.Context(), adapter.Target{}); err == nil || len(infos) != 1 {
			t.Errorf("Fetch = %v, %v; want the socket of this node, and an error", infos, err)
		}
		if err := s.Run(); err != nil {
			t.Fatal(err)
		}
		until(t, "all nodes are well", func() bool {
			return !slices.ContainsFunc(as, func(a adapter.Adapter) bool { return a.Health() != nil })
		})
		until(t, "the nodes know each other", func() bool {
			n, err := as[0].ServerCount(t.Context())
			return n == 3 && err == nil
		})
		arrives("after")
		if infos, err := as[0].Fetch(t.Context(), adapter.Target{}); err != nil || len(infos) != 3 {
			t.Errorf("Fetch = %v, %v; want all sockets", infos, err)
		}
	}
}

// TestTerminated: a connection that the server ends is made again, and nobody
// notices but those who emit meanwhile.
func TestTerminated(t *testing.T) {
	p := pool(t, database(t))
	as := nodes(t, p.Config().ConnString(), nil, adaptertest.NewHosts(2))
	defer closeAll(as)
	b := adaptertest.NewSocket(as[1], "b")
	if _, err := p.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND query LIKE 'LISTEN%' OR query LIKE '%advisory_lock%' AND pid <> pg_backend_pid()`); err != nil {
		t.Fatal(err)
	}
	until(t, "an event arrives", func() bool {
		as[0].Broadcast(adapter.Target{}, &adapter.Packet{Event: "e", ID: parser.NoID})
		return len(b.Got()) > 0 && as[0].Health() == nil
	})
}

// TestPresence: who has lost its connection is not waited for.
func TestPresence(t *testing.T) {
	url := database(t)
	hosts := adaptertest.NewHosts(1)
	as := nodes(t, url, nil, hosts)
	defer closeAll(as)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	const uid = "00112233ffeeddcc"
	o := (*Options)(nil).withDefaults()
	if _, err := conn.Exec(t.Context(), newPresence(o.channel("/test"), uid).lock()); err != nil {
		t.Fatal(err)
	}
	n, err := o.encode(&cluster.Message{UID: uid, NSP: "/test", Type: cluster.InitialHeartbeat, Seq: 1}, o.channel("/test"), "")
	if err != nil {
		t.Fatal(err)
	}
	s := o.one(o.channel("/test"), n)
	if _, err := conn.Exec(t.Context(), s.sql, s.args...); err != nil {
		t.Fatal(err)
	}
	count := func() int {
		n, err := as[0].ServerCount(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	until(t, "the node is known", func() bool { return count() == 2 })
	conn.Close(context.Background())
	until(t, "it is gone", func() bool { return count() == 1 })
	if log := hosts[0].Log(); !strings.Contains(log, "not connected any more") {
		t.Errorf("log: %s; want that the node is gone", log)
	}
	if infos, err := as[0].Fetch(t.Context(), adapter.Target{}); err != nil || len(infos) != 0 {
		t.Errorf("Fetch = %v, %v; want nothing, at once", infos, err)
	}
}

// TestCleanup: what went through the table is not left there, and an empty table
// is let be.
func TestCleanup(t *testing.T) {
	p := pool(t, database(t))
	b := newBus(p, (&Options{CleanupInterval: 20 * time.Millisecond, PayloadThreshold: 1}).withDefaults())
	factory := cluster.NewFactory(b, b.o.cluster())
	a, err := factory(adaptertest.NewHosts(1)[0])
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	rows := func() (n int) {
		if err := p.QueryRow(t.Context(), "SELECT count(*) FROM socket_io_attachments").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	idle := func() bool {
		b.table.mu.Lock()
		defer b.table.mu.Unlock()
		return b.table.timer == nil
	}
	written := func() (n int) {
		if err := p.QueryRow(t.Context(), "SELECT last_value FROM socket_io_attachments_id_seq").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i := range 2 {
		a.Broadcast(adapter.Target{}, &adapter.Packet{Event: "e", ID: parser.NoID})
		until(t, "the table is empty, and nobody looks any more", func() bool { return written() == 2+i && rows() == 0 && idle() })
	}
	// What commits late stays until the next time but one.
	if _, err := p.Exec(t.Context(), "INSERT INTO socket_io_attachments (created_at, payload) VALUES ('2001-01-01', 'x')"); err != nil {
		t.Fatal(err)
	}
	old, more, err := b.table.sweep(t.Context(), nil)
	if err != nil || len(old) != 1 || !more || rows() != 1 {
		t.Errorf("sweep = %v, %v, %v with %d rows; want that it stays for now", old, more, err, rows())
	}
	if old, more, err = b.table.sweep(t.Context(), old); err != nil || len(old) != 0 || more || rows() != 0 {
		t.Errorf("sweep = %v, %v, %v with %d rows; want that it is gone", old, more, err, rows())
	}
}

// TestPooler: a connection on which LISTEN does not work is told in words.
func TestPooler(t *testing.T) {
	elsewhere := database(t)
	o := (&Options{Connect: func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, elsewhere) }}).withDefaults()
	b := newBus(pool(t, database(t)), o)
	b.l.probeTimeout = 50 * time.Millisecond
	_, err := cluster.NewFactory(b, o.cluster())(adaptertest.NewHosts(1)[0])
	if !errors.Is(err, ErrNoNotifications) || !strings.Contains(err.Error(), "PgBouncer") {
		t.Errorf("error = %v; want ErrNoNotifications", err)
	}
}

// TestSmallPool: one connection is enough, and if others use them all it is said.
func TestSmallPool(t *testing.T) {
	url := database(t)
	p := pool(t, url+"&pool_max_conns=1")
	a, err := New(p, &Options{PublishTimeout: 50 * time.Millisecond})(adaptertest.NewHosts(1)[0])
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	other := nodes(t, url, nil, adaptertest.NewHosts(1))
	defer closeAll(other)
	s := adaptertest.NewSocket(other[0], "s")
	emit := func() { a.Broadcast(adapter.Target{}, &adapter.Packet{Event: "e", ID: parser.NoID}) }
	emit()
	until(t, "an event arrives", func() bool { return len(s.Got()) > 0 })
	conn, err := p.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	emit()
	until(t, "the node is degraded", func() bool { return a.Health() != nil })
	if err := a.Health(); !strings.Contains(err.Error(), "all 1 connections of the pool are in use") {
		t.Errorf("Health = %v; want what is the matter", err)
	}
	conn.Release()
	until(t, "it is well again", func() bool { emit(); return a.Health() == nil && len(s.Got()) > 0 })
}

// TestNames: namespaces may have names that channels cannot.
func TestNames(t *testing.T) {
	o := (*Options)(nil).withDefaults()
	seen := map[string]bool{}
	for _, nsp := range []string{"/", "/test", "/" + strings.Repeat("x", 52), "/" + strings.Repeat("x", 53), "/" + strings.Repeat("x", 54), "/a\x00b", "/\xff", `/"; DROP`} {
		name := o.channel(nsp)
		if len(name) > maxName || !plain(name) || seen[name] {
			t.Errorf("channel of %q = %q", nsp, name)
		}
		seen[name] = true
	}
	if name := o.channel("/test"); name != "socket.io#/test" {
		t.Errorf("channel = %q; want that of Node", name)
	}
	p := pool(t, database(t))
	l := &listener{pool: p, o: o, receive: nil, probeTimeout: defaultProbeTimeout}
	for name := range seen {
		s := &subscription{channel: name, tell: func(error) {}}
		if err := l.add(s); err != nil {
			t.Errorf("LISTEN %q: %v", name, err)
		}
		defer l.remove(s)
	}
}

// TestNoPostgres: without it a namespace cannot be opened, and says so.
func TestNoPostgres(t *testing.T) {
	p := pool(t, "postgres://postgres@127.0.0.1:1/x?sslmode=disable")
	if _, err := New(p, nil)(adaptertest.NewHosts(1)[0]); err == nil || !strings.Contains(fmt.Sprint(err), "refused") {
		t.Errorf("error = %v; want that the connection was refused", err)
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]*Options{
		"ChannelPrefix":    {ChannelPrefix: strings.Repeat("x", 31)},
		"Table":            {Table: "a; DROP"},
		"PayloadThreshold": {PayloadThreshold: 8000},
		"CleanupInterval":  {CleanupInterval: -1},
		"HeartbeatTimeout": {HeartbeatTimeout: time.Second},
	} {
		func() {
			defer func() {
				if v, _ := recover().(string); !strings.Contains(v, name) {
					t.Errorf("panic %q; want one that names %s", v, name)
				}
			}()
			New(nil, o)
		}()
	}
}
