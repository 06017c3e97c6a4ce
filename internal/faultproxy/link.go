package faultproxy

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// A link is one connection through the proxy.
type link struct {
	p              *Proxy
	client, server *net.TCPConn // server is nil until the client has sent something
	ended          chan struct{}

	mu       sync.Mutex
	gone     bool // ended is closed
	silent   bool // Blackhole: neither bytes nor ends are passed on
	finished bool // FIN: both sides have been told; what comes is dropped
	halved   [2]bool
	stalled  chan struct{} // not nil while stalled; closed by release
}

// The ways, as indices.
const (
	up   = 0
	down = 1
)

// dialTimeout bounds how long a client waits for a server that is not there.
const dialTimeout = 5 * time.Second

// finTimeout is how long the two sides may take to answer an end with theirs.
const finTimeout = 2 * time.Second

func (k *link) serve() {
	defer k.p.forget(k)
	defer k.end(false)
	var opening []byte
	if !k.p.isEager() {
		opening = make([]byte, bufferSize)
		n, err := k.client.Read(opening)
		if err != nil {
			return
		}
		opening = opening[:n]
	}
	plan, target := k.p.admit(string(opening))
	server, err := net.DialTimeout("tcp", target, dialTimeout)
	if err != nil {
		k.end(true)
		return
	}
	if !k.join(server.(*net.TCPConn)) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() {
		w := way{k: k, Way: plan.Up, from: k.client, to: k.server, dir: up}
		if w.forward(opening) {
			w.pump()
		}
	})
	both.Go(func() {
		w := way{k: k, Way: plan.Down, from: k.server, to: k.client, dir: down}
		if w.forward(nil) {
			w.pump()
		}
	})
	both.Wait()
}

// join takes the connection to the server, unless the link has ended meanwhile.
func (k *link) join(server *net.TCPConn) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.gone {
		_ = server.Close()
		return false
	}
	k.server = server
	return true
}

// hit does f to the connection; dir is the way on which it happened.
func (k *link) hit(f Fault, dir int) {
	switch f {
	case RST:
		k.end(true)
	case FIN:
		k.finish()
	case HalfClose:
		k.halve(dir)
	case Blackhole:
		k.mu.Lock()
		k.silent = true
		k.mu.Unlock()
	case Stall:
		k.mu.Lock()
		if k.stalled == nil {
			k.stalled = make(chan struct{})
		}
		k.mu.Unlock()
	}
}

// finish ends both directions in order. What still comes is read and dropped:
// closing with something unread would be a reset.
func (k *link) finish() {
	k.mu.Lock()
	k.finished = true
	server := k.server
	k.mu.Unlock()
	if server == nil {
		k.end(false)
		return
	}
	_ = k.client.CloseWrite()
	_ = server.CloseWrite()
	t := time.AfterFunc(finTimeout, func() { k.end(false) })
	k.p.wg.Go(func() { // by a link's own goroutine, or by Cut: the group is not at zero
		<-k.ended
		t.Stop()
	})
}

func (k *link) halve(dir int) {
	k.mu.Lock()
	k.halved[dir] = true
	server := k.server
	k.mu.Unlock()
	if dir == down {
		_ = k.client.CloseWrite()
	} else if server != nil {
		_ = server.CloseWrite()
	}
}

// end closes both connections, by a reset or in order.
func (k *link) end(reset bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.gone {
		return
	}
	k.gone = true
	close(k.ended)
	for _, c := range []*net.TCPConn{k.client, k.server} {
		if c == nil {
			continue
		}
		if reset {
			_ = c.SetLinger(0)
		}
		_ = c.Close()
	}
}

func (k *link) release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stalled != nil {
		close(k.stalled)
		k.stalled = nil
	}
}

// hold waits while the link is stalled, and for d besides.
func (k *link) hold(d time.Duration) {
	k.mu.Lock()
	stalled := k.stalled
	k.mu.Unlock()
	if stalled != nil {
		select {
		case <-stalled:
		case <-k.ended:
		}
	}
	if d > 0 {
		select {
		case <-time.After(d):
		case <-k.ended:
		}
	}
}

// drops reports whether what comes this way is not passed on.
func (k *link) drops(dir int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.silent || k.finished || k.halved[dir]
}

// passEnd tells one side how the other ended.
func (k *link) passEnd(dir int, to *net.TCPConn, err error) {
	if k.drops(dir) {
		return // told already, or nobody's to know
	}
	if !errors.Is(err, io.EOF) {
		k.end(true)
		return
	}
	_ = to.CloseWrite()
}
