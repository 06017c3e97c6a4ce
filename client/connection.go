package client

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// A connection is one session of the engine. It receives for the sockets.
type connection struct {
	m     *Manager
	sess  *engineio.ClientSession
	parts parser.Reassembler // these two are used by Receive alone
	size  int                // of the messages of a packet so far

	// Guarded by Manager.mu.
	ended  bool
	reason error
	root   bool      // revision 3: the server has let us into "/"
	ready  []*Socket // have work since the last Flush
	flow   flow
	early  early
	// abandoned are namespaces whose CONNECT was sent and is not waited for.
	abandoned []string
}

func newConnection(m *Manager) *connection { return &connection{m: m} }

// Receive implements [engineio.Receiver]. It never runs a handler.
func (c *connection) Receive(in engineio.Message) {
	data := in.Data
	if !c.parts.Waiting() { // attachments it copies itself
		data = bytes.Clone(data)
	}
	o := c.m.opts
	p, complete, err := c.parts.Add(o.Parser, data, in.Binary, &parser.Limits{
		MaxAttachments: o.MaxAttachments, MaxAttachmentBytes: o.MaxAttachmentBytes,
	})
	if err != nil {
		c.malformed(err)
		return
	}
	c.size += len(data)
	if !complete {
		return
	}
	size := c.size
	c.size = 0
	if err := c.packet(p, size); err != nil {
		c.malformed(err)
	}
}

func (c *connection) packet(p parser.Packet, size int) error {
	nsp := p.Namespace
	if o := c.m.opts; o.Protocol == 3 {
		nsp, _, _ = bytes.Cut(nsp, []byte("?"))
		if p.Type == parser.Connect && string(nsp) == "/" {
			c.m.mu.Lock()
			c.root = true
			c.m.mu.Unlock()
		}
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	s := c.m.find(string(nsp))
	if s != nil && s.conn == nil && s.active && string(nsp) == "/" && c.m.opts.Protocol == 3 {
		return c.keep(p, size)
	}
	if s == nil || s.conn != c {
		c.notWanted(string(nsp), p.Type)
		return nil
	}
	return s.receive(c, p, size)
}

// early is what a server of revision 3 says in "/", where it has let us in without
// being asked, before the socket that wants to be there has come to it.
type early struct {
	packets []parser.Packet
	sizes   []int
	bytes   int
}

// keep has a packet wait for [connection.catchUp]. mu is held.
func (c *connection) keep(p parser.Packet, size int) error {
	if p.Type == parser.Connect { // root says it
		return nil
	}
	e := &c.early
	e.bytes += size
	if c.m.opts.tooEarly(len(e.packets), e.bytes) {
		return errTooEarly
	}
	e.packets, e.sizes = append(e.packets, p), append(e.sizes, size)
	return nil
}

// catchUp has the socket of "/" receive what has waited for it. mu is held.
func (c *connection) catchUp(s *Socket) error {
	e := c.early
	c.early = early{}
	for i, p := range e.packets {
		if s.conn != c { // by one of them
			return nil
		}
		if err := s.receive(c, p, e.sizes[i]); err != nil {
			return err
		}
	}
	s.schedule()
	return nil
}

// notWanted is for a packet of a namespace that was left. A CONNECT that was
// given up has an answer to come, after which the server believes that we are
// there. mu is held.
func (c *connection) notWanted(nsp string, kind parser.Type) {
	if kind != parser.Connect && kind != parser.ConnectError {
		return
	}
	if i := slices.Index(c.abandoned, nsp); i >= 0 {
		c.abandoned = slices.Delete(c.abandoned, i, i+1)
		if kind == parser.Connect {
			c.sendHeader(parser.Disconnect, nsp)
		}
	}
}

// sendHeader sends a packet without values.
func (c *connection) sendHeader(kind parser.Type, nsp string) {
	if e, err := c.m.opts.Parser.Encode(parser.Header{Type: kind, Namespace: nsp, ID: parser.NoID}); err == nil {
		_ = c.send(e, 0) // a session that is gone needs no farewell
	}
}

func (c *connection) send(e parser.Encoded, f engineio.Flags) error {
	if len(e.Attachments) == 0 {
		return c.sess.Send(f, engineio.Message{Binary: e.HeadBinary, Data: e.Head})
	}
	messages := make([]engineio.Message, 0, 1+len(e.Attachments))
	messages = append(messages, engineio.Message{Binary: e.HeadBinary, Data: e.Head})
	for _, a := range e.Attachments {
		messages = append(messages, engineio.Message{Binary: true, Data: a})
	}
	return c.sess.Send(f, messages...)
}

// malformed ends a connection whose server sends what is no packet.
func (c *connection) malformed(err error) {
	c.m.opts.Logger.Warn("malformed packet from the server: connection is closed", "url", c.m.url, "error", err)
	c.sess.Abort(engineio.ParseError)
}

// Flush implements [engineio.Receiver].
func (c *connection) Flush(mayBlock bool) {
	m := c.m
	m.mu.Lock()
	ready := c.ready
	c.ready = nil
	var own *Socket
	for i, s := range ready {
		s.marked = false
		if mayBlock && i == len(ready)-1 && !m.ended && s.acquire() {
			own = s
			m.running.Add(1)
		} else {
			s.schedule()
		}
	}
	m.mu.Unlock()
	if own != nil {
		defer m.running.Done() // a handler may end this goroutine
		own.drain()
	}
}

// Closed implements [engineio.Receiver].
func (c *connection) Closed(reason engineio.Reason, err error) {
	c.parts.Reset()
	c.m.lost(c, socketio.DisconnectReason(reason), err)
}

// flow holds the server back when it sends faster than the handlers work; see
// the same in package socketio.
type flow struct {
	events, bytes int
	paused        bool
	stall         *time.Timer // runs while paused above the hard limit
	handled       int         // handlers that have ended, for stall
}

// hardFactor is how much more than the limits may wait while an ack is awaited.
const hardFactor = 16

// stallTimeout is how long nothing may move above the hard limit.
const stallTimeout = 10 * time.Second

var errStalled = errors.New("client: handlers wait for acks behind too many events")

// received and handled count; mu is held.
func (c *connection) received(size int) {
	c.flow.events++
	c.flow.bytes += size
	c.decide()
}

func (c *connection) handled(size int) {
	c.flow.events--
	c.flow.bytes -= size
	c.flow.handled++
	c.decide()
}

// decide pauses above the limits and resumes below half of them. While an ack
// is awaited, perhaps by a handler, reading goes on to the hard limits; above
// them there may be a deadlock, which the end of the connection resolves.
func (c *connection) decide() {
	f, o := &c.flow, c.m.opts
	above := func(factor int) bool {
		return f.events >= factor*o.MaxReceivedEvents || f.bytes >= factor*o.MaxReceivedBytes
	}
	waits := c.waits() > 0
	stuck := waits && above(hardFactor)
	switch {
	case stuck, !waits && above(1):
		if !f.paused {
			f.paused = true
			c.sess.Pause()
		}
	case waits, f.events <= o.MaxReceivedEvents/2 && f.bytes <= o.MaxReceivedBytes/2:
		if f.paused {
			f.paused = false
			c.sess.Resume()
		}
	}
	switch {
	case stuck && f.stall == nil:
		before := f.handled
		f.stall = time.AfterFunc(stallTimeout, func() { c.stalled(before) })
	case !stuck && f.stall != nil:
		f.stall.Stop()
		f.stall = nil
	}
}

func (c *connection) stalled(before int) {
	c.m.mu.Lock()
	moved := c.flow.handled != before
	if c.flow.stall != nil && moved {
		now := c.flow.handled
		c.flow.stall = time.AfterFunc(stallTimeout, func() { c.stalled(now) })
	}
	stuck := c.flow.stall != nil && !moved && !c.ended
	c.m.mu.Unlock()
	if stuck {
		c.m.opts.Logger.Error("connection is closed", "url", c.m.url, "error", errStalled)
		c.sess.Abort(engineio.TransportError)
	}
}

// waits counts the acks that are awaited on this connection.
func (c *connection) waits() int {
	n := 0
	for _, s := range c.m.sockets {
		if s.conn == c {
			n += s.waiting
		}
	}
	return n
}
