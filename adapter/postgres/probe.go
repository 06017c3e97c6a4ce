package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sockeye-go/socketio/adapter/cluster"
)

// defaultProbeTimeout is how long a notification may take that the adapter sends
// to itself.
const defaultProbeTimeout = 5 * time.Second

// ErrNoNotifications reports that LISTEN is taken and nothing comes.
var ErrNoNotifications = errors.New("postgres: LISTEN does not work on this connection: " +
	"a notification sent to itself has not arrived. It cannot work through a transaction pooler " +
	"(PgBouncer in transaction mode, Supavisor, RDS Proxy), nor on another database than that of the pool. " +
	"Give Options.Connect a connection that goes straight to the server")

// probe sends a notification through the pool and waits until it comes on conn.
// Without it, nobody would notice that a pooler gives the session to others.
func (l *listener) probe(ctx context.Context, conn *pgx.Conn) error {
	channel := l.o.ChannelPrefix + "?" + cluster.RandomHex()
	if _, err := conn.PgConn().Exec(ctx, "LISTEN "+quoteName(channel)).ReadAll(); err != nil {
		return fmt.Errorf("postgres: LISTEN: %w", err)
	}
	if _, err := l.pool.Exec(ctx, "SELECT pg_notify($1, '')", channel); err != nil {
		return fmt.Errorf("postgres: NOTIFY: %w", inWords(l.pool, err))
	}
	wait, cancel := context.WithTimeout(ctx, l.probeTimeout)
	defer cancel()
	if _, err := conn.WaitForNotification(wait); err != nil {
		if wait.Err() != nil && ctx.Err() == nil {
			return ErrNoNotifications
		}
		return fmt.Errorf("postgres: LISTEN: %w", err)
	}
	if _, err := conn.PgConn().Exec(ctx, "UNLISTEN "+quoteName(channel)).ReadAll(); err != nil {
		return fmt.Errorf("postgres: UNLISTEN: %w", err)
	}
	return nil
}

// inWords says what is the matter if it is the pool.
func inWords(pool *pgxpool.Pool, err error) error {
	if s := pool.Stat(); errors.Is(err, context.DeadlineExceeded) && s.AcquiredConns() == s.MaxConns() {
		return fmt.Errorf("all %d connections of the pool are in use: %w", s.MaxConns(), err)
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "26000" || ok && e.Code == "42P05" {
		return fmt.Errorf("%w (prepared statements do not go through this pooler: set default_query_exec_mode=exec in the pool's configuration)", err)
	}
	return err
}
