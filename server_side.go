package socketio

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"runtime/debug"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/parser"
)

// ServerCount returns how many nodes serve the namespace, with this one.
func (n *Namespace) ServerCount(ctx context.Context) (int, error) {
	return n.adapter.ServerCount(ctx)
}

// ServerSideEmit sends an event to the other nodes of the cluster, whose
// OnServerSide handlers get it, and never to this one. Arguments must encode as
// JSON. The error is about the encoding and the way to the other nodes.
func (n *Namespace) ServerSideEmit(event string, args ...any) error {
	if err := checkServerEvent(event); err != nil {
		return err
	}
	return n.adapter.ServerSideEmit(event, args)
}

// ServerSideEmitWithAck sends an event to the other nodes when it is ranged
// over, and yields their answers as they come, one per node. If some did not
// answer before ctx ended, the last pair is a [*PartialError] that names them.
func (n *Namespace) ServerSideEmitWithAck(ctx context.Context, event string, args ...any) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		if err := checkServerEvent(event); err != nil {
			yield(nil, err)
			return
		}
		for a, err := range n.adapter.ServerSideEmitWithAck(ctx, event, args) {
			if err != nil {
				yield(nil, clusterError(err))
				return
			}
			if !yield(serverMessage(event, a.Args, a.Attachments), nil) {
				return
			}
		}
	}
}

func serverMessage(event string, args, attachments [][]byte) *Message {
	// Between nodes it is JSON, whatever clients speak.
	return &Message{codec: parser.JSON, event: event, packet: parser.Packet{
		Type: parser.Event, ID: parser.NoID, Args: args, Attachments: attachments,
	}}
}

func checkServerEvent(event string) error {
	switch event {
	case "connect", "connection", "new_namespace":
		return fmt.Errorf("socketio: server-side emit: %q is a reserved event name", event)
	}
	return nil
}

// OnServerSide calls h for each such event that another node sends. Handlers
// run on goroutines of their own; ctx ends with the server. If the other node
// wants an answer, h gives it by Message.Ack; an error is logged, and then the
// other node gets none.
func (n *registry) OnServerSide(event string, h HandlerFunc) {
	n.register(func(hooks *namespaceHooks) {
		handlers := make(map[string][]func(context.Context, *Message) error, len(hooks.serverSide)+1)
		for name, old := range hooks.serverSide {
			handlers[name] = old
		}
		handlers[event] = extend(handlers[event], (func(context.Context, *Message) error)(h))
		hooks.serverSide = handlers
	})
}

// ServerSide implements [adapter.Host].
func (h host) ServerSide(m adapter.ServerMessage, reply func(json.RawMessage)) {
	handlers := h.n.hooks.Load().serverSide[m.Event]
	if len(handlers) == 0 {
		return
	}
	msg := serverMessage(m.Event, m.Args, m.Attachments)
	if reply != nil {
		msg.packet.ID = 0
		msg.reply = func(e parser.Encoded) error {
			p, err := parser.JSON.Decode(e.Head, false, nil)
			if err != nil {
				return err
			}
			answer := json.RawMessage("null")
			if len(p.Args) > 0 {
				answer = p.Args[0]
			}
			reply(answer)
			return nil
		}
	}
	srv := h.n.srv
	srv.work.add()
	go func() {
		defer srv.work.done()
		for _, f := range handlers {
			h.n.guard(m.Event, func() {
				if err := f(srv.ctx, msg); err != nil {
					srv.opts.Logger.Warn("error of a server-side handler", "nsp", h.n.name, "event", m.Event, "error", err)
				}
			})
		}
	}()
}

// guard logs a panic of what belongs to no socket.
func (n *Namespace) guard(what string, f func()) {
	defer func() {
		if v := recover(); v != nil {
			if missed, ok := n.srv.panics.Allow(); ok {
				n.srv.opts.Logger.Error("panic in a hook", "nsp", n.name, "in", what, "panic", v, "stack", string(debug.Stack()), "unlogged", missed)
			}
		}
	}()
	f()
}

// ServerSideEmit sends the event to the other nodes of the cluster; see
// [Namespace.ServerSideEmit].
func (e Event[T]) ServerSideEmit(n *Namespace, v T) error {
	return n.ServerSideEmit(e.name, e.args.encode(v)...)
}

// OnServerSide calls h for each such event that another node sends to r, which
// is a [Server], a [Namespace] or a [ParentNamespace].
func (e Event[T]) OnServerSide(r ServerListener, h func(context.Context, T) error) {
	r.OnServerSide(e.name, func(ctx context.Context, m *Message) error {
		var v T
		if err := e.args.decode(m, &v); err != nil {
			return err
		}
		return h(ctx, v)
	})
}

// ServerSideEmit sends the event to the other nodes when it is ranged over, and
// yields their answers; see [Namespace.ServerSideEmitWithAck]. An answer that
// does not fit is an error of its own, with which the sequence goes on.
func (e EventWithAck[T, A]) ServerSideEmit(ctx context.Context, n *Namespace, v T) iter.Seq2[A, error] {
	return func(yield func(A, error) bool) {
		for m, err := range n.ServerSideEmitWithAck(ctx, e.event.name, e.event.args.encode(v)...) {
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

// OnServerSide answers each such event that another node sends to r. An error
// is logged, and the other node gets no answer.
func (e EventWithAck[T, A]) OnServerSide(r ServerListener, h func(context.Context, T) (A, error)) {
	r.OnServerSide(e.event.name, func(ctx context.Context, m *Message) error {
		var v T
		if err := e.event.args.decode(m, &v); err != nil {
			return err
		}
		a, err := h(ctx, v)
		if err != nil || !m.WantsAck() {
			return err
		}
		return m.Ack(e.ack.encode(a)...)
	})
}

// A ServerListener takes handlers for the events of other nodes: a [Server], a
// [Namespace] or a [ParentNamespace].
type ServerListener interface {
	OnServerSide(event string, h HandlerFunc)
}
