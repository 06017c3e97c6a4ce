package socketio

import (
	"context"
	"errors"

	"github.com/sockeye-go/socketio/internal/stack"
)

// dispatch takes an event through the catch-all listeners and the middleware to
// its handlers. It reports whether they are done; otherwise the item is handled
// elsewhere.
func (s *Socket) dispatch(it *item) (done bool) {
	hooks, m := s.nsp.hooks.Load(), &it.msg
	h := hooks.handlers[string(m.packet.Event)]
	if h != nil {
		m.event = h.event // saves making the string
	} else {
		m.event = string(m.packet.Event)
	}
	if s.dropped() {
		s.nsp.srv.log.socket.Debug("event dropped: socket was disconnected by the server", "socket", s, "event", m.event)
		if m.once != nil {
			m.once.forget(s.nsp.name, m.packet.ID)
		}
		return true
	}
	ctx := s.Context()
	if w := s.nsp.srv.watch.Load(); w != nil {
		ctx = w.received(ctx, s, m)
	}
	if !s.pass(ctx, m, hooks) {
		s.ended(m)
		return true
	}
	if h != nil && h.concurrent {
		s.nsp.srv.work.add()
		go func() {
			stack.Grow()
			defer s.nsp.srv.work.done()
			defer s.handledItem(it)
			defer s.ended(m)
			s.handle(ctx, m, h)
		}()
		return false
	}
	defer s.ended(m)
	if h != nil {
		s.handle(ctx, m, h)
	}
	for _, l := range s.listeners(m.event) {
		m.handedOut, m.taken = true, true
		s.call(m, func() error { return l.call(ctx, m) })
	}
	return true
}

// handle runs the handler of the namespace.
func (s *Socket) handle(ctx context.Context, m *Message, h *handler) {
	if !h.typed {
		m.handedOut = true
	}
	m.taken = true
	if err := s.guardHandler(ctx, m, h); err != nil {
		s.failed(m, err)
	}
}

// guardHandler is guard without a closure, which would be an allocation.
func (s *Socket) guardHandler(ctx context.Context, m *Message, h *handler) (err error) {
	returned := false
	defer func() {
		if v := recover(); v != nil {
			err = s.panicked(m.event, v)
		} else if !returned {
			s.exited(m.event)
		}
	}()
	err = h.call(ctx, s, m)
	returned = true
	return err
}

// ended tells who wanted to know that all handlers of m have run.
func (s *Socket) ended(m *Message) {
	s.confirm(m)
	if m.end != nil {
		_ = s.guard(m.event, func() error { m.handled(); return nil })
	}
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
	return s.look().reason == ServerDisconnect
}

// pass reports whether the middleware lets m through.
func (s *Socket) pass(ctx context.Context, m *Message, hooks *namespaceHooks) bool {
	if len(hooks.any)+len(hooks.useEvents) > 0 {
		m.handedOut = true
	}
	for _, f := range hooks.any {
		s.watch(m, func() error { return f(ctx, s, m) })
	}
	own := s.ownHooks()
	if own != nil {
		if len(own.any)+len(own.use) > 0 {
			m.handedOut = true
		}
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
	if err != nil {
		s.failed(m, err)
	}
	return err == nil
}

// failed deals with the error of a handler or a middleware.
func (s *Socket) failed(m *Message, err error) {
	m.failed(err)
	told := false
	if m.WantsAck() {
		// The hook, and what it returns, are the program's: they may panic too.
		_ = s.guard("AckErrors", func() error {
			if answer := s.nsp.hooks.Load().ackErrors(err); answer != nil {
				told = m.Ack(answer) == nil
			}
			return nil
		})
	}
	if _, forClient := errors.AsType[*AckError](err); forClient && told {
		return // it has reached the one it was meant for
	}
	if errors.Is(err, ErrHandled) {
		return
	}
	s.report(err)
}
