package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// A waiter is told the end of a send that wants an ack, once.
type waiter struct {
	done chan answer // nil for a retried Emit, which nobody waits for
	try  *retried    // nil without retries
}

type answer struct {
	p   parser.Packet
	err error
}

// outgoing is an event that waits for a connection.
type outgoing struct {
	e     parser.Encoded
	size  int
	id    int64
	event string
}

func sizeOf(e parser.Encoded) int {
	n := len(e.Head)
	for _, a := range e.Attachments {
		n += len(a)
	}
	return n
}

// own makes copies of attachments, which are the caller's.
func own(e parser.Encoded) parser.Encoded {
	if len(e.Attachments) > 0 {
		copies := make([][]byte, len(e.Attachments))
		for i, a := range e.Attachments {
			copies[i] = bytes.Clone(a)
		}
		e.Attachments = copies
	}
	return e
}

func (s *Socket) encode(event string, id int64, args []any) (parser.Encoded, error) {
	if parser.IsReserved(event) {
		return parser.Encoded{}, fmt.Errorf("client: %q is a reserved event name", event)
	}
	values := make([]any, 0, 8)
	values = append(append(values, event), args...)
	e, err := s.m.opts.Parser.Encode(parser.Header{Type: parser.Event, Namespace: s.nsp, ID: id}, values...)
	if err != nil {
		return e, fmt.Errorf("client: emit %q: %w", event, err)
	}
	return e, nil
}

// Emit sends an event, or keeps it while the socket is on its way to be
// connected; it never waits. The error says that the socket is not [Active],
// that a buffer is full, or that a value does not encode; nothing about the
// arrival. With SocketOptions.Retries it is kept until the server has
// acknowledged it.
//
// [Active]: Socket.Active
func (s *Socket) Emit(event string, args ...any) error {
	if s.opts.Retries > 0 {
		return s.emitRetried(event, args, nil)
	}
	e, err := s.encode(event, parser.NoID, args)
	if err != nil {
		return err
	}
	s.m.mu.Lock()
	if s.joined {
		c := s.conn
		s.m.mu.Unlock() // the session keeps the order of those that come one after the other
		if err := c.send(e, 0); !errors.Is(err, engineio.ErrClosed) {
			return sendError(err)
		}
		s.m.mu.Lock() // it has ended, which the socket is about to be told
		defer s.m.mu.Unlock()
		return s.keepForLater(e, parser.NoID, event)
	}
	defer s.m.mu.Unlock()
	return s.keepForLater(e, parser.NoID, event)
}

// keepForLater buffers an event; mu is held.
func (s *Socket) keepForLater(e parser.Encoded, id int64, event string) error {
	if !s.active {
		return socketio.ErrDisconnected
	}
	size := sizeOf(e)
	if err := s.room(size); err != nil {
		return err
	}
	s.bufferBytes += size
	s.buffer = append(s.buffer, &outgoing{own(e), size, id, event})
	return nil
}

func (s *Socket) room(size int) error {
	if len(s.buffer)+len(s.queue) >= s.m.opts.MaxBufferedEvents || s.bufferBytes+size > s.m.opts.MaxBufferedBytes {
		return ErrBufferFull
	}
	return nil
}

// flushBuffer sends what was kept; mu is held.
func (s *Socket) flushBuffer() {
	for len(s.buffer) > 0 {
		o := s.buffer[0]
		err := s.conn.send(o.e, 0)
		if errors.Is(err, engineio.ErrClosed) {
			return // until the next connection
		}
		s.buffer[0] = nil
		s.buffer = s.buffer[1:]
		s.bufferBytes -= o.size
		if err == nil {
			continue
		}
		err = sendError(err)
		if w := s.take(o.id); w != nil {
			w.end(answer{err: err})
		} else {
			s.call(func(*socketHooks) { s.report(o.event, err) })
		}
	}
	s.buffer = nil
}

// dropBuffered forgets what waits to be sent; mu is held.
func (s *Socket) dropBuffered(err error) {
	s.buffer, s.bufferBytes = nil, 0
	for _, r := range s.queue { // most of them have not been sent, and are in no table
		r.stop()
		delete(s.acks, r.id)
		r.w.end(answer{err: err})
	}
	s.queue = nil
	for id, w := range s.acks {
		delete(s.acks, id)
		w.end(answer{err: err})
	}
}

func (w *waiter) end(a answer) {
	if w.done != nil {
		w.done <- a
	}
}

// take removes a waiter; nil if there is none (any more). mu is held.
func (s *Socket) take(id int64) *waiter {
	w := s.acks[id]
	delete(s.acks, id)
	if len(s.acks) == 0 {
		s.acks = nil
	}
	return w
}

// answered resolves an ack; mu is held.
func (s *Socket) answered(p parser.Packet) {
	w := s.acks[p.ID]
	switch {
	case w == nil: // too late
	case w.try != nil:
		s.confirmed(w.try, answer{p: p})
	default:
		s.take(p.ID)
		w.end(answer{p: p})
	}
}

// failAcks ends the waits for what was sent. What is still to be sent, or sent
// again, waits on. mu is held.
func (s *Socket) failAcks(reason error) {
	kept := make(map[int64]bool, len(s.buffer))
	for _, o := range s.buffer {
		kept[o.id] = true
	}
	for id, w := range s.acks {
		if w.try == nil && !kept[id] {
			s.take(id)
			w.end(answer{err: reason})
		}
	}
	s.interrupted(reason)
}

// ordinary ids stay below those of retried sends.
func (s *Socket) nextID() int64 { return (s.ids.Add(1) - 1) % socketio.FirstOnceID }

// EmitWithAck sends an event and waits for the server's answer, whose arguments
// the Message decodes. It ends with an error when ctx does, after AckTimeout if
// there is one, or when the socket disconnects ([socketio.ErrDisconnected], by
// errors.Is) before the answer. While the socket is on its way to be connected
// the event is kept.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (*socketio.Message, error) {
	done := make(chan answer, 1)
	var forget func() bool
	if s.opts.Retries > 0 {
		if err := s.emitRetried(event, args, done); err != nil {
			return nil, err
		}
		forget = func() bool { return s.forgetRetried(done) }
	} else {
		if s.opts.AckTimeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, s.opts.AckTimeout, ErrAckTimeout)
			defer cancel()
		}
		id := s.nextID()
		if err := s.emitAwaited(event, id, args, done); err != nil {
			return nil, err
		}
		forget = func() bool { return s.forget(id) }
	}
	s.waits(1)
	defer s.waits(-1)
	select {
	case a := <-done:
		return s.result(event, a)
	case <-ctx.Done():
		if !forget() { // it came at the same moment
			return s.result(event, <-done)
		}
		return nil, context.Cause(ctx)
	}
}

func (s *Socket) emitAwaited(event string, id int64, args []any, done chan answer) error {
	e, err := s.encode(event, id, args)
	if err != nil {
		return err
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if len(s.acks) >= s.m.opts.MaxPendingAcks {
		return socketio.ErrTooManyAcks
	}
	err = engineio.ErrClosed
	if s.joined {
		err = s.conn.send(e, 0)
	}
	if errors.Is(err, engineio.ErrClosed) { // or about to be
		err = s.keepForLater(e, id, event)
	}
	if err != nil {
		return sendError(err)
	}
	if s.acks == nil {
		s.acks = make(map[int64]*waiter)
	}
	s.acks[id] = &waiter{done: done}
	return nil
}

// forget gives up the wait for an ack, and the event if it has not been sent.
// It reports false if the answer is there.
func (s *Socket) forget(id int64) bool {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	for i, o := range s.buffer {
		if o.id == id {
			s.buffer = append(s.buffer[:i], s.buffer[i+1:]...)
			s.bufferBytes -= o.size
			break
		}
	}
	return s.take(id) != nil
}

func (s *Socket) waits(n int) {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.waiting += n
	if s.conn != nil {
		s.conn.decide()
	}
}

func (s *Socket) result(event string, a answer) (*socketio.Message, error) {
	if a.err != nil {
		return nil, a.err
	}
	if err := ackError(s.m.opts, a.p); err != nil {
		return nil, err
	}
	a.p.ID = parser.NoID
	return socketio.NewMessage(s.m.opts.Parser, a.p, event, nil), nil
}

// Volatile returns what emits to the server if that is possible at once, and
// otherwise drops the event: when not connected, or while older data waits.
func (s *Socket) Volatile() socketio.Emitter { return volatile{s} }

type volatile struct{ s *Socket }

func (v volatile) Emit(event string, args ...any) error {
	e, err := v.s.encode(event, parser.NoID, args)
	if err != nil {
		return err
	}
	v.s.m.mu.Lock()
	c, joined := v.s.conn, v.s.joined
	v.s.m.mu.Unlock()
	if !joined {
		return nil
	}
	if err := c.send(e, engineio.Volatile); !errors.Is(err, engineio.ErrClosed) {
		return sendError(err)
	}
	return nil
}
