package poll

import (
	"net"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/internal/stack"
)

// A parked backend has one goroutine in Read and, while something waits to be
// written, one in Write. It works with any net.Conn.
//
// The stack of the one in Read is as small as a stack can be: when it has read
// something, it leaves its place to a new one, and goes on to the handler, which
// needs much more of it.
type parked struct {
	nc    net.Conn
	small [smallRead]byte
	more  *readRoom // in place of small for the next read; nil most of the time
}

// smallRead is the buffer that an idle connection keeps. It holds a heartbeat and
// small events; more is read with a shared buffer. A parked is 136 bytes with it, and
// 144 for Go's allocator.
const smallRead = 112

// A readRoom is a shared buffer.
type readRoom struct {
	size int // index of readRooms
	b    []byte
}

// readRooms are of three sizes. The first is for those whose events are a little too
// large for smallRead.
var readRooms = [...]sync.Pool{
	{New: func() any { return &readRoom{0, make([]byte, mediumRead)} }},
	{New: func() any { return &readRoom{1, make([]byte, 4<<10)} }},
	{New: func() any { return &readRoom{2, make([]byte, readSize)} }},
}

const mediumRead = 256

// buffer is what the next read fills.
func (p *parked) buffer() []byte {
	if p.more != nil {
		return p.more.b
	}
	return p.small[:]
}

// refit chooses the next buffer when n bytes were read. It is a larger one if this was
// full, but not at once the largest: the next read may have to wait for long. Who sends
// what mediumRead is for keeps one until less comes, as a heartbeat is.
func (p *parked) refit(n int) {
	had, next := -1, -1 // small
	if p.more != nil {
		had = p.more.size
	}
	switch {
	case n == len(p.buffer()):
		next = min(max(had, 0)+1, len(readRooms)-1)
	case had == 0 && n >= smallRead, had == 1 && n < mediumRead-smallRead: // the rest of a small one
		next = 0
	}
	if next == had {
		return
	}
	p.giveBack()
	if next >= 0 {
		p.more = readRooms[next].Get().(*readRoom)
	}
}

func (p *parked) giveBack() {
	if p.more != nil {
		readRooms[p.more.size].Put(p.more)
		p.more = nil
	}
}

func (p *parked) start(c *Conn) { go p.wait(c) }

func (p *parked) wakeReader(c *Conn) { go p.wait(c) }

// wait reads once. Nothing that is called here, or in place of it, may need much
// stack before Read has returned.
func (p *parked) wait(c *Conn) {
	buf := p.buffer()
	n, err := p.nc.Read(buf)
	p.received(c, buf, n, err)
}

// received hands what was read to the handler. Only one goroutine at a time is
// between wait and the next: what follows it may run beside it.
func (p *parked) received(c *Conn, buf []byte, n int, err error) {
	stack.Grow()
	if n > 0 {
		c.h.Data(buf[:n])
	}
	p.refit(n)
	if err == nil && !p.goOn(c) {
		err = net.ErrClosed
	}
	if err != nil {
		p.giveBack()
		c.readerDone(err)
	}
	c.h.Batch(true)
}

// goOn has more read, unless that has to wait for Resume. It reports whether the
// connection is open.
func (p *parked) goOn(c *Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return false
	case c.paused:
		c.reading, c.again = false, true // there may be more
	default:
		go p.wait(c)
	}
	return true
}

// holdBack is not needed: the flusher gathers what comes while it writes.
func (p *parked) holdBack(*Conn) bool { return false }

// tryWrite takes nothing: whether a write would block cannot be known here, so
// that everything goes through the flusher.
func (p *parked) tryWrite([]byte) (int, error) { return 0, nil }

func (p *parked) tryWritev([][]byte) (int, error) { return 0, nil }

// awaitWritable is called with a queue that has just been made, and so with no flusher.
func (p *parked) awaitWritable(c *Conn) { go p.flush(c) }

// flush writes the queue until it is empty. The slices it writes stay in the
// queue meanwhile, so that the limits count them.
func (p *parked) flush(c *Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.out != nil && c.err == nil {
		o := c.out
		bufs := o.peek()
		if len(bufs) == 0 {
			o.free()
			c.out = nil
			if c.finish {
				p.closeWrite(c)
			}
			return
		}
		total := 0
		gathered := make(net.Buffers, len(bufs))
		for i, b := range bufs {
			gathered[i] = b
			total += len(b)
		}
		o.lent = len(bufs)
		c.mu.Unlock()
		_, err := gathered.WriteTo(p.nc)
		c.mu.Lock()
		o.lent = 0
		if err != nil {
			c.failLocked(err)
			return
		}
		o.advance(total)
	}
}

// closeWrite sends FIN where there is one to send, on TCP and TLS; what cannot
// be closed by halves is closed.
func (p *parked) closeWrite(c *Conn) {
	if half, ok := p.nc.(interface{ CloseWrite() error }); ok {
		go func() { _ = half.CloseWrite() }()
		return
	}
	c.failLocked(net.ErrClosed)
}

func (p *parked) patience(d time.Duration) { _ = setUserTimeout(below(p.nc), d) }

// SetPatience has the kernel end a connection, or what it is made over, whose peer
// leaves what is written to it for d. It reports false where the kernel does not.
func SetPatience(nc net.Conn, d time.Duration) bool { return setUserTimeout(below(nc), d) }

// below is what a connection is made over, if that can be had; tls.Conn says it.
func below(nc net.Conn) net.Conn {
	for {
		over, ok := nc.(interface{ NetConn() net.Conn })
		if !ok {
			return nc
		}
		nc = over.NetConn()
	}
}

func (p *parked) close(*Conn, bool) {
	// Closing a TLS connection writes an alert and may wait for it.
	go func() { _ = p.nc.Close() }()
}
