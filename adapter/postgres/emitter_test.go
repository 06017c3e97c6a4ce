//go:build unix

package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver of TestSQL

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
	"github.com/sockeye-go/socketio/parser"
)

// A member records what it is given, with the arguments.
type member struct {
	*adaptertest.Socket
	membership adapter.Membership
	mu         sync.Mutex
	got        []string
}

func newMember(a adapter.Adapter, id string, rooms ...string) *member {
	m := &member{Socket: adaptertest.NewSocket(adapter.New(), id)}
	a.Add(m)
	a.Join(m, rooms...)
	return m
}

func (m *member) Membership() *adapter.Membership { return &m.membership }

func (m *member) Deliver(p *adapter.Packet) {
	line := p.Event
	for _, a := range p.Args {
		switch a := a.(type) {
		case []byte:
			line += fmt.Sprintf(" %d bytes %x", len(a), a[:min(len(a), 4)])
		default:
			text := fmt.Sprintf("%s", a)
			if len(text) > 20 {
				text = fmt.Sprintf("%.4s…%d", text, len(text))
			}
			line += " " + text
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got = append(m.got, line)
}

// take returns what has come when the last event, "end", is there.
func (m *member) take(t *testing.T) []string {
	t.Helper()
	var got []string
	until(t, "the last event is there", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		i := slices.Index(m.got, "end")
		if i < 0 {
			return false
		}
		got, m.got = m.got[:i], m.got[i+1:]
		return true
	})
	return got
}

func (m *member) want(t *testing.T, what string, lines ...string) {
	t.Helper()
	if got := m.take(t); !slices.Equal(got, lines) {
		t.Errorf("%s: got %q; want %q", what, got, lines)
	}
}

// audience is a node with sockets: a in room x, b in y.
func audience(t *testing.T, url string, o *Options) (a, b *member) {
	t.Helper()
	as := nodes(t, url, o, adaptertest.NewHosts(1))
	t.Cleanup(func() { closeAll(as) })
	return newMember(as[0], "a", "x"), newMember(as[0], "b", "y")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTransaction: what is emitted in a transaction leaves when it commits, in
// order, and not when it rolls back.
func TestTransaction(t *testing.T) {
	url := database(t)
	a, b := audience(t, url, nil)
	p := pool(t, url)
	_, err := p.Exec(t.Context(), "CREATE TABLE orders (id int)")
	must(t, err)
	em := NewEmitter(p, nil)
	now := em.Of("/test")
	begin := func() (pgx.Tx, *cluster.Emitter) {
		tx, err := p.Begin(t.Context())
		must(t, err)
		return tx, em.WithTx(tx).Of("test")
	}
	ctx := t.Context()

	tx, e := begin()
	_, err = tx.Exec(ctx, "INSERT INTO orders VALUES (1)")
	must(t, err)
	must(t, e.To("x").Emit(ctx, "rolled back"))
	must(t, e.Emit(ctx, "rolled back", strings.Repeat("x", 20_000)))
	must(t, tx.Rollback(ctx))

	tx, e = begin()
	must(t, e.To("x").Emit(ctx, "first", 1))
	must(t, now.Emit(ctx, "outside")) // the transaction is open: this leaves before
	for range 2 {
		must(t, e.Emit(ctx, "twice the same"))
	}
	must(t, e.To("x", "y").Except("y").Emit(ctx, "large", strings.Repeat("é", 20_000)))
	must(t, e.To("y").Emit(ctx, "binary", []byte{1, 2, 3}))
	must(t, e.Emit(ctx, "large and binary", make([]byte, 3<<20), "x"))
	must(t, e.Of("other").Emit(ctx, "elsewhere"))
	must(t, e.To().Emit(ctx, "nobody"))
	_, err = tx.Exec(ctx, "INSERT INTO orders VALUES (2)")
	must(t, err)
	must(t, e.Emit(ctx, "end"))
	must(t, tx.Commit(ctx))

	a.want(t, "in room x", "outside", "first 1", "twice the same", "twice the same", `large "ééé…40002`,
		`large and binary 3145728 bytes 00000000 x`)
	b.want(t, "in room y", "outside", "twice the same", "twice the same", "binary 3 bytes 010203",
		`large and binary 3145728 bytes 00000000 x`)

	// A savepoint that is rolled back takes its events with it.
	tx, e = begin()
	must(t, e.Emit(ctx, "kept"))
	sub, err := tx.Begin(ctx)
	must(t, err)
	must(t, em.WithTx(sub).Of("/test").Emit(ctx, "taken back"))
	must(t, sub.Rollback(ctx))
	must(t, e.Emit(ctx, "end"))
	must(t, tx.Commit(ctx))
	a.want(t, "savepoint", "kept")
	b.take(t)

	// And one that fails for another reason.
	tx, e = begin()
	must(t, e.Emit(ctx, "failed"))
	_, err = tx.Exec(ctx, "SELECT 1/0")
	if err == nil || tx.Commit(ctx) == nil {
		t.Error("the transaction did not fail")
	}
	must(t, now.Emit(ctx, "end"))
	a.want(t, "failed transaction")
	b.take(t)

	// Sockets are moved the same way.
	tx, e = begin()
	must(t, e.To("x").SocketsJoin(ctx, "z"))
	must(t, e.To("z").Emit(ctx, "to z"))
	must(t, e.To("z").SocketsLeave(ctx, "z"))
	must(t, e.To("z").Emit(ctx, "nobody"))
	must(t, e.Emit(ctx, "end"))
	must(t, tx.Commit(ctx))
	a.want(t, "joined by the emitter", "to z")
	b.want(t, "not joined")
}

// TestSQL is the same for package database/sql.
func TestSQL(t *testing.T) {
	url := database(t)
	a, _ := audience(t, url, nil)
	db, err := sql.Open("pgx", url)
	must(t, err)
	defer db.Close()
	em := NewEmitter(nil, nil)
	ctx := t.Context()
	for _, commit := range []bool{false, true} {
		tx, err := db.BeginTx(ctx, nil)
		must(t, err)
		e := em.WithSQL(tx).Of("/test")
		must(t, e.To("x").Emit(ctx, "small", commit))
		must(t, e.To("x").Emit(ctx, "binary", []byte("abcd"), commit))
		must(t, e.Emit(ctx, "end"))
		if commit {
			must(t, tx.Commit())
		} else {
			must(t, tx.Rollback())
		}
	}
	a.want(t, "committed", "small true", "binary 4 bytes 61626364 %!s(bool=true)")
	if err := em.Emit(ctx, "e"); err == nil || !strings.Contains(err.Error(), "WithTx") {
		t.Errorf("Emit without a database = %v; want what to do", err)
	}
}

// TestLongTransaction: a message that was written long before the commit is not
// taken for an old one.
func TestLongTransaction(t *testing.T) {
	url := database(t)
	a, _ := audience(t, url, &Options{CleanupInterval: 300 * time.Millisecond})
	p := pool(t, url)
	em := NewEmitter(p, nil)
	ctx := t.Context()
	for i := range 3 {
		tx, err := p.Begin(ctx)
		must(t, err)
		e := em.WithTx(tx).Of("/test")
		must(t, e.Emit(ctx, "e", []byte{byte(i)}))
		must(t, e.Emit(ctx, "end"))
		_, err = tx.Exec(ctx, "SELECT pg_sleep(0.4)")
		must(t, err)
		must(t, tx.Commit(ctx))
		a.want(t, "committed late", fmt.Sprintf("e 1 bytes %02x", i))
	}
}

// TestOrder: what goes through the table and what does not stay in order, and
// nothing is lost, from several senders at once.
func TestOrder(t *testing.T) {
	url := database(t)
	as := nodes(t, url, nil, adaptertest.NewHosts(3))
	defer closeAll(as)
	m := newMember(as[0], "a")
	var wg sync.WaitGroup
	for _, from := range as[1:] {
		wg.Go(func() {
			for i := range 300 {
				var arg any = i
				if i%3 == 1 {
					arg = []byte{byte(i)}
				}
				if err := from.Broadcast(adapter.Target{}, &adapter.Packet{Event: from.(*cluster.Adapter).UID(), Args: []any{arg}, ID: parser.NoID}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	until(t, "all is there", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.got) == 600
	})
	for _, from := range as[1:] {
		i := 0
		for _, line := range m.got {
			rest, ok := strings.CutPrefix(line, from.(*cluster.Adapter).UID()+" ")
			if !ok {
				continue
			}
			want := fmt.Sprint(i)
			if i%3 == 1 {
				want = fmt.Sprintf("1 bytes %02x", byte(i))
			}
			if rest != want {
				t.Fatalf("event %d is %q; want %q", i, rest, want)
			}
			i++
		}
	}
}

// TestTableMissing: an emitter is told when it needs the table and no server has
// made it yet.
func TestTableMissing(t *testing.T) {
	em := NewEmitter(pool(t, database(t)), nil)
	ctx := context.Background()
	must(t, em.Emit(ctx, "small"))
	err := em.Emit(ctx, "binary", []byte{1})
	if err == nil || !strings.Contains(err.Error(), "socket_io_attachments") || errors.Is(err, context.Canceled) {
		t.Errorf("Emit = %v; want that the table is missing", err)
	}
}
