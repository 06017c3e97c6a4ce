package poll

import (
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// sys returns the backend.
func (c *Conn) sys() backend {
	if c.parked != nil {
		return c.parked
	}
	return (*descriptor)(c)
}

// takeDescriptor takes plain TCP connections to epoll. It reports false for every
// other kind, which is left to a parked goroutine: what wraps a connection must see
// its reads and writes.
func (c *Conn) takeDescriptor(nc net.Conn) bool {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return false
	}
	fd, err := duplicate(tcp)
	c.fd = int32(fd)
	return err == nil
}

// duplicate duplicates the descriptor and closes the net.TCPConn, which
// saves its memory and takes the connection out of the runtime's poller.
func duplicate(tcp *net.TCPConn) (int, error) {
	if _, err := poller(); err != nil {
		return 0, err
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, err
	}
	var fd uintptr
	var errno syscall.Errno
	err = raw.Control(func(old uintptr) {
		fd, _, errno = syscall.Syscall(syscall.SYS_FCNTL, old, syscall.F_DUPFD_CLOEXEC, 0)
	})
	if err != nil {
		return 0, err
	}
	if errno != 0 {
		return 0, errno
	}
	tcp.Close()
	return int(fd), nil
}

// A descriptor is a Conn as its own epoll backend, so that it needs no memory
// beside it. Conn.mu guards fd against reuse: it is closed either under the lock
// or by the only reader.
type descriptor Conn

func (d *descriptor) start(c *Conn) {
	// Adding reports what arrived before as the first edge.
	if err := theSet().add(int(d.fd), c); err != nil {
		c.readerDone(os.NewSyscallError("epoll_ctl", err))
		c.h.Batch(false)
		return
	}
	c.mu.Lock()
	more := c.again || c.err != nil
	c.reading = more
	c.mu.Unlock()
	if more {
		theSet().crew.read(c)
	}
}

func (d *descriptor) wakeReader(c *Conn) { theSet().crew.read(c) }

func (d *descriptor) holdBack(c *Conn) bool {
	now := tick.Load()
	if c.tick != now {
		c.tick = now
		return false
	}
	theSet().crew.flush(c)
	return true
}

func (d *descriptor) awaitWritable(*Conn) {} // the set always reports it

func (d *descriptor) tryWrite(b []byte) (int, error) {
	if d.fd < 0 {
		return 0, net.ErrClosed
	}
	for {
		n, err := send(int(d.fd), b)
		switch err {
		case nil:
			return n, nil
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return 0, nil
		}
		return 0, os.NewSyscallError("write", err)
	}
}

func (d *descriptor) tryWritev(bufs [][]byte) (int, error) {
	if len(bufs) == 1 {
		return d.tryWrite(bufs[0])
	}
	if d.fd < 0 {
		return 0, net.ErrClosed
	}
	var iov [maxIov]syscall.Iovec
	n, size := 0, 0
	for _, b := range bufs {
		if len(b) == 0 {
			continue
		}
		iov[n].Base = unsafe.SliceData(b)
		iov[n].SetLen(len(b))
		n++
		size += len(b)
	}
	if n == 0 {
		return 0, nil
	}
	for {
		w, err := writev(int(d.fd), iov[:n], size)
		runtime.KeepAlive(bufs)
		switch err {
		case nil:
			return w, nil
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return 0, nil
		}
		return 0, os.NewSyscallError("writev", err)
	}
}

func (d *descriptor) closeWrite(*Conn) {
	if d.fd >= 0 {
		_ = syscall.Shutdown(int(d.fd), syscall.SHUT_WR)
	}
}

func (d *descriptor) close(c *Conn, readerActive bool) {
	if d.fd < 0 {
		return
	}
	if readerActive {
		// The reader may be inside read(2) with this number: make it return and
		// let it close, or the number could be somebody else's by then.
		_ = syscall.Shutdown(int(d.fd), syscall.SHUT_RDWR)
		c.again = true
		return
	}
	theSet().remove(int(d.fd))
	_ = syscall.Close(int(d.fd))
	d.fd = -1
}

// read empties the kernel's buffer into the handler, or reports that there is more than
// can be read in a turn. The caller has set c.reading, so there is one reader;
// edge-triggered readiness that arrives meanwhile is kept in c.again.
func (c *Conn) read() (more bool) {
	buf := readBuffers.Get().(*[readSize]byte)
	var turns Turns
	for {
		c.mu.Lock()
		if c.paused && !c.hangup && c.err == nil {
			c.reading = false // c.again stays: Resume reads on
			c.again = true
			c.mu.Unlock()
			break
		}
		c.again = false
		hangup := c.hangup
		closed := c.err != nil
		c.mu.Unlock()
		if closed { // by the handler, most likely: what follows is not wanted
			c.readerDone(net.ErrClosed)
			readBuffers.Put(buf)
			return false
		}

		n, err := receive(int(c.fd), buf[:])
		switch {
		case n > 0:
			c.h.Data(buf[:n])
			if n < len(buf) && !hangup {
				break
			}
			if turns.over() {
				readBuffers.Put(buf)
				return true
			}
			continue
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
		default:
			if err == nil {
				err = io.EOF
			} else {
				err = os.NewSyscallError("read", err)
			}
			c.readerDone(err)
			readBuffers.Put(buf)
			return false
		}

		// A short read means empty, unless an edge came in between.
		c.mu.Lock()
		if !c.again {
			c.reading = false
			c.mu.Unlock()
			break
		}
		c.mu.Unlock()
	}
	readBuffers.Put(buf)
	return false
}

// ready is called by the epoll loop. It reports whether c has to be read, for
// which the caller sees to it.
func (c *Conn) ready(events uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out != nil && events&(syscall.EPOLLOUT|syscall.EPOLLERR|syscall.EPOLLHUP) != 0 {
		c.flushLocked()
	}
	if events&^syscall.EPOLLOUT == 0 {
		return false
	}
	c.again = true
	if events&(syscall.EPOLLRDHUP|syscall.EPOLLERR|syscall.EPOLLHUP) != 0 {
		c.hangup = true
	}
	// A peer that will send no more is read to the end, paused or not: or its end
	// would not be noticed while handlers wait for just that.
	if c.reading || c.paused && !c.hangup || c.err != nil {
		return false
	}
	c.reading = true
	return true
}

// An epollSet watches the descriptors of all connections.
type epollSet struct {
	fd   int
	crew crew

	mu    sync.RWMutex
	conns []*Conn // by descriptor
}

var poller = sync.OnceValues(func() (*epollSet, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, err
	}
	s := &epollSet{fd: fd}
	watch.init()
	// The set is itself a descriptor that the runtime's poller can watch, so
	// that waiting for it costs a parked goroutine and no thread.
	raw, err := os.NewFile(uintptr(fd), "epoll").SyscallConn()
	if err != nil {
		return nil, err
	}
	go s.loop(raw)
	current.Store(s)
	return s, nil
})

// current is the set, nil before a descriptor was taken.
var current atomic.Pointer[epollSet]

// theSet is the set, once a descriptor was taken.
func theSet() *epollSet {
	s, _ := poller()
	return s
}

const epollET = 1 << 31

func (s *epollSet) add(fd int, c *Conn) error {
	s.mu.Lock()
	if more := fd + 1 - len(s.conns); more > 0 {
		s.conns = append(s.conns, make([]*Conn, more)...)
	}
	s.conns[fd] = c
	s.mu.Unlock()
	ev := syscall.EpollEvent{
		Events: syscall.EPOLLIN | syscall.EPOLLOUT | syscall.EPOLLRDHUP | epollET,
		Fd:     int32(fd),
	}
	if err := syscall.EpollCtl(s.fd, syscall.EPOLL_CTL_ADD, fd, &ev); err != nil {
		s.remove(fd)
		return err
	}
	return nil
}

// remove forgets fd; closing the descriptor takes it out of the kernel's set.
// An event that was already fetched for it finds nothing, or a newer
// connection with the same number, which reads in vain and no harm is done.
func (s *epollSet) remove(fd int) {
	s.mu.Lock()
	if fd < len(s.conns) { // else it was never added
		s.conns[fd] = nil
	}
	s.mu.Unlock()
}

// loop hands over what is ready for as long as the process lives. All of it
// happens inside of one Read, which the runtime ends for no reason: an event
// that comes between two calls of the function would not be lost, but would be
// looked for in vain.
func (s *epollSet) loop(raw syscall.RawConn) {
	var b batch
	panic(raw.Read(func(uintptr) bool {
		for s.look(&b) {
		}
		return false
	}))
}

// A batch is room for what is ready at a moment.
type batch struct {
	events [256]syscall.EpollEvent
	conns  [256]*Conn
}

// look hands over what is ready, and reports whether there may be more.
func (s *epollSet) look(b *batch) (more bool) {
	n, err := epollReady(s.fd, b.events[:])
	if err == syscall.EINTR {
		return true
	}
	if err != nil {
		panic(os.NewSyscallError("epoll_wait", err)) // a broken set serves nobody
	}
	tick.Add(1)
	conns := b.conns[:n]
	s.mu.RLock()
	for i := range conns {
		conns[i] = s.conns[b.events[i].Fd]
	}
	s.mu.RUnlock()
	work := conns[:0]
	for i, c := range conns {
		if c != nil && c.ready(b.events[i].Events) {
			work = append(work, c)
		}
	}
	if len(work) > 0 {
		s.crew.read(work...)
	}
	clear(conns)
	return n == len(b.events)
}

var batches = sync.Pool{New: func() any { return new(batch) }}

// Turn lets others have their turn in the middle of something long, above all the
// connections that have something to read: the runtime would look for them when nothing
// else can run, or 10 ms later.
func Turn() {
	if s := current.Load(); s != nil {
		b := batches.Get().(*batch)
		s.look(b)
		batches.Put(b)
	}
	runtime.Gosched()
}
