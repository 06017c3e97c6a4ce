package socketio

import (
	"context"
	"slices"
)

// A Listener takes handlers for the events of one peer: a [Socket].
type Listener interface {
	On(event string, h HandlerFunc) (off func())
}

// A HandlerFunc handles an event. ctx ends when the socket disconnects; an
// error goes to the error hooks, and into the ack if one is wanted.
type HandlerFunc func(ctx context.Context, m *Message) error

// socketHooks is what was registered on one socket. The slices are replaced,
// never changed: readers take them under the lock and walk without it.
type socketHooks struct {
	on            map[string][]*listener
	any           []*HandlerFunc
	use           []*HandlerFunc
	anyOutgoing   []*func(event string, args []any)
	onError       []func(context.Context, error)
	closing       []*func()
	disconnecting []func(DisconnectReason)
	disconnect    []func(DisconnectReason)
}

type listener struct {
	call HandlerFunc
	once bool
}

// change registers something on the socket.
func (s *Socket) change(f func(*socketHooks)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rare := s.need()
	if rare.hooks == nil {
		rare.hooks = new(socketHooks)
		s.state.hook()
	}
	f(rare.hooks)
}

// ownHooks returns a copy that can be read without the lock; nil if nothing was
// registered. The map is not part of it.
func (s *Socket) ownHooks() *socketHooks {
	if !s.state.hooked() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	own := *s.rare.hooks
	own.on = nil
	return &own
}

func (s *Socket) errorHooks() []func(context.Context, error) {
	if own := s.ownHooks(); own != nil {
		return own.onError
	}
	return nil
}

// On calls h for each event of this name, until off is called. Several handlers
// of an event run in the order of registration. Where the handler is the same
// for all sockets, [Event.Handle] costs nothing per socket.
func (s *Socket) On(event string, h HandlerFunc) (off func()) {
	return s.listen(event, &listener{call: h})
}

// Once is On for the next such event only.
func (s *Socket) Once(event string, h HandlerFunc) (off func()) {
	return s.listen(event, &listener{call: h, once: true})
}

func (s *Socket) listen(event string, l *listener) (off func()) {
	s.change(func(hooks *socketHooks) {
		if hooks.on == nil {
			hooks.on = make(map[string][]*listener)
		}
		hooks.on[event] = extend(hooks.on[event], l)
	})
	return func() { s.unlisten(event, l) }
}

func (s *Socket) unlisten(event string, l *listener) {
	s.change(func(hooks *socketHooks) {
		rest := without(hooks.on[event], l)
		if len(rest) == 0 {
			delete(hooks.on, event)
		} else {
			hooks.on[event] = rest
		}
	})
}

// without returns a copy of s without v.
func without[T comparable](s []T, v T) []T {
	i := slices.Index(s, v)
	if i < 0 {
		return s
	}
	return slices.Concat(s[:i], s[i+1:])
}

// listeners returns who listens to an event, and takes away those who wanted to
// hear of it once.
func (s *Socket) listeners(event string) []*listener {
	if !s.state.hooked() {
		return nil
	}
	s.mu.Lock()
	found := s.rare.hooks.on[event]
	s.mu.Unlock()
	for _, l := range found {
		if l.once {
			s.unlisten(event, l)
		}
	}
	return found
}

// OnAny calls h for every event that arrives on this socket, before middleware
// and handlers, until off is called.
func (s *Socket) OnAny(h HandlerFunc) (off func()) {
	s.change(func(hooks *socketHooks) { hooks.any = extend(hooks.any, &h) })
	return func() { s.change(func(hooks *socketHooks) { hooks.any = without(hooks.any, &h) }) }
}

// OnAnyOutgoing calls f for every event that is sent to this socket, until off
// is called. args must not be changed.
func (s *Socket) OnAnyOutgoing(f func(event string, args []any)) (off func()) {
	s.change(func(hooks *socketHooks) { hooks.anyOutgoing = extend(hooks.anyOutgoing, &f) })
	return func() { s.change(func(hooks *socketHooks) { hooks.anyOutgoing = without(hooks.anyOutgoing, &f) }) }
}

// Use adds a middleware for the events of this socket: it sees each before its
// handlers, can replace its arguments, and refuses it by an error.
func (s *Socket) Use(h HandlerFunc) {
	s.change(func(hooks *socketHooks) { hooks.use = extend(hooks.use, &h) })
}

// OnError calls f for every error of a handler or middleware of this socket,
// and for a packet of its client that could not be understood.
func (s *Socket) OnError(f func(ctx context.Context, err error)) {
	s.change(func(hooks *socketHooks) { hooks.onError = extend(hooks.onError, f) })
}

// OnDisconnecting calls f when the socket leaves, while Rooms still says where
// it was.
func (s *Socket) OnDisconnecting(f func(reason DisconnectReason)) {
	s.change(func(hooks *socketHooks) { hooks.disconnecting = extend(hooks.disconnecting, f) })
}

// OnDisconnect calls f when the socket has left.
func (s *Socket) OnDisconnect(f func(reason DisconnectReason)) {
	s.change(func(hooks *socketHooks) { hooks.disconnect = extend(hooks.disconnect, f) })
}

// OnClosing calls f before this server disconnects the socket, by Disconnect,
// DisconnectSockets or Shutdown, until off is called: what f emits still reaches
// the client. It must not wait for anything. When the client leaves there is
// nobody to emit to, and f is not called.
func (s *Socket) OnClosing(f func()) (off func()) {
	s.change(func(hooks *socketHooks) { hooks.closing = extend(hooks.closing, &f) })
	return func() { s.change(func(hooks *socketHooks) { hooks.closing = without(hooks.closing, &f) }) }
}

func (s *Socket) closing() {
	own := s.ownHooks()
	if own == nil {
		return
	}
	for _, f := range own.closing {
		s.guardHook(*f)
	}
}
