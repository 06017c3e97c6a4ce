package poll

import "sync"

// An outbox is the queue of byte slices that the kernel has not taken yet. It
// exists only while something waits; Conn.mu guards it.
type outbox struct {
	bufs  [][]byte
	head  int
	bytes int
	lent  int // slices at the head that a flusher writes without the lock

	chunks []*chunk
	room   []byte // what is free in the last chunk
	open   bool   // the last slice ends where room begins
}

// A chunk gathers small writes, so that they are one slice.
type chunk [4 << 10]byte

var chunkPool = sync.Pool{New: func() any { return new(chunk) }}

// maxCopied is the longest slice that pushCopy is for.
const maxCopied = len(chunk{}) / 4

var outboxes = sync.Pool{New: func() any { return new(outbox) }}

func newOutbox() *outbox { return outboxes.Get().(*outbox) }

// free gives the outbox back. A large backing array is not worth keeping.
func (o *outbox) free() {
	if o.lent > 0 {
		return // a flusher still looks at it
	}
	if cap(o.bufs) > 256 {
		o.bufs = nil
	}
	for _, c := range o.chunks {
		chunkPool.Put(c)
	}
	clear(o.bufs)
	clear(o.chunks)
	*o = outbox{bufs: o.bufs[:0], chunks: o.chunks[:0]}
	outboxes.Put(o)
}

func (o *outbox) len() int { return len(o.bufs) - o.head }

func (o *outbox) push(b []byte) {
	o.bufs = append(o.bufs, b)
	o.bytes += len(b)
	o.open = false
}

// pushCopy is push for a few bytes that may change.
func (o *outbox) pushCopy(b []byte) {
	if len(b) > len(o.room) {
		c := chunkPool.Get().(*chunk)
		o.chunks = append(o.chunks, c)
		o.room, o.open = c[:], false
	}
	n := copy(o.room, b)
	if last := len(o.bufs) - 1; o.open && last >= o.head {
		o.bufs[last] = o.bufs[last][:len(o.bufs[last])+n]
	} else {
		o.bufs = append(o.bufs, o.room[:n])
	}
	o.room, o.open = o.room[n:], true
	o.bytes += n
}

// peek returns what to write next, at most as many slices as writev takes.
func (o *outbox) peek() [][]byte {
	return o.bufs[o.head:min(len(o.bufs), o.head+maxIov)]
}

// maxIov is how many slices one gathered write hands over. The kernel takes
// 1024; beyond a few dozen the system call is no longer what costs.
const maxIov = 64

// advance drops n written bytes from the front and reports whether all that
// peek returned is gone.
func (o *outbox) advance(n int) bool {
	o.bytes -= n
	for i := len(o.peek()); i > 0; i-- {
		b := o.bufs[o.head]
		if n < len(b) {
			o.bufs[o.head] = b[n:]
			return false
		}
		n -= len(b)
		o.bufs[o.head] = nil
		o.head++
	}
	if o.head == len(o.bufs) {
		o.bufs, o.head = o.bufs[:0], 0
	} else if o.head > 256 && o.head > len(o.bufs)/2 {
		o.bufs = append(o.bufs[:0], o.bufs[o.head:]...)
		o.head = 0
	}
	return true
}
