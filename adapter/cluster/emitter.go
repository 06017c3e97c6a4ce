package cluster

import (
	"context"
	"slices"
	"strings"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
)

// An Emitter emits to the sockets of all servers of a cluster from a program that
// is none. Its methods that select return another, which may be kept and shared.
// Acks are not possible.
type Emitter struct {
	send   func(context.Context, *Message) error
	nsp    string
	target adapter.Target
	flags  engineio.Flags
	nobody bool // rooms were named, but none
}

// NewEmitter returns an emitter for the namespace "/" that has send carry its
// messages to the nodes.
func NewEmitter(send func(context.Context, *Message) error) *Emitter {
	return &Emitter{send: send, nsp: "/"}
}

// Of returns an emitter for another namespace. A leading slash may be left out.
func (e *Emitter) Of(nsp string) *Emitter {
	if !strings.HasPrefix(nsp, "/") {
		nsp = "/" + nsp
	}
	return &Emitter{send: e.send, nsp: nsp}
}

// To selects the sockets in any of rooms.
func (e *Emitter) To(rooms ...string) *Emitter {
	c := *e
	c.target.Rooms = append(slices.Clip(c.target.Rooms), rooms...)
	c.nobody = len(c.target.Rooms) == 0
	return &c
}

// Except selects the sockets that are in none of rooms.
func (e *Emitter) Except(rooms ...string) *Emitter {
	c := *e
	c.target.Except = append(slices.Clip(c.target.Except), rooms...)
	return &c
}

// Volatile emits to those who are ready for it.
func (e *Emitter) Volatile() *Emitter {
	c := *e
	c.flags |= engineio.Volatile
	return &c
}

// Compress says whether what is emitted may be compressed.
func (e *Emitter) Compress(yes bool) *Emitter {
	c := *e
	c.flags &^= engineio.NoCompress
	if !yes {
		c.flags |= engineio.NoCompress
	}
	return &c
}

// Emit sends an event to the selected sockets. It returns when the broker has it.
func (e *Emitter) Emit(ctx context.Context, event string, args ...any) error {
	return e.values(ctx, &Message{Type: Broadcast, Flags: e.flags}, event, args)
}

// Bind returns what emits with ctx, in the form that typed events take:
//
//	Paid.Emit(emitter.To("x").Bind(ctx), order)
func (e *Emitter) Bind(ctx context.Context) Bound { return Bound{ctx, e} }

// A Bound is an [Emitter] with the context of its emits.
type Bound struct {
	ctx context.Context
	e   *Emitter
}

// Emit sends an event to the selected sockets.
func (b Bound) Emit(event string, args ...any) error { return b.e.Emit(b.ctx, event, args...) }

// SocketsJoin puts the selected sockets into rooms.
func (e *Emitter) SocketsJoin(ctx context.Context, rooms ...string) error {
	return e.message(ctx, &Message{Type: SocketsJoin, Rooms: rooms})
}

// SocketsLeave takes the selected sockets out of rooms.
func (e *Emitter) SocketsLeave(ctx context.Context, rooms ...string) error {
	return e.message(ctx, &Message{Type: SocketsLeave, Rooms: rooms})
}

// DisconnectSockets disconnects the selected sockets from the namespace, or
// closes their connections.
func (e *Emitter) DisconnectSockets(ctx context.Context, closeConnection bool) error {
	return e.message(ctx, &Message{Type: DisconnectSockets, CloseConnection: closeConnection})
}

// ServerSideEmit sends an event to the servers.
func (e *Emitter) ServerSideEmit(ctx context.Context, event string, args ...any) error {
	return e.values(ctx, &Message{Type: ServerSideEmit}, event, args)
}

func (e *Emitter) values(ctx context.Context, m *Message, event string, args []any) (err error) {
	if m.Values, err = NewValues(append([]any{event}, args...)...); err != nil {
		return err
	}
	return e.message(ctx, m)
}

func (e *Emitter) message(ctx context.Context, m *Message) error {
	if e.nobody {
		return nil
	}
	m.UID, m.NSP, m.Target = emitterUID, e.nsp, e.target
	return e.send(ctx, m)
}
