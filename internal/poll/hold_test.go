package poll_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/sockeye-go/socketio/internal/poll"
)

// TestOrderOfBursts writes numbers of any size in bursts, so that some go to
// the kernel at once, some are held back and some wait, and reads them in order.
func TestOrderOfBursts(t *testing.T) {
	eachBackend(t, func(t *testing.T, server, client net.Conn) {
		r := newRecorder(t)
		c := poll.New(server, r)
		c.Start(nil)
		sizes := []int{8, 100, 8, 1 << 10, 8, 5 << 10, 70 << 10, 8}
		const n = 4000
		go func() {
			buf := make([]byte, 70<<10)
			for i := range n {
				b := buf[:sizes[i%len(sizes)]]
				binary.BigEndian.PutUint64(b, uint64(i))
				if i%2 == 0 {
					b = bytes.Clone(b)
				}
				if err := c.Write(b, i%2 == 0); err != nil {
					t.Error(err)
				}
			}
			c.CloseWrite()
		}()
		for i := range n {
			b := make([]byte, sizes[i%len(sizes)])
			if _, err := io.ReadFull(client, b); err != nil {
				t.Fatal(err)
			}
			if got := binary.BigEndian.Uint64(b); got != uint64(i) {
				t.Fatalf("message %d came in place of %d", got, i)
			}
		}
		if _, err := client.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("Read after CloseWrite: %v; want EOF", err)
		}
		client.Close()
		<-r.ended
	})
}

// TestCloseAfterBurst loses nothing of what the kernel would have taken.
func TestCloseAfterBurst(t *testing.T) {
	server, client := tcpPair(t)
	r := newRecorder(t)
	c := poll.New(server, r)
	c.Start(nil)
	for range 10 {
		if err := c.Write([]byte("x"), true); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	if b, err := io.ReadAll(client); err != nil || len(b) != 10 {
		t.Errorf("client read %q, %v; want 10 bytes", b, err)
	}
	<-r.ended
}

// TestHeldIsIdle: what is held back for a moment does not count as waiting.
func TestHeldIsIdle(t *testing.T) {
	server, client := tcpPair(t)
	r := newRecorder(t)
	r.limits = &poll.Limits{Bytes: 10, Packets: 1}
	c := poll.New(server, r)
	c.Start(nil)
	for i := range 100 {
		if ok, err := c.WriteIfIdle([]byte("xx"), true); !ok || err != nil {
			t.Fatalf("write %d = %v, %v", i, ok, err)
		}
	}
	c.CloseWrite()
	if b, err := io.ReadAll(client); err != nil || len(b) != 200 {
		t.Errorf("client read %d bytes, %v; want 200", len(b), err)
	}
	client.Close()
	<-r.ended
}

// blocker blocks in its batches until it is released.
type blocker struct {
	*recorder
	release chan struct{}
}

func (b *blocker) Batch(mayBlock bool) {
	b.recorder.Batch(mayBlock)
	if mayBlock {
		<-b.release
	}
}

// TestBlockedHandlers has a hundred handlers block at once; others are read, and
// so are the blocked ones themselves, and what a handler wrote before it blocked
// leaves.
func TestBlockedHandlers(t *testing.T) {
	const n = 100
	release := make(chan struct{})
	var clients []net.Conn
	var rs []*recorder
	var ended sync.WaitGroup
	for range n {
		server, client := tcpPair(t)
		r := newRecorder(t)
		var c *poll.Conn
		r.onData = func(p []byte) {
			for range 3 { // the first may leave at once, the others may be held
				if err := c.Write(p, false); err != nil && !errors.Is(err, net.ErrClosed) {
					t.Error(err)
				}
			}
		}
		c = poll.New(server, &blocker{r, release})
		c.Start(nil)
		clients, rs = append(clients, client), append(rs, r)
		ended.Go(func() { <-r.ended })
	}
	for range 2 { // the second time every handler is blocked already
		for _, client := range clients {
			if _, err := client.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		for i, client := range clients {
			if _, err := io.ReadFull(client, make([]byte, 3)); err != nil {
				t.Fatalf("connection %d: %v", i, err)
			}
			<-rs[i].batches
		}
	}
	close(release)
	for _, client := range clients {
		client.Close()
	}
	ended.Wait()
}
