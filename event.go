package socketio

import (
	"context"
	"fmt"
)

// An Event is the name of an event bound to the type of its arguments. Declare
// each one once, in a package that all who use it share:
//
//	var Say = socketio.NewEvent[Said]("chat message")
//
// T is the one argument; for several see [Positional], for none [None]. []byte
// anywhere in it is a binary attachment. The zero Event is not usable.
type Event[T any] struct {
	name string
	args *argPlan
}

// NewEvent panics on a reserved name and on a T that cannot be an argument,
// which both are mistakes in the program.
func NewEvent[T any](name string) Event[T] {
	if reserved(name) {
		panic(fmt.Sprintf("socketio: %q is a reserved event name", name))
	}
	return Event[T]{name: name, args: planFor[T]()}
}

// Name returns the name on the wire.
func (e Event[T]) Name() string { return e.name }

// Handle registers h for all sockets of r. It panics if the event has a handler
// there. It costs nothing per socket.
func (e Event[T]) Handle(r Registrar, h func(context.Context, *Socket, T) error, opts ...HandlerOption) {
	r.handle(newHandler(e.name, func(ctx context.Context, s *Socket, m *Message) error {
		v, err := decodeArgs[T](e.args, m)
		if err != nil {
			return err
		}
		return h(ctx, s, v)
	}, opts))
}

// On calls h for each such event of l, until off is called.
func (e Event[T]) On(l Listener, h func(context.Context, T) error) (off func()) {
	return l.On(e.name, func(ctx context.Context, m *Message) error {
		var v T
		if err := e.args.decode(m, &v); err != nil {
			return err
		}
		return h(ctx, v)
	})
}

// Emit sends the event to a socket, a room, a namespace.
func (e Event[T]) Emit(to Emitter, v T) error { return to.Emit(e.name, e.args.encode(v)...) }

// EmitContext is [Socket.EmitContext].
func (e Event[T]) EmitContext(ctx context.Context, to *Socket, v T) error {
	return to.EmitContext(ctx, e.name, e.args.encode(v)...)
}

// Decode returns the arguments of m as a T. It is for catch-all listeners and
// middleware.
func (e Event[T]) Decode(m *Message) (T, error) {
	var v T
	err := e.args.decode(m, &v)
	return v, err
}

// A Registrar takes handlers for all sockets of a kind: a [Server], a
// [Namespace] or a [ParentNamespace].
type Registrar interface {
	handle(*handler)
}

// A HandlerOption changes how a handler is called.
type HandlerOption struct{ concurrent bool }

// Concurrent runs a handler beside the others of its socket, so that later
// events do not wait for it: a "cancel" must reach the job it ends. The events
// in flight still count against Options.MaxReceivedEvents.
var Concurrent = HandlerOption{concurrent: true}

// newHandler is for a call that keeps the Message to itself.
func newHandler(event string, call EventFunc, opts []HandlerOption) *handler {
	h := &handler{event: event, call: call, typed: true}
	for _, o := range opts {
		h.concurrent = h.concurrent || o.concurrent
	}
	return h
}
