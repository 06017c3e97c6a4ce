package socketio

import (
	"bytes"
	"context"
	"fmt"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// An Emitter sends events: a [Socket], [Namespace], [Server] or
// [BroadcastOperator]. Values may be anything that encodes as JSON, and []byte
// anywhere in them: any goes out of a program, and never comes in.
type Emitter interface {
	Emit(event string, args ...any) error
}

// An AckEmitter sends an event to one peer and waits for its answer.
type AckEmitter interface {
	EmitWithAck(ctx context.Context, event string, args ...any) (*Message, error)
}

// Emit sends an event to this socket's client. It queues and returns; the error
// says that the socket is disconnected, that its client is too slow, or that a
// value does not encode, and nothing about the arrival.
func (s *Socket) Emit(event string, args ...any) error { return s.emit(0, event, args) }

// EmitContext is Emit for who would rather wait than have a slow client cut: it
// waits until at most half of Options.MaxQueuedBytes waits for the client, and
// returns the cause of ctx if that takes too long. Each caller that waits needs
// a goroutine; a broadcast never waits.
func (s *Socket) EmitContext(ctx context.Context, event string, args ...any) error {
	if err := s.conn.sess.AwaitRoom(ctx); err != nil {
		return sendError(err)
	}
	return s.emit(0, event, args)
}

func (s *Socket) emit(f engineio.Flags, event string, args []any) error {
	if err := checkEvent(event); err != nil {
		return err
	}
	if s.nsp.recoverer != nil {
		if done, err := s.emitKept(f, event, args); done {
			return err
		}
	}
	if s.state.Load() == disconnected {
		return ErrDisconnected
	}
	values := make([]any, 0, 8)
	values = append(values, event)
	values = append(values, args...)
	h := parser.Header{Type: parser.Event, Namespace: s.nsp.name, ID: parser.NoID}
	e, err := s.nsp.srv.opts.Parser.Encode(h, values...)
	if err != nil {
		return fmt.Errorf("socketio: emit %q: %w", event, err)
	}
	s.outgoing(event, args)
	return s.sendEncoded(e, f)
}

// sendEncoded sends what was encoded for this socket alone.
func (s *Socket) sendEncoded(e parser.Encoded, f engineio.Flags) error {
	if len(e.Attachments) == 0 {
		return sendError(s.conn.sendMessage(engineio.Message{Binary: e.HeadBinary, Data: e.Head}, f))
	}
	if s.conn.sess.Transport() == engineio.Polling {
		// Attachments are the caller's bytes, and would be read when the poll
		// comes. A WebSocket has copied them when Send returns.
		e = ownAttachments(e)
	}
	return sendError(s.conn.send(prepare(e), f))
}

func ownAttachments(e parser.Encoded) parser.Encoded {
	own := make([][]byte, len(e.Attachments))
	for i, a := range e.Attachments {
		own[i] = bytes.Clone(a)
	}
	e.Attachments = own
	return e
}

// outgoing calls the catch-all listeners for what is sent.
func (s *Socket) outgoing(event string, args []any) {
	for _, f := range s.nsp.hooks.Load().anyOutgoing {
		f(s, event, args)
	}
	if own := s.ownHooks(); own != nil {
		for _, f := range own.anyOutgoing {
			(*f)(event, args)
		}
	}
	if w := s.nsp.srv.watch.Load(); w != nil {
		w.sent(s, event, args)
	}
}

// Membership implements [adapter.Member].
func (s *Socket) Membership() *adapter.Membership { return &s.member }

// Deliver implements [adapter.Member]; use Emit.
func (s *Socket) Deliver(p *adapter.Packet) {
	if !s.reachable() {
		return
	}
	if !p.Quiet {
		s.outgoing(p.Event, p.Args)
	}
	s.conn.send(p.Prepared, p.Flags)
}

// reachable reports whether broadcasts go to the socket. For one whose CONNECT is
// being sent it waits until that is done.
func (s *Socket) reachable() bool {
	switch s.state.Load() {
	case connected:
		return true
	case admitted:
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.state.Load() == connected
	}
	return false
}

// Announce implements [adapter.Member].
func (s *Socket) Announce(p *adapter.Packet) {
	if s.reachable() {
		s.outgoing(p.Event, p.Args)
	}
}

// DeliverWithAck implements [adapter.Member]; use EmitWithAck.
func (s *Socket) DeliverWithAck(p *adapter.Packet, answer func(adapter.Answer)) bool {
	if !s.reachable() || s.awaitAck(p.ID, answer) != nil {
		return false
	}
	s.outgoing(p.Event, p.Args)
	if err := s.conn.send(p.Prepared, p.Flags); err != nil {
		if f := s.acks.take(p.ID); f != nil {
			f(adapter.Answer{Err: err})
		}
	}
	return true
}

// CancelAck implements [adapter.Member].
func (s *Socket) CancelAck(id int64) { s.acks.take(id) }
