package poll_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"

	"github.com/sockeye-go/socketio/internal/poll"
)

// recorder is a handler that keeps what it is told.
type recorder struct {
	mu      sync.Mutex
	data    bytes.Buffer
	ended   chan error
	batches chan bool
	onData  func([]byte)
	limits  *poll.Limits
	busy    bool
	t       *testing.T
}

func newRecorder(t *testing.T) *recorder {
	return &recorder{t: t, limits: limits, ended: make(chan error, 2), batches: make(chan bool, 1024)}
}

func (r *recorder) Limits() *poll.Limits { return r.limits }

func (r *recorder) Data(p []byte) {
	r.mu.Lock()
	if r.busy {
		r.t.Error("Data called by two goroutines at once")
	}
	r.busy = true
	r.mu.Unlock()
	if r.onData != nil {
		r.onData(p)
	}
	r.mu.Lock()
	r.data.Write(p)
	r.busy = false
	r.mu.Unlock()
}
func (r *recorder) Ended(err error) { r.ended <- err }
func (r *recorder) Batch(mayBlock bool) {
	select {
	case r.batches <- mayBlock:
	default:
	}
}

func tcpPair(t *testing.T) (server, client net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return server, client
}

// wrapped hides the TCP connection, so that the parked backend takes it.
type wrapped struct{ net.Conn }

func eachBackend(t *testing.T, f func(t *testing.T, server, client net.Conn)) {
	t.Run("direct", func(t *testing.T) {
		s, c := tcpPair(t)
		f(t, s, c)
	})
	t.Run("parked", func(t *testing.T) {
		s, c := tcpPair(t)
		f(t, wrapped{s}, c)
	})
}

var limits = &poll.Limits{Bytes: 64 << 20, Packets: 1 << 20}

// TestBothWays sends more than the kernel holds in both directions and compares
// what arrives; the leftover bytes come first.
func TestBothWays(t *testing.T) {
	eachBackend(t, func(t *testing.T, server, client net.Conn) {
		r := newRecorder(t)
		c := poll.New(server, r)
		c.Start([]byte("left"))

		out := make([]byte, 8<<20)
		rand.NewChaCha8([32]byte{1}).Read(out)
		sent := make(chan error, 1)
		go func() {
			_, err := client.Write(out)
			sent <- err
		}()
		for rest := out; len(rest) > 0; {
			n := min(len(rest), 10_007)
			if err := c.Write(rest[:n], n%2 == 0); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		got := make([]byte, len(out))
		if _, err := io.ReadFull(client, got); err != nil {
			t.Fatal(err)
		}
		if sha256.Sum256(got) != sha256.Sum256(out) {
			t.Error("what the client read differs from what was written")
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		client.Close()
		<-r.ended
		if want := append([]byte("left"), out...); !bytes.Equal(r.data.Bytes(), want) {
			t.Errorf("handler got %d bytes that differ from the %d sent", r.data.Len(), len(want))
		}
	})
}

// TestEndedOnce closes from both sides at once; the handler hears of it once.
func TestEndedOnce(t *testing.T) {
	eachBackend(t, func(t *testing.T, server, client net.Conn) {
		r := newRecorder(t)
		c := poll.New(server, r)
		c.Start(nil)
		go client.Close()
		c.Close()
		c.Close()
		<-r.ended
		if err := c.Write([]byte("x"), true); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write after Close = %v; want net.ErrClosed", err)
		}
		select {
		case err := <-r.ended:
			t.Errorf("Ended called twice: %v", err)
		default:
		}
	})
}

// TestPause holds the peer back: nothing is delivered while paused and all of
// it afterwards.
func TestPause(t *testing.T) {
	eachBackend(t, func(t *testing.T, server, client net.Conn) {
		r := newRecorder(t)
		var c *poll.Conn
		first := make(chan struct{}, 1)
		r.onData = func([]byte) {
			c.Pause()
			select {
			case first <- struct{}{}:
			default:
			}
		}
		c = poll.New(server, r)
		c.Start(nil)
		client.Write([]byte("a"))
		<-first
		<-r.batches
		client.Write([]byte("b"))
		r.mu.Lock()
		got := r.data.String()
		r.mu.Unlock()
		if got != "a" {
			t.Fatalf("paused handler got %q; want %q", got, "a")
		}
		c.Resume()
		<-first
		client.Close()
		c.Resume()
		for {
			select {
			case <-r.ended:
				if r.data.String() != "ab" {
					t.Errorf("handler got %q; want %q", r.data.String(), "ab")
				}
				return
			case <-r.batches:
				c.Resume()
			}
		}
	})
}

// TestFull refuses what exceeds the limits and keeps what it accepted.
func TestFull(t *testing.T) {
	eachBackend(t, func(t *testing.T, server, client net.Conn) {
		r := newRecorder(t)
		r.limits = &poll.Limits{Bytes: 1 << 20, Packets: 1 << 20}
		c := poll.New(server, r)
		c.Start(nil)
		chunk := make([]byte, 64<<10)
		accepted := 0
		for {
			err := c.Write(chunk, true)
			if errors.Is(err, poll.ErrFull) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			accepted += len(chunk)
			if accepted > 1<<30 {
				t.Fatal("the queue has no limit")
			}
		}
		if b, _ := c.Buffered(); b > 1<<20 {
			t.Errorf("%d bytes queued; the limit is %d", b, 1<<20)
		}
		if ok, err := c.WriteIfIdle([]byte("v"), true); ok || err != nil {
			t.Errorf("WriteIfIdle on a full queue = %v, %v; want false, nil", ok, err)
		}
		c.CloseWrite()
		n, err := io.Copy(io.Discard, client)
		if err != nil || int(n) != accepted {
			t.Errorf("client read %d bytes, %v; want %d", n, err, accepted)
		}
		client.Close()
		<-r.ended
	})
}

// TestCloseInData ends the connection from within the handler.
func TestCloseInData(t *testing.T) {
	eachBackend(t, func(t *testing.T, server, client net.Conn) {
		r := newRecorder(t)
		var c *poll.Conn
		r.onData = func([]byte) { c.Close() }
		c = poll.New(server, r)
		c.Start(nil)
		client.Write([]byte("a"))
		if err := <-r.ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Ended(%v); want net.ErrClosed", err)
		}
		if _, err := client.Read(make([]byte, 1)); err == nil {
			t.Error("the client still reads")
		}
	})
}

// TestCloseBeforeStart ends a connection that nobody has begun to read.
func TestCloseBeforeStart(t *testing.T) {
	eachBackend(t, func(t *testing.T, server, client net.Conn) {
		r := newRecorder(t)
		c := poll.New(server, r)
		c.Close()
		c.Start(nil)
		if err := <-r.ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Ended(%v); want net.ErrClosed", err)
		}
	})
}

// TestFullInTheMiddle writes more at once than the kernel takes and the queue
// may hold: half of it is gone, so that the connection ends, and says why.
func TestFullInTheMiddle(t *testing.T) {
	eachBackend(t, func(t *testing.T, server, client net.Conn) {
		r := newRecorder(t)
		r.limits = &poll.Limits{Bytes: 1000, Packets: 10}
		c := poll.New(server, r)
		c.Start(nil)
		if err := c.Write(make([]byte, 64<<20), true); !errors.Is(err, poll.ErrFull) {
			t.Fatalf("Write = %v; want ErrFull", err)
		}
		if _, direct := server.(*net.TCPConn); !direct {
			c.Close() // this backend had written nothing yet
			<-r.ended
			return
		}
		if err := <-r.ended; !errors.Is(err, poll.ErrFull) {
			t.Errorf("Ended(%v); want ErrFull", err)
		}
		if err := c.Write([]byte("x"), true); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write afterwards = %v; want net.ErrClosed", err)
		}
	})
}
