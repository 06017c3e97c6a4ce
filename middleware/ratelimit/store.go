package ratelimit

import (
	"context"
	"hash/maphash"
	"sync"
	"time"
)

// A Store keeps budgets by key. Several nodes may share one. Its methods are
// safe for concurrent use.
type Store interface {
	// Take spends one event of key. An error says that the store could not be
	// asked.
	Take(ctx context.Context, key string, r Rate) (Result, error)
	// Return gives one back.
	Return(ctx context.Context, key string, r Rate) error
}

// Memory is a Store of this process. It holds a bounded number of keys: a new one
// displaces an old one that has rested, or if there is none at hand the one that
// will have soonest.
type Memory struct {
	clock  clock
	seed   maphash.Seed
	shards [shards]shard
}

const shards = 16

type shard struct {
	mu     sync.Mutex
	max    int
	values map[string]*entry
}

type entry struct {
	Budget
	rate Rate
}

// DefaultKeys is how many keys a Memory holds unless told: some 15 MB.
const DefaultKeys = 100_000

// NewMemory makes a Memory for so many keys; 0 stands for [DefaultKeys].
func NewMemory(keys int) *Memory {
	if keys < 0 {
		panic("ratelimit: NewMemory: keys is negative")
	}
	if keys == 0 {
		keys = DefaultKeys
	}
	m := &Memory{clock: startClock(), seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i].max = max(1, keys/shards)
		m.shards[i].values = make(map[string]*entry)
	}
	return m
}

func (m *Memory) shard(key string) *shard {
	return &m.shards[maphash.String(m.seed, key)%shards]
}

// Take implements [Store]; its error is nil.
func (m *Memory) Take(_ context.Context, key string, r Rate) (Result, error) {
	now := m.clock.now()
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.values[key]
	if e == nil || e.rate != r {
		s.clean(now)
		e = &entry{rate: r}
		s.values[key] = e
	}
	return e.Take(r, now), nil
}

// Return implements [Store]; its error is nil.
func (m *Memory) Return(_ context.Context, key string, r Rate) error {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.values[key]; e != nil && e.rate == r {
		e.Return(r)
	}
	return nil
}

// Len returns how many keys there are.
func (m *Memory) Len() int {
	n := 0
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		n += len(s.values)
		s.mu.Unlock()
	}
	return n
}

// clean makes room for one more key. Iteration begins anywhere, so that looking at
// a few keys for each new one finds all that have rested sooner or later, at a
// cost that does not depend on how many there are.
func (s *shard) clean(now time.Time) {
	seen, oldest, soonest := 0, "", int64(0)
	for key, e := range s.values {
		idle := e.idle(e.rate)
		if idle <= now.UnixNano() {
			delete(s.values, key)
		} else if oldest == "" || idle < soonest {
			oldest, soonest = key, idle
		}
		if seen++; seen == 8 {
			break
		}
	}
	if len(s.values) >= s.max {
		delete(s.values, oldest)
	}
}
