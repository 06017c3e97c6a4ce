package faultproxy

import (
	"bytes"
	"math/rand/v2"
	"net"
	"time"
)

// bufferSize is as much as a way takes at once.
const bufferSize = 32 << 10

// A way is one direction of a link at work.
type way struct {
	Way
	k        *link
	from, to *net.TCPConn
	dir      int

	seen   int64  // bytes that went through, since the mark if there is one
	marked bool   // the mark has been seen
	tail   []byte // what came last, where the mark may have begun
	done   bool   // the fault has happened
}

// pump forwards until the sender ends.
func (w *way) pump() {
	buf := make([]byte, bufferSize)
	for {
		w.k.hold(0)
		n, err := w.from.Read(buf)
		if n > 0 && w.Coalesce > 0 {
			n += w.gather(buf[n:])
		}
		if n > 0 {
			w.k.hold(w.pause())
			if !w.forward(buf[:n]) {
				return
			}
		}
		if err != nil {
			w.k.passEnd(w.dir, w.to, err)
			return
		}
	}
}

func (w *way) pause() time.Duration {
	d := w.Delay
	if w.Jitter > 0 {
		d += rand.N(w.Jitter)
	}
	return d
}

// gather reads what else comes within Coalesce.
func (w *way) gather(buf []byte) (n int) {
	_ = w.from.SetReadDeadline(time.Now().Add(w.Coalesce))
	defer func() { _ = w.from.SetReadDeadline(time.Time{}) }()
	for n < len(buf) {
		m, err := w.from.Read(buf[n:])
		n += m
		if err != nil {
			break // an end is seen again by the next Read
		}
	}
	return n
}

// forward writes b, with the fault where it is due, and reports whether this
// way goes on.
func (w *way) forward(b []byte) bool {
	if w.Fault != None && !w.done {
		n, due := w.untilFault(b)
		if !w.write(b[:n]) {
			return false
		}
		b = b[n:]
		if due {
			w.done = true
			w.k.hit(w.Fault, w.dir)
			w.k.hold(0)
		}
	}
	return w.write(b)
}

// untilFault returns how many bytes of b come before the fault, and whether it
// is due behind them.
func (w *way) untilFault(b []byte) (n int, due bool) {
	skipped := 0
	if w.Mark != "" && !w.marked {
		joined := append(w.tail, b...)
		i := bytes.Index(joined, []byte(w.Mark))
		if i < 0 {
			w.tail = append([]byte(nil), joined[max(0, len(joined)-len(w.Mark)+1):]...)
			return len(b), false
		}
		w.marked = true
		skipped = i + len(w.Mark) - len(w.tail)
		w.tail = nil
	}
	left, rest := w.At-w.seen, int64(len(b)-skipped)
	if rest < left {
		w.seen += rest
		return len(b), false
	}
	return skipped + int(left), true
}

func (w *way) write(b []byte) bool {
	for len(b) > 0 && !w.k.drops(w.dir) {
		n := len(b)
		if w.Segment > 0 {
			n = min(n, w.Segment)
		}
		if _, err := w.to.Write(b[:n]); err != nil {
			if !w.k.drops(w.dir) {
				w.k.end(true)
			}
			return false
		}
		b = b[n:]
	}
	return true
}
