package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// NewLog is [New] with a log: what is emitted goes into a table, in one order, and
// every node delivers from there, so that clients recover on any node
// (Options.Recovery of the server). Each emit is a transaction that waits for the
// disk. All nodes must be of this kind: Node servers have no such adapter.
func NewLog(pool *pgxpool.Pool, o *Options) adapter.Factory {
	o = o.withDefaults()
	b := newBus(pool, o)
	return cluster.NewOrderedFactory(b, &store{b}, o.cluster())
}

// A store is the log and the sessions of all namespaces, on the connection of the
// bus.
type store struct{ *bus }

// A logTail is a [cluster.Log]: the log of one namespace, on one node.
//
// Whoever appends holds the row of the namespace in the table of logs until the
// commit. Numbers so become visible in their order, and without gaps, which those
// of a sequence do not: whoever reads behind the last that he has seen misses
// nothing.
type logTail struct {
	*bus
	nsp, uid string
	row      string // in the table of logs
	r        cluster.LogReader
	max      *adapter.Recovery
	start    cluster.Position
	sub      *subscription

	wake   chan struct{} // has room for one: there may be something to read
	outbox chan struct{} // has room for one: or to be moved into the log
	stop   context.CancelFunc
	done   chan struct{}
	lostMu sync.Mutex
	lost   error // what the listener says
}

// Open implements [cluster.Store].
func (s *store) Open(nsp, uid string, recovery *adapter.Recovery, r cluster.LogReader) (cluster.Log, error) {
	l := &logTail{
		bus: s.bus, nsp: nsp, uid: uid, row: s.o.channel(nsp), r: r, max: recovery,
		wake: make(chan struct{}, 1), outbox: make(chan struct{}, 1), done: make(chan struct{}),
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	if err := s.o.ensure(ctx, s.pool, s.o.logTable("log"), s.o.createLog()); err != nil {
		return nil, err
	}
	st, err := l.state(ctx)
	if err != nil {
		return nil, err
	}
	l.start = st.head()
	name := s.o.logChannel(nsp)
	l.sub = &subscription{channel: name, key: newPresence(name, uid), tell: l.tell}
	s.mu.Lock()
	s.logs[name] = append(slices.Clip(s.logs[name]), l)
	s.mu.Unlock()
	var run context.Context
	run, l.stop = context.WithCancel(context.Background())
	if err := s.l.add(l.sub); err != nil {
		l.stop()
		close(l.done)
		l.forget()
		return nil, err
	}
	poke(l.wake) // what was appended since
	poke(l.outbox)
	go l.run(run)
	return l, nil
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// tell is what the listener says of its connection.
func (l *logTail) tell(err error) {
	l.lostMu.Lock()
	l.lost = err
	l.lostMu.Unlock()
	poke(l.wake)
	poke(l.outbox)
}

// notified is called when something was appended, or is to be.
func (l *logTail) notified(payload string) {
	if payload == outboxNotice {
		poke(l.outbox)
		return
	}
	poke(l.wake)
}

// forget takes the log off the bus.
func (l *logTail) forget() {
	l.l.remove(l.sub)
	l.mu.Lock()
	defer l.mu.Unlock()
	var rest []*logTail
	for _, other := range l.logs[l.sub.channel] {
		if other != l {
			rest = append(rest, other)
		}
	}
	if l.logs[l.sub.channel] = rest; rest == nil {
		delete(l.logs, l.sub.channel)
	}
}

// Close implements [cluster.Log].
func (l *logTail) Close() error {
	l.stop()
	<-l.done
	l.forget()
	return nil
}

// Start implements [cluster.Log].
func (l *logTail) Start() cluster.Position { return l.start }

// A logState is the row of a namespace in the table of logs.
type logState struct {
	born, last, trimmed int64
}

func (s logState) at(id int64) cluster.Position {
	return cluster.Position{Major: uint64(s.born), Minor: uint64(id)}
}

func (s logState) head() cluster.Position { return s.at(s.last) }

// state returns the row, and makes it if it is not there.
func (l *logTail) state(ctx context.Context) (s logState, err error) {
	for range 2 {
		err = l.pool.QueryRow(ctx, l.o.selectState(), l.row).Scan(&s.born, &s.last, &s.trimmed)
		if !errors.Is(err, pgx.ErrNoRows) {
			break
		}
		if _, err = l.pool.Exec(ctx, "INSERT INTO "+l.o.logTable("logs")+" (channel) VALUES ($1) ON CONFLICT DO NOTHING", l.row); err != nil {
			break
		}
	}
	return s, l.inWords(err)
}

func (l *logTail) inWords(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("postgres: log: %w", inWords(l.pool, err))
}

// Head implements [cluster.Log].
func (l *logTail) Head(ctx context.Context) (cluster.Position, error) {
	s, err := l.state(ctx)
	return s.head(), err
}

// Reaches implements [cluster.Log].
func (l *logTail) Reaches(ctx context.Context, p cluster.Position) (bool, error) {
	s, err := l.state(ctx)
	return err == nil && p.Major == uint64(s.born) && p.Minor >= uint64(s.trimmed) && p.Minor <= uint64(s.last), err
}

// Append implements [cluster.Log].
func (l *logTail) Append(ctx context.Context, ms []*cluster.Message) error {
	var left error
	var seqs []int64
	var bodies [][]byte
	for _, m := range ms {
		b, err := cluster.Encode(m)
		if err != nil {
			left = &cluster.EncodeError{Err: err}
			continue
		}
		seqs, bodies = append(seqs, int64(m.Seq)), append(bodies, l.o.key().Seal(l.o.logPlace(l.row), b))
	}
	if len(bodies) == 0 {
		return left
	}
	for range 2 {
		batch := &pgx.Batch{}
		batch.Queue(l.o.lockLog(), l.row)
		batch.Queue(l.o.appendLog(), l.row, l.uid, seqs, bodies, l.sub.channel)
		moved, err := l.last(ctx, batch)
		if err != nil {
			return l.inWords(err)
		}
		if moved {
			return left
		}
		if _, err := l.state(ctx); err != nil { // the row is gone: the log begins anew
			return err
		}
	}
	return fmt.Errorf("postgres: log: the row of %s in %s vanishes", l.row, l.o.logTable("logs"))
}

// last executes a batch, and reports whether its last statement returned anything.
func (l *logTail) last(ctx context.Context, batch *pgx.Batch) (bool, error) {
	results := l.pool.SendBatch(ctx, batch)
	found := false
	for range batch.Len() {
		rows, err := results.Query()
		if err == nil {
			found = rows.Next()
			rows.Close()
			err = rows.Err()
		}
		if err != nil {
			_ = results.Close()
			return false, err
		}
	}
	return found, results.Close()
}

// After implements [cluster.Log].
func (l *logTail) After(ctx context.Context, p cluster.Position) ([]*cluster.Message, error) {
	for {
		s, ms, first, last, err := l.next(ctx, int64(p.Minor))
		if err != nil || p.Major > uint64(s.born) {
			return nil, err
		}
		if p.Major < uint64(s.born) { // of a log before this one
			p = s.at(0)
			continue
		}
		if len(ms) > 0 || first == 0 {
			return ms, nil
		}
		p = s.at(last) // nothing of it was a message
	}
}

// messages reads entries, with the numbers of the first and the last.
func (l *logTail) messages(rows pgx.Rows, s logState) (ms []*cluster.Message, first, last int64, err error) {
	var id int64
	var body []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &body}, func() error {
		if last = id; first == 0 {
			first = id
		}
		b, ours := l.o.key().Open(l.o.logPlace(l.row), body)
		body = nil
		if !ours {
			l.o.Logger.Warn("entry of the log dropped: it is not from a node with this key", "nsp", l.nsp, "id", id)
			return nil
		}
		m, err := decode(b, l.nsp)
		if err != nil {
			l.o.Logger.Warn("an entry of the log is no message", "nsp", l.nsp, "id", id, "error", err)
			return nil
		}
		m.Position = s.at(id)
		ms = append(ms, m)
		return nil
	})
	return ms, first, last, l.inWords(err)
}

// logAge is how long messages are kept if nobody recovers: as long as a node may
// take to read them.
const logAge = time.Minute

func (l *logTail) age() time.Duration {
	if l.max == nil {
		return logAge
	}
	return max(l.max.MaxAge, logAge)
}
