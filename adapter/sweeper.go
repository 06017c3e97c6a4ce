package adapter

import (
	"sync"
	"sync/atomic"
	"time"
)

// A sweeper is a timer that runs while there is something to expire.
type sweeper struct {
	running atomic.Bool
	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
}

// start has f called after d, unless it will be already.
func (s *sweeper) start(d time.Duration, f func()) {
	if s.running.Load() || s.running.Swap(true) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	if s.timer == nil {
		s.timer = time.AfterFunc(d, f)
	} else {
		s.timer.Reset(d)
	}
}

// fired is what f begins with.
func (s *sweeper) fired() { s.running.Store(false) }

func (s *sweeper) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	if s.timer != nil {
		s.timer.Stop()
	}
}

// arm sees to it that what is kept now does not stay for ever.
func (a *Recovering) arm() { a.sweep.start(max(a.max.MaxDuration/4, time.Second), a.expireAll) }

// expireAll lets go of sessions and packets that are too old. A client that
// asks for one of them meanwhile is refused all the same.
func (a *Recovering) expireAll() {
	a.sweep.fired()
	now := time.Now()
	a.mu.Lock()
	n := 0
	for n < len(a.away) && now.Sub(a.away[n].since) > a.max.MaxDuration {
		a.expire(a.away[n])
		n++
	}
	a.away = append([]absence(nil), a.away[n:]...)
	left := len(a.away)
	a.mu.Unlock()
	if next := a.log.expire(now); left > 0 || !next.IsZero() {
		a.arm()
	}
}
