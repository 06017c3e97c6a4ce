package client

import (
	"context"
	"encoding/json"
	"errors"
	"runtime/debug"
	"slices"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/parser"
)

// An item is an event that waits for its handlers, or a call of hooks.
type item struct {
	conn   *connection
	ctx    context.Context
	packet parser.Packet
	size   int
	call   func() // in place of a packet
}

// An inbox is what a socket has received and not handled. It belongs to one
// goroutine at a time, which exists only while there is something in it.
type inbox struct {
	items   []item
	head    int
	running bool
}

// drop forgets the events, and keeps the calls.
func (b *inbox) drop() {
	kept := b.items[:0]
	for _, it := range b.items[b.head:] {
		if it.call != nil {
			kept = append(kept, it)
		} else {
			it.conn.handled(it.size)
		}
	}
	clear(b.items[len(kept):])
	b.items, b.head = kept, 0
}

// receive takes a packet from the goroutine that reads; mu is held. An error
// ends the connection.
func (s *Socket) receive(c *connection, p parser.Packet, size int) error {
	switch p.Type {
	case parser.Connect:
		if s.joined {
			return nil
		}
		var payload []byte
		if len(p.Args) > 0 {
			payload = p.Args[0]
		}
		return s.connected(c, payload)
	case parser.ConnectError:
		if s.joined && s.m.opts.Protocol != 3 {
			return nil
		}
		s.refused(p)
	case parser.Disconnect:
		s.active, s.keep = false, false
		s.end(ServerDisconnect, nil)
		s.m.settle()
	case parser.Ack:
		s.answered(p)
	case parser.Event:
		s.remember(p)
		it := item{conn: c, packet: p, size: size}
		if !s.joined { // what a recovery brings comes before CONNECT
			s.ahead += size
			if s.m.opts.tooEarly(len(s.early), s.ahead) {
				return errTooEarly
			}
			s.early = append(s.early, it)
			return nil
		}
		c.received(size)
		s.enqueue(it)
	}
	return nil
}

// tooEarly reports whether more may not wait for the answer to CONNECT than these
// events, which are of so many bytes with the next.
func (o *Options) tooEarly(events, bytes int) bool {
	return events >= hardFactor*o.MaxReceivedEvents || bytes > hardFactor*o.MaxReceivedBytes
}

var errTooEarly = errors.New("too many events before the answer to CONNECT")

// remember keeps the offset of an event, for a recovery.
func (s *Socket) remember(p parser.Packet) {
	if s.pid == "" || p.ID != parser.NoID || len(p.Args) == 0 {
		return
	}
	var offset string
	raw := p.Args[len(p.Args)-1]
	if s.m.opts.Parser == parser.JSON && (len(raw) == 0 || raw[0] != '"') {
		return
	}
	if s.m.opts.Parser.Unmarshal(raw, nil, &offset) == nil {
		s.offset = offset
	}
}

// enqueue is called by the goroutine that reads, whose Flush will follow.
func (s *Socket) enqueue(it item) {
	if it.call == nil {
		it.ctx = s.context()
	}
	s.inbox.items = append(s.inbox.items, it)
	if c := it.conn; !s.marked && !s.inbox.running {
		s.marked = true
		c.ready = append(c.ready, s)
	}
}

// call has the hooks that there are now called after what came before. mu is
// held.
func (s *Socket) call(f func(*socketHooks)) {
	hooks := s.hooks
	if hooks == nil {
		hooks = new(socketHooks)
	}
	s.inbox.items = append(s.inbox.items, item{call: func() { f(hooks) }})
	s.schedule()
}

// acquire makes the caller the one who runs the inbox, unless there is one, or
// nothing to do. mu is held.
func (s *Socket) acquire() bool {
	if s.inbox.running || s.inbox.head == len(s.inbox.items) {
		return false
	}
	s.inbox.running = true
	return true
}

// schedule runs the inbox on a goroutine of its own. mu is held.
func (s *Socket) schedule() {
	if s.acquire() && !s.m.begin(s.drain) {
		s.inbox = inbox{}
	}
}

func (s *Socket) drain() {
	var it item
	emptied := false
	defer func() {
		if !emptied { // a handler has ended this goroutine
			s.goOn(it)
		}
	}()
	for {
		var ok bool
		if it, ok = s.pop(); !ok {
			emptied = true
			return
		}
		if it.call != nil {
			it.call()
			continue
		}
		s.m.mu.Lock()
		hooks := s.hooks
		s.m.mu.Unlock()
		s.dispatch(it, hooks)
		s.m.mu.Lock()
		it.conn.handled(it.size)
		s.m.mu.Unlock()
	}
}

// goOn drains on another goroutine after the end of the one that had it.
func (s *Socket) goOn(at item) {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if at.call == nil {
		at.conn.handled(at.size)
	}
	s.inbox.running = false
	s.schedule()
}

func (s *Socket) pop() (item, bool) {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	b := &s.inbox
	if b.head == len(b.items) {
		*b = inbox{}
		return item{}, false
	}
	it := b.items[b.head]
	b.items[b.head] = item{}
	b.head++
	if b.head >= 64 && b.head*2 >= len(b.items) {
		n := copy(b.items, b.items[b.head:])
		clear(b.items[n:])
		b.items, b.head = b.items[:n], 0
	}
	return it, true
}

// dispatch calls the handlers of an event, or of those in a batch, unless the program
// has a handler for batches itself.
func (s *Socket) dispatch(it item, hooks *socketHooks) {
	if hooks == nil {
		return
	}
	event := string(it.packet.Event)
	if event == batchEvent && len(hooks.on[event]) == 0 {
		if events := s.unbatch(it.packet); events != nil {
			for _, p := range events {
				it.packet = p
				s.handle(it, hooks, string(p.Event))
			}
			return
		}
	}
	s.handle(it, hooks, event)
}

func (s *Socket) handle(it item, hooks *socketHooks, event string) {
	all := hooks.any
	if own := hooks.on[event]; len(own) > 0 {
		all = slices.Concat(all, own)
	}
	if len(all) == 0 {
		return
	}
	m := socketio.NewMessage(s.m.opts.Parser, it.packet, event, func(e parser.Encoded) error {
		return sendError(it.conn.send(e, 0))
	})
	for _, h := range all {
		s.guard(event, func() {
			err := (*h)(it.ctx, m)
			if err == nil {
				return
			}
			if m.WantsAck() {
				if answer := s.m.opts.AckErrors(err); answer != nil {
					_ = m.Ack(answer) // the error itself is reported
				}
			}
			s.report(event, err)
		})
	}
}

// guard turns a panic into an error, and disconnects the socket: its state may
// be half of what its handlers rely on.
func (s *Socket) guard(event string, f func()) {
	returned := false
	defer func() {
		v := recover()
		if v == nil {
			if returned {
				return
			}
			v = errGoexit // as FailNow of a test does
		}
		s.Disconnect()
		s.report(event, &socketio.PanicError{Event: event, Value: v, Stack: debug.Stack()})
	}()
	f()
	returned = true
}

var errGoexit = errors.New("it ended its goroutine (runtime.Goexit)")

func (s *Socket) report(event string, err error) {
	o := s.m.opts
	if o.OnError == nil {
		o.Logger.Warn("error of a handler", "namespace", s.nsp, "event", event, "error", err)
		return
	}
	defer func() {
		if v := recover(); v != nil {
			o.Logger.Error("panic in OnError", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	o.OnError(s, event, err)
}

// ackError looks for an error of our convention in an answer.
func ackError(o *Options, p parser.Packet) error {
	if !o.ErrorAcks || len(p.Args) != 1 {
		return nil
	}
	var fields map[string]json.RawMessage
	var failure struct{ Error *socketio.AckError }
	if o.Parser.Unmarshal(p.Args[0], nil, &fields) != nil || len(fields) != 1 ||
		o.Parser.Unmarshal(p.Args[0], nil, &failure) != nil || failure.Error == nil || failure.Error.Code == "" {
		return nil
	}
	return failure.Error
}
