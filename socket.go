package socketio

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// A Socket is one client in one namespace. Its methods are safe for concurrent
// use, and only those that take a context wait for anything.
//
// The handlers of a socket run one at a time, in the order in which the client
// sent their events. Handlers of different sockets run in parallel. A handler
// may wait, for an ack of its own socket too: heartbeats and acks of the
// connection go on meanwhile, and what else the client sends is queued.
type Socket struct {
	// What a broadcast looks at of each recipient comes first here, and in the types
	// below: one line of the cache each, and not two.
	nsp   *Namespace
	conn  *connection
	state status // changed under mu

	marked  bool // in connection.ready, whose lock guards these two
	running bool // a goroutine has the inbox
	inbox   inbox

	id      string
	member  adapter.Membership
	brought *brought // nil for most

	mu   sync.Mutex
	rare *rareState // nil until some of it is needed
}

// A brought is what some sockets have from their beginning on.
type brought struct {
	auth []byte      // JSON, nil if the client sent none
	kept *keptSocket // nil without Options.Recovery
}

// auth is the payload of the client's CONNECT, nil if it had none.
func (s *Socket) auth() []byte {
	if s.brought == nil {
		return nil
	}
	return s.brought.auth
}

// kept is nil without Options.Recovery.
func (s *Socket) kept() *keptSocket {
	if s.brought == nil {
		return nil
	}
	return s.brought.kept
}

// A rareState is what most sockets have none of while they are connected.
type rareState struct {
	ctx    context.Context // made when first needed; see socketContext
	cancel context.CancelCauseFunc
	data   map[string]any
	local  map[any]any
	hooks  *socketHooks
	acks   ackTable
	reason DisconnectReason
	was    []string // the rooms it left by disconnecting
}

// noRareState is that of a socket which has none. It is not changed.
var noRareState rareState

// look returns the rare state to be read; s.mu is held.
func (s *Socket) look() *rareState {
	if s.rare == nil {
		return &noRareState
	}
	return s.rare
}

// need returns the rare state to be changed; s.mu is held.
func (s *Socket) need() *rareState {
	if s.rare == nil {
		s.rare = new(rareState)
	}
	return s.rare
}

// tidy lets the rare state go when there is nothing in it; s.mu is held.
func (s *Socket) tidy() {
	r := s.rare
	if r != nil && r.ctx == nil && r.data == nil && r.local == nil && r.hooks == nil && r.acks == nil && r.reason == "" {
		s.rare = nil
	}
}

// A status is the state of a socket, and beside it whether rare.hooks is there.
type status struct{ word atomic.Uint32 }

const hooked = 1 << 31

func (t *status) Load() uint32 { return t.word.Load() &^ hooked }

// Store changes the state; the socket's mu is held.
func (t *status) Store(state uint32) { t.word.Store(state | t.word.Load()&hooked) }

func (t *status) hooked() bool { return t.word.Load()&hooked != 0 }

// hook says that there are hooks; the socket's mu is held.
func (t *status) hook() { t.word.Store(t.word.Load() | hooked) }

// The states of a socket only go forward.
const (
	connecting   uint32 = iota // middleware runs
	admitted                   // the client may send; broadcasts do not reach it yet
	connected                  // its CONNECT has been sent
	disconnected               // for good: a client that comes back gets another Socket
)

func newSocket(n *Namespace, c *connection, p parser.Packet) *Socket {
	s := &Socket{nsp: n, conn: c}
	if c.revision3() {
		s.id = c.socketID(n.name)
	} else {
		s.id = n.newID()
	}
	s.member.Limit(n.srv.opts.MaxRooms)
	if len(p.Args) > 0 || n.recoverer != nil {
		s.brought = new(brought)
	}
	if len(p.Args) > 0 {
		s.brought.auth = bytes.Clone(p.Args[0]) // which is in the memory of an item
	}
	if n.recoverer != nil {
		s.brought.kept = &keptSocket{pid: newID(), left: make(chan struct{})}
	}
	return s
}

// ID returns the id: 20 characters, other than the sid of the connection. It
// is not a secret among the users of a namespace, and ends with the connection.
// The exception are clients of Options.AllowEIO3: their ids contain the sid,
// with which anybody could speak for them.
func (s *Socket) ID() string { return s.id }

// Namespace returns the namespace.
func (s *Socket) Namespace() *Namespace { return s.nsp }

// Transport returns the transport that the connection uses now: "polling" or
// "websocket".
func (s *Socket) Transport() string { return s.conn.sess.Transport() }

// Connected reports whether the socket has joined and not left.
func (s *Socket) Connected() bool {
	st := s.state.Load()
	return st == admitted || st == connected
}

func (s *Socket) admitted() bool { return s.Connected() }

// Buffered returns how much waits for the client, in bytes and packets.
func (s *Socket) Buffered() (bytes, packets int) { return s.conn.sess.Buffered() }

// Auth returns the payload of the client's CONNECT as JSON, nil if it had none.
func (s *Socket) Auth() json.RawMessage {
	var auth json.RawMessage
	if err := s.DecodeAuth(&auth); err != nil { // of a parser that does not know the type
		return nil
	}
	return auth
}

// DecodeAuth decodes the payload of the client's CONNECT into v, which it
// leaves alone if there was none.
func (s *Socket) DecodeAuth(v any) error {
	auth := s.auth()
	if auth == nil {
		return nil
	}
	return s.nsp.srv.opts.Parser.Unmarshal(auth, nil, v)
}

// Context returns a context that ends when the socket disconnects, with the
// [DisconnectReason] as its cause. Handlers get it as their ctx.
func (s *Socket) Context() context.Context { return (*socketContext)(s) }

// LogValue groups what identifies a socket, so that every record about one
// carries the same keys: log.Info("joined", "socket", s, "room", room). The sid is
// not among them, not even where the id of a socket has it in it (Socket.IO 2): who
// reads it in a log could take part in the connection.
func (s *Socket) LogValue() slog.Value {
	connection := s.ConnectionID()
	return slog.GroupValue(
		slog.String("id", strings.Replace(s.id, s.conn.sess.ID(), connection, 1)),
		slog.String("nsp", s.nsp.name),
		slog.String("connection", connection),
		slog.String("transport", s.Transport()),
	)
}

// Disconnect takes the socket out of its namespace, with [ServerDisconnect];
// the client sees "io server disconnect" and does not come back by itself. With
// closeConnection all sockets of the connection leave, and it is closed. What
// was emitted before still goes out; events of the client that wait for a
// handler are dropped. In middleware, return an error instead.
func (s *Socket) Disconnect(closeConnection bool) {
	s.endSession()
	if !closeConnection {
		s.kick()
		return
	}
	for _, other := range s.conn.all() {
		other.kick()
	}
	s.conn.sess.Close()
}

func (s *Socket) kick() {
	if !s.Connected() {
		return
	}
	s.closing()
	s.conn.dismiss(s.nsp)
	if !s.close(ServerDisconnect) {
		return
	}
	if p, err := s.nsp.encode(parser.Disconnect, parser.NoID); err == nil {
		s.conn.send(p, 0)
	}
	s.schedule()
}

// close ends the socket, once. Others cannot find it any more when it returns;
// its own handlers hear of it after those of everything it sent.
func (s *Socket) close(reason DisconnectReason) bool {
	s.mu.Lock()
	before := s.state.Load()
	if before == disconnected {
		s.mu.Unlock()
		return false
	}
	s.state.Store(disconnected)
	rare := s.need()
	rare.reason = reason
	user, _ := rare.local[userKey{}].(string)
	cancel := rare.cancel
	waiting := rare.acks
	rare.acks = nil
	s.mu.Unlock()

	rooms := s.leaveAdapter(reason)
	s.mu.Lock()
	rare.was = rooms
	s.mu.Unlock()
	s.conn.forget(s)
	s.nsp.srv.leave(s.nsp)
	s.nsp.srv.counts.left(s.nsp, before, reason, user)
	if cancel != nil {
		cancel(reason)
	}
	for _, f := range waiting {
		f(adapter.Answer{Err: reason})
	}
	if before != connecting {
		s.enqueue(&item{kind: itemDisconnect, reason: reason})
	}
	return true
}

// send hands a packet of this socket to its connection.
func (s *Socket) send(p *engineio.Prepared, f engineio.Flags) error {
	if s.state.Load() == disconnected {
		return ErrDisconnected
	}
	return sendError(s.conn.send(p, f))
}
