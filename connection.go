package socketio

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// A connection is one client: a session of the engine, and a socket for each
// namespace it has joined. It receives for them.
type connection struct {
	srv    *Server
	sess   *engineio.Session
	origin origin
	parts  parser.Reassembler // used by Receive alone

	mu      sync.Mutex // taken before a socket's
	sockets sockets
	ready   *Socket // those that have work since the last Flush, linked by their inboxes
	flow    flow
	rare    *rareConnection // nil most of the time
}

// A rareConnection is what a connection has while it begins and while it ends.
type rareConnection struct {
	request *http.Request // until the first namespace has been joined
	timer   *time.Timer   // of ConnectTimeout, until a namespace has been joined
	closed  bool
	// dismissed are the namespaces out of which the server threw the client:
	// what is still on its way from there is no fault of the client's.
	dismissed []*Namespace
	leaving   *time.Timer // until the end, while Shutdown waits for handlers; nil otherwise
	parts     int         // bytes of attachments that wait for others
	paused    bool        // the session, as its client sends faster than handlers work
}

// noRareConnection is that of a connection which has none. It is not changed.
var noRareConnection rareConnection

// look returns the rare state to be read; c.mu is held.
func (c *connection) look() *rareConnection {
	if c.rare == nil {
		return &noRareConnection
	}
	return c.rare
}

// need returns the rare state to be changed; c.mu is held.
func (c *connection) need() *rareConnection {
	if c.rare == nil {
		c.rare = new(rareConnection)
	}
	return c.rare
}

// tidy lets the rare state go when there is nothing in it; c.mu is held.
func (c *connection) tidy() {
	r := c.rare
	if r != nil && r.request == nil && r.timer == nil && !r.closed && len(r.dismissed) == 0 && r.leaving == nil && r.parts == 0 && !r.paused {
		c.rare = nil
	}
}

// onSession is called by the engine for each handshake.
func (srv *Server) onSession(sess *engineio.Session, r *http.Request) engineio.Receiver {
	c := &connection{
		srv: srv, sess: sess,
		origin: srv.newOrigin(r),
		rare:   &rareConnection{request: r},
	}
	c.rare.timer = time.AfterFunc(srv.opts.ConnectTimeout, func() {
		srv.hit("ConnectTimeout")
		srv.log.client.Debug("no namespace joined in time", "connection", sess, "remote", sess.RemoteAddr())
		sess.Close()
	})
	if c.revision3() {
		c.joinRoot()
	}
	return c
}

// Receive implements [engineio.Receiver].
func (c *connection) Receive(m engineio.Message) {
	data, waiting := m.Data, c.parts.Waiting()
	it := newEventItem(data, waiting) // if waiting, data is an attachment, which parts copies
	if !waiting {
		// Queued events outlive the engine's buffer; all of p points into this.
		data = it.head
	}
	p := &it.msg.packet
	complete, err := c.parts.AddTo(p, c.srv.opts.Parser, data, m.Binary, &c.srv.limits)
	if err != nil {
		c.malformed(err)
		return
	}
	if waiting || !complete {
		c.gathered()
	}
	if !complete {
		it.recycle() // parts has copied what it needs
		return
	}
	if c.revision3() {
		c.splitQuery(p)
	}
	if c.srv.log.tracing() {
		c.trace("in", p)
	}
	if w := c.srv.watch.Load(); w != nil {
		w.in(c, p, len(data))
	}
	if p.Type == parser.Event {
		it.size = len(data) + attachmentBytes(*p)
		c.event(it)
		return
	}
	if p.Type == parser.Connect {
		c.connect(*p)
		it.recycle()
		return
	}
	// What is left may keep what p points to: it is not recycled.
	switch s := c.joinedSocket(p); {
	case s == nil:
	case p.Type == parser.Ack:
		s.answered(*p)
	case p.Type == parser.Disconnect:
		s.close(ClientDisconnect)
	default:
		c.violation(fmt.Errorf("packet of type %d from a client", p.Type))
	}
}

// event queues an event for its socket.
func (c *connection) event(it *item) {
	c.mu.Lock()
	s := c.sockets.of(it.msg.packet.Namespace)
	if s == nil || !s.admitted() {
		c.mu.Unlock()
		c.joinedSocket(&it.msg.packet)
		return
	}
	if c.once() != nil {
		c.mu.Unlock()
		if c.repeats(s, it) {
			return
		}
		c.mu.Lock()
		if !s.admitted() { // it left meanwhile: nothing may follow its disconnect
			c.mu.Unlock()
			c.once().forget(s.nsp.name, it.msg.packet.ID)
			return
		}
	}
	it.msg.socket, it.msg.codec = s, c.srv.opts.Parser
	ok := c.enqueueLocked(s, it)
	c.mu.Unlock()
	if !ok {
		c.violation(errors.New("too many events wait for their handlers"))
	}
}

// joinedSocket returns the socket that p is for. Without one it returns nil, and
// closes the connection unless the client could not know.
func (c *connection) joinedSocket(p *parser.Packet) *Socket {
	s := c.socket(p.Namespace)
	switch {
	case s != nil && s.admitted():
		return s
	case c.wasDismissed(p.Namespace):
		// The client sent it before it knew that it was out. Its socket may still
		// be on the way out.
	default:
		c.violation(fmt.Errorf("packet of type %d for namespace %q, which is not joined", p.Type, p.Namespace))
	}
	return nil
}

func attachmentBytes(p parser.Packet) int {
	n := 0
	for _, a := range p.Attachments {
		n += len(a)
	}
	return n
}

// Flush implements [engineio.Receiver].
func (c *connection) Flush(mayBlock bool) {
	for s := c.takeReady(); s != nil; {
		next := s.inbox.next // nobody else touches it while the inbox is claimed
		s.inbox.next = nil
		c.srv.work.add()
		if mayBlock && next == nil {
			s.drain()
		} else {
			go s.drainAfresh()
		}
		s = next
	}
}

// Closed implements [engineio.Receiver].
func (c *connection) Closed(reason engineio.Reason, err error) {
	c.parts.Reset()
	c.closeSockets(reasonOf(reason))
	if once := c.once(); once != nil {
		c.srv.once.leave(once)
	}
	c.srv.log.client.Debug("connection closed", "connection", c.sess, "reason", string(reason), "error", err)
}

// socket finds the socket of a namespace. There are one or a few.
func (c *connection) socket(namespace []byte) *Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sockets.of(namespace)
}

// connect is a client's request to join a namespace.
func (c *connection) connect(p parser.Packet) {
	if c.socket(p.Namespace) != nil {
		c.violation(fmt.Errorf("second CONNECT for namespace %q", p.Namespace))
		return
	}
	req := &NamespaceRequest{Name: string(p.Namespace), codec: c.srv.opts.Parser}
	if len(p.Args) > 0 {
		req.auth = p.Args[0]
	}
	n := c.srv.enter(req)
	if n == nil {
		c.refuse(string(p.Namespace), errInvalidNamespace)
		return
	}
	s := newSocket(n, c, p)
	c.mu.Lock()
	full := c.sockets.len() >= c.srv.opts.MaxNamespaces
	closed := c.look().closed
	if !full && !closed {
		c.sockets.add(s)
	}
	if len(c.look().dismissed) > 0 {
		c.rare.dismissed = slices.DeleteFunc(c.rare.dismissed, func(other *Namespace) bool { return other == n })
	}
	c.mu.Unlock()
	if full || closed {
		c.srv.leave(n)
	}
	if closed {
		return
	}
	if full {
		c.srv.hit("MaxNamespaces")
		c.refuse(n.name, &ConnectError{Message: "too many namespaces"})
		return
	}
	s.enqueue(&item{kind: itemConnect})
}

func (c *connection) dismiss(n *Namespace) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if rare := c.need(); !slices.Contains(rare.dismissed, n) {
		rare.dismissed = append(rare.dismissed, n)
	}
}

func (c *connection) wasDismissed(namespace []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.look().dismissed, func(n *Namespace) bool { return n.name == string(namespace) })
}

var errInvalidNamespace = &ConnectError{Message: "Invalid namespace"}

// refuse sends a CONNECT_ERROR.
func (c *connection) refuse(namespace string, refusal *ConnectError) {
	h := parser.Header{Type: parser.ConnectError, Namespace: namespace, ID: parser.NoID}
	e, err := c.srv.opts.Parser.Encode(h, c.refusalPayload(refusal))
	if err != nil {
		c.srv.log.client.Error("data of a ConnectError does not encode", "namespace", namespace, "error", err)
		bare := &ConnectError{Message: refusal.Message}
		if e, err = c.srv.opts.Parser.Encode(h, c.refusalPayload(bare)); err != nil {
			return
		}
	}
	c.send(prepare(e), 0)
}

func (c *connection) refusalPayload(refusal *ConnectError) any {
	if c.revision3() {
		return bareError(refusal)
	}
	return struct {
		Message string `json:"message"`
		Data    any    `json:"data,omitempty"`
	}{refusal.Message, refusal.Data}
}

// joined stops the clock of ConnectTimeout.
func (c *connection) joined() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if rare := c.look(); rare.timer != nil {
		rare.timer.Stop()
		rare.timer = nil
	}
}

// settled lets the request go when the handlers of the first socket have run.
func (c *connection) settled() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rare != nil {
		c.rare.request = nil
	}
	c.tidy()
}

// forget drops a socket that is closed.
func (c *connection) forget(s *Socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sockets.remove(s)
}

// malformed is the end of a client that sent what is no packet. Its sockets'
// error hooks hear of it first, as in the original.
func (c *connection) malformed(err error) {
	if limit := limitOf(err); limit != "" {
		c.srv.hit(limit)
	}
	for _, s := range c.all() {
		s.enqueue(&item{kind: itemError, err: err})
	}
	c.warn(err)
	// The original closes the session itself here, so that the reason is this
	// one on polling too.
	c.closeSockets(ForcedClose)
	c.sess.Close()
}

// violation is the end of a client that broke the protocol.
func (c *connection) violation(err error) {
	c.warn(err)
	c.close()
}

func (c *connection) warn(err error) {
	c.srv.log.client.Warn("protocol violation: connection is closed",
		"connection", c.sess, "remote", c.sess.RemoteAddr(), "error", err)
}

// close closes the connection, after what is queued for the client. The sockets
// learn the reason that the original gives on that transport.
func (c *connection) close() {
	reason := ForcedClose
	if c.sess.Transport() == engineio.Polling {
		reason = ForcedServerClose
	}
	c.closeSockets(reason)
	c.sess.Close()
}

func (c *connection) closeSockets(reason DisconnectReason) {
	c.mu.Lock()
	rare := c.need()
	rare.closed = true
	if rare.timer != nil {
		rare.timer.Stop()
		rare.timer = nil
	}
	c.mu.Unlock()
	for _, s := range c.all() {
		s.close(reason)
	}
}

// all returns the sockets that there are now.
func (c *connection) all() []*Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sockets.all()
}
