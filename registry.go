package socketio

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sockeye-go/socketio/adapter"
)

// A registry is what was registered for all sockets of a [Namespace], or of the
// namespaces of a [ParentNamespace], which both have its methods.
type registry struct {
	name  string
	mu    sync.Mutex // serialises registration
	hooks atomic.Pointer[namespaceHooks]
	// observe begins to listen to the adapter's room events; nil on a parent.
	observe func()
}

func (n *registry) init(name string) {
	n.name = name
	n.hooks.Store(&namespaceHooks{ackErrors: DefaultAckErrors})
}

// namespaceHooks is what was registered. It is replaced, never changed, so that
// a packet finds it without a lock.
type namespaceHooks struct {
	use                       []ConnectFunc
	connection                []func(context.Context, *Socket) error
	disconnecting, disconnect []func(context.Context, *Socket, DisconnectReason)
	handlers                  map[string]*handler
	useEvents                 []EventFunc
	any                       []EventFunc
	anyOutgoing               []func(s *Socket, event string, args []any)
	onError                   []func(context.Context, *Socket, error)
	ackErrors                 func(error) any
	rooms                     []func(adapter.RoomEvent)
	serverSide                map[string][]func(context.Context, *Message) error
	shutdown                  []func(context.Context)
}

// A handler is one event's, for all sockets of a namespace.
type handler struct {
	event      string
	call       EventFunc
	concurrent bool
	typed      bool // nobody sees the Message, only what was decoded from it
}

// A ConnectFunc admits (nil) or refuses a socket that asks to join a namespace.
// The socket is not connected yet: it may be given data and rooms, and what is
// emitted to it arrives before its connect event. There is no next to call or
// to forget. ctx ends when the client leaves.
type ConnectFunc func(ctx context.Context, s *Socket) error

// An EventFunc sees an event of any socket of a namespace.
type EventFunc func(ctx context.Context, s *Socket, m *Message) error

// register changes a copy of the hooks.
func (n *registry) register(change func(*namespaceHooks)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := *n.hooks.Load()
	change(&h)
	n.hooks.Store(&h)
}

// extend is append for a slice that others read.
func extend[T any](s []T, v T) []T { return append(slices.Clip(s), v) }

// Use adds a middleware for connections: it runs once for each socket, in the
// order of registration, and the first error ends the chain. A [*ConnectError]
// is sent to the client; any other error is logged and the client is told
// nothing but that there was one.
func (n *registry) Use(f ConnectFunc) {
	n.register(func(h *namespaceHooks) { h.use = extend(h.use, f) })
}

// OnConnection calls f for each socket that has joined. It runs to its end
// before the first event of that socket is dispatched, so that a listener
// registered in it misses nothing. An error is reported and disconnects the
// socket.
func (n *registry) OnConnection(f func(ctx context.Context, s *Socket) error) {
	n.register(func(h *namespaceHooks) { h.connection = extend(h.connection, f) })
}

// OnDisconnecting calls f for each socket that leaves, while [Socket.Rooms]
// still says where it was. It runs after the handlers of everything that the
// socket had sent.
func (n *registry) OnDisconnecting(f func(ctx context.Context, s *Socket, reason DisconnectReason)) {
	n.register(func(h *namespaceHooks) { h.disconnecting = extend(h.disconnecting, f) })
}

// OnDisconnect calls f for each socket that has left, after OnDisconnecting.
func (n *registry) OnDisconnect(f func(ctx context.Context, s *Socket, reason DisconnectReason)) {
	n.register(func(h *namespaceHooks) { h.disconnect = extend(h.disconnect, f) })
}

// UseEvents adds a middleware for events: it sees each before its handlers, can
// replace its arguments ([Message.Replace]), and refuses it by an error, which
// goes to the error hooks and, in the way of any handler's error, into the ack.
func (n *registry) UseEvents(f EventFunc) {
	n.register(func(h *namespaceHooks) { h.useEvents = extend(h.useEvents, f) })
}

// OnAny calls f for every event that arrives, before middleware and handlers.
// An error is reported and changes nothing.
func (n *registry) OnAny(f EventFunc) {
	n.register(func(h *namespaceHooks) { h.any = extend(h.any, f) })
}

// OnAnyOutgoing calls f for every event that is sent to a socket, before it is
// sent; args must not be changed.
func (n *registry) OnAnyOutgoing(f func(s *Socket, event string, args []any)) {
	n.register(func(h *namespaceHooks) { h.anyOutgoing = extend(h.anyOutgoing, f) })
}

// OnError calls f for every error of a handler, of event middleware and of
// packets that could not be understood. Without such a hook, here or on the
// socket, they are logged.
func (n *registry) OnError(f func(ctx context.Context, s *Socket, err error)) {
	n.register(func(h *namespaceHooks) { h.onError = extend(h.onError, f) })
}

// AckErrors says what is sent as the ack when a handler returns an error: the
// value that f returns, or nothing if that is nil. Default [DefaultAckErrors].
func (n *registry) AckErrors(f func(error) any) {
	n.register(func(h *namespaceHooks) { h.ackErrors = f })
}

// handle registers the handler of an event. It panics if there is one: two of
// them are a mistake that should show at start-up.
func (n *registry) handle(h *handler) {
	n.register(func(hooks *namespaceHooks) {
		handlers := make(map[string]*handler, len(hooks.handlers)+1)
		for name, old := range hooks.handlers {
			handlers[name] = old
		}
		if handlers[h.event] != nil {
			panic(fmt.Sprintf("socketio: namespace %q: event %q has a handler already", n.name, h.event))
		}
		handlers[h.event] = h
		hooks.handlers = handlers
	})
}
