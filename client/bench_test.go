package client_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
)

// benchServer runs a server in a process of its own, so that its memory and its
// CPU time are not counted, and returns its address.
func benchServer(b *testing.B) string {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestMain$")
	cmd.Env = append(os.Environ(), "CLIENT_BENCH_SERVER=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// serveBench is that process.
func serveBench() {
	srv := socketio.NewServer(nil)
	double.Handle(srv, func(_ context.Context, _ *socketio.Socket, n int) (int, error) { return 2 * n, nil })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(l, srv)
	fmt.Println("http://" + l.Addr().String())
	_, _ = os.Stdin.Read(make([]byte, 1)) // until the parent ends
}

func connected(b *testing.B, addr string, n int, o *client.Options) []*client.Socket {
	b.Helper()
	sockets := make([]*client.Socket, n)
	var wg sync.WaitGroup
	next := make(chan int)
	for range 16 {
		wg.Go(func() {
			for i := range next {
				m, err := client.New(addr, o)
				if err != nil {
					b.Error(err)
					continue
				}
				sockets[i] = m.Socket("/")
				if err := sockets[i].Connect(b.Context()); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	return sockets
}

func closeAll(sockets []*client.Socket) {
	for _, s := range sockets {
		s.Manager().Close()
	}
}

func memory() uint64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapInuse + s.StackInuse
}

// BenchmarkIdle is the memory of a client that has joined "/", has had an ack,
// and waits, with a handler and a hook registered.
func BenchmarkIdle(b *testing.B) {
	addr := benchServer(b)
	const n = 2000
	warm := connected(b, addr, 50, nil)
	closeAll(warm)
	for b.Loop() {
		before, goroutines := memory(), runtime.NumGoroutine()
		sockets := connected(b, addr, n, nil)
		for _, s := range sockets {
			ask.On(s, func(context.Context, int) (int, error) { return 0, nil })
			s.OnDisconnect(func(socketio.DisconnectReason, error) {})
			if _, err := double.EmitWithAck(b.Context(), s, 1); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(memory()-before)/n, "B/client")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/n, "goroutines/client")
		closeAll(sockets)
		runtime.KeepAlive(sockets)
	}
}

// BenchmarkConnect is a connection with its CONNECT and its end.
func BenchmarkConnect(b *testing.B) {
	addr := benchServer(b)
	b.ReportAllocs()
	for b.Loop() {
		s, err := client.Connect(b.Context(), addr, nil)
		if err != nil {
			b.Fatal(err)
		}
		s.Manager().Close()
	}
}

// BenchmarkEcho is a round trip with an ack; Parallel has many in flight.
func BenchmarkEcho(b *testing.B) {
	addr := benchServer(b)
	s, err := client.Connect(b.Context(), addr, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Manager().Close()
	b.ReportAllocs()
	for b.Loop() {
		if n, err := double.EmitWithAck(b.Context(), s, 21); n != 42 || err != nil {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkEchoParallel(b *testing.B) {
	addr := benchServer(b)
	sockets := connected(b, addr, 16, nil)
	defer closeAll(sockets)
	b.ReportAllocs()
	b.SetParallelism(64)
	var mu sync.Mutex
	next := 0
	b.RunParallel(func(pb *testing.PB) {
		mu.Lock()
		s := sockets[next%len(sockets)]
		next++
		mu.Unlock()
		for pb.Next() {
			if n, err := double.EmitWithAck(b.Context(), s, 21); n != 42 || err != nil {
				b.Error(n, err)
				return
			}
		}
	})
}
