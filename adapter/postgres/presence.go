package postgres

import (
	"context"
	"fmt"
	"hash/fnv"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// A presence is a lock that the connection which listens holds for a namespace of
// a node. The database lets go of it when the connection ends, however that
// happens, so that the locks say who is there, and nobody has to.
type presence struct{ channel, node uint32 }

func newPresence(channel, uid string) presence {
	h := fnv.New32a()
	h.Write([]byte(channel))
	return presence{channel: h.Sum32(), node: number(uid)}
}

// number is what of a node's uid fits into a lock.
func number(uid string) uint32 {
	if n, err := strconv.ParseUint(uid, 16, 64); err == nil {
		return uint32(n)
	}
	h := fnv.New32a()
	h.Write([]byte(uid))
	return h.Sum32()
}

func (p presence) lock() string {
	return fmt.Sprintf("SELECT pg_advisory_lock_shared(%d, %d)", int32(p.channel), int32(p.node))
}

func (p presence) unlock() string {
	return fmt.Sprintf("SELECT pg_advisory_unlock_shared(%d, %d)", int32(p.channel), int32(p.node))
}

// Present implements [cluster.Presence].
func (c *channel) Present(ctx context.Context) (func(uid string) bool, error) {
	rows, err := c.pool.Query(ctx, `SELECT objid::bigint FROM pg_locks
		WHERE locktype = 'advisory' AND objsubid = 2 AND classid::bigint = $1
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`, int64(c.key.channel))
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", inWords(c.pool, err))
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", inWords(c.pool, err))
	}
	there := make(map[uint32]bool, len(ids))
	for _, id := range ids {
		there[uint32(id)] = true
	}
	return func(uid string) bool { return there[number(uid)] }, nil
}
