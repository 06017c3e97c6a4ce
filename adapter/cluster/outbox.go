package cluster

import (
	"context"
	"sync"
)

// An outbox hands messages to the broker, in order, on a goroutine that exists
// while there are any.
type outbox struct {
	max  int
	send func([]outgoing)

	mu      sync.Mutex
	queue   []outgoing
	running bool
	closed  bool
	idle    chan struct{} // closed when the last has been sent; nil unless somebody waits
}

// An outgoing message goes to all nodes, or to one.
type outgoing struct {
	to string
	m  *Message
}

func (o *outbox) push(out outgoing) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return ErrClosed
	}
	if len(o.queue) >= o.max {
		return ErrSlow
	}
	o.queue = append(o.queue, out)
	if !o.running {
		o.running = true
		go o.run()
	}
	return nil
}

func (o *outbox) run() {
	for {
		o.mu.Lock()
		queue := o.queue
		o.queue = nil
		if len(queue) == 0 {
			o.running = false
			if o.idle != nil {
				close(o.idle)
				o.idle = nil
			}
			o.mu.Unlock()
			return
		}
		o.mu.Unlock()
		o.send(queue)
	}
}

// close takes nothing more, and waits for what is there until ctx is done.
func (o *outbox) close(ctx context.Context) {
	o.mu.Lock()
	o.closed = true
	var idle chan struct{}
	if o.running {
		if o.idle == nil {
			o.idle = make(chan struct{})
		}
		idle = o.idle
	}
	o.mu.Unlock()
	if idle == nil {
		return
	}
	select {
	case <-idle:
	case <-ctx.Done():
	}
}
