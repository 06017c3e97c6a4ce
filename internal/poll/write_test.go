package poll_test

import (
	"io"
	"net"
	"testing"

	"github.com/sockeye-go/socketio/internal/poll"
)

// BenchmarkAnswer is a write of 100 bytes by whoever has something to say, and
// what waits for it on the other side: straight to the kernel, and by way of a
// goroutine per connection that writes. See docs/adr/0004-outbox.md.
func BenchmarkAnswer(b *testing.B) {
	msg := make([]byte, 100)
	run := func(b *testing.B, write func(net.Conn) (func(), func())) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		defer ln.Close()
		client, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		defer client.Close()
		server, err := ln.Accept()
		if err != nil {
			b.Fatal(err)
		}
		send, end := write(server)
		defer end()
		buf := make([]byte, len(msg))
		b.ReportAllocs()
		before := cpu()
		for b.Loop() {
			send()
			if _, err := io.ReadFull(client, buf); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
	}
	b.Run("direct", func(b *testing.B) {
		run(b, func(nc net.Conn) (func(), func()) {
			e := &echoer{}
			e.c = poll.New(nc, e)
			e.c.Start(nil)
			return func() { _ = e.c.Write(msg, true) }, e.c.Close
		})
	})
	b.Run("writer", func(b *testing.B) {
		run(b, func(nc net.Conn) (func(), func()) {
			queue := make(chan []byte, 64)
			go func() {
				for p := range queue {
					_, _ = nc.Write(p)
				}
				nc.Close()
			}()
			return func() { queue <- msg }, func() { close(queue) }
		})
	})
}
