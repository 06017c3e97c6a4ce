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

	part  bool  // some of the first slice has been written
	base  int   // what bufs[0] counts as
	lossy []int // slices that may be dropped, counted from base 0, oldest first
	dead  int   // slices that were, and are empty

	low     int           // drained is closed when no more than this waits
	drained chan struct{} // nil unless somebody wants to know
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
	o.tell()
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
	*o = outbox{bufs: o.bufs[:0], chunks: o.chunks[:0], lossy: o.lossy[:0]}
	outboxes.Put(o)
}

func (o *outbox) len() int { return len(o.bufs) - o.head - o.dead }

// tell wakes who waits for room.
func (o *outbox) tell() {
	if o.drained != nil {
		close(o.drained)
		o.drained = nil
	}
}

// markLast lets the last slice be dropped. Those that have been written are forgotten,
// as the queue may never be empty.
func (o *outbox) markLast() {
	for len(o.lossy) > 0 && o.lossy[0] < o.base+o.head {
		o.lossy = o.lossy[1:]
	}
	o.lossy = append(o.lossy, o.base+len(o.bufs)-1)
}

// dropOldest drops the oldest slice that may be dropped and of which nothing has
// been written.
func (o *outbox) dropOldest() bool {
	first := o.head + o.lent
	if o.part && o.lent == 0 {
		first++
	}
	for len(o.lossy) > 0 {
		i := o.lossy[0] - o.base
		o.lossy = o.lossy[1:]
		if i < first {
			continue
		}
		o.bytes -= len(o.bufs[i])
		o.bufs[i] = nil
		o.dead++
		return true
	}
	return false
}

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
	if o.bytes <= o.low {
		o.tell()
	}
	for i := len(o.peek()); i > 0; i-- {
		b := o.bufs[o.head]
		if n < len(b) {
			o.bufs[o.head] = b[n:]
			o.part = o.part || n > 0
			return false
		}
		if b == nil {
			o.dead--
		}
		n -= len(b)
		o.bufs[o.head] = nil
		o.head++
		o.part = false
	}
	if o.head == len(o.bufs) {
		o.base += o.head
		o.bufs, o.head = o.bufs[:0], 0
	} else if o.head > 256 && o.head > len(o.bufs)/2 {
		o.base += o.head
		o.bufs = append(o.bufs[:0], o.bufs[o.head:]...)
		o.head = 0
	}
	return true
}
