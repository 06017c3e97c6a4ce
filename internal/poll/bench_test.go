package poll_test

import (
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/internal/poll"
)

// echoer writes back what it reads.
type echoer struct{ c *poll.Conn }

func (e *echoer) Limits() *poll.Limits { return limits }
func (e *echoer) Data(p []byte)        { _ = e.c.Write(p, false) }
func (e *echoer) Ended(error)          {}
func (e *echoer) Batch(bool)           {}

func backends(b *testing.B, f func(b *testing.B, wrap func(net.Conn) net.Conn)) {
	b.Run("direct", func(b *testing.B) { f(b, func(c net.Conn) net.Conn { return c }) })
	b.Run("parked", func(b *testing.B) { f(b, func(c net.Conn) net.Conn { return wrapped{c} }) })
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkEcho is one message of 100 bytes there and back, with the CPU of
// both ends; the client is the same for either backend.
func BenchmarkEcho(b *testing.B) {
	backends(b, func(b *testing.B, wrap func(net.Conn) net.Conn) {
		ln, _ := net.Listen("tcp", "127.0.0.1:0")
		defer ln.Close()
		client, _ := net.Dial("tcp", ln.Addr().String())
		defer client.Close()
		server, _ := ln.Accept()
		e := &echoer{}
		e.c = poll.New(wrap(server), e)
		e.c.Start(nil)
		msg := make([]byte, 100)
		b.ReportAllocs()
		before := cpu()
		for b.Loop() {
			if _, err := client.Write(msg); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(client, msg); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
	})
}

// BenchmarkIdle is the memory of the Go runtime for one connection that has
// echoed once and waits.
func BenchmarkIdle(b *testing.B) {
	backends(b, func(b *testing.B, wrap func(net.Conn) net.Conn) {
		const n = 4000
		ln, _ := net.Listen("tcp", "127.0.0.1:0")
		defer ln.Close()
		for b.Loop() {
			var clients []int
			var conns []*echoer
			before := used()
			buf := make([]byte, 1)
			for range n {
				c, err := net.Dial("tcp", ln.Addr().String())
				if err != nil {
					b.Fatal(err)
				}
				s, _ := ln.Accept()
				e := &echoer{}
				e.c = poll.New(wrap(s), e)
				e.c.Start(nil)
				c.Write(buf)
				io.ReadFull(c, buf)
				// The client's own memory must not count: keep the descriptor alone.
				f, _ := c.(*net.TCPConn).File()
				fd, _ := syscall.Dup(int(f.Fd()))
				f.Close()
				c.Close()
				clients = append(clients, fd)
				conns = append(conns, e)
			}
			b.ReportMetric(float64(used()-before)/n, "B/conn")
			for i, e := range conns {
				e.c.Close()
				syscall.Close(clients[i])
			}
		}
	})
}

func used() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
