package sockettest

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A Link is what lies between a client and the server, and what can go wrong
// there. It holds for the connections there are and for those to come.
type Link struct {
	n *Network

	mu     sync.Mutex
	drop   bool
	refuse bool
	delay  time.Duration
	conns  []*conn
}

// Cut breaks the connections that there are, for both sides. New ones work.
func (k *Link) Cut() {
	k.mu.Lock()
	conns := k.conns
	k.conns = nil
	k.mu.Unlock()
	for _, c := range conns {
		c.Close()
	}
}

// Drop makes everything vanish that either side sends, from now on until it is
// called with false; nobody is told. It never comes later, so that a connection
// on which something was dropped is of no use any more.
func (k *Link) Drop(drop bool) { k.set(func() { k.drop = drop }) }

// Delay makes everything take so much longer, in each direction.
func (k *Link) Delay(d time.Duration) { k.set(func() { k.delay = d }) }

// Refuse refuses new connections until it is called with false.
func (k *Link) Refuse(refuse bool) { k.set(func() { k.refuse = refuse }) }

func (k *Link) set(f func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f()
}

// maxInFlight is how many bytes one direction holds before its writer waits.
const maxInFlight = 1 << 20

// A conn is the client's end of a connection. Two goroutines carry its bytes.
type conn struct {
	server   net.Conn
	up, down *way
	once     sync.Once
	closed   chan struct{}
}

func (k *Link) wrap(server net.Conn) *conn {
	c := &conn{server: server, closed: make(chan struct{})}
	c.up, c.down = newWay(k), newWay(k)
	k.mu.Lock()
	k.conns = append(k.conns, c)
	k.mu.Unlock()
	go func() { // client to server
		defer c.server.Close()
		buf := make([]byte, 16<<10)
		for {
			n, err := c.up.read(buf)
			if err != nil {
				return
			}
			if _, err := server.Write(buf[:n]); err != nil {
				c.Close()
				return
			}
		}
	}()
	go func() { // server to client
		buf := make([]byte, 16<<10)
		for {
			n, err := server.Read(buf)
			if n > 0 {
				c.down.write(buf[:n])
			}
			if err != nil {
				c.down.end()
				return
			}
		}
	}()
	return c
}

func (c *conn) Read(p []byte) (int, error)  { return c.down.read(p) }
func (c *conn) Write(p []byte) (int, error) { return c.up.write(p) }

// Close ends both directions at once.
func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.server.Close()
		c.up.cut()
		c.down.cut()
	})
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return c.server.LocalAddr() }
func (c *conn) RemoteAddr() net.Addr { return c.server.RemoteAddr() }

func (c *conn) SetDeadline(t time.Time) error      { c.down.setDeadline(t); return nil }
func (c *conn) SetReadDeadline(t time.Time) error  { c.down.setDeadline(t); return nil }
func (c *conn) SetWriteDeadline(t time.Time) error { return nil }

// A way carries the bytes of one direction.
type way struct {
	k *Link

	mu       sync.Mutex
	changed  sync.Cond
	chunks   []chunk
	bytes    int
	ended    bool // nothing comes after the chunks
	broken   bool // nothing comes at all
	deadline time.Time
	timer    *time.Timer
}

type chunk struct {
	b   []byte
	due time.Time
}

func newWay(k *Link) *way {
	w := &way{k: k}
	w.changed.L = &w.mu
	return w
}

func (w *way) write(p []byte) (int, error) {
	w.k.mu.Lock()
	drop, delay := w.k.drop, w.k.delay
	w.k.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.bytes > maxInFlight && !w.broken {
		w.changed.Wait()
	}
	if w.broken || w.ended {
		return 0, io.ErrClosedPipe
	}
	if !drop {
		w.chunks = append(w.chunks, chunk{append([]byte(nil), p...), time.Now().Add(delay)})
		w.bytes += len(p)
		w.changed.Broadcast()
	}
	return len(p), nil
}

func (w *way) read(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		now := time.Now()
		switch {
		case w.broken:
			return 0, io.EOF
		case !w.deadline.IsZero() && !now.Before(w.deadline):
			return 0, os.ErrDeadlineExceeded
		case len(w.chunks) > 0 && !now.Before(w.chunks[0].due):
			c := &w.chunks[0]
			n := copy(p, c.b)
			c.b = c.b[n:]
			if len(c.b) == 0 {
				w.chunks = w.chunks[1:]
			}
			w.bytes -= n
			w.changed.Broadcast()
			return n, nil
		case len(w.chunks) > 0:
			w.wakeAt(w.chunks[0].due)
		case w.ended:
			return 0, io.EOF
		}
		w.changed.Wait()
	}
}

// wakeAt has read look again. mu is held.
func (w *way) wakeAt(t time.Time) {
	if w.timer != nil {
		w.timer.Stop()
	}
	w.timer = time.AfterFunc(time.Until(t), w.changed.Broadcast)
}

func (w *way) setDeadline(t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = t
	if !t.IsZero() {
		w.wakeAt(t)
	}
	w.changed.Broadcast()
}

// end lets what is there arrive.
func (w *way) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.changed.Broadcast()
}

func (w *way) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended, w.broken, w.chunks = true, true, nil
	if w.timer != nil {
		w.timer.Stop()
	}
	w.changed.Broadcast()
}
