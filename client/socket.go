package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/parser"
)

// A Socket is a namespace of a [Manager]'s connection. It implements
// [socketio.Emitter], AckEmitter and Listener, so that events work on it. It is
// safe for concurrent use.
type Socket struct {
	m    *Manager
	nsp  string
	opts SocketOptions
	ids  atomic.Int64 // of acks

	// The rest is guarded by Manager.mu.

	active bool // wants to be connected
	keep   bool // was connected, so that it comes back
	conn   *connection
	joined bool // the server has let it in on conn
	opened []chan error

	id, pid, offset string
	recovered       bool
	window          time.Duration

	ctx    context.Context // made when first needed
	cancel context.CancelCauseFunc

	hooks   *socketHooks
	early   []item // came before the answer to CONNECT
	ahead   int    // bytes of them
	inbox   inbox
	marked  bool // among connection.ready
	acks    map[int64]*waiter
	waiting int // calls that wait for an ack

	buffer      []*outgoing // while not connected
	queue       []*retried  // with Retries
	bufferBytes int         // of both
	onceID      int64       // of the next retried send

	encoding sync.Mutex // held, without mu, while a retried send gets its place
}

// Manager returns the manager.
func (s *Socket) Manager() *Manager { return s.m }

// Namespace returns the name of the namespace.
func (s *Socket) Namespace() string { return s.nsp }

// ID returns the id that the server gave; "" when not connected.
func (s *Socket) ID() string { return get(s, func() string { return s.id }) }

// Connected reports whether the server has let the socket in.
func (s *Socket) Connected() bool { return get(s, func() bool { return s.joined }) }

// Active reports whether the socket is connected or on its way there, also
// between the attempts to reconnect.
func (s *Socket) Active() bool { return get(s, func() bool { return s.active }) }

// Recovered reports whether the last connection took up where the one before
// had ended: id and rooms are the same, and what the server sent meanwhile has
// come or is coming.
func (s *Socket) Recovered() bool { return get(s, func() bool { return s.recovered }) }

// OnceWindow returns for how long the server will recognise a send that is
// repeated because of Retries. 0: it does not, and may handle an event twice.
func (s *Socket) OnceWindow() time.Duration {
	return get(s, func() time.Duration { return s.window })
}

func get[T any](s *Socket, f func() T) T {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	return f()
}

// Connect joins the namespace, and connects first if need be. It returns when
// the server has let the socket in; from then on the socket comes back by
// itself. Otherwise the error is, by errors.As, a [*HandshakeError], a
// [*ConnectError] or an [*AuthError], or that of ctx, and nothing goes on; but
// see Options.RetryConnect. It returns nil at once when connected.
func (s *Socket) Connect(ctx context.Context) error {
	m := s.m
	for stale, n := 0, 0; ; n++ {
		m.mu.Lock()
		switch {
		case m.closed:
			m.mu.Unlock()
			return ErrClosed
		case s.joined:
			m.mu.Unlock()
			return nil
		}
		s.active = true
		m.mu.Unlock()
		c, fresh, err := m.connection(ctx)
		if err == nil {
			err = s.join(ctx, c)
		}
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			s.give(context.Cause(ctx))
			return context.Cause(ctx)
		}
		_, lost := errors.AsType[socketio.DisconnectReason](err)
		switch {
		case isRefusal(err) || errors.Is(err, ErrClosed) || errors.Is(err, ErrReconnectFailed):
		case !fresh && lost && stale == 0: // it was about to end when we came
			stale++
			continue
		case errors.Is(err, context.Canceled) && n < 3: // so was the attempt
			continue
		case m.opts.RetryConnect:
			if _, failed := errors.AsType[*HandshakeError](err); failed {
				continue // the attempt goes on, after its pause
			}
			if !sleep(ctx, m.opts.backoff(n)) {
				s.give(context.Cause(ctx))
				return context.Cause(ctx)
			}
			continue
		}
		s.give(err)
		return err
	}
}

// give ends a Connect without success.
func (s *Socket) give(reason error) {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.joined || s.keep && s.active && !errors.Is(reason, context.Canceled) && !errors.Is(reason, context.DeadlineExceeded) {
		return // it is coming back by itself
	}
	s.active = false
	s.abandon()
	s.m.settle()
}

// abandon forgets a CONNECT that has no answer yet. mu is held.
func (s *Socket) abandon() {
	if c := s.conn; c != nil && !s.joined {
		c.abandoned = append(c.abandoned, s.nsp)
		s.end(ClientDisconnect, nil)
	}
}

// join sends CONNECT, unless somebody else has, and waits for the answer.
func (s *Socket) join(ctx context.Context, c *connection) error {
	m := s.m
	opened := make(chan error, 1)
	m.mu.Lock()
	if s.joined {
		m.mu.Unlock()
		return nil
	}
	mine := s.conn == nil
	if mine {
		s.conn = c
	}
	s.opened = append(s.opened, opened)
	m.mu.Unlock()
	if mine {
		s.sendConnect(ctx, c)
	}
	t := time.NewTimer(m.opts.Timeout)
	defer t.Stop()
	select {
	case err := <-opened:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		m.mu.Lock()
		s.abandon()
		m.mu.Unlock()
		return ErrConnectTimeout
	}
}

// rejoin is join after a reconnection. Auth that fails is tried again.
func (s *Socket) rejoin(c *connection) {
	for n := 0; ; n++ {
		s.m.mu.Lock()
		mine := s.conn == nil && s.active && !c.ended
		if mine {
			s.conn = c
		}
		s.m.mu.Unlock()
		if !mine || s.sendConnect(s.m.ctx, c) || !sleep(s.m.ctx, s.m.opts.backoff(n)) {
			return
		}
	}
}

// sendConnect asks the server to let the socket in. It reports false if there
// is nothing to ask with.
func (s *Socket) sendConnect(ctx context.Context, c *connection) bool {
	m := s.m
	auth, err := s.auth(ctx)
	var e parser.Encoded
	if err == nil {
		e, err = s.encodeConnect(auth)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.conn != c {
		return true
	}
	if err != nil {
		err = &AuthError{err}
		s.connectError(err)
		s.end(err, nil)
		return false
	}
	if i := slices.Index(c.abandoned, s.nsp); i >= 0 { // its answer is still to come
		c.abandoned = slices.Delete(c.abandoned, i, i+1)
		return true
	}
	if m.opts.Protocol == 3 && s.nsp == "/" { // there without being asked
		if c.root {
			_ = s.connected(c, nil)
		}
		if err := c.catchUp(s); err != nil {
			m.begin(func() { c.malformed(err) })
		}
		return true
	}
	if err := c.send(e, 0); err != nil {
		s.end(socketio.TransportClose, err)
	}
	return true
}

func (s *Socket) auth(ctx context.Context) (any, error) {
	if s.opts.AuthFunc == nil {
		return s.opts.Auth, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.m.opts.Timeout)
	defer cancel()
	return s.opts.AuthFunc(ctx)
}

func (s *Socket) encodeConnect(auth any) (parser.Encoded, error) {
	s.m.mu.Lock()
	pid, offset := s.pid, s.offset
	s.m.mu.Unlock()
	h := parser.Header{Type: parser.Connect, Namespace: s.nsp, ID: parser.NoID}
	if s.m.opts.Protocol == 3 {
		query, err := asQuery(auth)
		if err != nil {
			return parser.Encoded{}, err
		}
		h.Namespace += query
		return s.m.opts.Parser.Encode(h)
	}
	if pid == "" || offset == "" {
		if auth == nil {
			return s.m.opts.Parser.Encode(h)
		}
		return s.m.opts.Parser.Encode(h, auth)
	}
	fields, err := asObject(auth)
	if err != nil {
		return parser.Encoded{}, err
	}
	for k, v := range map[string]any{"pid": pid, "offset": offset} {
		if _, own := fields[k]; !own {
			fields[k] = v
		}
	}
	return s.m.opts.Parser.Encode(h, fields)
}

// asObject returns the fields of what encodes as an object.
func asObject(v any) (map[string]any, error) {
	fields := make(map[string]any)
	if v == nil {
		return fields, nil
	}
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &fields)
	}
	if fields == nil { // null
		fields = make(map[string]any)
	}
	return fields, err
}

// asQuery returns the fields of an object as the query of a namespace.
func asQuery(auth any) (string, error) {
	fields, err := asObject(auth)
	if err != nil || len(fields) == 0 {
		return "", err
	}
	q := make(url.Values)
	for k, v := range fields {
		if text, ok := v.(string); ok {
			q.Set(k, text)
			continue
		}
		b, err := json.Marshal(v)
		if err != nil {
			return "", err
		}
		q.Set(k, string(b))
	}
	return "?" + q.Encode(), nil
}

// Disconnect leaves the namespace, with [ClientDisconnect], and does not come
// back until Connect. Events that wait for handlers are dropped; those that
// wait to be sent are kept. With its last socket the connection closes. It does
// not wait, so that handlers may call it.
func (s *Socket) Disconnect() {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.active, s.keep = false, false
	if s.joined {
		s.conn.sendHeader(parser.Disconnect, s.nsp)
		s.end(ClientDisconnect, nil)
	} else {
		s.abandon()
	}
	s.m.settle()
}

// end takes the socket off its connection. mu is held.
func (s *Socket) end(reason, description error) {
	if s.conn == nil {
		return
	}
	joined := s.joined
	s.conn, s.joined, s.id, s.early, s.ahead = nil, false, "", nil, 0
	for _, o := range s.opened {
		o <- reason
	}
	s.opened = nil
	if s.cancel != nil {
		s.cancel(reason)
	}
	s.ctx, s.cancel = nil, nil
	s.failAcks(reason)
	if r, ok := reason.(socketio.DisconnectReason); ok && joined {
		if r == ClientDisconnect || r == socketio.ForcedClose {
			s.inbox.drop()
		}
		s.call(func(h *socketHooks) {
			for _, f := range h.disconnect {
				s.guard("disconnect", func() { (*f)(r, description) })
			}
		})
	}
}

// connected is the server's yes. mu is held.
func (s *Socket) connected(c *connection, payload []byte) error {
	var welcome struct {
		SID, PID string
		Once     int64
	}
	if payload != nil {
		if err := s.m.opts.Parser.Unmarshal(payload, nil, &welcome); err != nil {
			return err
		}
	}
	if s.m.opts.Protocol == 3 {
		welcome.SID = c.sess.ID()
		if s.nsp != "/" {
			welcome.SID = s.nsp + "#" + c.sess.ID()
		}
	}
	s.id, s.joined, s.keep = welcome.SID, true, true
	s.recovered = welcome.PID != "" && welcome.PID == s.pid
	if !s.recovered {
		s.offset = ""
	}
	s.pid = welcome.PID
	s.window = time.Duration(welcome.Once) * time.Millisecond
	early := s.early
	s.early, s.ahead = nil, 0
	for _, it := range early {
		c.received(it.size)
		s.enqueue(it)
	}
	s.flushBuffer()
	s.pump()
	s.call(func(h *socketHooks) {
		for _, f := range h.connect {
			s.guard("connect", func() { (*f)() })
		}
	})
	for _, o := range s.opened {
		o <- nil
	}
	s.opened = nil
	return nil
}

// refused is the server's no: the socket does not come back by itself. mu is
// held.
func (s *Socket) refused(p parser.Packet) {
	refusal := new(ConnectError)
	var object struct {
		Message string
		Data    any
	}
	switch {
	case len(p.Args) == 0:
	case s.m.opts.Parser.Unmarshal(p.Args[0], nil, &object) == nil:
		refusal.Message = object.Message
		if object.Data != nil {
			refusal.Data, _ = json.Marshal(object.Data)
		}
	case s.m.opts.Parser.Unmarshal(p.Args[0], nil, &refusal.Message) == nil: // revision 3
	default:
		refusal.Message = "the server gives no reason"
	}
	s.active, s.keep = false, false
	s.connectError(refusal)
	s.end(refusal, nil)
	s.m.settle()
}

// connectError tells the hooks. mu is held.
func (s *Socket) connectError(err error) {
	s.call(func(h *socketHooks) {
		for _, f := range h.connectError {
			s.guard("connect_error", func() { (*f)(err) })
		}
	})
}

// Context returns a context that ends when the socket disconnects, with the
// reason as its cause; it has ended when the socket is not connected.
func (s *Socket) Context() context.Context {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if !s.joined {
		return ended
	}
	return s.context()
}

var ended = func() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(socketio.ErrDisconnected)
	return ctx
}()

func (s *Socket) context() context.Context {
	if s.ctx == nil {
		s.ctx, s.cancel = context.WithCancelCause(context.Background())
	}
	return s.ctx
}
