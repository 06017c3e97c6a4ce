package socketio

import (
	"context"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// An ackTable holds what waits for acks of one client; nil while nothing does. Each
// waiter is told once: by the answer or by the end of the socket. Guarded by Socket.mu.
type ackTable map[int64]func(adapter.Answer)

// takeAck removes a waiter; nil if there is none (any more).
func (s *Socket) takeAck(id int64) func(adapter.Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	acks := s.look().acks
	f := acks[id]
	delete(acks, id)
	if f != nil && len(acks) == 0 {
		s.rare.acks = nil
		s.tidy()
	}
	return f
}

// answered resolves an ack on the goroutine that reads. An id that nobody waits
// for is that of an ack that came too late.
func (s *Socket) answered(p parser.Packet) {
	if f := s.takeAck(p.ID); f != nil {
		f(adapter.Answer{Args: p.Args, Attachments: p.Attachments})
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
		s.takeAck(id)
		return nil, err
	}
	s.conn.waits(1)
	defer s.conn.waits(-1)
	select {
	case a := <-arrived:
		return s.nsp.answer(event, a)
	case <-ctx.Done():
		if s.takeAck(id) == nil { // it came at the same moment
			return s.nsp.answer(event, <-arrived)
		}
		return nil, context.Cause(ctx)
	}
}

// sendInOrder sends what is not kept, behind what is and was emitted before.
func (s *Socket) sendInOrder(p *engineio.Prepared) error {
	if s.kept() != nil && s.nsp.late && s.state.Load() == connected {
		done, err := s.nsp.recoverer.Emit(s, &adapter.Packet{Prepared: p}, func(adapter.Member) error { return s.send(p, 0) })
		if done {
			return err
		}
	}
	return s.send(p, 0)
}

// awaitAck has f called with the answer of this id, unless too many are open.
func (s *Socket) awaitAck(id int64, f func(adapter.Answer)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state.Load() == disconnected: // no answer will come any more
		return s.look().reason
	case len(s.look().acks) >= s.nsp.srv.opts.MaxPendingAcks:
		s.nsp.srv.hit("MaxPendingAcks")
		return ErrTooManyAcks
	}
	rare := s.need()
	if rare.acks == nil {
		rare.acks = make(ackTable)
	}
	rare.acks[id] = f
	return nil
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
