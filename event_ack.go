package socketio

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// An EventWithAck is an event of type T whose receiver answers with an A. What
// a handler returns is the answer; an error it returns instead is sent in the
// way of [Namespace.AckErrors].
type EventWithAck[T, A any] struct {
	event Event[T] // not embedded: its On would compile and never answer
	ack   *argPlan
}

// NewEventWithAck panics as NewEvent does.
func NewEventWithAck[T, A any](name string) EventWithAck[T, A] {
	return EventWithAck[T, A]{event: NewEvent[T](name), ack: planFor[A]()}
}

// Name returns the name on the wire.
func (e EventWithAck[T, A]) Name() string { return e.event.name }

// Handle registers h for all sockets of r. It panics if the event has a handler
// there. It costs nothing per socket.
func (e EventWithAck[T, A]) Handle(r Registrar, h func(context.Context, *Socket, T) (A, error), opts ...HandlerOption) {
	r.handle(newHandler(e.event.name, func(ctx context.Context, s *Socket, m *Message) error {
		v, err := decodeArgs[T](e.event.args, m)
		if err != nil {
			return err
		}
		a, err := h(ctx, s, v)
		if err != nil {
			return err
		}
		return e.reply(m, a)
	}, opts))
}

// On answers each such event of l, until off is called.
func (e EventWithAck[T, A]) On(l Listener, h func(context.Context, T) (A, error)) (off func()) {
	return l.On(e.event.name, func(ctx context.Context, m *Message) error {
		v, err := decodeArgs[T](e.event.args, m)
		if err != nil {
			return err
		}
		a, err := h(ctx, v)
		if err != nil {
			return err
		}
		return e.reply(m, a)
	})
}

func (e EventWithAck[T, A]) reply(m *Message, a A) error {
	if !m.WantsAck() {
		return nil
	}
	values := m.answer[:]
	if e.ack.spread {
		values = e.ack.encode(a)
	} else {
		values[0] = a
	}
	err := m.Ack(values...)
	m.answer[0] = nil
	if errors.Is(err, ErrDisconnected) {
		return nil
	}
	return err
}

// Emit sends the event and asks for no answer.
func (e EventWithAck[T, A]) Emit(to Emitter, v T) error { return e.event.Emit(to, v) }

// EmitWithAck sends the event and waits for the answer, until ctx is done or
// the peer is gone.
func (e EventWithAck[T, A]) EmitWithAck(ctx context.Context, to AckEmitter, v T) (A, error) {
	m, err := to.EmitWithAck(ctx, e.event.name, e.event.args.encode(v)...)
	if err != nil {
		var none A
		return none, fmt.Errorf("emit %q: %w", e.event.name, err)
	}
	return e.answer(m)
}

// Broadcast sends the event to the sockets that op selects when it is ranged
// over, and yields the answers as they come; see
// [BroadcastOperator.EmitWithAcks]. An answer that does not fit is an error of
// its own, with which the sequence goes on.
func (e EventWithAck[T, A]) Broadcast(ctx context.Context, op *BroadcastOperator, v T) iter.Seq2[A, error] {
	return func(yield func(A, error) bool) {
		for m, err := range op.EmitWithAcks(ctx, e.event.name, e.event.args.encode(v)...) {
			var a A
			if err == nil {
				a, err = e.answer(m)
			}
			if !yield(a, err) {
				return
			}
		}
	}
}

func (e EventWithAck[T, A]) answer(m *Message) (A, error) {
	var a A
	err := e.ack.decode(m, &a)
	return a, err
}
