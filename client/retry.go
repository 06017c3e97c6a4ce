package client

import (
	"fmt"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/parser"
)

// A retried is a send of a socket with retries. The first of the queue is on
// its way, the others wait for it. All its tries carry the same id, by which
// our server knows that they are one (docs/adr has the reasons); ids of retried
// sends begin at socketio.FirstOnceID and only grow.
type retried struct {
	w     *waiter
	e     parser.Encoded
	id    int64
	event string
	size  int
	tries int
	sent  bool // on this connection
	timer *time.Timer
}

func (r *retried) stop() {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
}

func (s *Socket) emitRetried(event string, args []any, done chan answer) error {
	// Ids grow in the order of the queue. Not under Manager.mu: encoding calls
	// methods of the user's values.
	s.encoding.Lock()
	defer s.encoding.Unlock()
	s.m.mu.Lock()
	id := socketio.FirstOnceID + s.onceID
	s.m.mu.Unlock()
	e, err := s.encode(event, id, args)
	if err != nil {
		return err
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if !s.active {
		return socketio.ErrDisconnected
	}
	r := &retried{e: own(e), id: id, event: event, size: sizeOf(e)}
	if err := s.room(r.size); err != nil {
		return err
	}
	s.onceID++
	r.w = &waiter{done: done, try: r}
	s.bufferBytes += r.size
	s.queue = append(s.queue, r)
	s.pump()
	return nil
}

// pump sends the first of the queue, unless it is on its way. mu is held.
func (s *Socket) pump() {
	for s.joined && len(s.queue) > 0 && !s.queue[0].sent {
		r := s.queue[0]
		if r.tries > s.opts.Retries {
			s.finish(r, answer{err: fmt.Errorf("client: given up after %d tries: %w", r.tries, ErrAckTimeout)})
			continue
		}
		r.tries++
		r.sent = true
		if s.acks == nil {
			s.acks = make(map[int64]*waiter)
		}
		s.acks[r.id] = r.w
		if err := sendError(s.conn.send(r.e, 0)); err != nil && err != socketio.ErrDisconnected {
			s.finish(r, answer{err: err})
			continue
		}
		r.timer = time.AfterFunc(s.opts.AckTimeout, func() { s.overdue(r) })
	}
}

// overdue is called when a try has had no answer.
func (s *Socket) overdue(r *retried) {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if len(s.queue) > 0 && s.queue[0] == r && r.sent {
		r.sent = false
		s.pump()
	}
}

// interrupted is called when the socket has lost its connection; mu is held.
func (s *Socket) interrupted(error) {
	if len(s.queue) > 0 {
		s.queue[0].sent = false
		s.queue[0].stop()
	}
}

// confirmed is the answer to any of the tries; mu is held.
func (s *Socket) confirmed(r *retried, a answer) {
	s.finish(r, a)
	s.pump()
}

// finish takes a send out of the queue; mu is held.
func (s *Socket) finish(r *retried, a answer) {
	for i, other := range s.queue {
		if other == r {
			s.queue = append(s.queue[:i], s.queue[i+1:]...)
			s.bufferBytes -= r.size
			break
		}
	}
	r.stop()
	s.take(r.id)
	r.w.end(a)
	if a.err != nil && r.w.done == nil {
		s.call(func(*socketHooks) { s.report(r.event, a.err) })
	}
}

// forgetRetried gives up a send whose caller does not wait any longer. It may
// have arrived. It reports false if the answer is there.
func (s *Socket) forgetRetried(done chan answer) bool {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	for _, r := range s.queue {
		if r.w.done == done {
			r.w.done = nil
			s.finish(r, answer{})
			s.pump()
			return true
		}
	}
	return false
}
