// Package pressure tells when a process has more on its heap than it should. It
// looks whenever garbage has been collected, which is when that is known, and
// which happens the more often the faster the heap grows: there is no timer, and
// nothing to pay while nothing grows.
package pressure

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// Watch calls f, after collections that left more than limit bytes live, with that
// number, and once more when there is less again. It is called on a goroutine of
// its own, and not again before it has returned.
func Watch(limit int64, f func(live int64)) (stop func()) {
	w := &watcher{limit: limit, f: f}
	w.arm()
	return func() { w.stopped.Store(true) }
}

type watcher struct {
	limit               int64
	f                   func(int64)
	stopped, busy, over atomic.Bool
}

// arm makes something that the next collection finds to be garbage.
func (w *watcher) arm() {
	runtime.AddCleanup(new([32]byte), (*watcher).collected, w)
}

func (w *watcher) collected() {
	if w.stopped.Load() {
		return
	}
	w.arm()
	live := Live()
	over := live > w.limit
	if !over && !w.over.Load() || w.busy.Swap(true) {
		return
	}
	w.over.Store(over)
	go func() {
		defer w.busy.Store(false)
		w.f(live)
	}()
}

// Live returns the bytes that the last collection left.
func Live() int64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}

// Limit returns the limit of memory that the runtime has been given (GOMEMLIMIT),
// in bytes, 0 if there is none.
func Limit() int64 {
	if n := debug.SetMemoryLimit(-1); n < math.MaxInt64 {
		return n
	}
	return 0
}
