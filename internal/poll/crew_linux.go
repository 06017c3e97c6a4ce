package poll

import "sync"

// A crew reads connections and runs what their handlers do, on goroutines that
// are kept: a fresh one would first have to grow its stack, which costs more
// than the rest of a small event.
//
// A handler may block. So whenever a worker takes something and leaves something
// behind, another worker has been called. If nothing blocks, that one comes when
// the work is done, finds none and rests again: one call per batch of events.
type crew struct {
	mu     sync.Mutex
	held   fifo            // have held writes back, which must leave soon; they go first
	ready  fifo            // have something to read
	coming bool            // a worker was called and has not looked yet
	idle   []chan struct{} // of the workers that rest; the last one is called first
}

// maxIdle bounds the workers that rest. Each has a stack of about 8 KiB.
const maxIdle = 64

// read has the connections read soon.
func (w *crew) read(conns ...*Conn) {
	w.mu.Lock()
	w.ready.push(conns...)
	w.call()
	w.mu.Unlock()
}

// flush has what c holds back written soon.
func (w *crew) flush(c *Conn) {
	w.mu.Lock()
	w.held.push(c)
	w.call()
	w.mu.Unlock()
}

// call gets a worker, unless one is coming. w.mu is held.
func (w *crew) call() {
	if w.coming {
		return
	}
	w.coming = true
	if last := len(w.idle) - 1; last >= 0 {
		w.idle[last] <- struct{}{} // has room
		w.idle = w.idle[:last]
		return
	}
	go w.work()
}

func (w *crew) work() {
	wake := make(chan struct{}, 1)
	w.mu.Lock()
	for {
		w.coming = false
		w.workOff()
		if len(w.idle) >= maxIdle {
			w.mu.Unlock() // not deferred: a handler may end its goroutine
			return
		}
		w.idle = append(w.idle, wake)
		w.mu.Unlock()
		rest(wake)
		w.mu.Lock()
	}
}

// rest has a name that the leak checks of tests know.
func rest(wake chan struct{}) { <-wake }

// workOff takes what there is. w.mu is held, but not meanwhile.
func (w *crew) workOff() {
	for {
		c := w.held.pop()
		flush := c != nil
		if !flush {
			if c = w.ready.pop(); c == nil {
				return
			}
		}
		if w.held.len()+w.ready.len() > 0 {
			w.call()
		}
		w.mu.Unlock()
		if flush {
			tick.Add(1)
			c.flushHeld()
		} else {
			if c.read() { // others come before the rest
				Turn()
				w.read(c)
			}
			c.h.Batch(true)
		}
		w.mu.Lock()
	}
}

// A fifo is a queue of connections.
type fifo struct {
	conns []*Conn
	head  int
}

func (q *fifo) len() int { return len(q.conns) - q.head }

func (q *fifo) push(conns ...*Conn) {
	if q.head > 64 && q.head > len(q.conns)/2 { // it may never be empty
		n := copy(q.conns, q.conns[q.head:])
		clear(q.conns[n:])
		q.conns, q.head = q.conns[:n], 0
	}
	q.conns = append(q.conns, conns...)
}

func (q *fifo) pop() *Conn {
	if q.head == len(q.conns) {
		return nil
	}
	c := q.conns[q.head]
	q.conns[q.head] = nil
	q.head++
	if q.head == len(q.conns) {
		q.head = 0
		q.conns = q.conns[:0]
		if cap(q.conns) > 1<<16 {
			q.conns = nil
		}
	}
	return c
}
