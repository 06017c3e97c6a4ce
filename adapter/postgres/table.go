package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A table has the messages that NOTIFY cannot carry, for a while.
type table struct {
	pool *pgxpool.Pool
	o    *Options

	mu    sync.Mutex
	ready bool // it is there
	ctx   context.Context
	stop  context.CancelFunc
	timer *time.Timer // nil while nobody has to look for old messages
	old   []int64     // messages that were old when somebody looked
	busy  sync.WaitGroup
}

// create makes the table. What is in it is no more worth than a notification,
// and so it is not logged.
func (o *Options) create() string {
	return `CREATE UNLOGGED TABLE IF NOT EXISTS ` + o.Table + ` (
	id bigserial UNIQUE,
	created_at timestamptz DEFAULT now(),
	payload bytea
)`
}

func (t *table) open() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ctx, t.stop = context.WithCancel(context.Background())
	if t.ready {
		t.arm()
	}
}

func (t *table) close() {
	t.mu.Lock()
	if t.stop != nil {
		t.stop()
	}
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
	t.mu.Unlock()
	t.busy.Wait()
}

// ensure makes the table if it is not there.
func (t *table) ensure() error {
	t.mu.Lock()
	ready := t.ready
	t.mu.Unlock()
	if ready {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	if err := t.o.ensure(ctx, t.pool, t.o.Table, t.o.create()); err != nil {
		return err
	}
	t.mu.Lock()
	t.ready = true
	t.arm() // for what others left behind
	t.mu.Unlock()
	return nil
}

// ensure makes what belongs to a table if it is not there.
func (o *Options) ensure(ctx context.Context, pool *pgxpool.Pool, table, ddl string) error {
	err := o.make(ctx, pool, table, ddl)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "42501" {
		err = fmt.Errorf("%w: have somebody who may do so run\n%s;\nand GRANT ALL on it and on its sequences", err, ddl)
	}
	if err != nil {
		return fmt.Errorf("postgres: table %s: %w", table, inWords(pool, err))
	}
	return nil
}

func (o *Options) make(ctx context.Context, pool *pgxpool.Pool, table, ddl string) error {
	var there bool
	if err := pool.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", table).Scan(&there); err != nil || there {
		return err
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		// IF NOT EXISTS alone fails for one of two that do it at once.
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext($1))", table); err != nil {
			return err
		}
		_, err := tx.Conn().PgConn().Exec(ctx, ddl).ReadAll()
		return err
	})
}

// fetchTimeout limits a try to read messages.
const fetchTimeout = 5 * time.Second

// fetch reads messages, and tries again if it has to: they will not be announced
// a second time.
func (t *table) fetch(ctx context.Context, ids []int64) (map[int64][]byte, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var found map[int64][]byte
	var err error
	for range 3 {
		if found, err = t.read(ctx, ids); err == nil || ctx.Err() != nil {
			break
		}
	}
	return found, err
}

func (t *table) read(ctx context.Context, ids []int64) (map[int64][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	rows, err := t.pool.Query(ctx, "SELECT id, payload FROM "+t.o.Table+" WHERE id = ANY($1)", ids)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", inWords(t.pool, err))
	}
	found := make(map[int64][]byte, len(ids))
	var id int64
	var payload []byte
	if _, err = pgx.ForEachRow(rows, []any{&id, &payload}, func() error {
		found[id] = payload
		payload = nil
		return nil
	}); err != nil {
		return nil, fmt.Errorf("postgres: %w", inWords(t.pool, err))
	}
	return found, nil
}

// seen notes that there is something in the table.
func (t *table) seen() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.arm()
}

// arm has the table cleaned up in a while. t.mu is held.
func (t *table) arm() {
	if t.timer != nil || t.ctx.Err() != nil {
		return
	}
	// Not all nodes at once: the first that comes leaves nothing to the others.
	t.timer = time.AfterFunc(t.o.CleanupInterval+rand.N(t.o.CleanupInterval/4+1), t.clean)
}

// clean removes what was old a while ago, and looks what is old now. A message
// appears when its transaction commits, perhaps long after it was written: what
// is old at that moment has to stay until everybody has read it.
func (t *table) clean() {
	t.mu.Lock()
	t.timer = nil
	ctx, old := t.ctx, t.old
	if ctx.Err() != nil {
		t.mu.Unlock()
		return
	}
	t.busy.Add(1)
	t.mu.Unlock()
	defer t.busy.Done()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	now, more, err := t.sweep(ctx, old)
	if err != nil && ctx.Err() == nil {
		t.o.Logger.Warn("old messages could not be removed", "table", t.o.Table, "error", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.old = now
	}
	if more || err != nil {
		t.arm()
	}
}

// sweepLimit is how many messages are removed in one go.
const sweepLimit = 10_000

// sweep removes the old, and returns what is old now, and whether there is
// anything.
func (t *table) sweep(ctx context.Context, old []int64) (now []int64, more bool, err error) {
	if len(old) > 0 {
		if _, err := t.pool.Exec(ctx, "DELETE FROM "+t.o.Table+" WHERE id = ANY($1)", old); err != nil {
			return nil, false, err
		}
	}
	rows, err := t.pool.Query(ctx, "SELECT id, created_at < now() - make_interval(secs => $1) FROM "+t.o.Table+" LIMIT $2",
		t.o.CleanupInterval.Seconds(), sweepLimit)
	if err != nil {
		return nil, false, err
	}
	var id int64
	var isOld bool
	_, err = pgx.ForEachRow(rows, []any{&id, &isOld}, func() error {
		more = true
		if isOld {
			now = append(now, id)
		}
		return nil
	})
	return now, more, err
}
