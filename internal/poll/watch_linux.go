package poll

import (
	"math"
	"sync/atomic"
	"time"
)

// The runtime has a watch, sysmon, that interrupts who computes for long. It sleeps
// when nothing runs: until a timer is due, or the scheduler is told of a system call.
// After a system call it looks every 20 µs for a while, in case that call blocks, and
// servers that are neither idle nor at their limit spent a tenth of their time on it.
//
// The calls here do not block: like the runtime's own they need not be told of, as
// long as something else wakes the watch. So while there are such calls a timer is
// due every 10 ms; without it a handler that computes for ever would hang the only
// core.
type watchTimer struct {
	timer *time.Timer
	set   atomic.Bool
	used  atomic.Bool // since it was due last
}

var watch watchTimer

const watchEvery = 10 * time.Millisecond

// maxUntold bounds, in bytes, what a call moves of which nobody is told: for so long
// nothing else can run on that core, nor a collection of garbage begin.
const maxUntold = 128 << 10

// init is called before any other method.
func (w *watchTimer) init() {
	w.timer = time.AfterFunc(math.MaxInt64, w.due)
	w.timer.Stop()
}

// untold reports whether the scheduler need not be told of a system call that moves n
// bytes. If it is false, the timer has been set, and telling wakes the watch to see it.
func (w *watchTimer) untold(n int) bool {
	if !w.set.Load() {
		if w.set.CompareAndSwap(false, true) {
			w.timer.Reset(watchEvery)
		}
		return false
	}
	if !w.used.Load() { // most find it set, and do not write what other cores read
		w.used.Store(true)
	}
	return n <= maxUntold
}

func (w *watchTimer) due() {
	if w.used.Swap(false) {
		w.timer.Reset(watchEvery)
	} else {
		w.set.Store(false)
	}
}
