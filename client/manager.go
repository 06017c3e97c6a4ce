package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// Options configure a [Manager]. The zero value is ready.
type Options struct {
	Path      string // default "/socket.io/", unless the URL has a path
	Header    http.Header
	TLSConfig *tls.Config
	// NetDial makes the connection. Default that of a net.Dialer.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Auth is called at each Connect; what it returns is sent with CONNECT.
	Auth func(ctx context.Context) (any, error)
	// MaxReceivedEvents may wait for the handlers of a socket; one more ends
	// the connection. Default 10000.
	MaxReceivedEvents int
	// OnError gets what handlers return, and their panics. May be nil.
	OnError func(event string, err error)
}

// A HandshakeError is a connection that the server, or the network, refused.
type HandshakeError = engineio.HandshakeError

// A Manager is one connection, which the sockets of several namespaces share.
type Manager struct {
	url  string
	opts Options
	dial sync.Mutex // held while dialling

	mu      sync.Mutex
	sess    *engineio.ClientSession
	done    chan struct{} // closed when sess has ended
	sockets map[string]*Socket
}

// New makes a Manager for the server at rawURL. It does not connect.
func New(rawURL string, o *Options) (*Manager, error) {
	m := &Manager{sockets: make(map[string]*Socket)}
	if o != nil {
		m.opts = *o
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	if u.Host == "" {
		return nil, fmt.Errorf("client: %q has no host", rawURL)
	}
	if m.opts.Path != "" {
		u.Path = m.opts.Path
	} else if u.Path == "" || u.Path == "/" {
		u.Path = "/socket.io/"
	}
	if m.opts.MaxReceivedEvents == 0 {
		m.opts.MaxReceivedEvents = 10000
	}
	m.url = u.String()
	return m, nil
}

// Socket returns the socket of a namespace, always the same one.
func (m *Manager) Socket(namespace string) *Socket {
	if namespace == "" {
		namespace = "/"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sockets[namespace]
	if s == nil {
		s = &Socket{manager: m, nsp: namespace, handlers: make(map[string][]*listener)}
		m.sockets[namespace] = s
	}
	return s
}

// Close ends the connection. What it had running has ended when it returns,
// handlers apart, whose context ends. It must not be called by a handler; that
// one can call Disconnect.
func (m *Manager) Close() {
	m.mu.Lock()
	sess, done := m.sess, m.done
	var all []*Socket
	for _, s := range m.sockets {
		all = append(all, s)
	}
	m.mu.Unlock()
	if sess != nil {
		sess.Close()
		<-done
	}
	for _, s := range all {
		s.running.Wait()
	}
}

func (m *Manager) session(ctx context.Context) (*engineio.ClientSession, error) {
	m.dial.Lock()
	defer m.dial.Unlock()
	m.mu.Lock()
	sess := m.sess
	m.mu.Unlock()
	if sess != nil {
		return sess, nil
	}
	sess, err := engineio.Dial(ctx, m.url, &engineio.DialOptions{Header: m.opts.Header, TLSConfig: m.opts.TLSConfig, NetDial: m.opts.NetDial})
	if err != nil {
		return nil, err
	}
	done := make(chan struct{})
	m.mu.Lock()
	m.sess, m.done = sess, done
	m.mu.Unlock()
	go m.serve(sess, done)
	return sess, nil
}

func (m *Manager) serve(sess *engineio.ClientSession, done chan struct{}) {
	defer close(done)
	var parts parser.Reassembler
	reason := sess.Serve(func(in engineio.Message) error {
		p, ok, err := parts.Add(parser.JSON, in.Data, in.Binary, nil)
		if err != nil || !ok {
			return err
		}
		m.mu.Lock()
		s := m.sockets[string(p.Namespace)]
		m.mu.Unlock()
		if s == nil {
			return nil
		}
		return s.receive(p.Clone())
	})
	m.mu.Lock()
	m.sess = nil
	var all []*Socket
	for _, s := range m.sockets {
		all = append(all, s)
	}
	m.mu.Unlock()
	for _, s := range all {
		s.end(sess, reasonOf(reason))
	}
}

var errQueueFull = errors.New("client: too many events wait for their handlers")
