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
	// Those that the next read gets because the last one has filled its buffer, of
	// which one that comes to nothing may wait for long: so the largest is not for
	// whoever has sent a few bytes.
	medium *[mediumRead]byte
	large  *[readSize]byte
}

// smallRead is the buffer that an idle connection keeps. It holds a heartbeat and
// small events; more is read with a shared buffer. A parked is 144 bytes with it, a
// size that Go's allocator has.
const smallRead = 112

const mediumRead = 4 << 10

var mediumBuffers = sync.Pool{New: func() any { return new([mediumRead]byte) }}

// buffer is what the next read fills.
func (p *parked) buffer() []byte {
	switch {
	case p.large != nil:
		return p.large[:]
	case p.medium != nil:
		return p.medium[:]
	}
	return p.small[:]
}

// refit chooses the next buffer, a larger one if the last was full.
func (p *parked) refit(full bool) {
	switch {
	case !full:
		p.giveBack()
	case p.large != nil:
	case p.medium != nil:
		p.giveBack()
		p.large = readBuffers.Get().(*[readSize]byte)
	default:
		p.medium = mediumBuffers.Get().(*[mediumRead]byte)
	}
}

func (p *parked) giveBack() {
	if p.medium != nil {
		mediumBuffers.Put(p.medium)
		p.medium = nil
	}
	if p.large != nil {
		readBuffers.Put(p.large)
		p.large = nil
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
	p.refit(n == len(buf))
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
