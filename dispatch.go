package socketio

import (
	"context"
	"errors"
)

// dispatch takes an event through the catch-all listeners and the middleware to
// its handlers.
func (s *Socket) dispatch(it item) {
	hooks := s.nsp.hooks.Load()
	h := hooks.handlers[string(it.packet.Event)]
	m := &Message{socket: s, codec: s.nsp.srv.opts.Parser, packet: it.packet}
	if h != nil {
		m.event = h.event // saves making the string
	} else {
		m.event = string(it.packet.Event)
	}
	if s.dropped() {
		s.nsp.srv.opts.Logger.Debug("event dropped: socket was disconnected by the server", "socket", s, "event", m.event)
		s.conn.handled(it.size)
		return
	}
	ctx := s.Context()
	if !s.pass(ctx, m, hooks) {
		s.ended(m, it.size)
		return
	}
	if h != nil && h.concurrent {
		s.nsp.srv.work.add()
		go func() {
			defer s.nsp.srv.work.done()
			defer s.ended(m, it.size)
			s.call(m, func() error { return h.call(ctx, s, m) })
		}()
		return
	}
	defer s.ended(m, it.size)
	if h != nil {
		s.call(m, func() error { return h.call(ctx, s, m) })
	}
	for _, l := range s.listeners(m.event) {
		s.call(m, func() error { return l.call(ctx, m) })
	}
}

// ended tells who wanted to know that all handlers of m have run.
func (s *Socket) ended(m *Message, size int) {
	if m.end != nil {
		_ = s.guard(m.event, func() error { m.handled(); return nil })
	}
	s.conn.handled(size)
}

// dropped reports whether the server disconnected the socket, so that what it
// had sent is of no interest any more. What a client sends before it leaves by
// itself is handled.
func (s *Socket) dropped() bool {
	if s.state.Load() != disconnected {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason == ServerDisconnect
}

// pass reports whether the middleware lets m through.
func (s *Socket) pass(ctx context.Context, m *Message, hooks *namespaceHooks) bool {
	for _, f := range hooks.any {
		s.watch(m, func() error { return f(ctx, s, m) })
	}
	own := s.ownHooks()
	if own != nil {
		for _, f := range own.any {
			s.watch(m, func() error { return (*f)(ctx, m) })
		}
	}
	for _, f := range hooks.useEvents {
		if !s.call(m, func() error { return f(ctx, s, m) }) {
			return false
		}
	}
	if own != nil {
		for _, f := range own.use {
			if !s.call(m, func() error { return (*f)(ctx, m) }) {
				return false
			}
		}
	}
	return true
}

// watch runs a catch-all listener, whose errors concern nobody else.
func (s *Socket) watch(m *Message, f func() error) {
	if err := s.guard(m.event, f); err != nil {
		s.report(err)
	}
}

// call runs a handler or a middleware and sees to it that an error is reported,
// and answered if an answer is wanted.
func (s *Socket) call(m *Message, f func() error) bool {
	err := s.guard(m.event, f)
	if err == nil {
		return true
	}
	m.failed(err)
	told := false
	if m.WantsAck() {
		if answer := s.nsp.hooks.Load().ackErrors(err); answer != nil {
			told = m.Ack(answer) == nil
		}
	}
	if _, forClient := errors.AsType[*AckError](err); forClient && told {
		return false // it has reached the one it was meant for
	}
	if errors.Is(err, ErrHandled) {
		return false
	}
	s.report(err)
	return false
}
