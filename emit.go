package socketio

import (
	"bytes"
	"context"
	"fmt"
	"sync"

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
	room := packetRooms.Get().(*packetRoom)
	defer room.free()
	e, err := room.encode(s.nsp.srv.opts.Parser, h, values)
	if err != nil {
		return fmt.Errorf("socketio: emit %q: %w", event, err)
	}
	s.outgoing(event, args)
	return s.sendEncoded(e, f)
}

// A packetRoom is memory for a packet that is sent to one client: it is used again
// when the engine has copied it, into a frame or a queue.
type packetRoom struct{ buf []byte }

var packetRooms = sync.Pool{New: func() any { return new(packetRoom) }}

// maxPacketRoom bounds, in bytes, what is kept for the next packet.
const maxPacketRoom = 80 << 10

// encode encodes a packet that is valid until free, if the parser can.
func (r *packetRoom) encode(codec parser.Parser, h parser.Header, values []any) (parser.Encoded, error) {
	c, ok := codec.(interface {
		EncodeTo(buf []byte, h parser.Header, values ...any) (parser.Encoded, error)
	})
	if !ok {
		return codec.Encode(h, values...)
	}
	e, err := c.EncodeTo(r.buf, h, values...)
	if cap(e.Head) > cap(r.buf) {
		r.buf = e.Head[:0]
	}
	return e, err
}

func (r *packetRoom) free() {
	if cap(r.buf) <= maxPacketRoom {
		packetRooms.Put(r)
	}
}

// sendEncoded sends what was encoded for this socket alone.
func (s *Socket) sendEncoded(e parser.Encoded, f engineio.Flags) error {
	msgs := make([]engineio.Message, 0, 4)
	msgs = append(msgs, engineio.Message{Binary: e.HeadBinary, Data: e.Head})
	for _, a := range e.Attachments {
		msgs = append(msgs, engineio.Message{Binary: true, Data: a})
	}
	return sendError(s.conn.sendMessages(f, msgs...))
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
	if !s.reachable() {
		return false
	}
	// It may be a handler of this very client who waits: reading goes on meanwhile.
	s.conn.waits(1)
	answered := func(a adapter.Answer) {
		s.conn.waits(-1)
		answer(a)
	}
	if s.awaitAck(p.ID, answered) != nil {
		s.conn.waits(-1)
		return false
	}
	s.outgoing(p.Event, p.Args)
	if err := s.conn.send(p.Prepared, p.Flags); err != nil {
		if f := s.takeAck(p.ID); f != nil {
			f(adapter.Answer{Err: err})
		}
	}
	return true
}

// CancelAck implements [adapter.Member].
func (s *Socket) CancelAck(id int64) {
	if s.takeAck(id) != nil {
		s.conn.waits(-1)
	}
}
