package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio/adapter/cluster"
)

// A streamReader reads a stream for all namespaces that are in it. It has a
// connection of its own, since a read waits for what comes.
type streamReader struct {
	*streams
	stream string
	conn   ownClient // closed to end a read that waits
	client goredis.UniversalClient
	cancel context.CancelFunc
	ended  chan struct{}

	mu   sync.Mutex // taken after that of streams
	pos  cluster.Position
	logs []*streamLog

	// handing is held while something is handed over.
	handing sync.Mutex

	// epoch is written into Redis, and gone with what Redis forgets.
	epoch  string
	looked time.Time // at it
	lost   error
}

// open finds where the stream is, and begins to read behind that.
func (r *streamReader) open() error {
	r.conn.from = r.own.from
	r.client = r.conn.use()
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	pos, err := head(ctx, r.client, r.stream)
	if err == nil {
		r.epoch, err = r.readEpoch(ctx)
	}
	if err != nil {
		r.conn.release()
		return err
	}
	r.pos = pos
	ctx, r.cancel = context.WithCancel(context.Background())
	r.ended = make(chan struct{})
	go r.readLoop(ctx)
	return nil
}

// readEpoch returns what was written into Redis when the cluster began.
func (r *streamReader) readEpoch(ctx context.Context) (string, error) {
	key := besides(r.stream, ":epoch")
	if err := r.client.SetNX(ctx, key, rand.Text(), 0).Err(); err != nil {
		return "", err
	}
	return r.client.Get(ctx, key).Result()
}

func (r *streamReader) close() {
	r.cancel()
	r.conn.release()
	<-r.ended
}

// add has a log handed over what is behind its start.
func (r *streamReader) add(l *streamLog) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.start = r.pos
	r.logs = append(r.logs, l)
}

// remove ends that, and reports whether l was the last.
func (r *streamReader) remove(l *streamLog) (last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.logs = slices.DeleteFunc(slices.Clone(r.logs), func(other *streamLog) bool { return other == l })
	return len(r.logs) == 0
}

// settle waits until what is being handed over has been.
func (r *streamReader) settle() {
	r.handing.Lock()
	defer r.handing.Unlock()
}

// tell calls f for all logs, as they are when state has been changed by set.
func (r *streamReader) tell(set func(), f func(*streamLog)) {
	r.handing.Lock()
	defer r.handing.Unlock()
	r.mu.Lock()
	set()
	logs := r.logs
	r.mu.Unlock()
	for _, l := range logs {
		f(l)
	}
}

func (r *streamReader) readLoop(ctx context.Context) {
	defer close(r.ended)
	pause := retryInterval
	for ctx.Err() == nil {
		full, err := r.read(ctx)
		if ctx.Err() != nil {
			return
		}
		switch {
		case err != nil:
		case r.lost != nil:
			err = r.check(ctx)
		case full:
			err = r.checkTrimmed(ctx)
		case time.Since(r.looked) >= r.o.Block:
			err = r.checkEpoch(ctx)
		}
		if err == nil {
			pause = retryInterval
			continue
		}
		r.setLost(err)
		select {
		case <-time.After(pause):
			pause = min(2*pause, time.Second)
		case <-ctx.Done():
			return
		}
	}
}

// read reads once. While Redis was away it only looks, and does not wait. full
// says that there is more than was read.
func (r *streamReader) read(ctx context.Context) (full bool, err error) {
	if r.lost != nil {
		return false, r.client.Ping(ctx).Err()
	}
	r.mu.Lock()
	pos := r.pos
	r.mu.Unlock()
	found, err := r.client.XRead(ctx, &goredis.XReadArgs{
		Streams: []string{r.stream, pos.String()}, Count: int64(r.o.ReadCount), Block: r.o.Block,
	}).Result()
	if errors.Is(err, goredis.Nil) {
		return false, nil
	}
	if err != nil || len(found) == 0 || len(found[0].Messages) == 0 {
		return false, err
	}
	xs := found[0].Messages
	last, ok := cluster.ParsePosition(xs[len(xs)-1].ID)
	if !ok {
		return false, errors.New("redis: entry without id")
	}
	if len(xs) == r.o.ReadCount {
		// There is much: what comes next may have been dropped before it is read.
		full = true
	}
	r.tell(func() { r.pos = last }, func(l *streamLog) {
		if ms := decodeEntries(xs, l.nsp); len(ms) > 0 {
			l.r.Read(ms)
		}
	})
	return full, nil
}

// checkEpoch looks whether somebody has had Redis forget everything, without the
// connection being lost. What came since has been read, and sessions are gone.
func (r *streamReader) checkEpoch(ctx context.Context) error {
	epoch, err := r.readEpoch(ctx)
	if err != nil {
		return err
	}
	r.looked = time.Now()
	if epoch == r.epoch {
		return nil
	}
	r.epoch = epoch
	r.mu.Lock()
	pos := r.pos
	r.mu.Unlock()
	r.tell(func() {}, func(l *streamLog) { l.r.Gap(pos, true) })
	return nil
}

// check looks whether the stream still goes on where it was read last, and tells
// those who read that Redis is there.
func (r *streamReader) check(ctx context.Context) error {
	epoch, err := r.readEpoch(ctx)
	if err != nil {
		return err
	}
	if epoch != r.epoch { // Redis has begun anew
		r.epoch = epoch
		r.tell(func() { r.pos = cluster.Position{} }, func(l *streamLog) { l.r.Gap(cluster.Position{}, true) })
	} else if err := r.checkTrimmed(ctx); err != nil {
		return err
	}
	r.lost, r.looked = nil, time.Now()
	r.tell(func() {}, func(l *streamLog) { l.r.Lost(nil) })
	return nil
}

// checkTrimmed looks whether something was dropped that has not been read.
func (r *streamReader) checkTrimmed(ctx context.Context) error {
	r.mu.Lock()
	pos := r.pos
	r.mu.Unlock()
	ok, err := reaches(ctx, r.client, r.stream, pos)
	if err == nil && !ok {
		r.tell(func() {}, func(l *streamLog) { l.r.Gap(pos, false) })
	}
	return err
}

func (r *streamReader) setLost(err error) {
	first := r.lost == nil
	r.lost = err
	if first {
		r.tell(func() {}, func(l *streamLog) { l.r.Lost(err) })
	}
}
