package client

import (
	"maps"

	"github.com/sockeye-go/socketio"
)

// socketHooks is what was registered on a socket. It is replaced and never
// changed.
type socketHooks struct {
	on           map[string]list[socketio.HandlerFunc]
	any          list[socketio.HandlerFunc]
	connect      list[func()]
	disconnect   list[func(socketio.DisconnectReason, error)]
	connectError list[func(error)]
}

// change replaces the hooks by a changed copy.
func (s *Socket) change(f func(*socketHooks)) {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	var h socketHooks
	if s.hooks != nil {
		h = *s.hooks
	}
	f(&h)
	s.hooks = &h
}

// listen adds f to a list and returns what removes it.
func listen[F any](s *Socket, of func(*socketHooks) *list[F], f F) (off func()) {
	var p *F
	s.change(func(h *socketHooks) { p = of(h).add(f) })
	return func() { s.change(func(h *socketHooks) { of(h).remove(p) }) }
}

// On implements [socketio.Listener].
func (s *Socket) On(event string, h socketio.HandlerFunc) (off func()) {
	change := func(f func(*list[socketio.HandlerFunc])) {
		s.change(func(hooks *socketHooks) {
			hooks.on = maps.Clone(hooks.on)
			if hooks.on == nil {
				hooks.on = make(map[string]list[socketio.HandlerFunc])
			}
			l := hooks.on[event]
			f(&l)
			hooks.on[event] = l
		})
	}
	var p *socketio.HandlerFunc
	change(func(l *list[socketio.HandlerFunc]) { p = l.add(h) })
	return func() { change(func(l *list[socketio.HandlerFunc]) { l.remove(p) }) }
}

// OnAny calls h for each event, before its handlers.
func (s *Socket) OnAny(h socketio.HandlerFunc) (off func()) {
	return listen(s, func(h *socketHooks) *list[socketio.HandlerFunc] { return &h.any }, h)
}

// OnConnect calls f each time the server has let the socket in, after a
// reconnection too. It runs as handlers do, before those of what comes after;
// what a recovery brings may come before.
func (s *Socket) OnConnect(f func()) (off func()) {
	return listen(s, func(h *socketHooks) *list[func()] { return &h.connect }, f)
}

// OnDisconnect calls f when a connected socket has been disconnected, after the
// handlers of what came before. err says more where there is more to say.
func (s *Socket) OnDisconnect(f func(reason socketio.DisconnectReason, err error)) (off func()) {
	return listen(s, func(h *socketHooks) *list[func(socketio.DisconnectReason, error)] { return &h.disconnect }, f)
}

// OnConnectError calls f when an attempt to connect has failed; see
// [Socket.Connect] for the errors. After a [*ConnectError] the socket does not
// try again by itself.
func (s *Socket) OnConnectError(f func(error)) (off func()) {
	return listen(s, func(h *socketHooks) *list[func(error)] { return &h.connectError }, f)
}
