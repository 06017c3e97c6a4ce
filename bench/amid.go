//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/sockeye-go/socketio/internal/ws"
)

// A loader is the load of scenarios in which time counts: one thread that waits
// for all its connections and sends when the schedule says so, however late the
// answers are. A latency runs from the moment at which the schedule wanted the
// message sent, so that none is left out (no coordinated omission).
type loader struct {
	set    int
	probes map[int32]*probe
	buf    []byte
	got    int // bytes that came to others than probes
}

// A probe is a connection whose echoes are timed.
type probe struct {
	fd     int
	parser ws.Parser
	due    []time.Time // when those that are under way were to be sent
}

func newLoader() (*loader, error) {
	set, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	return &loader{set: set, probes: map[int32]*probe{}, buf: make([]byte, 64<<10)}, err
}

// take takes the descriptor away from the runtime's own poller.
func (l *loader) take(c *client) (fd int, err error) {
	raw, err := c.nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	if err := raw.Control(func(old uintptr) { fd, failed = syscall.Dup(int(old)) }); err != nil || failed != nil {
		return 0, errors.Join(err, failed)
	}
	c.nc.Close()
	return fd, syscall.EpollCtl(l.set, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
}

// wait reads what is there, and waits for it up to the deadline.
func (l *loader) wait(deadline time.Time, answered func(time.Duration)) error {
	var events [256]syscall.EpollEvent
	ms := int(time.Until(deadline) / time.Millisecond)
	n, err := syscall.EpollWait(l.set, events[:], max(ms, 0))
	if err != nil && err != syscall.EINTR {
		return os.NewSyscallError("epoll_wait", err)
	}
	for _, ev := range events[:max(n, 0)] {
		n, err := syscall.Read(int(ev.Fd), l.buf)
		if err == syscall.EAGAIN || err == syscall.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return fmt.Errorf("the server closed a connection: %w", os.NewSyscallError("read", err))
		}
		p := l.probes[ev.Fd]
		if p == nil {
			l.got += n
			continue
		}
		if err := p.read(l.buf[:n], answered); err != nil {
			return err
		}
	}
	return nil
}

func (p *probe) read(in []byte, answered func(time.Duration)) error {
	for len(in) > 0 {
		m, n, ok, err := p.parser.Next(in)
		if err != nil {
			return err
		}
		in = in[n:]
		switch {
		case !ok:
		case string(m.Data) == "2":
			if err := write(p.fd, clientFrame("3")); err != nil {
				return err
			}
		case bytes.HasPrefix(m.Data, []byte("43")) && len(p.due) > 0:
			answered(time.Since(p.due[0]))
			p.due = p.due[1:]
		default:
			return fmt.Errorf("unexpected %.80q", m.Data)
		}
	}
	return nil
}

func clientFrame(packet string) []byte {
	return ws.AppendMasked(nil, ws.Text, []byte(packet), [4]byte{1, 2, 3, 4})
}

func write(fd int, b []byte) error {
	n, err := syscall.Write(fd, b)
	if err == nil && n < len(b) {
		err = syscall.EAGAIN
	}
	return os.NewSyscallError("write", err)
}

// The rooms of scenario amid, its probes, and the time for which it measures at
// full scale.
const (
	amidRoom   = 100
	amidProbes = 100
	amidEchoes = 500 // a second
	// amidMost is how many deliveries a second the load can read with room to
	// spare: where half of a server's capacity is more, it gets this.
	amidMost = 60_000
)

// amid has rooms of 100 receive broadcasts at half of the server's capacity, which
// it measures first, and times echoes of others meanwhile.
func amid(p *process, scale int) (figure, error) {
	rooms := max(5*scale-1, 1)
	cs, err := open(p, rooms*amidRoom+amidProbes)
	if err != nil {
		closeAll(cs)
		return figure{}, err
	}
	err = each(50, func(i int) error {
		for ; i < rooms*amidRoom; i += 50 {
			if err := cs[i].join(i / amidRoom); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		closeAll(cs)
		return figure{}, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	l, err := newLoader()
	if err != nil {
		return figure{}, err
	}
	defer syscall.Close(l.set)
	fds := make([]int, len(cs))
	for i, c := range cs {
		if fds[i], err = l.take(c); err != nil {
			return figure{}, err
		}
		defer syscall.Close(fds[i])
	}
	probes := make([]*probe, amidProbes)
	for i := range probes {
		fd := fds[rooms*amidRoom+i]
		probes[i] = &probe{fd: fd}
		probes[i].parser.Init(ws.Client, 1<<20)
		l.probes[int32(fd)] = probes[i]
	}
	cast := func(i int) error {
		room := i % rooms
		// Numbers of one width, so that all frames are equally long.
		return write(fds[room*amidRoom], clientFrame(fmt.Sprintf(`42["cast",{"room":"room%d","id":%d,"text":"%s"}]`, room, 1_000_000+i, text)))
	}
	cost, err := calibrate(p, l, rooms, cast)
	if err != nil {
		return figure{}, fmt.Errorf("calibrating: %w", err)
	}
	rate := min(0.5/cost.Seconds(), amidMost)

	var took, late []time.Duration
	answered := func(d time.Duration) { took = append(took, d) }
	duration := max(5*time.Second*time.Duration(scale)/20, time.Second/2)
	_, waited := scheduled([]int{p.cmd.Process.Pid})
	start := time.Now()
	casts, echoes := 0, 0
	for time.Since(start) < duration {
		due := func(i int, perSecond float64) time.Time {
			return start.Add(time.Duration(float64(i) / perSecond * float64(time.Second)))
		}
		now := time.Now()
		for ; !due(casts, rate/amidRoom).After(now); casts++ {
			if err := cast(casts); err != nil {
				return figure{}, err
			}
		}
		for ; !due(echoes, amidEchoes).After(now); echoes++ {
			pr := probes[echoes%amidProbes]
			packet, _ := echoOf(echoes, 0, text)
			if err := write(pr.fd, clientFrame(packet)); err != nil {
				return figure{}, err
			}
			pr.due = append(pr.due, due(echoes, amidEchoes))
			late = append(late, time.Since(due(echoes, amidEchoes)))
		}
		next := due(casts, rate/amidRoom)
		if e := due(echoes, amidEchoes); e.Before(next) {
			next = e
		}
		if err := l.wait(next, answered); err != nil {
			return figure{}, err
		}
	}
	for deadline := time.Now().Add(10 * time.Second); len(took) < echoes; {
		if time.Now().After(deadline) {
			return figure{}, fmt.Errorf("%d of %d echoes were not answered", echoes-len(took), echoes)
		}
		if err := l.wait(deadline, answered); err != nil {
			return figure{}, err
		}
	}
	_, after := scheduled([]int{p.cmd.Process.Pid})
	f := percentiles(took)
	f.Value, f.Rate = f.P99, rate
	f.Late, f.Waited = percentiles(late).P99, (after-waited).Seconds()*1000
	return f, nil
}

// calibrate returns the server's CPU time for one delivery.
func calibrate(p *process, l *loader, rooms int, cast func(int) error) (time.Duration, error) {
	before, err := p.cpu()
	if err != nil {
		return 0, err
	}
	length := len(ws.AppendFrame(nil, ws.Text, fmt.Appendf(nil, `42["cast",{"room":"room%d","id":%d,"text":"%s"}]`, 0, 1_000_000, text)))
	casts, want := max(2*rooms, 20), 0
	for i := range casts {
		if err := cast(i); err != nil {
			return 0, err
		}
		want += amidRoom * (length + len(fmt.Sprint(i%rooms)) - 1)
		for deadline := time.Now().Add(10 * time.Second); l.got < want; {
			if time.Now().After(deadline) {
				return 0, fmt.Errorf("%d bytes came, %d were sent", l.got, want)
			}
			if err := l.wait(deadline, nil); err != nil {
				return 0, err
			}
		}
	}
	after, err := p.cpu()
	return (after - before) / time.Duration(casts*amidRoom), err
}

func percentiles(took []time.Duration) figure {
	slices.Sort(took)
	at := func(f float64) float64 { return float64(took[int(f*float64(len(took)-1))].Nanoseconds()) / 1000 }
	return figure{P50: at(0.5), P99: at(0.99)}
}
