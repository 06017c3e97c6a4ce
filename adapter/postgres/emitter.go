package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sockeye-go/socketio/adapter/cluster"
)

// An Emitter emits to the sockets of all servers of a cluster from a program that
// need not be one of them, at once or inside of a transaction. Its methods that
// select return another, which may be kept and shared. Acks are not possible.
//
// What is emitted inside of a transaction reaches the servers that are connected
// when it commits, in the order of the commits, and nobody if it rolls back. As
// with every emit, a server that is not connected at that moment misses it.
type Emitter struct {
	*cluster.Emitter
	o      *Options
	logged bool
}

// A DB executes statements: a pool, a connection or a transaction of pgx.
type DB interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// A SQL does so for package database/sql: a DB, a Conn or a Tx of it. Its driver
// must be one for PostgreSQL.
type SQL interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// NewEmitter returns an emitter for the namespace "/" that emits at once. Of o
// ChannelPrefix, Table, PayloadThreshold and Key count, and must be those of the
// servers. db may be nil if it is used with transactions alone.
func NewEmitter(db DB, o *Options) *Emitter {
	return newEmitter(db, o, false)
}

// NewLogEmitter is [NewEmitter] for servers with a log, [NewLog]. What is emitted is
// written to a table, the outbox, and moved into the log by one of the servers as
// soon as it is committed. If none is connected then, it waits for one: it is not
// lost. Of o ChannelPrefix, LogPrefix and Key count.
func NewLogEmitter(db DB, o *Options) *Emitter { return newEmitter(db, o, true) }

func newEmitter(db DB, o *Options, logged bool) *Emitter {
	e := &Emitter{o: o.withDefaults(), logged: logged}
	e.Emitter = e.on(func(ctx context.Context, sql string, args ...any) error {
		if db == nil {
			return fmt.Errorf("postgres: the emitter has no database: use WithTx")
		}
		_, err := db.Exec(ctx, sql, args...)
		return err
	})
	return e
}

// WithTx returns an emitter whose events leave when tx commits.
func (e *Emitter) WithTx(tx pgx.Tx) *cluster.Emitter {
	return e.on(func(ctx context.Context, sql string, args ...any) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	})
}

// WithSQL is WithTx for a transaction of package database/sql.
func (e *Emitter) WithSQL(tx SQL) *cluster.Emitter {
	return e.on(func(ctx context.Context, query string, args ...any) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

// emitted counts what this process emitted, since equal notifications of one
// transaction are delivered once.
var emitted atomic.Uint64

func (e *Emitter) on(exec notifier) *cluster.Emitter {
	return cluster.NewEmitter(func(ctx context.Context, m *cluster.Message) error {
		s, err := e.statement(m)
		if err != nil {
			return err
		}
		if err := exec(ctx, s.sql, s.args...); err != nil {
			return fmt.Errorf("postgres: emit: %w", err)
		}
		return nil
	})
}

func (e *Emitter) statement(m *cluster.Message) (statement, error) {
	if e.logged {
		b, err := cluster.Encode(m)
		row := e.o.channel(m.NSP)
		return statement{e.o.emitOutbox(), []any{row, e.o.key().Seal(e.o.logPlace(row), b), e.o.logChannel(m.NSP)}}, err
	}
	m.Seq = emitted.Add(1)
	channel := e.o.channel(m.NSP)
	n, err := e.o.encode(m, channel, "")
	return e.o.one(channel, n), err
}
