package client

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// A ConnectError is the server's refusal of a namespace.
type ConnectError struct {
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

func (e *ConnectError) Error() string { return "client: refused: " + e.Message }

// The reasons that only a client has; the others are those of package socketio.
const (
	ClientDisconnect socketio.DisconnectReason = "io client disconnect"
	ServerDisconnect socketio.DisconnectReason = "io server disconnect"
)

func reasonOf(r engineio.Reason) socketio.DisconnectReason {
	if r == engineio.ForcedClose {
		return ClientDisconnect
	}
	return socketio.DisconnectReason(r)
}

type listener struct{ h socketio.HandlerFunc }

type answer struct {
	p   parser.Packet
	err error
}

// A Socket is a namespace of a connection. It is safe for concurrent use.
// Handlers run one at a time in order of arrival, and may wait for acks.
type Socket struct {
	manager *Manager
	nsp     string
	running sync.WaitGroup // the goroutine that runs handlers

	mu       sync.Mutex
	id       string
	sess     *engineio.ClientSession // nil unless connecting or connected
	joined   bool
	opened   chan error // of the Connect that waits
	ctx      context.Context
	cancel   context.CancelCauseFunc
	handlers map[string][]*listener
	any      []*listener
	gone     []func(socketio.DisconnectReason)
	queue    []func()
	busy     bool
	nextID   int64
	acks     map[int64]chan answer
}

// ID returns the id that the server gave; "" when not connected.
func (s *Socket) ID() string { s.mu.Lock(); defer s.mu.Unlock(); return s.id }

// Connected reports whether the server has let the socket in.
func (s *Socket) Connected() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.joined }

// Connect joins the namespace, and connects first if need be. The error is a
// [*HandshakeError], a [*ConnectError], a reason or that of ctx, by errors.As.
func (s *Socket) Connect(ctx context.Context) error {
	var values []any
	if s.manager.opts.Auth != nil {
		auth, err := s.manager.opts.Auth(ctx)
		if err != nil {
			return fmt.Errorf("client: auth: %w", err)
		}
		values = append(values, auth)
	}
	e, err := parser.JSON.Encode(parser.Header{Type: parser.Connect, Namespace: s.nsp, ID: parser.NoID}, values...)
	if err != nil {
		return fmt.Errorf("client: auth: %w", err)
	}
	sess, err := s.manager.session(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	if s.sess != nil {
		s.mu.Unlock()
		return fmt.Errorf("client: %s is connecting or connected", s.nsp)
	}
	opened := make(chan error, 1)
	s.sess, s.opened, s.acks = sess, opened, make(map[int64]chan answer)
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.mu.Unlock()
	if err := send(sess, e); err != nil {
		s.end(sess, socketio.TransportClose)
		return socketio.TransportClose
	}
	select {
	case err := <-opened:
		return err
	case <-ctx.Done():
		s.Disconnect()
		return context.Cause(ctx)
	}
}

func send(sess *engineio.ClientSession, e parser.Encoded) error {
	messages := []engineio.Message{{Binary: e.HeadBinary, Data: e.Head}}
	for _, a := range e.Attachments {
		messages = append(messages, engineio.Message{Binary: true, Data: a})
	}
	return sess.Send(messages...)
}

// Disconnect leaves the namespace. The connection stays; see Manager.Close.
func (s *Socket) Disconnect() {
	s.mu.Lock()
	sess := s.sess
	s.mu.Unlock()
	if sess == nil {
		return
	}
	if e, err := parser.JSON.Encode(parser.Header{Type: parser.Disconnect, Namespace: s.nsp, ID: parser.NoID}); err == nil {
		_ = send(sess, e) // a session that is gone needs no farewell
	}
	s.end(sess, ClientDisconnect)
}

func (s *Socket) end(sess *engineio.ClientSession, reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sess != sess || sess == nil {
		return
	}
	joined := s.joined
	s.sess, s.joined, s.id = nil, false, ""
	s.cancel(reason)
	for _, c := range s.acks {
		c <- answer{err: reason}
	}
	s.acks = nil
	if !joined {
		s.opened <- reason
		return
	}
	if r, ok := reason.(socketio.DisconnectReason); ok {
		for _, f := range s.gone {
			s.enqueue(func() { f(r) })
		}
	}
}

// On implements [socketio.Listener].
func (s *Socket) On(event string, h socketio.HandlerFunc) (off func()) {
	l := &listener{h}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[event] = append(slices.Clip(s.handlers[event]), l)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.handlers[event] = slices.DeleteFunc(slices.Clone(s.handlers[event]), func(o *listener) bool { return o == l })
	}
}

// OnAny calls h for each event, before its handlers.
func (s *Socket) OnAny(h socketio.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.any = append(slices.Clip(s.any), &listener{h})
}

// OnDisconnect calls f when the socket has been disconnected.
func (s *Socket) OnDisconnect(f func(socketio.DisconnectReason)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = append(slices.Clip(s.gone), f)
}

func (s *Socket) encode(event string, id int64, args []any) (parser.Encoded, error) {
	if parser.IsReserved(event) {
		return parser.Encoded{}, fmt.Errorf("client: %q is a reserved event name", event)
	}
	e, err := parser.JSON.Encode(parser.Header{Type: parser.Event, Namespace: s.nsp, ID: id}, append([]any{event}, args...)...)
	if err != nil {
		return e, fmt.Errorf("client: emit %q: %w", event, err)
	}
	return e, nil
}

// Emit queues an event. It fails with [socketio.ErrDisconnected] unless the
// socket is connected.
func (s *Socket) Emit(event string, args ...any) error {
	e, err := s.encode(event, parser.NoID, args)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.joined {
		return socketio.ErrDisconnected
	}
	return send(s.sess, e)
}

// EmitWithAck sends an event and waits for the answer, until ctx is done or the
// socket disconnects.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (*socketio.Message, error) {
	s.mu.Lock()
	id := s.nextID
	s.nextID++
	s.mu.Unlock()
	e, err := s.encode(event, id, args)
	if err != nil {
		return nil, err
	}
	arrived := make(chan answer, 1)
	s.mu.Lock()
	if !s.joined {
		s.mu.Unlock()
		return nil, socketio.ErrDisconnected
	}
	s.acks[id] = arrived
	err = send(s.sess, e)
	s.mu.Unlock()
	defer func() { s.mu.Lock(); delete(s.acks, id); s.mu.Unlock() }()
	if err != nil {
		return nil, err
	}
	select {
	case a := <-arrived:
		if a.err != nil {
			return nil, a.err
		}
		a.p.ID = parser.NoID
		return socketio.NewMessage(parser.JSON, a.p, event, nil), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// receive runs on the goroutine that reads, and never calls a handler.
func (s *Socket) receive(p parser.Packet) error {
	s.mu.Lock()
	sess := s.sess
	if sess == nil {
		s.mu.Unlock()
		return nil
	}
	defer s.mu.Unlock()
	switch p.Type {
	case parser.Connect:
		var welcome struct{ SID string }
		if s.joined {
			return nil
		}
		if len(p.Args) > 0 {
			if err := json.Unmarshal(p.Args[0], &welcome); err != nil {
				return err
			}
		}
		s.id, s.joined = welcome.SID, true
		s.opened <- nil
	case parser.ConnectError, parser.Disconnect:
		var reason error = ServerDisconnect
		if p.Type == parser.ConnectError {
			refused := new(ConnectError)
			if len(p.Args) > 0 && json.Unmarshal(p.Args[0], refused) != nil {
				refused.Message = string(p.Args[0])
			}
			reason = refused
		}
		s.mu.Unlock()
		s.end(sess, reason)
		s.mu.Lock()
	case parser.Ack:
		if c := s.acks[p.ID]; c != nil {
			delete(s.acks, p.ID)
			c <- answer{p: p}
		}
	case parser.Event:
		if !s.joined {
			return nil
		}
		if len(s.queue) >= s.manager.opts.MaxReceivedEvents {
			return errQueueFull
		}
		ctx := s.ctx
		s.enqueue(func() { s.dispatch(ctx, sess, p) })
	}
	return nil
}

// enqueue is called with mu held. The goroutine ends when there is no work.
func (s *Socket) enqueue(f func()) {
	s.queue = append(s.queue, f)
	if !s.busy {
		s.busy = true
		s.running.Go(s.run)
	}
}

func (s *Socket) run() {
	for {
		s.mu.Lock()
		if len(s.queue) == 0 {
			s.busy, s.queue = false, nil
			s.mu.Unlock()
			return
		}
		f := s.queue[0]
		s.queue[0] = nil
		s.queue = s.queue[1:]
		s.mu.Unlock()
		s.guard("", f)
	}
}

func (s *Socket) guard(event string, f func()) {
	defer func() {
		if v := recover(); v != nil {
			s.report(event, &socketio.PanicError{Event: event, Value: v, Stack: debug.Stack()})
		}
	}()
	f()
}

func (s *Socket) report(event string, err error) {
	if s.manager.opts.OnError != nil {
		s.manager.opts.OnError(event, err)
	}
}

func (s *Socket) dispatch(ctx context.Context, sess *engineio.ClientSession, p parser.Packet) {
	event := string(p.Event)
	m := socketio.NewMessage(parser.JSON, p, event, func(e parser.Encoded) error { return send(sess, e) })
	s.mu.Lock()
	all := slices.Concat(s.any, s.handlers[event])
	s.mu.Unlock()
	for _, l := range all {
		s.guard(event, func() {
			err := l.h(ctx, m)
			if err == nil {
				return
			}
			if m.WantsAck() {
				_ = m.Ack(socketio.DefaultAckErrors(err)) // the error itself is reported
			}
			s.report(event, err)
		})
	}
}
