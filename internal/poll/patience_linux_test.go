package poll_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/internal/poll"
)

// layered is a connection over another, as that of TLS is.
type layered struct{ net.Conn }

func (l layered) NetConn() net.Conn { return l.Conn }

// quiet hears of the end.
type quiet struct {
	limits *poll.Limits
	ended  chan error
}

func (q quiet) Limits() *poll.Limits { return q.limits }
func (q quiet) Data([]byte)          {}
func (q quiet) Ended(err error)      { q.ended <- err }
func (q quiet) Batch(bool)           {}

// TestPatience: a peer that takes nothing any more ends a connection that is paused, and
// one that is not, or not any more, is left to its heartbeat.
func TestPatience(t *testing.T) {
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"plain":   func(c net.Conn) net.Conn { return c },
		"layered": func(c net.Conn) net.Conn { return layered{layered{c}} },
	} {
		t.Run(name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			limits := &poll.Limits{Bytes: 64 << 20, Packets: 10, Patience: 100 * time.Millisecond}
			var conns [3]*poll.Conn
			var ends [3]quiet
			for i := range conns {
				peer, err := net.Dial("tcp", ln.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer peer.Close() // it never reads
				server, err := ln.Accept()
				if err != nil {
					t.Fatal(err)
				}
				ends[i] = quiet{limits, make(chan error, 1)}
				conns[i] = poll.New(wrap(server), ends[i])
				conns[i].Start(nil)
			}
			conns[0].Pause()
			conns[2].Pause()
			conns[2].Resume()
			for _, c := range conns {
				if err := c.Write(make([]byte, 32<<20), true); err != nil {
					t.Fatal(err)
				}
			}
			select {
			case err := <-ends[0].ended:
				if !errors.Is(err, syscall.ETIMEDOUT) {
					t.Errorf("ended with %v; want ETIMEDOUT", err)
				}
			case <-time.After(30 * time.Second):
				t.Error("a paused connection outlives its peer")
			}
			for i := 1; i < 3; i++ {
				select {
				case err := <-ends[i].ended:
					t.Errorf("connection %d, which is read, ended with %v", i, err)
				default:
				}
				conns[i].Close()
				<-ends[i].ended
			}
		})
	}
}
