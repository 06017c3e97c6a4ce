package socketio_test

import (
	"context"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/rawclient"
)

// BenchmarkHandOff is what it costs to get one event from the goroutine that
// reads to its handler and to know that it is done, in the three ways between
// which docs/adr/0003-dispatch.md chooses.
func BenchmarkHandOff(b *testing.B) {
	done := make(chan struct{}, 1)
	handler := func() { done <- struct{}{} }
	b.Run("inline", func(b *testing.B) {
		for b.Loop() {
			handler()
			<-done
		}
	})
	b.Run("goroutine", func(b *testing.B) {
		for b.Loop() {
			go handler()
			<-done
		}
	})
	b.Run("channel", func(b *testing.B) {
		work := make(chan func(), 16)
		defer close(work)
		go func() {
			for f := range work {
				f()
			}
		}()
		for b.Loop() {
			work <- handler
			<-done
		}
	})
	b.Run("channel-idle", func(b *testing.B) {
		const n = 10_000
		for b.Loop() {
			before := inUse()
			stop := make(chan struct{})
			queues := make([]chan func(), n)
			for i := range queues {
				queues[i] = make(chan func(), 16)
				go func() {
					select {
					case f := <-queues[i]:
						f()
					case <-stop:
					}
				}()
			}
			b.ReportMetric(float64(inUse()-before)/n, "B/socket")
			close(stop)
			runtime.KeepAlive(queues)
		}
	})
}

func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// BenchmarkEvent is an event with an ack over a WebSocket on loopback, with all
// layers of the server.
func BenchmarkEvent(b *testing.B) {
	echo := socketio.NewEventWithAck[string, string]("echo")
	for _, opts := range []struct {
		name string
		opts []socketio.HandlerOption
	}{{"in order", nil}, {"concurrent", []socketio.HandlerOption{socketio.Concurrent}}} {
		b.Run(opts.name, func(b *testing.B) {
			srv := socketio.NewServer(nil)
			echo.Handle(srv, func(ctx context.Context, s *socketio.Socket, in string) (string, error) { return in, nil }, opts.opts...)
			hs := httptest.NewServer(srv)
			defer hs.Close()
			defer srv.Close()
			ctx := b.Context()
			c, err := rawclient.DialWebSocket(ctx, hs.URL+"/socket.io/")
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			if err := rawclient.Join(ctx, c); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Send(ctx, `420["echo","hello"]`); err != nil {
					b.Fatal(err)
				}
				if _, err := c.Expect(ctx, "430"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
