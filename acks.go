package socketio

import (
	"context"
	"errors"
	"sync"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// An ackTable holds what waits for acks of one client. Each waiter is told
// once: by the answer or by the end of the socket.
type ackTable struct {
	mu      sync.Mutex
	closed  bool
	waiting map[int64]func(adapter.Answer)
}

// errAcksClosed says that no answer will come any more.
var errAcksClosed = errors.New("no more acks")

func (t *ackTable) add(id int64, limit int, f func(adapter.Answer)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return errAcksClosed
	}
	if len(t.waiting) >= limit {
		return ErrTooManyAcks
	}
	if t.waiting == nil {
		t.waiting = make(map[int64]func(adapter.Answer))
	}
	t.waiting[id] = f
	return nil
}

// take removes a waiter; nil if there is none (any more).
func (t *ackTable) take(id int64) func(adapter.Answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.waiting[id]
	delete(t.waiting, id)
	if len(t.waiting) == 0 {
		t.waiting = nil
	}
	return f
}

// answer resolves an ack on the goroutine that reads. An id that nobody waits
// for is that of an ack that came too late.
func (t *ackTable) answer(p parser.Packet) {
	if f := t.take(p.ID); f != nil {
		f(adapter.Answer{Args: p.Args, Attachments: p.Attachments})
	}
}

func (t *ackTable) close(reason error) {
	t.mu.Lock()
	waiting := t.waiting
	t.waiting, t.closed = nil, true
	t.mu.Unlock()
	for _, f := range waiting {
		f(adapter.Answer{Err: reason})
	}
}

// EmitWithAck sends an event and waits for the client's answer, whose arguments
// the Message decodes. It ends with an error when ctx does, or when the socket
// disconnects ([ErrDisconnected], by errors.Is). There is no other timeout.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (*Message, error) {
	a := s.nsp.ask(ctx, s, event)
	m, err := s.emitWithAck(ctx, event, args)
	if err != nil {
		a.answered(0, err)
		return nil, err
	}
	a.answered(1, nil)
	return m, nil
}

func (s *Socket) emitWithAck(ctx context.Context, event string, args []any) (*Message, error) {
	if s.state.Load() == disconnected {
		return nil, ErrDisconnected
	}
	id := s.nsp.ackIDs.Add(1) - 1
	p, err := s.nsp.encodeEvent(event, id, args)
	if err != nil {
		return nil, err
	}
	arrived := make(chan adapter.Answer, 1)
	if err := s.awaitAck(id, func(a adapter.Answer) { arrived <- a }); err != nil {
		return nil, err
	}
	s.outgoing(event, args)
	if err := s.sendInOrder(p); err != nil {
		s.acks.take(id)
		return nil, err
	}
	s.conn.waits(1)
	defer s.conn.waits(-1)
	select {
	case a := <-arrived:
		return s.nsp.answer(event, a)
	case <-ctx.Done():
		if s.acks.take(id) == nil { // it came at the same moment
			return s.nsp.answer(event, <-arrived)
		}
		return nil, context.Cause(ctx)
	}
}

// sendInOrder sends what is not kept, behind what is and was emitted before.
func (s *Socket) sendInOrder(p *engineio.Prepared) error {
	if s.kept != nil && s.nsp.late && s.state.Load() == connected {
		done, err := s.nsp.recoverer.Emit(s, &adapter.Packet{Prepared: p}, func(adapter.Member) error { return s.send(p, 0) })
		if done {
			return err
		}
	}
	return s.send(p, 0)
}

// awaitAck has f called with the answer of this id, unless too many are open.
func (s *Socket) awaitAck(id int64, f func(adapter.Answer)) error {
	err := s.acks.add(id, s.nsp.srv.opts.MaxPendingAcks, f)
	if err == errAcksClosed {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.look().reason
	}
	if errors.Is(err, ErrTooManyAcks) {
		s.nsp.srv.hit("MaxPendingAcks")
	}
	return err
}

// answer makes the Message of an ack.
func (n *Namespace) answer(event string, a adapter.Answer) (*Message, error) {
	if a.Err != nil {
		return nil, a.Err
	}
	return &Message{codec: n.srv.opts.Parser, event: event, packet: parser.Packet{
		Type: parser.Ack, ID: parser.NoID, Args: a.Args, Attachments: a.Attachments,
	}}, nil
}
