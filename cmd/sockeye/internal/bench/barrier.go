package bench

import (
	"context"
	"sync"
	"time"
)

// A barrier lets the processes begin together, when the clients of all of them are
// there: what is said to a room is for those who have joined it.
type barrier struct {
	mu      sync.Mutex
	waiting int
	start   time.Time
	open    chan struct{}
}

func newBarrier(processes int) *barrier {
	return &barrier{waiting: processes, open: make(chan struct{})}
}

// ahead is how long before the start it is told, so that it reaches all in time.
const ahead = 100 * time.Millisecond

// arrive notes that the clients of one more process are there.
func (b *barrier) arrive() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting--
	if b.waiting == 0 {
		b.start = time.Now().Add(ahead)
		close(b.open)
	}
}

// wait returns when operations begin; false: they do not.
func (b *barrier) wait(ctx context.Context) (time.Time, bool) {
	select {
	case <-b.open:
		return b.start, true
	case <-ctx.Done():
		return time.Time{}, false
	}
}
