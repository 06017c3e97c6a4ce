package adapter

import (
	"math"
	"runtime"
	"sync/atomic"

	"github.com/sockeye-go/socketio/internal/poll"
)

// A walk is a broadcast of a [Recovering] on its way through its sockets. As without
// recovery it lets others have their turn; but then others to the same sockets would
// overtake it, and what is overtaken gets another place in the log and is encoded
// again. So they go in convoy: each waits for the one before it to be some steps ahead,
// and not for long, since that may wait for this one.
type walk struct {
	pos    uint64
	target *string // the one room that it goes to, nil for all
	other  bool    // it goes to several, and in no convoy

	before *walk        // that to the same sockets before it; of the walk's own goroutine
	n      int          // sockets so far
	served atomic.Int64 // the same, when it last looked
	turns  poll.Turns
}

// maxConvoyWait is how many turns of others a walk waits for the one before it.
const maxConvoyWait = 32

func newWalk(t Target, under []*walk) *walk {
	w := &walk{other: len(t.Rooms) > 1}
	if len(t.Rooms) == 1 {
		w.target = &t.Rooms[0]
	}
	for i := len(under) - 1; i >= 0 && !w.other && w.before == nil; i-- {
		if under[i].sameTarget(w) {
			w.before = under[i]
		}
	}
	return w
}

func (w *walk) sameTarget(v *walk) bool {
	if w.other || v.other || w.target == nil || v.target == nil {
		return !w.other && !v.other && w.target == v.target
	}
	return *w.target == *v.target
}

// next is called behind each socket.
func (w *walk) next() {
	if w.n++; w.n%poll.Glance == 0 {
		w.served.Store(int64(w.n))
		w.turns.Look()
		w.wait()
	}
}

// wait waits until the walk before this one is ahead by as many steps as this one makes
// before it looks again.
func (w *walk) wait() {
	if w.before == nil {
		return
	}
	for range maxConvoyWait {
		served := w.before.served.Load()
		if served == math.MaxInt64 { // it has arrived
			w.before = nil
			return
		}
		if served >= int64(w.n+poll.Glance) {
			return
		}
		runtime.Gosched()
	}
}

// arrived ends the walk.
func (w *walk) arrived() {
	w.before = nil
	w.served.Store(math.MaxInt64)
}
