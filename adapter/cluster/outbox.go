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
	stop chan struct{} // closed when what is being sent need not be tried any more

	mu      sync.Mutex
	queue   []outgoing
	running bool
	closed  bool
	logged  uint64        // Seq of the last message for the log
	idle    chan struct{} // closed when the last has been sent; nil unless somebody waits
}

// An outgoing message goes to all nodes, or to one, or to the log.
type outgoing struct {
	to     string
	logged bool
	m      *Message
	// flushed is told, if m is nil, when everything before has been sent.
	flushed func(error)
}

// goesWith reports whether a message may go in the batch of another: that of all
// for the log, that of all that are not if the bus gathers, or else that of those
// for all nodes.
func (o *outgoing) goesWith(first *outgoing, gathers bool) bool {
	return o.m != nil && o.logged == first.logged && (gathers || o.logged || o.to == "" && first.to == "")
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
	if out.logged {
		o.logged++
		out.m.Seq = o.logged
	}
	o.add(out)
	return nil
}

// lastLogged returns the number of the last message for the log.
func (o *outbox) lastLogged() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.logged
}

func (o *outbox) add(out outgoing) {
	o.queue = append(o.queue, out)
	if !o.running {
		o.running = true
		go o.run()
	}
}

// flush has f called when what is there now has been sent.
func (o *outbox) flush(f func(error)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed && !o.running {
		f(nil)
		return
	}
	o.add(outgoing{flushed: f})
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
	defer close(o.stop)
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
