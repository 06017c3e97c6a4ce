package client

import (
	"context"
	"fmt"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio"
)

// An attempt is the goroutine that connects, and goes on until it has, or until
// nobody wants it to. Manager.mu guards its fields.
type attempt struct {
	cancel  context.CancelFunc
	waiters []chan outcome // told of the next result
}

type outcome struct {
	conn *connection
	err  error
}

// connection returns the connection, made if need be. The error is that of the
// next attempt. fresh reports that it was made for this call.
func (m *Manager) connection(ctx context.Context) (c *connection, fresh bool, err error) {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil, false, ErrClosed
	}
	if m.conn != nil {
		c = m.conn
		m.mu.Unlock()
		return c, false, nil
	}
	result := make(chan outcome, 1)
	if m.connecting == nil {
		m.connect(false)
	}
	m.connecting.waiters = append(m.connecting.waiters, result)
	m.mu.Unlock()
	select {
	case r := <-result:
		return r.conn, true, r.err
	case <-ctx.Done():
		return nil, true, context.Cause(ctx)
	}
}

// connect starts an attempt; mu is held. After a lost connection it begins with
// a pause.
func (m *Manager) connect(lost bool) {
	ctx, cancel := context.WithCancel(m.ctx)
	a := &attempt{cancel: cancel}
	m.connecting = a
	m.begin(func() {
		defer cancel()
		m.connectLoop(ctx, a, lost)
	})
}

func (m *Manager) connectLoop(ctx context.Context, a *attempt, lost bool) {
	var last error
	for n := 0; ; {
		if lost {
			if m.opts.ReconnectionAttempts > 0 && n == m.opts.ReconnectionAttempts {
				m.giveUp(a, last)
				return
			}
			if !sleep(ctx, m.opts.backoff(n)) {
				m.stopped(a)
				return
			}
			n++
			for _, f := range m.listeners().attempt {
				(*f)(n)
			}
		}
		err := m.try(ctx, a)
		if err == nil {
			if lost {
				for _, f := range m.listeners().success {
					(*f)(n)
				}
			}
			return
		}
		if ctx.Err() != nil {
			m.stopped(a)
			return
		}
		if lost {
			for _, f := range m.listeners().failure {
				(*f)(err)
			}
		}
		if !m.failed(a, err) {
			return
		}
		lost, last = true, err
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// try makes one attempt; with its success all active sockets join.
func (m *Manager) try(ctx context.Context, a *attempt) error {
	m.mu.Lock()
	o := m.dialOptions()
	m.mu.Unlock()
	bounded, cancel := context.WithTimeout(ctx, m.opts.Timeout)
	defer cancel()
	c := newConnection(m)
	sess, err := engineio.Dial(bounded, m.url, o, func(s *engineio.ClientSession) engineio.Receiver {
		c.sess = s
		return c
	})
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.connecting != a || ctx.Err() != nil {
		sess.Close()
		m.begin(sess.Wait)
		return context.Canceled
	}
	m.connecting = nil
	if c.ended { // already
		return m.startAgain(a, c)
	}
	m.conn = c
	a.tell(outcome{conn: c})
	for _, s := range m.sockets {
		if s.active && s.keep {
			m.begin(func() { s.rejoin(c) })
		}
	}
	return nil
}

// startAgain is for a connection that ended before anybody could use it.
func (m *Manager) startAgain(a *attempt, c *connection) error {
	m.connecting = a
	return fmt.Errorf("client: the connection ended at once: %w", c.reason)
}

func (a *attempt) tell(o outcome) {
	for _, w := range a.waiters {
		w <- o
	}
	a.waiters = nil
}

// failed tells who waits, and reports whether there is reason to go on.
func (m *Manager) failed(a *attempt, err error) bool {
	m.mu.Lock()
	a.tell(outcome{err: err})
	again := false
	for _, s := range m.sockets {
		if !s.active {
			continue
		}
		if s.keep && !m.opts.DisableReconnection || m.opts.RetryConnect {
			again = true
		} else {
			s.active = false
		}
		s.connectError(err)
	}
	if !again && m.connecting == a {
		m.connecting = nil
	}
	m.mu.Unlock()
	return again
}

// stopped is the end of an attempt that nobody wants any more.
func (m *Manager) stopped(a *attempt) {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := error(context.Canceled)
	if m.closed {
		err = ErrClosed
	}
	a.tell(outcome{err: err})
	if m.connecting == a {
		m.connecting = nil
	}
}

// giveUp is the end of an attempt that has failed too often.
func (m *Manager) giveUp(a *attempt, last error) {
	err := error(ErrReconnectFailed)
	if last != nil {
		err = fmt.Errorf("%w: %w", ErrReconnectFailed, last)
	}
	m.mu.Lock()
	a.tell(outcome{err: err})
	if m.connecting == a {
		m.connecting = nil
	}
	for _, s := range m.sockets {
		if s.active {
			s.active = false
			s.connectError(err)
		}
	}
	m.mu.Unlock()
	for _, f := range m.listeners().givenUp {
		(*f)()
	}
}

// lost is called when a connection has ended by itself.
func (m *Manager) lost(c *connection, reason socketio.DisconnectReason, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c.ended, c.reason = true, reason
	if c.flow.stall != nil {
		c.flow.stall.Stop()
	}
	m.begin(c.sess.Wait) // its goodbye may take a moment, and Close waits for it
	current := m.conn == c
	if current {
		m.conn = nil
	}
	again := false
	for _, s := range m.sockets {
		if s.conn != c {
			again = again || s.active && s.keep
			continue
		}
		s.end(reason, err)
		if m.opts.DisableReconnection {
			s.active = false
		}
		again = again || s.active && s.keep
	}
	if current && again && !m.closed && m.connecting == nil && !m.opts.DisableReconnection {
		m.connect(true)
	}
}
