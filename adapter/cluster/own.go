package cluster

import (
	"sync"

	"github.com/sockeye-go/socketio/adapter"
)

// ownMessages say how far the messages of this node have come back from the log,
// and hold what is to be sent to a socket behind them, without being in the log.
type ownMessages struct {
	mu     sync.Mutex
	last   uint64 // Seq of the last one that came
	came   uint64 // up to there they have come, or never will
	behind []behind
}

// A behind is sent when an own message has come back.
type behind struct {
	seq  uint64
	s    *session
	m    adapter.Member
	send func(adapter.Member) error
}

// maxBehind bounds what waits for own messages.
const maxBehind = 1 << 14

// wait keeps a send for when the message with this number has come back. It
// reports false if that has happened, or if too much waits.
func (o *ownMessages) wait(b behind) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if b.seq <= o.came || len(o.behind) >= maxBehind {
		return false
	}
	o.behind = append(o.behind, b)
	return true
}

// read notes that an own message has come back, and with it all before.
func (o *ownMessages) read(seq uint64) {
	o.mu.Lock()
	o.last = max(o.last, seq)
	o.mu.Unlock()
	o.skip(seq)
}

// skip has nobody wait any more for messages that may not come back. If they do,
// they count.
func (o *ownMessages) skip(seq uint64) {
	o.mu.Lock()
	o.came = max(o.came, seq)
	n := 0
	for n < len(o.behind) && o.behind[n].seq <= o.came {
		n++
	}
	due := o.behind[:n:n]
	if o.behind = o.behind[n:]; len(o.behind) == 0 {
		o.behind = nil
	}
	o.mu.Unlock()
	for _, b := range due {
		b.s.mu.Lock()
		if b.s.m == b.m {
			_ = b.send(b.m)
		}
		b.s.mu.Unlock()
	}
}

// repeated reports whether an own message has been read before.
func (o *ownMessages) repeated(seq uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return seq != 0 && seq <= o.last
}
