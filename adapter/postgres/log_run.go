package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sockeye-go/socketio/adapter/cluster"
)

// run hands over what is appended, and keeps the tables small, until ctx ends.
func (l *logTail) run(ctx context.Context) {
	defer close(l.done)
	at, lost, moving := l.start, false, true
	retry := time.Duration(0)
	sweep := time.NewTimer(rand.N(sweepInterval))
	defer sweep.Stop()
	for {
		var again <-chan time.Time
		if retry > 0 {
			again = time.After(retry)
		}
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
			sweep.Reset(sweepInterval + rand.N(sweepInterval/4)) // not all nodes at once
			if err := l.sweep(ctx); err != nil && ctx.Err() == nil {
				l.o.Logger.Warn("the log could not be cleaned up", "nsp", l.nsp, "error", err)
			}
			moving = true // for what nobody was there for
		case <-l.outbox:
			moving = true
		case <-l.wake:
		case <-again:
		}
		l.lostMu.Lock()
		err := l.lost
		l.lostMu.Unlock()
		if err == nil && moving {
			err = l.move(ctx)
			moving = err != nil
		}
		if err == nil {
			at, err = l.catchUp(ctx, at)
		}
		if ctx.Err() != nil {
			return
		}
		switch {
		case err != nil:
			if !lost {
				l.r.Lost(err)
			}
			lost, retry = true, min(2*retry+50*time.Millisecond, maxRetry)
		case lost:
			lost, retry = false, 0
			l.r.Lost(nil)
		}
	}
}

// queryTimeout limits how long the database may take for what a log does by
// itself.
const queryTimeout = 10 * time.Second

// catchUp hands over what is behind a position, and returns how far that goes.
func (l *logTail) catchUp(ctx context.Context, at cluster.Position) (cluster.Position, error) {
	for {
		s, ms, first, last, err := l.next(ctx, int64(at.Minor))
		if err != nil {
			return at, err
		}
		switch {
		case at.Major != uint64(s.born) || at.Minor > uint64(s.last):
			// Another log, or an old copy of this one.
			at = s.at(s.trimmed)
			l.r.Gap(at, true)
			continue
		case first == 0 && s.last == int64(at.Minor):
			return at, nil
		case first != int64(at.Minor)+1: // what was there is not any more
			to := max(first-1, s.trimmed)
			if first == 0 {
				to = s.last
			}
			at = s.at(to)
			l.r.Gap(at, false)
			continue
		}
		if len(ms) > 0 {
			l.r.Read(ms)
		}
		at = s.at(last)
	}
}

// next returns the row of the log and what is behind a number, in one round trip.
func (l *logTail) next(ctx context.Context, from int64) (s logState, ms []*cluster.Message, first, last int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	batch := &pgx.Batch{}
	batch.Queue(l.o.selectState(), l.row)
	batch.Queue(l.o.readLog(), l.row, from)
	results := l.pool.SendBatch(ctx, batch)
	defer func() {
		if closed := results.Close(); err == nil && closed != nil {
			err = l.inWords(closed)
		}
	}()
	err = results.QueryRow().Scan(&s.born, &s.last, &s.trimmed)
	if errors.Is(err, pgx.ErrNoRows) {
		_ = results.Close()
		s, err = l.state(ctx) // made anew
		return s, nil, 0, 0, err
	}
	if err != nil {
		return s, nil, 0, 0, l.inWords(err)
	}
	rows, err := results.Query()
	if err != nil {
		return s, nil, 0, 0, l.inWords(err)
	}
	ms, first, last, err = l.messages(rows, s)
	return s, ms, first, last, err
}

// move takes what was emitted in transactions into the log. Of the nodes that do
// so at once one finds it.
func (l *logTail) move(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	for {
		var there bool
		if err := l.pool.QueryRow(ctx, l.o.anyOutbox(), l.row).Scan(&there); err != nil || !there {
			return l.inWords(err)
		}
		batch := &pgx.Batch{}
		batch.Queue(l.o.lockLog(), l.row)
		batch.Queue(l.o.moveOutbox(), l.row, l.sub.channel)
		if _, err := l.last(ctx, batch); err != nil {
			return l.inWords(err)
		}
	}
}

// sweepInterval is about how often the tables are cleaned up. What there is to
// remove is read, and written only if there is any.
const sweepInterval = time.Minute

// sweep removes what nobody needs any more.
func (l *logTail) sweep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		tag, err := l.pool.Exec(ctx, l.o.trimLog(), l.row, l.age().Seconds(), int64(l.o.LogLength))
		if err != nil {
			return l.inWords(err)
		}
		if tag.RowsAffected() == 0 {
			break
		}
	}
	_, err := l.pool.Exec(ctx, "DELETE FROM "+l.o.logTable("sessions")+" WHERE until < now()")
	return l.inWords(err)
}
