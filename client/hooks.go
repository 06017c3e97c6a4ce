package client

import "slices"

// A list of functions, that is replaced and never changed.
type list[F any] []*F

func (l *list[F]) add(f F) *F {
	p := &f
	*l = append(slices.Clip(*l), p)
	return p
}

func (l *list[F]) remove(p *F) {
	*l = slices.DeleteFunc(slices.Clone(*l), func(o *F) bool { return o == p })
}

type managerHooks struct {
	attempt list[func(int)]
	success list[func(int)]
	failure list[func(error)]
	givenUp list[func()]
}

// hook registers f and returns what undoes it.
func hook[F any](m *Manager, l *list[F], f F) (off func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := l.add(f)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		l.remove(p)
	}
}

// OnReconnectAttempt calls f before each attempt to make a lost connection
// again, with its number from 1. These four run on the goroutine that connects,
// which waits for them.
func (m *Manager) OnReconnectAttempt(f func(attempt int)) (off func()) {
	return hook(m, &m.hooks.attempt, f)
}

// OnReconnect calls f when a lost connection has been made again.
func (m *Manager) OnReconnect(f func(attempt int)) (off func()) { return hook(m, &m.hooks.success, f) }

// OnReconnectError calls f when an attempt has failed.
func (m *Manager) OnReconnectError(f func(error)) (off func()) { return hook(m, &m.hooks.failure, f) }

// OnReconnectFailed calls f when the ReconnectionAttempts are used up.
func (m *Manager) OnReconnectFailed(f func()) (off func()) { return hook(m, &m.hooks.givenUp, f) }

func (m *Manager) listeners() managerHooks {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hooks
}
