package socketio

import (
	"sync"

	"github.com/sockeye-go/socketio/internal/stack"
	"github.com/sockeye-go/socketio/parser"
)

// An inbox is what a socket has received and not handled. It belongs to one
// goroutine at a time, which exists only while there is something in it.
// Guarded by connection.mu.
type inbox struct {
	last *item   // linked to the first
	next *Socket // the next one in connection.ready
}

type itemKind uint8

const (
	itemConnect itemKind = iota
	itemEvent
	itemError
	itemDisconnect
)

// An item is one thing for a socket to handle. Items of events are used again,
// with the memory that the event is in, unless a Message was handed out: whoever
// keeps one longer than is allowed must not find another event in it.
type item struct {
	next   *item
	kind   itemKind
	size   int              // of the packet, in bytes
	err    error            // of itemError
	reason DisconnectReason // of itemDisconnect

	msg  Message   // of itemEvent
	head []byte    // what msg points into
	args [4][]byte // room for the arguments
}

var items = sync.Pool{New: func() any { return new(item) }}

// maxItemHead bounds, in bytes, what an item keeps for the next event.
const maxItemHead = 64 << 10

// recycle gives up an item of an event.
func (it *item) recycle() {
	if it.msg.handedOut {
		return
	}
	if cap(it.head) > maxItemHead {
		it.head = nil
	}
	*it = item{head: it.head[:0]}
	items.Put(it)
}

func (b *inbox) push(it *item) {
	it.next = it
	if b.last != nil {
		it.next, b.last.next = b.last.next, it
	}
	b.last = it
}

func (b *inbox) pop() *item {
	if b.last == nil {
		return nil
	}
	it := b.last.next
	if it == b.last {
		b.last = nil
	} else {
		b.last.next = it.next
	}
	it.next = nil
	return it
}

// claimInbox makes the caller the one who runs the inbox, unless there is one, or
// nothing to do.
func (s *Socket) claimInbox() bool {
	if s.running || s.inbox.last == nil {
		return false
	}
	s.running = true
	return true
}

// enqueue adds an item to what waits for the socket's handlers. It reports
// whether the connection may go on.
func (s *Socket) enqueue(it *item) bool {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.enqueueLocked(s, it)
}

func (c *connection) enqueueLocked(s *Socket, it *item) bool {
	ok := true
	switch it.kind {
	case itemEvent:
		if limit := c.received(it.size); limit != "" {
			c.srv.hit(limit)
			ok = false
		}
	case itemDisconnect: // a client that joins and leaves over and over
		c.received(0)
	}
	s.inbox.push(it)
	if !s.running && !s.marked {
		s.marked, s.inbox.next = true, c.ready
		c.ready = s
	}
	return ok
}

// takeReady claims the inboxes that have something new and returns their
// sockets, linked.
func (c *connection) takeReady() *Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	var claimed *Socket
	for s := c.ready; s != nil; {
		next := s.inbox.next
		s.marked, s.inbox.next = false, nil
		if s.claimInbox() {
			s.inbox.next = claimed
			claimed = s
		}
		s = next
	}
	c.ready = nil
	return claimed
}

// schedule runs the inbox on a goroutine of its own, if there is anything.
func (s *Socket) schedule() {
	s.conn.mu.Lock()
	claimed := s.claimInbox()
	s.conn.mu.Unlock()
	if claimed {
		s.nsp.srv.work.add()
		go s.drainAfresh()
	}
}

// drainAfresh is drain on a new goroutine.
func (s *Socket) drainAfresh() {
	stack.Grow()
	s.drain()
}

// drain runs a claimed inbox until it is empty.
func (s *Socket) drain() {
	var done, it *item
	emptied := false
	defer func() {
		if !emptied { // a handler has ended this goroutine
			s.goOn(it)
		}
		s.nsp.srv.work.done()
	}()
	for {
		it = s.nextItem(done)
		if it == nil {
			emptied = true
			return
		}
		done = nil
		switch it.kind {
		case itemConnect:
			s.admit()
		case itemEvent:
			if s.dispatch(it) {
				done = it
			}
		case itemError:
			s.report(it.err)
		case itemDisconnect:
			s.left(it.reason)
			done = it
		}
	}
}

// goOn drains on another goroutine after the end of the one that had it. What that
// was at is not used again, as nobody knows who has it.
func (s *Socket) goOn(at *item) {
	if at.kind == itemEvent || at.kind == itemDisconnect {
		s.conn.mu.Lock()
		s.conn.handled(at.size)
		s.conn.mu.Unlock()
	}
	s.nsp.srv.work.add()
	go s.drainAfresh()
}

// nextItem counts done, which may be nil, as handled, and returns the next item;
// with none left it releases the inbox and returns nil.
func (s *Socket) nextItem(done *item) *item {
	c := s.conn
	c.mu.Lock()
	if done != nil {
		c.handled(done.size)
	}
	it := s.inbox.pop()
	s.running = it != nil
	c.mu.Unlock()
	if done != nil {
		done.recycle()
	}
	return it
}

// handledItem is for an item that was not handled in turn.
func (s *Socket) handledItem(it *item) {
	s.conn.mu.Lock()
	s.conn.handled(it.size)
	s.conn.mu.Unlock()
	it.recycle()
}

// newEventItem is an item with a copy of data, which is that of the engine. If
// copied, data belongs to the item already, or to nobody.
func newEventItem(data []byte, own bool) *item {
	it := items.Get().(*item)
	it.kind = itemEvent
	if !own {
		it.head = append(it.head[:0], data...)
	}
	it.msg.packet = parser.Packet{Args: it.args[:0]}
	return it
}
