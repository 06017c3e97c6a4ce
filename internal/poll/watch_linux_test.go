package poll_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/internal/poll"
)

// TestWatch: on one core, who computes until another connection is read is
// interrupted, although the scheduler was told of no system call for long. The peer
// is a process of its own, since it makes calls that the scheduler is told of.
func TestWatch(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	peer := exec.Command(os.Args[0])
	peer.Env = append(os.Environ(), "WATCH_PEER="+ln.Addr().String())
	var says bytes.Buffer
	peer.Stdout, peer.Stderr = &says, &says
	if err := peer.Start(); err != nil {
		t.Fatal(err)
	}
	var released atomic.Bool
	var hs []*computing
	for range 2 {
		nc, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		h := &computing{released: &released, ended: make(chan struct{})}
		h.c = poll.New(nc, h)
		h.c.Start(nil)
		hs = append(hs, h)
	}
	if err := peer.Wait(); err != nil {
		t.Errorf("%v: %s", err, says.Bytes())
	}
	for _, h := range hs {
		<-h.ended
	}
}

func init() {
	if addr := os.Getenv("WATCH_PEER"); addr != "" {
		if err := watchPeer(addr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// watchPeer is the other side of TestWatch.
func watchPeer(addr string) error {
	var conns [2]net.Conn
	for i := range conns {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			return err
		}
		defer nc.Close()
		_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
		conns[i] = nc
	}
	b := []byte{0}
	var failed error
	say := func(nc net.Conn, what byte) {
		b[0] = what
		if _, err := nc.Write(b); err != nil {
			failed = cmp.Or(failed, err)
		}
	}
	hear := func(nc net.Conn, want byte) {
		if _, err := io.ReadFull(nc, b); err != nil || b[0] != want {
			failed = cmp.Or(failed, fmt.Errorf("%q, %v; want %q", b, err, want))
		}
	}
	for range 20 {
		for range 1000 { // all is idle between two of them, and the watch sleeps
			say(conns[0], 'x')
			hear(conns[0], 'x')
		}
		say(conns[0], 'c')
		hear(conns[0], 'c') // it begins
		say(conns[1], 'r')
		hear(conns[1], 'r')
		hear(conns[0], 'e')
		if failed != nil {
			return failed
		}
	}
	return nil
}

// computing answers what it reads. After a 'c' it computes until an 'r' was read by
// any other.
type computing struct {
	c        *poll.Conn
	released *atomic.Bool
	ended    chan struct{}
	compute  bool
}

func (h *computing) Data(p []byte) {
	for _, what := range p {
		switch what {
		case 'c':
			h.compute = true
			h.released.Store(false)
		case 'r':
			h.released.Store(true)
		}
	}
	_ = h.c.Write(p, false)
}

func (h *computing) Batch(bool) {
	if !h.compute {
		return
	}
	h.compute = false
	for !h.released.Load() {
	}
	_ = h.c.Write([]byte{'e'}, false)
}

func (h *computing) Ended(error) { close(h.ended) }

func (h *computing) Limits() *poll.Limits { return limits }
