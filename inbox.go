package socketio

import (
	"sync"

	"github.com/sockeye-go/socketio/parser"
)

// An inbox is what a socket has received and not handled. It belongs to one
// goroutine at a time, which exists only while there is something in it.
type inbox struct {
	mu      sync.Mutex
	items   []item
	head    int
	running bool
	marked  bool // among connection.ready
}

type itemKind uint8

const (
	itemConnect itemKind = iota
	itemEvent
	itemError
	itemDisconnect
)

type item struct {
	kind   itemKind
	packet parser.Packet
	size   int              // of the packet, in bytes
	err    error            // of itemError
	reason DisconnectReason // of itemDisconnect
}

// push reports whether the socket has to be put among those that are ready.
func (b *inbox) push(it item) (mark bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items = append(b.items, it)
	if b.running || b.marked {
		return false
	}
	b.marked = true
	return true
}

// acquire makes the caller the one who runs the inbox, unless there is one, or
// nothing to do.
func (b *inbox) acquire() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.marked = false
	if b.running || b.head == len(b.items) {
		return false
	}
	b.running = true
	return true
}

// pop returns the next item; with none left it releases the inbox and its
// memory.
func (b *inbox) pop() (item, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.head == len(b.items) {
		b.items, b.head, b.running = nil, 0, false
		return item{}, false
	}
	it := b.items[b.head]
	b.items[b.head] = item{}
	b.head++
	if b.head >= 64 && b.head*2 >= len(b.items) { // a queue that never empties must not grow
		n := copy(b.items, b.items[b.head:])
		clear(b.items[n:])
		b.items, b.head = b.items[:n], 0
	}
	return it, true
}

// enqueue adds an item to what waits for the socket's handlers. It reports
// whether the connection may go on.
func (s *Socket) enqueue(it item) bool {
	ok := true
	switch it.kind {
	case itemEvent:
		if limit := s.conn.received(it.size); limit != "" {
			s.nsp.srv.hit(limit)
			ok = false
		}
	case itemDisconnect: // a client that joins and leaves over and over
		s.conn.received(0)
	}
	if s.inbox.push(it) {
		s.conn.mu.Lock()
		s.conn.ready = append(s.conn.ready, s)
		s.conn.mu.Unlock()
	}
	return ok
}

// schedule runs the inbox on a goroutine of its own, if there is anything.
func (s *Socket) schedule() {
	if s.inbox.acquire() {
		s.nsp.srv.work.add()
		go s.drain()
	}
}

// run does so on this one.
func (s *Socket) run() {
	if s.inbox.acquire() {
		s.nsp.srv.work.add()
		s.drain()
	}
}

func (s *Socket) drain() {
	defer s.nsp.srv.work.done()
	for {
		it, ok := s.inbox.pop()
		if !ok {
			return
		}
		switch it.kind {
		case itemConnect:
			s.admit()
		case itemEvent:
			s.dispatch(it)
		case itemError:
			s.report(it.err)
		case itemDisconnect:
			s.left(it.reason)
			s.conn.handled(0)
		}
	}
}
