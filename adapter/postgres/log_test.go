//go:build unix

package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// A line is the way of a node to the database, which can be cut for good.
type line struct {
	mu    sync.Mutex
	conns []net.Conn
	dead  bool
}

var errCut = errors.New("the node is dead")

func (l *line) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return nil, errCut
	}
	var d net.Dialer
	nc, err := d.DialContext(ctx, network, addr)
	if err == nil {
		l.conns = append(l.conns, nc)
	}
	return nc, err
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = true
	for _, nc := range l.conns {
		nc.Close()
	}
}

func cuttable(t *testing.T, url string) (*pgxpool.Pool, *line) {
	t.Helper()
	c, err := pgxpool.ParseConfig(url)
	must(t, err)
	l := new(line)
	c.ConnConfig.DialFunc = l.dial
	p, err := pgxpool.NewWithConfig(t.Context(), c)
	must(t, err)
	t.Cleanup(p.Close)
	return p, l
}

// logNodes are nodes with a log, and what settles them.
func logNodes(t *testing.T, url string, hosts []*adaptertest.Host, o ...*Options) *adaptertest.Cluster {
	t.Helper()
	c := &adaptertest.Cluster{Hosts: hosts}
	var lines []*line
	for _, h := range hosts {
		p, l := cuttable(t, url)
		a, err := NewLog(p, append(o, nil)[0])(h)
		must(t, err)
		c.Adapters, lines = append(c.Adapters, a), append(lines, l)
	}
	c.Kill = func(node int) { lines[node].cut() }
	c.Settle = func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		for _, f := range []func(*cluster.Ordered) error{
			func(o *cluster.Ordered) error { return o.Flush(ctx) },
			func(o *cluster.Ordered) error { return o.CatchUp(ctx) },
			func(o *cluster.Ordered) error { return o.Flush(ctx) }, // what reading changed
		} {
			for i, a := range c.Adapters {
				lines[i].mu.Lock()
				dead := lines[i].dead
				lines[i].mu.Unlock()
				if err := f(a.(*cluster.Ordered)); err != nil && !dead {
					t.Errorf("node %d does not settle: %v", i, err)
				}
			}
		}
	}
	return c
}

// TestStore holds the store to its contract.
func TestStore(t *testing.T) {
	adaptertest.RunStoreReal(t, func(t *testing.T) cluster.Store {
		return &store{newBus(pool(t, database(t)), (*Options)(nil).withDefaults())}
	})
}

// TestRecovery: clients come back to any of three nodes.
func TestRecovery(t *testing.T) {
	url := database(t)
	adaptertest.RunRecoveryReal(t, func(t *testing.T, hosts []*adaptertest.Host) *adaptertest.Cluster {
		return logNodes(t, url, hosts)
	})
}

var testKey = []byte("a key of thirty-two bytes, or so")

// TestRecoveryKey is TestRecovery where all of it is sealed.
func TestRecoveryKey(t *testing.T) {
	url := database(t)
	adaptertest.RunRecoveryReal(t, func(t *testing.T, hosts []*adaptertest.Host) *adaptertest.Cluster {
		return logNodes(t, url, hosts, &Options{Key: testKey})
	})
}

// TestLogKey: who can write into the database, and has not the key, is not heard: not
// in the log, the outbox or the channel, nor with a session. An emitter with it is.
func TestLogKey(t *testing.T) {
	url := database(t)
	p := pool(t, url)
	ctx := t.Context()
	o := &Options{Key: testKey}
	c := logNodes(t, url, adaptertest.NewRecoveringHosts(2), o)
	adaptertest.SettleBy(t, func() { c.Settle() })
	cl := adaptertest.NewClient(t, c.Adapters[0], "x")
	c.Settle()
	must(t, NewLogEmitter(p, nil).Of("/test").Emit(ctx, "forged"))
	must(t, NewLogEmitter(p, &Options{Key: []byte("another key than the cluster's")}).Of("/test").Emit(ctx, "forged"))
	must(t, NewEmitter(p, nil).Of("/test").Emit(ctx, "forged"))
	must(t, NewEmitter(p, nil).Of("/test").Emit(ctx, "forged", []byte{1}))
	must(t, NewLogEmitter(p, o).Of("/test").Emit(ctx, "real"))
	until(t, "the real one arrives", func() bool { c.Settle(); return cl.Read(1) > 0 })
	cl.Want(t, "real")
	// A session that somebody writes over is written again.
	_, err := p.Exec(ctx, "UPDATE socket_io_sessions SET value = '\\x00', version = version + 1000 WHERE key NOT LIKE 'node:%'")
	must(t, err)
	c.Adapters[0].Join(cl.Member(), "late")
	c.Settle()
	cl.Cut()
	c.Settle()
	cl.Back(t, c.Adapters[1])
	if rooms := cl.Rooms(); len(rooms) != 2 {
		t.Errorf("rooms %q; want x and late", rooms)
	}
	cl.Cut()
	c.Settle()
	_, err = p.Exec(ctx, "UPDATE socket_io_sessions SET value = set_byte(value, 20, (get_byte(value, 20) + 1) % 256) WHERE key NOT LIKE 'node:%'")
	must(t, err)
	cl.Refused(t, c.Adapters[0], adapter.UnknownSession)
	closeAll(c.Adapters)
}

// TestOutbox: what a transaction emits is in the log when it has committed, in
// order, also if no server was there, and for a client that is away.
func TestOutbox(t *testing.T) {
	url := database(t)
	p := pool(t, url)
	ctx := t.Context()
	c := logNodes(t, url, adaptertest.NewRecoveringHosts(2))
	adaptertest.SettleBy(t, func() { c.Settle() })
	em := NewLogEmitter(p, nil)
	away := adaptertest.NewClient(t, c.Adapters[0], "x")
	here := adaptertest.NewClient(t, c.Adapters[1], "x")
	c.Settle()
	away.Cut()
	c.Settle()
	emit := func(commit bool, events ...string) {
		t.Helper()
		tx, err := p.Begin(ctx)
		must(t, err)
		e := em.WithTx(tx).Of("/test").To("x")
		for _, event := range events {
			must(t, e.Emit(ctx, event))
		}
		if commit {
			must(t, tx.Commit(ctx))
		} else {
			must(t, tx.Rollback(ctx))
		}
	}
	emit(false, "rolled-back")
	emit(true, "one", "two", "two")
	read := func(c *adaptertest.Cluster, n uint64) {
		t.Helper()
		until(t, "it is in the log, and read", func() bool {
			var head uint64
			must(t, p.QueryRow(ctx, "SELECT head FROM socket_io_logs").Scan(&head))
			if head < n {
				return false
			}
			c.Settle()
			return true
		})
	}
	read(c, 3)
	here.Want(t, "one two two")
	away.Back(t, c.Adapters[1])
	away.Want(t, "one two two")
	away.Cut()
	c.Settle()
	closeAll(c.Adapters)

	emit(true, "nobody-there") // and yet
	c = logNodes(t, url, adaptertest.NewRecoveringHosts(2))
	defer func() { closeAll(c.Adapters) }()
	read(c, 4)
	late := adaptertest.NewClient(t, c.Adapters[0], "x")
	c.Settle()
	emit(true, "end")
	read(c, 5)
	late.Want(t, "end")
	away.Back(t, c.Adapters[0])
	away.Want(t, "nobody-there end")
}

// TestLogRestart: the real server is killed while nodes emit. What Flush confirmed
// is there, once, for a client that was away meanwhile.
func TestLogRestart(t *testing.T) {
	s := start(t)
	t.Cleanup(s.Stop)
	c := logNodes(t, s.URL("postgres"), adaptertest.NewRecoveringHosts(2))
	adaptertest.SettleBy(t, c.Settle)
	defer func() { closeAll(c.Adapters) }()
	away, here := adaptertest.NewClient(t, c.Adapters[0], "x"), adaptertest.NewClient(t, c.Adapters[1], "x")
	c.Settle()
	away.Cut()
	c.Settle()
	want := ""
	for i := range 3 {
		for j := range 50 {
			event := fmt.Sprint(i, ".", j)
			want += event + " "
			if err := c.Adapters[1].Broadcast(adapter.Target{Rooms: []string{"x"}}, adaptertest.Kept(event)); err != nil {
				t.Fatal(err)
			}
		}
		flushed := make(chan error)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			flushed <- c.Adapters[1].(adapter.Flusher).Flush(ctx)
		}()
		s.Kill() // perhaps before, perhaps behind
		if err := s.Run(); err != nil {
			t.Fatal(err)
		}
		if err := <-flushed; err != nil {
			t.Errorf("Flush = %v", err)
		}
		until(t, "both nodes are well", func() bool { return c.Adapters[0].Health() == nil && c.Adapters[1].Health() == nil })
		c.Settle()
	}
	if got := here.Events() + " "; got != want {
		t.Errorf("the client that was there got %q; want %q", got, want)
	}
	away.Back(t, c.Adapters[1])
	if got := away.Events() + " "; got != want {
		t.Errorf("the client that was away got %q; want %q", got, want)
	}
}

// TestSweep: the log is as long as it may be, and sessions end.
func TestSweep(t *testing.T) {
	url := database(t)
	b := newBus(pool(t, url), (&Options{LogLength: 10}).withDefaults())
	l, err := (&store{b}).Open("/", "me", nil, deafReader{})
	must(t, err)
	defer l.Close()
	tail := l.(*logTail)
	var ms []*cluster.Message
	for i := range 25 {
		m := message(t, "e", i)
		m.UID, m.Seq = "me", uint64(i+1)
		ms = append(ms, m)
	}
	must(t, l.Append(t.Context(), ms))
	must(t, l.Save(t.Context(), []*cluster.Record{{Key: "over", Value: []byte("x"), TTL: 1}, {Key: "not", Value: []byte("x"), TTL: time.Hour}}))
	must(t, tail.sweep(t.Context()))
	var messages, sessions int
	must(t, b.pool.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM socket_io_log), (SELECT count(*) FROM socket_io_sessions)").Scan(&messages, &sessions))
	if messages != 10 || sessions != 1 {
		t.Errorf("%d messages and %d sessions are left; want 10 and 1", messages, sessions)
	}
	for p, want := range map[uint64]bool{14: false, 15: true, 25: true, 26: false} {
		start := l.Start()
		start.Minor = p
		if ok, err := l.Reaches(t.Context(), start); ok != want || err != nil {
			t.Errorf("Reaches(%d) = %v, %v; want %v", p, ok, err, want)
		}
	}
	// A log that is gone begins anew.
	_, err = b.pool.Exec(t.Context(), "DELETE FROM socket_io_logs; DELETE FROM socket_io_log")
	must(t, err)
	must(t, l.Append(t.Context(), ms[:1]))
	if head, err := l.Head(t.Context()); err != nil || head.Minor != 1 || head.Major <= l.Start().Major {
		t.Errorf("Head = %v, %v; want the first of another log", head, err)
	}
}

type deafReader struct{}

func (deafReader) Read([]*cluster.Message)    {}
func (deafReader) Lost(error)                 {}
func (deafReader) Gap(cluster.Position, bool) {}
