package client

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio"
)

// A Manager is one connection, which the sockets of several namespaces share.
// It connects when the first of them does, comes back when the connection is
// lost, and leaves with the last of them.
type Manager struct {
	url    string
	opts   *Options
	ctx    context.Context // of all attempts
	cancel context.CancelFunc
	// running are the goroutines that Close waits for; begin adds to it.
	running sync.WaitGroup

	// mu guards what follows, and the fields of sockets and connections that
	// say so. No call of the user's runs under it.
	mu         sync.Mutex
	closed     bool // New work is refused
	ended      bool // running is not added to any more
	conn       *connection
	connecting *attempt // nil unless a goroutine is trying to connect
	sockets    []*Socket
	onceKey    string // made when first needed
	hooks      managerHooks
}

// New makes a Manager for the server at rawURL, which has a scheme (http, https,
// ws or wss) and a host, perhaps a query, and no path: that of the engine is
// Options.Path. It does not connect.
func New(rawURL string, o *Options) (*Manager, error) {
	u, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	if u.Path != "" && u.Path != "/" {
		return nil, fmt.Errorf("client: %q has a path: a namespace is given to Socket, the path of the engine is Options.Path", rawURL)
	}
	return newManager(u, o), nil
}

func parseURL(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	switch u.Scheme {
	case "http", "https", "ws", "wss":
	default:
		return nil, fmt.Errorf("client: %q: the scheme is none of http, https, ws, wss", rawURL)
	}
	if u.Host == "" {
		return nil, fmt.Errorf("client: %q has no host", rawURL)
	}
	return u, nil
}

func newManager(u *url.URL, o *Options) *Manager {
	m := &Manager{opts: o.withDefaults()}
	at := *u
	at.Path = "/" + strings.TrimPrefix(m.opts.Path, "/")
	at.Fragment = ""
	m.url = at.String()
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.running.Add(1) // until Close
	return m
}

// Connect makes a socket and connects it: io() of the original. The path of
// rawURL is the namespace. Closing the socket's [Manager] ends everything.
func Connect(ctx context.Context, rawURL string, o *Options) (*Socket, error) {
	u, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	m := newManager(u, o)
	s := m.Socket(u.Path)
	if err := s.Connect(ctx); err != nil {
		m.Close()
		return nil, err
	}
	return s, nil
}

// Socket returns the socket of a namespace, always the same one. The leading
// slash may be missing.
func (m *Manager) Socket(namespace string) *Socket {
	return m.socket(namespace, m.opts.SocketOptions)
}

// SocketWith is Socket with options of its own. They are those of the first
// call for a namespace.
func (m *Manager) SocketWith(namespace string, o SocketOptions) *Socket {
	return m.socket(namespace, o.withDefaults())
}

func (m *Manager) socket(namespace string, o SocketOptions) *Socket {
	if !strings.HasPrefix(namespace, "/") {
		namespace = "/" + namespace
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.find(namespace); s != nil {
		return s
	}
	s := &Socket{m: m, nsp: namespace, opts: o}
	m.sockets = append(m.sockets, s)
	return s
}

// find returns the socket of a namespace, or nil. mu is held.
func (m *Manager) find(namespace string) *Socket {
	for _, s := range m.sockets {
		if s.nsp == namespace {
			return s
		}
	}
	return nil
}

// Transport returns the name of the transport in use; "" when not connected.
func (m *Manager) Transport() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn == nil {
		return ""
	}
	return m.conn.sess.Transport()
}

// Close ends the connection, with the reason "forced close", and the Manager:
// it does not connect again. What it had running has ended when Close returns,
// handlers included, whose contexts end. Therefore a handler must not call it;
// it can call [Socket.Disconnect].
func (m *Manager) Close() {
	m.mu.Lock()
	m.closed = true
	m.cancel()
	m.leave(socketio.ForcedClose)
	conn := m.conn
	m.conn = nil
	m.mu.Unlock()
	if conn != nil {
		conn.sess.Close()
		conn.sess.Wait()
	}
	m.mu.Lock()
	dropped := 0
	for _, s := range m.sockets {
		dropped += len(s.buffer) + len(s.queue)
		s.dropBuffered(ErrClosed)
		s.schedule() // what the ended connection has left to do
	}
	if !m.ended {
		m.ended = true
		m.running.Done()
	}
	m.mu.Unlock()
	if dropped > 0 {
		m.opts.Logger.Warn("client closed: events that were not sent are dropped", "events", dropped)
	}
	m.running.Wait()
}

// leave makes all sockets inactive. mu is held.
func (m *Manager) leave(reason error) {
	for _, s := range m.sockets {
		s.active, s.keep = false, false
		s.end(reason, nil)
	}
}

// begin starts f on a goroutine that Close waits for. mu is held.
func (m *Manager) begin(f func()) bool {
	if m.ended {
		return false
	}
	m.running.Go(f)
	return true
}

// settle closes a connection, or stops an attempt, that no socket wants. mu is
// held.
func (m *Manager) settle() {
	if slices.ContainsFunc(m.sockets, func(s *Socket) bool { return s.active }) {
		return
	}
	if a := m.connecting; a != nil {
		m.connecting = nil // so that the next Connect begins anew
		a.cancel()
		a.tell(outcome{err: context.Canceled})
	}
	if c := m.conn; c != nil {
		m.conn = nil
		c.sess.Close()
		m.begin(c.sess.Wait)
	}
}

// dialOptions returns those of the next attempt. mu is held.
func (m *Manager) dialOptions() *engineio.DialOptions {
	o := m.opts.engine()
	if !slices.ContainsFunc(m.sockets, func(s *Socket) bool { return s.opts.Retries > 0 }) {
		return o
	}
	if m.onceKey == "" {
		var b [16]byte
		rand.Read(b[:])
		m.onceKey = base64.RawURLEncoding.EncodeToString(b[:])
	}
	if o.Header = o.Header.Clone(); o.Header == nil {
		o.Header = make(http.Header)
	}
	o.Header.Set(socketio.OnceHeader, m.onceKey)
	return o
}

// isRefusal reports an answer of the server's that another attempt would only
// repeat.
func isRefusal(err error) bool {
	_, refused := errors.AsType[*ConnectError](err)
	return refused
}
