package hostile

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/internal/rawclient"
)

// A bystander is an honest client that has its echo answered all the time, and
// notes how long that takes.
type bystander struct {
	c    connection
	done chan struct{}
	stop context.CancelFunc

	mu    sync.Mutex
	worst time.Duration
	since time.Time // of the echo that is on its way
	n     int
	err   error
}

// pace is how often the bystander speaks.
const pace = 5 * time.Millisecond

// A connection is what a bystander has, over whatever transport.
type connection interface {
	rawclient.Client
	Close()
}

func newBystander(addr string) (*bystander, error) {
	c, err := rawclient.DialWebSocket(context.Background(), "ws://"+addr+"/socket.io/")
	if err != nil {
		return nil, err
	}
	return stand(c)
}

func stand(c connection) (*bystander, error) {
	ctx, stop := context.WithCancel(context.Background())
	b := &bystander{c: c, stop: stop, done: make(chan struct{})}
	if err := rawclient.Join(ctx, c); err != nil {
		return nil, err
	}
	go b.run(ctx)
	return b, nil
}

func (b *bystander) run(ctx context.Context) {
	defer close(b.done)
	for ctx.Err() == nil {
		begin := time.Now()
		b.mu.Lock()
		n := b.n
		b.since = begin
		b.mu.Unlock()
		err := b.c.Send(ctx, fmt.Sprintf(`42%d["echo",%d]`, n, n))
		for err == nil {
			var packet string
			packet, err = b.c.Expect(ctx, "")
			if packet == "2" {
				err = b.c.Send(ctx, "3")
			}
			if packet == fmt.Sprintf(`43%d[%d]`, n, n) {
				break
			}
		}
		b.mu.Lock()
		b.worst = max(b.worst, time.Since(begin))
		b.since = time.Time{}
		b.n++
		b.err = err
		b.mu.Unlock()
		if err != nil {
			return
		}
		select {
		case <-time.After(pace):
		case <-ctx.Done():
		}
	}
}

// look returns the longest echo since the last look, that which is on its way
// included, and how it goes.
func (b *bystander) look() (worst time.Duration, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	worst = b.worst
	if !b.since.IsZero() {
		worst = max(worst, time.Since(b.since))
	}
	b.worst = 0
	return worst, b.err
}

// count returns how many echoes came back.
func (b *bystander) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n
}

// ended reports whether it goes on no more.
func (b *bystander) ended() bool {
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}

func (b *bystander) close() {
	b.stop()
	b.c.Close()
	<-b.done
}
