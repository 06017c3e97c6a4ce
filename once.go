package socketio

import (
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/parser"
)

// A client that repeats a send until it is acknowledged would have it handled
// twice when it was the acknowledgement that got lost. Package client therefore
// says who it is, in a header of the handshake that other servers do not look
// at, repeats a send under the id of the first try, and has one on its way at a
// time; so that the server needs to remember the last one of each namespace,
// and its answer. docs/adr has the reasons.

// OnceHeader is the header of the handshake by which such a client says who it
// is: 22 characters of base64url that nobody else can guess, the same for all its
// connections.
const OnceHeader = "Socketio-Once"

// FirstOnceID is the smallest packet id of a repeated send. Smaller ids are
// ordinary. Ids of repeated sends only grow.
const FirstOnceID int64 = 1 << 30

// maxOnceClients bounds the clients that are remembered. The repeats of those
// beyond are not recognised.
const maxOnceClients = 100_000

var onceKey = regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`)

// An onceTable remembers clients while they are connected, and for a window
// after that.
type onceTable struct {
	window time.Duration

	mu      sync.Mutex
	closed  bool
	clients map[string]*onceClient
	// idle are those without a connection, in order of their ends, which is that
	// of their windows; those that have come back are left in it.
	idle  []idleOnce
	timer *time.Timer // of the first of idle
}

type idleOnce struct {
	c     *onceClient
	until time.Time
}

type onceClient struct {
	key         string
	connections int       // guarded by onceTable.mu
	until       time.Time // of the window; zero while connected

	mu    sync.Mutex
	sends map[string]*onceSend // the last one, by namespace
}

type onceSend struct {
	id     int64
	answer *parser.Encoded // nil until there is one
	socket *Socket         // the one that asked last
}

// enter returns the client of a handshake; nil if it does not repeat its sends.
func (t *onceTable) enter(srv *Server, r *http.Request) *onceClient {
	key := r.Header.Get(OnceHeader)
	if key == "" || !onceKey.MatchString(key) {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.clients[key]
	if c == nil {
		if t.closed {
			return nil
		}
		if len(t.clients) >= maxOnceClients {
			srv.hit("OnceClients")
			return nil
		}
		if t.clients == nil {
			t.clients = make(map[string]*onceClient)
		}
		c = &onceClient{key: key}
		t.clients[key] = c
	}
	c.connections++
	c.until = time.Time{}
	return c
}

// leave starts the window when the last connection has ended.
func (t *onceTable) leave(c *onceClient) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.connections--; c.connections > 0 || t.closed {
		return
	}
	c.until = time.Now().Add(t.window)
	t.idle = append(t.idle, idleOnce{c, c.until})
	if len(t.idle) == 1 {
		t.timer = time.AfterFunc(t.window, t.expire)
	}
}

func (t *onceTable) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	for len(t.idle) > 0 && !now.Before(t.idle[0].until) {
		if i := t.idle[0]; i.c.until.Equal(i.until) { // it has not been back since
			delete(t.clients, i.c.key)
		}
		t.idle = t.idle[1:]
	}
	if len(t.idle) > 0 {
		t.timer = time.AfterFunc(t.idle[0].until.Sub(now), t.expire)
	} else {
		t.idle = nil
	}
}

// close forgets everybody, so that no timer is left.
func (t *onceTable) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil {
		t.timer.Stop()
	}
	t.closed, t.clients, t.idle = true, nil, nil
}

// repeated reports whether s has had the send before, with the answer if there
// is one. An answer that comes later goes to s.
func (c *onceClient) repeated(s *Socket, id int64) (bool, *parser.Encoded) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.sends[s.nsp.name]
	switch {
	case last == nil || id > last.id:
		if c.sends == nil || len(c.sends) >= s.nsp.srv.opts.MaxNamespaces && last == nil {
			c.sends = make(map[string]*onceSend)
		}
		c.sends[s.nsp.name] = &onceSend{id: id, socket: s}
		return false, nil
	case id < last.id: // the client has given it up
		return true, nil
	}
	last.socket = s
	return true, last.answer
}

// answered keeps an answer and returns the socket that waits for it; nil if
// none does.
func (c *onceClient) answered(nsp string, id int64, e parser.Encoded) *Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.sends[nsp]
	if last == nil || last.id != id {
		return nil
	}
	e = ownAttachments(e)
	last.answer = &e
	return last.socket
}

// forget has a send handled again when it is repeated.
func (c *onceClient) forget(nsp string, id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last := c.sends[nsp]; last != nil && last.id == id && last.answer == nil {
		last.id--
	}
}

// repeats reports whether an event is a repetition, and sees to its answer.
// connection.mu is not held.
func (c *connection) repeats(s *Socket, it *item) bool {
	once := c.once()
	if once == nil || it.msg.packet.ID < FirstOnceID {
		return false
	}
	again, answer := once.repeated(s, it.msg.packet.ID)
	if !again {
		it.msg.once = once
		return false
	}
	c.srv.log.socket.Debug("repeated event is not handled again", "socket", s, "event", string(it.msg.packet.Event))
	if answer != nil {
		_ = s.sendEncoded(*answer, 0) // if it gets lost too, the client asks again
	}
	return true
}

// confirm acknowledges a repeated send whose handlers have run without an error
// and left it at that.
func (s *Socket) confirm(m *Message) {
	if m.once != nil && m.taken && !m.bad && !m.detached && m.WantsAck() {
		_ = m.Ack()
	}
}

func (c *connection) onceWindow() int64 {
	if c.once() == nil {
		return 0
	}
	return c.srv.once.window.Milliseconds()
}
