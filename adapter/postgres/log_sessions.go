package postgres

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sockeye-go/socketio/adapter/cluster"
)

// Save implements [cluster.Log]. Records are written in the order of their keys, so
// that two nodes do not wait for each other.
func (l *logTail) Save(ctx context.Context, rs []*cluster.Record) error {
	sorted := slices.SortedStableFunc(slices.Values(rs), func(a, b *cluster.Record) int { return strings.Compare(a.Key, b.Key) })
	batch := &pgx.Batch{}
	for _, r := range sorted {
		value := r.Value
		if value != nil {
			value = l.o.key().Seal(l.o.sessionPlace(r.Key), bytes.Clone(value))
		}
		version, _ := strconv.ParseInt(r.Version, 10, 64)
		seconds := r.TTL.Seconds()
		switch {
		case r.Value == nil && r.Version == "" && !r.Always:
			batch.Queue(l.o.missingSession(), r.Key)
		case r.Value == nil:
			batch.Queue(l.o.takeSession(), r.Key, version, r.Always)
		case r.Version == "" || r.Always:
			batch.Queue(l.o.putSession(), r.Key, value, seconds, r.Always)
		default:
			batch.Queue(l.o.replaceSession(), r.Key, value, seconds, version)
		}
	}
	results := l.pool.SendBatch(ctx, batch)
	versions := make([]int64, len(sorted))
	for i := range sorted {
		err := results.QueryRow().Scan(&versions[i])
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			_ = results.Close()
			return l.inWords(err)
		}
	}
	if err := results.Close(); err != nil {
		return l.inWords(err)
	}
	for i, r := range sorted { // it is committed
		switch {
		case versions[i] == 0:
			r.Conflict = r.Value != nil || !r.Always
		case r.Value != nil:
			r.Version = strconv.FormatInt(versions[i], 10)
		}
	}
	return nil
}

// Load implements [cluster.Log].
func (l *logTail) Load(ctx context.Context, key string) (value []byte, version string, err error) {
	var v int64
	err = l.pool.QueryRow(ctx, "SELECT value, version FROM "+l.o.logTable("sessions")+" WHERE key = $1 AND until >= now()", key).Scan(&value, &v)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", l.inWords(err)
	}
	value, ours := l.o.key().Open(l.o.sessionPlace(key), value)
	if !ours {
		l.o.Logger.Warn("session dropped: it is not from a node with this key", "nsp", l.nsp)
		value = nil // and may be written over
	}
	return value, strconv.FormatInt(v, 10), nil
}
