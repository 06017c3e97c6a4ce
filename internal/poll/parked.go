package poll

import (
	"net"
	"sync"
)

// A parked backend has one goroutine in Read and, while something waits to be
// written, one in Write. It works with any net.Conn.
type parked struct {
	nc      net.Conn
	resumed sync.Cond // on Conn.mu; signals the end of a pause
	writing bool      // the flusher runs
}

func newParked(nc net.Conn) backend { return &parked{nc: nc} }

// smallRead is the buffer that an idle connection keeps. It holds a heartbeat
// and most events; more is read with a shared buffer.
const smallRead = 256

func (p *parked) start(c *Conn) {
	c.mu.Lock() // it may be closed at this moment
	p.resumed.L = &c.mu
	c.mu.Unlock()
	go p.readLoop(c)
}

func (p *parked) readLoop(c *Conn) {
	small := make([]byte, smallRead)
	var large *[readSize]byte // only while a read has just filled its buffer
	for {
		buf := small
		if large != nil {
			buf = large[:]
		}
		n, err := p.nc.Read(buf)
		if n > 0 {
			c.h.Data(buf[:n])
		}
		switch full := n == len(buf); {
		case full && large == nil:
			large = readBuffers.Get().(*[readSize]byte)
		case !full && large != nil:
			readBuffers.Put(large)
			large = nil
		}
		if err == nil {
			c.h.Batch(false)
			if !p.holdWhilePaused(c) {
				continue
			}
			err = net.ErrClosed
		}
		if large != nil {
			readBuffers.Put(large)
		}
		c.readerDone(err)
		c.h.Batch(true)
		return
	}
}

// holdWhilePaused waits for Resume and reports whether the connection ended.
func (p *parked) holdWhilePaused(c *Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.paused && c.err == nil {
		c.reading = false
		c.again = true // there may be more: Resume wakes this reader
		p.resumed.Wait()
	}
	c.reading = true
	return c.err != nil
}

func (p *parked) wakeReader(c *Conn) {
	p.resumed.Broadcast()
}

// holdBack is not needed: the flusher gathers what comes while it writes.
func (p *parked) holdBack(*Conn) bool { return false }

// tryWrite takes nothing: whether a write would block cannot be known here, so
// that everything goes through the flusher.
func (p *parked) tryWrite([]byte) (int, error) { return 0, nil }

func (p *parked) tryWritev([][]byte) (int, error) { return 0, nil }

func (p *parked) awaitWritable(c *Conn) {
	if p.writing {
		return
	}
	p.writing = true
	go p.flush(c)
}

// flush writes the queue until it is empty. The slices it writes stay in the
// queue meanwhile, so that the limits count them.
func (p *parked) flush(c *Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { p.writing = false }()
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

func (p *parked) close(*Conn, bool) {
	// Closing a TLS connection writes an alert and may wait for it.
	go func() { _ = p.nc.Close() }()
	if p.resumed.L != nil {
		p.resumed.Broadcast()
	}
}
