// Package redisstore keeps the budgets of package ratelimit in Redis, so that all
// nodes of a cluster share them.
//
//	limits := redisstore.New(client, nil)
//	ratelimit.NewConnections(&ratelimit.ConnectionOptions{Store: limits}).Protect(srv)
//
// An event costs one round trip to Redis, which decides by a script and by its own
// clock, so that nodes need not agree on the time and no two take the same event.
// While Redis is away everybody is let through, or nobody (FailClosed).
package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio/middleware/ratelimit"
)

// Options configure a [Store]. Zero stands for the default.
type Options struct {
	// Prefix begins the keys. Stores with the same share their budgets. Default
	// "socketio:limit:".
	Prefix string
	// Timeout limits how long one question may take. Default 1 s.
	Timeout time.Duration
}

// A Store is a [ratelimit.Store] in Redis. Keys expire when their budgets are full
// again.
type Store struct {
	client goredis.Scripter
	o      Options
	now    string // instead of the clock of Redis, in tests
}

var _ ratelimit.Store = (*Store)(nil)

// New returns a store that asks client, which stays open.
func New(client goredis.Scripter, o *Options) *Store {
	s := &Store{client: client}
	if o != nil {
		s.o = *o
	}
	if s.o.Prefix == "" {
		s.o.Prefix = "socketio:limit:"
	}
	if s.o.Timeout < 0 {
		panic(fmt.Sprintf("redisstore: Options.Timeout: %v is negative", s.o.Timeout))
	}
	if s.o.Timeout == 0 {
		s.o.Timeout = time.Second
	}
	return s
}

// Take implements [ratelimit.Store].
func (s *Store) Take(ctx context.Context, key string, r ratelimit.Rate) (ratelimit.Result, error) {
	if r == (ratelimit.Rate{}) {
		return ratelimit.Result{OK: true}, nil
	}
	wait, err := s.run(ctx, take, key, r)
	if err != nil {
		return ratelimit.Result{}, err
	}
	return ratelimit.Result{OK: wait == 0, RetryAfter: time.Duration(wait) * time.Microsecond}, nil
}

// Return implements [ratelimit.Store].
func (s *Store) Return(ctx context.Context, key string, r ratelimit.Rate) error {
	if r == (ratelimit.Rate{}) {
		return nil
	}
	_, err := s.run(ctx, giveBack, key, r)
	return err
}

func (s *Store) run(ctx context.Context, script *goredis.Script, key string, r ratelimit.Rate) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	// A budget is of one rate: another has another key.
	kind := "window"
	if r.Kind == ratelimit.TokenBucket {
		kind = "bucket"
	}
	per := max(r.Per.Microseconds(), 1)
	name := s.o.Prefix + kind + ":" + strconv.Itoa(r.Events) + ":" + strconv.FormatInt(per, 10) + ":" + key
	n, err := script.Run(ctx, s.client, []string{name}, kind, r.Events, per, s.now).Int64()
	if err != nil {
		return 0, fmt.Errorf("redisstore: %w", err)
	}
	return n, nil
}
