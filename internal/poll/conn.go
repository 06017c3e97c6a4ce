package poll

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// ErrFull reports that a write would exceed the limits of the queue. Nothing
// of it was queued.
var ErrFull = errors.New("poll: write queue is full")

// A Handler receives what a connection reads. Data and Ended are called one at
// a time and in order; they must not block.
type Handler interface {
	// Limits returns those of the connection's queue, always the same.
	Limits() *Limits

	// Data gets bytes as they arrive. p is valid, and may be changed, until
	// Data returns.
	Data(p []byte)

	// Ended is called once, after the last Data: with io.EOF when the peer
	// closed its side, net.ErrClosed after [Conn.Close], or what the kernel said.
	Ended(err error)

	// Batch follows the Data calls of one readiness. If mayBlock, the handler
	// may stay as long as it likes: reading goes on elsewhere, so that Data
	// and Batch can be called by other goroutines meanwhile.
	Batch(mayBlock bool)
}

// Limits bound the queue of a connection. They are shared by many.
type Limits struct {
	Bytes   int // bytes waiting for the kernel
	Packets int // writes waiting for the kernel

	// Patience bounds how long the peer of a paused connection may leave what was
	// sent to it without an acknowledgement, or take none of it: one that vanished is
	// not heard of otherwise. 0 is the system's own patience, of many minutes, and so
	// is any on systems other than Linux.
	Patience time.Duration

	// Dropped counts lossy writes that were dropped.
	Dropped atomic.Uint64
}

// A Conn is a connection that calls its handler when there is something to
// read. Its methods are safe for concurrent use and none of them blocks.
type Conn struct {
	parked *parked // nil if the connection is its own backend

	mu       sync.Mutex
	out      *outbox // nil while the kernel has taken everything
	err      *error  // why no more is written; nil while open
	fd       int32   // of the epoll backend; -1 once it is closed
	tick     uint32  // of the last write that went to the kernel at once
	held     bool    // out waits for the end of the tick, not for the kernel
	sealed   bool    // the last write was made
	finish   bool    // half-close once the queue is empty
	paused   bool
	reading  bool // a goroutine is in the read path
	again    bool // readiness that arrived while reading or paused
	hangup   bool // the peer will send no more: read to the end, whatever comes short
	finished bool // Ended has been called or is about to be

	h Handler
}

// A backend moves bytes. Its methods are called with Conn.mu held, except
// start and read.
type backend interface {
	start(c *Conn)
	holdBack(c *Conn) bool                // c.flushHeld will be called: keep what is written until then
	tryWrite(b []byte) (int, error)       // n < len(b): would block
	tryWritev(bufs [][]byte) (int, error) // the same, gathered
	awaitWritable(c *Conn)                // calls c.writable once or more
	wakeReader(c *Conn)                   // c.reading was set by the caller
	closeWrite(c *Conn)                   // FIN
	patience(d time.Duration)             // of the kernel, with the peer; 0 = its own
	close(c *Conn, readerActive bool)     // release, or leave to the reader
}

// New is Init of a new Conn.
func New(nc net.Conn, h Handler) *Conn {
	c := new(Conn)
	c.Init(nc, h)
	return c
}

// Init has c, which is new, take over nc. It is not read before [Conn.Start]. From now
// on only c may touch nc.
func (c *Conn) Init(nc net.Conn, h Handler) {
	c.h = h
	if !c.takeDescriptor(nc) {
		c.parked = &parked{nc: nc}
	}
}

// Start begins to read. leftover are bytes that were read before, such as those
// behind an HTTP upgrade; they are delivered first, before Start returns.
func (c *Conn) Start(leftover []byte) {
	c.mu.Lock()
	if c.err != nil { // closed before it began
		finished := c.finished
		c.finished = true
		c.mu.Unlock()
		if !finished {
			c.h.Ended(net.ErrClosed)
		}
		return
	}
	c.reading = true
	c.mu.Unlock()
	if len(leftover) > 0 {
		c.h.Data(leftover)
		c.h.Batch(false)
	}
	c.sys().start(c)
}

// Write sends b, or queues what the kernel does not take at once. If shared, b
// must never change again; otherwise b may be reused when Write returns.
// It returns [ErrFull] beyond the limits and net.ErrClosed after the end.
func (c *Conn) Write(b []byte, shared bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writeLocked(b, shared)
}

// WriteLarge is Write for several slices that are too large to be copied without
// need: what the kernel takes at once is not. All of them may be reused when it
// returns.
func (c *Conn) WriteLarge(bufs ...[]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held {
		c.flushLocked()
	}
	if c.err != nil || c.sealed {
		return net.ErrClosed
	}
	n := 0
	if c.out == nil {
		var err error
		if n, err = c.sys().tryWritev(bufs); err != nil {
			c.failLocked(err)
			return net.ErrClosed
		}
	}
	rest := after(bufs, n)
	switch {
	case len(rest) == 0:
		return nil
	case c.out != nil:
		return c.queueLocked(rest, true)
	}
	return c.startQueueLocked(rest, true, n > 0)
}

// after returns what follows the first n bytes, as one new slice.
func after(bufs [][]byte, n int) []byte {
	total := -n
	for _, b := range bufs {
		total += len(b)
	}
	rest := make([]byte, 0, total)
	for _, b := range bufs {
		skip := min(n, len(b))
		n -= skip
		rest = append(rest, b[skip:]...)
	}
	return rest
}

// WriteIfIdle is Write for data that is not worth waiting for: it reports
// false, and does nothing, when older data still waits.
func (c *Conn) WriteIfIdle(b []byte, shared bool) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out != nil && !c.held {
		return false, nil
	}
	return true, c.writeLocked(b, shared)
}

// writeLocked hands the first write of a tick to the kernel at once. What
// follows in the same tick is held back for a moment, so that many small
// messages become one system call.
func (c *Conn) writeLocked(b []byte, shared bool) error {
	switch {
	case c.err != nil || c.sealed:
		return net.ErrClosed
	case c.held:
		return c.holdLocked(b, shared)
	case c.out != nil:
		return c.queueLocked(b, shared)
	case len(b) <= maxHeld && c.sys().holdBack(c):
		c.out, c.held = newOutbox(), true
		return c.holdLocked(b, shared)
	}
	return c.writeNowLocked(b, shared)
}

// tick counts the moments at which other goroutines had their turn: readiness
// reported by the kernel, and held writes flushed.
var tick atomic.Uint32

// maxHeld bounds, in bytes, what is held back.
const maxHeld = 32 << 10

// holdLocked adds to what is held, and writes it all if that is getting much.
func (c *Conn) holdLocked(b []byte, shared bool) error {
	if c.out.len() < maxIov && c.out.bytes+len(b) <= min(maxHeld, c.h.Limits().Bytes) {
		switch {
		case len(b) <= maxCopied:
			c.out.pushCopy(b)
		case shared:
			c.out.push(b)
		default:
			c.out.push(bytes.Clone(b))
		}
		return nil
	}
	c.flushLocked()
	switch {
	case c.err != nil:
		return net.ErrClosed
	case c.out != nil:
		return c.queueLocked(b, shared)
	}
	return c.writeNowLocked(b, shared)
}

// flushHeld ends the holding back.
func (c *Conn) flushHeld() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held {
		c.flushLocked()
	}
}

func (c *Conn) writeNowLocked(b []byte, shared bool) error {
	n, err := c.sys().tryWrite(b)
	if err != nil {
		c.failLocked(err)
		return net.ErrClosed
	}
	if n == len(b) {
		return nil
	}
	return c.startQueueLocked(b[n:], shared, n > 0)
}

// startQueueLocked queues what the kernel did not take. If begun, it has taken some
// of the same frame.
func (c *Conn) startQueueLocked(b []byte, shared, begun bool) error {
	c.out = newOutbox()
	if err := c.queueLocked(b, shared); err != nil {
		if begun {
			// Half of a frame is on its way: nothing sensible can follow it.
			c.failLocked(err) // frees the outbox
			return err
		}
		c.out.free()
		c.out = nil
		return err
	}
	c.sys().awaitWritable(c)
	return nil
}

// WriteLast writes b, whatever the limits say, and refuses all later writes.
func (c *Conn) WriteLast(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out != nil {
		if c.err == nil && !c.sealed {
			c.out.push(b)
			if c.held {
				c.flushLocked()
			}
		}
	} else {
		_ = c.writeLocked(b, true)
	}
	c.sealed = true
}

// WriteLossy is Write for data that may be dropped later on: when the queue is
// full, the oldest of it makes room. If there is not enough of it, b itself is
// dropped, which is no error.
func (c *Conn) WriteLossy(b []byte, shared bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held {
		c.flushLocked()
	}
	switch {
	case c.err != nil || c.sealed:
		return net.ErrClosed
	case c.out == nil && len(b) <= c.h.Limits().Bytes:
		return c.writeNowLocked(b, shared)
	}
	if c.out == nil || c.queueLocked(b, shared) != nil {
		c.h.Limits().Dropped.Add(1)
		return nil
	}
	c.out.markLast()
	return nil
}

// Drained returns a channel that is closed when no more than low bytes wait, or
// the connection has ended; nil if that is so already.
func (c *Conn) Drained(low int) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held {
		c.flushLocked()
	}
	if c.out == nil || c.out.bytes <= low {
		return nil
	}
	if c.out.drained == nil {
		c.out.drained, c.out.low = make(chan struct{}), low
	}
	return c.out.drained
}

func (c *Conn) queueLocked(b []byte, shared bool) error {
	for c.out.bytes+len(b) > c.h.Limits().Bytes || c.out.len() >= c.h.Limits().Packets {
		if !c.out.dropOldest() {
			return ErrFull
		}
		c.h.Limits().Dropped.Add(1)
	}
	if !shared {
		b = append([]byte(nil), b...)
	}
	c.out.push(b)
	return nil
}

// flushLocked writes what waits, as far as the kernel takes it. The backend
// calls it when the kernel may take more.
func (c *Conn) flushLocked() {
	held := c.held
	c.held = false
	for c.out != nil && c.err == nil {
		bufs := c.out.peek()
		if len(bufs) == 0 {
			c.out.free()
			c.out = nil
			if c.finish {
				c.sys().closeWrite(c)
			}
			return
		}
		n, err := c.sys().tryWritev(bufs)
		if err != nil {
			c.failLocked(err)
			return
		}
		if !c.out.advance(n) { // the kernel is full; readiness calls again
			if held {
				c.sys().awaitWritable(c)
			}
			return
		}
	}
}

// Buffered returns the bytes and writes that wait for the kernel.
func (c *Conn) Buffered() (bytes, packets int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out == nil || c.held { // held back for a moment only
		return 0, 0
	}
	return c.out.bytes, c.out.len()
}

// Pause stops reading; the peer is held back by TCP.
func (c *Conn) Pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setPaused(true)
}

func (c *Conn) setPaused(paused bool) {
	if d := c.h.Limits().Patience; d > 0 && paused != c.paused && c.err == nil {
		if !paused {
			d = 0
		}
		c.sys().patience(d)
	}
	c.paused = paused
}

// Resume undoes Pause.
func (c *Conn) Resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setPaused(false)
	if c.again && !c.reading && c.err == nil {
		c.reading = true
		c.sys().wakeReader(c)
	}
}

// CloseWrite refuses further writes and half-closes when what waits is sent.
// Reading goes on until the peer closes too, so that nothing on its way to the
// peer is thrown away by a reset.
func (c *Conn) CloseWrite() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.finish {
		return
	}
	c.sealed = true
	if c.held {
		c.flushLocked()
	}
	c.finish = true
	if c.out == nil && c.err == nil {
		c.sys().closeWrite(c)
	}
}

// Close ends the connection at once; Ended follows on another goroutine.
func (c *Conn) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held {
		c.flushLocked()
	}
	c.failLocked(net.ErrClosed)
}

// failLocked records the first error, drops what waits and releases the
// descriptor, now or when the reader leaves it.
func (c *Conn) failLocked(err error) {
	if c.err != nil {
		return
	}
	c.err = &err
	if c.out != nil {
		c.out.free()
		c.out, c.held = nil, false
	}
	reader := c.reading
	c.sys().close(c, reader)
	if !reader && !c.finished {
		c.finished = true
		go func() {
			c.h.Ended(err)
			c.h.Batch(true)
		}()
	}
}

// readerDone ends the reader's turn after an error of reading; it has c.reading
// and keeps it, so that nobody reads again.
func (c *Conn) readerDone(err error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = &err
		if c.out != nil {
			c.out.free()
			c.out, c.held = nil, false
		}
	} else {
		err = *c.err
	}
	finished := c.finished
	c.finished = true
	c.sys().close(c, false)
	c.mu.Unlock()
	if !finished {
		c.h.Ended(err)
	}
}
