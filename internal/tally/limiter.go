package tally

import (
	"sync"
	"time"
)

// A Limiter bounds how often something is done that somebody else can cause, as writing
// to the log: so many times a second. It is safe for concurrent use; its zero value
// allows nothing.
type Limiter struct {
	// PerSecond must not change after the first use.
	PerSecond int

	mu     sync.Mutex
	since  time.Time
	n      int    // in the second since then
	missed uint64 // since one was allowed
}

// Allow reports whether one more is allowed, and if so how many were not since the last.
func (l *Limiter) Allow() (missed uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.since) >= time.Second {
		l.since, l.n = now, 0
	}
	if l.n >= l.PerSecond {
		l.missed++
		return 0, false
	}
	l.n++
	missed, l.missed = l.missed, 0
	return missed, true
}
