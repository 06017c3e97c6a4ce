// Package tally counts what is rare, by name.
package tally

import (
	"maps"
	"sync"
)

// A Tally counts by key. The zero value is ready. It is safe for concurrent
// use, and meant for events that are not on a hot path: all share one lock.
type Tally[K comparable] struct {
	mu sync.Mutex
	n  map[K]uint64
}

// Add counts one more of k.
func (t *Tally[K]) Add(k K) { t.AddN(k, 1) }

// AddN counts n more of k.
func (t *Tally[K]) AddN(k K, n int) {
	if n <= 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = make(map[K]uint64)
	}
	t.n[k] += uint64(n)
}

// Counts returns a copy, which is never nil.
func (t *Tally[K]) Counts() map[K]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		return map[K]uint64{}
	}
	return maps.Clone(t.n)
}
