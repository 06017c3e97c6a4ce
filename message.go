package socketio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio/parser"
)

// A Message is a received event, or the answer to one. It is valid until its
// handler returns, unless it is detached. It belongs to its handler: only Ack
// may be called concurrently.
type Message struct {
	socket *Socket // nil for an answer
	codec  parser.Parser
	event  string
	packet parser.Packet
	acked  atomic.Bool
	answer [1]any // room for the values of Ack
	// handedOut: code of the user's has seen this Message and may have kept it.
	handedOut bool
	taken     bool // there was a handler
	bad       bool // one returned an error
	detached  bool
	once      *onceClient                // of a client that repeats this if it is not answered
	end       *ending                    // nil unless OnHandled was called
	reply     func(parser.Encoded) error // of a client's socket, in place of socket
}

// NewMessage makes the Message of a packet that came to a client, for package
// client. reply sends an ack; nil for an answer.
func NewMessage(codec parser.Parser, p parser.Packet, event string, reply func(parser.Encoded) error) *Message {
	return &Message{codec: codec, event: event, packet: p, reply: reply}
}

// Event returns the name of the event.
func (m *Message) Event() string { return m.event }

// Socket returns the server's socket that the event came to; nil for an answer
// and in a client.
func (m *Message) Socket() *Socket { return m.socket }

// Len returns the number of arguments.
func (m *Message) Len() int { return len(m.packet.Args) }

// Size returns how many bytes the name and the arguments have, with attachments.
func (m *Message) Size() int {
	n := len(m.event) + attachmentBytes(m.packet)
	for _, arg := range m.packet.Args {
		n += len(arg)
	}
	return n
}

// Raw returns an argument as it came, in the encoding of Options.Parser: JSON with
// placeholders for binary attachments, unless that says otherwise. It is for logs
// and gateways; see Decode.
func (m *Message) Raw(i int) []byte { return m.packet.Args[i] }

// Decode fills dst, which are pointers, from the arguments, in order. Missing
// arguments leave their destination alone and surplus ones are ignored, as in
// JavaScript. The error is an [*ArgumentError]. Binary attachments become
// []byte, which the caller then owns.
func (m *Message) Decode(dst ...any) error {
	for i, d := range dst[:min(len(dst), len(m.packet.Args))] {
		if err := m.decode(i, d); err != nil {
			return err
		}
	}
	return nil
}

func (m *Message) decode(i int, dst any) error {
	if err := m.codec.Unmarshal(m.packet.Args[i], m.packet.Attachments, dst); err != nil {
		return &ArgumentError{Event: m.event, Index: i, Err: err}
	}
	return nil
}

// Args decodes the arguments into what they look like: map[string]any, []any,
// string, float64, bool, nil and []byte.
func (m *Message) Args() ([]any, error) {
	args := make([]any, len(m.packet.Args))
	for i := range args {
		if err := m.decode(i, &args[i]); err != nil {
			return nil, err
		}
	}
	return args, nil
}

// Replace sets other arguments, for the handlers that come after a middleware.
func (m *Message) Replace(args ...any) error {
	values := append([]any{m.event}, args...)
	e, err := m.codec.Encode(parser.Header{Type: parser.Event, ID: parser.NoID}, values...)
	if err != nil {
		return fmt.Errorf("socketio: replace arguments of %q: %w", m.event, err)
	}
	own := e
	if len(e.Attachments) > 0 {
		own = ownAttachments(e)
	}
	lim := parser.Limits{MaxAttachments: len(own.Attachments), MaxArguments: len(args) + 1}
	p, err := m.codec.Decode(own.Head, own.HeadBinary, &lim)
	if err != nil {
		return fmt.Errorf("socketio: replace arguments of %q: %w", m.event, err)
	}
	m.packet.Args, m.packet.Attachments = p.Args, own.Attachments
	if own.HeadBinary {
		m.packet.Attachments = p.Attachments
	}
	return nil
}

// WantsAck reports whether the sender waits for an answer that has not been
// given yet.
func (m *Message) WantsAck() bool {
	return (m.socket != nil || m.reply != nil) && m.packet.ID != parser.NoID && !m.acked.Load()
}

// Ack answers the sender. It does so once: [ErrAcked] reports a second call,
// [ErrNoAck] that no answer was asked for.
func (m *Message) Ack(values ...any) error {
	if m.socket == nil && m.reply == nil || m.packet.ID == parser.NoID {
		return ErrNoAck
	}
	if m.acked.Swap(true) {
		return ErrAcked
	}
	if m.reply != nil {
		h := parser.Header{Type: parser.Ack, Namespace: string(m.packet.Namespace), ID: m.packet.ID}
		e, err := m.codec.Encode(h, values...)
		if err != nil {
			m.acked.Store(false)
			return fmt.Errorf("socketio: ack of %q: %w", m.event, err)
		}
		return m.reply(e)
	}
	s := m.socket
	if s.state.Load() == disconnected && m.once == nil {
		return ErrDisconnected
	}
	h := parser.Header{Type: parser.Ack, Namespace: s.nsp.name, ID: m.packet.ID}
	room := packetRooms.Get().(*packetRoom)
	defer room.free()
	e, err := room.encode(m.codec, h, values)
	if err != nil {
		m.acked.Store(false) // so that an error can still be answered
		return fmt.Errorf("socketio: ack of %q: %w", m.event, err)
	}
	if m.once != nil {
		e.Head = bytes.Clone(e.Head) // it is kept
		if s = m.once.answered(s.nsp.name, m.packet.ID, e); s == nil || s.state.Load() == disconnected {
			return nil // the client asks again, if it wants to know
		}
	}
	if s.kept() != nil && s.nsp.late {
		return s.sendInOrder(prepare(ownAttachments(e)))
	}
	return s.sendEncoded(e, 0)
}

// An ending is what OnHandled was given, who observes the event, and its first
// error.
type ending struct {
	hooks []func(error)
	err   error

	observers []*Observer
	ctx       context.Context // of the handlers
	began     time.Duration
}

// OnHandled calls f when all handlers of the event have returned, with the first
// error of them or of the middleware, nil if there was none. Call it in
// middleware: by it a middleware sees what became of an event, how long it took
// for one. It does nothing on an answer and in a client.
func (m *Message) OnHandled(f func(err error)) {
	if m.end == nil {
		m.end = new(ending)
	}
	m.end.hooks = append(m.end.hooks, f)
}

func (m *Message) failed(err error) {
	m.bad = true
	if m.end != nil && m.end.err == nil {
		m.end.err = err
	}
}

func (m *Message) handled() {
	if m.end != nil {
		for _, f := range m.end.hooks {
			f(m.end.err)
		}
		if len(m.end.observers) > 0 {
			m.observed()
		}
	}
}

// observed tells who observes the event that it has been handled.
func (m *Message) observed() {
	took := m.socket.nsp.srv.clock() - m.end.began
	for _, o := range m.end.observers {
		if o.Handled != nil {
			o.Handled(m.end.ctx, m, took, m.end.err)
		}
	}
}

// Detach returns a Message that stays valid after the handler has returned, for
// an answer that is given later.
func (m *Message) Detach() *Message {
	m.detached = true
	return m
}

// DefaultAckErrors is what AckErrors is unless set: an [*AckError] in the
// error's chain is sent as it is, arguments that do not fit as the code
// "bad_arguments", and anything else as a bare "internal", so that no detail
// leaks to a browser.
func DefaultAckErrors(err error) any {
	type failure struct {
		Error *AckError `json:"error"`
	}
	if e, ok := errors.AsType[*AckError](err); ok {
		return failure{e}
	}
	if e, ok := errors.AsType[*ArgumentError](err); ok {
		text := fmt.Sprintf("argument %d of %q does not fit", e.Index, e.Event)
		if field := e.Field(); field != "" {
			text = fmt.Sprintf("field %q of argument %d of %q does not fit", field, e.Index, e.Event)
		}
		return failure{&AckError{Code: "bad_arguments", Message: text}}
	}
	return failure{&AckError{Code: "internal", Message: "internal error"}}
}
