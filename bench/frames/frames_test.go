// Package frames holds internal/ws and internal/poll, under a whole Socket.IO
// server, against WebSocket libraries that echo bare frames. See
// docs/adr/0001-connections.md.
package frames

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"
	"github.com/lxzan/gws"
	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/ws"
)

// wrapped hides the TCP connection, so that it is not taken to epoll.
type wrapped struct{ net.Conn }
type wrapListener struct{ net.Listener }

func (l wrapListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return wrapped{c}, nil
}

// used is the memory of the Go runtime.
func used() (heap, stack int64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse), int64(m.StackInuse)
}
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// gwsH echoes.
type gwsH struct{ gws.BuiltinEventHandler }

func (gwsH) OnMessage(s *gws.Conn, m *gws.Message) { s.WriteMessage(m.Opcode, m.Bytes()); m.Close() }

// handlers echo: ours an event, with all of Socket.IO around it.
func handlers() map[string]http.Handler {
	quiet := slog.New(slog.DiscardHandler)
	mk := func() http.Handler {
		srv := socketio.NewServer(&socketio.Options{Logger: quiet})
		echo := socketio.NewEvent[string]("e")
		echo.Handle(srv, func(ctx context.Context, s *socketio.Socket, v string) error { return echo.Emit(s, v) })
		return srv
	}
	up := gorilla.Upgrader{}
	upPool := gorilla.Upgrader{ReadBufferSize: 512, WriteBufferPool: &sync.Pool{}}
	gu := gws.NewUpgrader(gwsH{}, &gws.ServerOption{})
	loop := func(u gorilla.Upgrader) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := u.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			for {
				t, p, err := c.ReadMessage()
				if err != nil {
					return
				}
				c.WriteMessage(t, p)
			}
		})
	}
	return map[string]http.Handler{
		"ours-epoll":      mk(),
		"ours-parked":     mk(),
		"gorilla":         loop(up),
		"gorilla-512pool": loop(upPool),
		"coder": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
			if err != nil {
				return
			}
			for {
				t, p, err := c.Read(context.Background())
				if err != nil {
					return
				}
				c.Write(context.Background(), t, p)
			}
		}),
		"gws": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := gu.Upgrade(w, r)
			if err != nil {
				return
			}
			go c.ReadLoop()
		}),
	}
}

// serve returns the address, and what ends it.
func serve(name string, h http.Handler) (string, func()) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	hs := &http.Server{Handler: h}
	var l net.Listener = ln
	if name == "ours-parked" {
		l = wrapListener{ln}
	}
	go hs.Serve(l)
	return "http://" + ln.Addr().String() + "/socket.io/?EIO=4&transport=websocket", func() { hs.Close() }
}

// A rawc is a client that costs little.
type rawc struct {
	nc  net.Conn
	p   ws.Parser
	buf []byte
}

// read reads n messages.
func (c *rawc) read(n int) {
	for n > 0 {
		k, err := c.nc.Read(c.buf)
		if err != nil {
			panic(err)
		}
		in := c.buf[:k]
		for len(in) > 0 {
			_, used, ok, err := c.p.Next(in)
			if err != nil {
				panic(err)
			}
			in = in[used:]
			if !ok {
				break
			}
			n--
		}
	}
}

// open connects, and with sio joins the namespace "/".
func open(url string, sio bool) *rawc {
	nc, left, _, err := ws.Dial(context.Background(), url, nil)
	if err != nil {
		panic(err)
	}
	c := &rawc{nc: nc, buf: make([]byte, 4096)}
	c.p.Init(ws.Client, 1<<20)
	if sio {
		n := 1
		for in := left; len(in) > 0; {
			_, used, ok, _ := c.p.Next(in)
			in = in[used:]
			if ok {
				n--
			}
		}
		c.read(n)
		nc.Write(ws.AppendMasked(nil, ws.Text, []byte("40"), [4]byte{1, 2, 3, 4}))
		c.read(1)
	}
	return c
}

// BenchmarkIdle is the memory for one connection that has echoed once and waits.
func BenchmarkIdle(b *testing.B) {
	for _, name := range []string{"ours-epoll", "ours-parked", "gorilla", "gorilla-512pool", "coder", "gws"} {
		b.Run(name, func(b *testing.B) {
			const n = 3000
			for b.Loop() {
				url, stop := serve(name, handlers()[name])
				sio := name == "ours-epoll" || name == "ours-parked"
				open(url, sio).nc.Close()
				fds := make([]int, 0, n)
				h0, s0 := used()
				g0 := runtime.NumGoroutine()
				msg := ws.AppendMasked(nil, ws.Text, []byte(`42["e","x"]`), [4]byte{1, 2, 3, 4})
				for range n {
					c := open(url, sio)
					c.nc.Write(msg)
					c.read(1)
					f, _ := c.nc.(*net.TCPConn).File()
					fd, _ := syscall.Dup(int(f.Fd()))
					f.Close()
					c.nc.Close()
					fds = append(fds, fd)
				}
				h1, s1 := used()
				b.ReportMetric(float64(h1-h0)/n, "heapB/conn")
				b.ReportMetric(float64(s1-s0)/n, "stackB/conn")
				b.ReportMetric(float64(runtime.NumGoroutine()-g0)/n, "goroutines/conn")
				for _, fd := range fds {
					syscall.Close(fd)
				}
				stop()
				for runtime.NumGoroutine() > g0 { // the connections of this round end before the next
					runtime.Gosched()
				}
			}
		})
	}
}

// BenchmarkEcho is one message of 100 bytes there and back, with the CPU of both
// ends.
func BenchmarkEcho(b *testing.B) {
	for _, name := range []string{"ours-epoll", "ours-parked", "gorilla", "coder", "gws"} {
		b.Run(name, func(b *testing.B) {
			url, stop := serve(name, handlers()[name])
			defer stop()
			c := open(url, name == "ours-epoll" || name == "ours-parked")
			defer c.nc.Close()
			pay := fmt.Sprintf(`42["e","%0100d"]`, 7)
			msg := ws.AppendMasked(nil, ws.Text, []byte(pay), [4]byte{1, 2, 3, 4})
			b.ReportAllocs()
			t0 := cpu()
			for b.Loop() {
				c.nc.Write(msg)
				c.read(1)
			}
			b.ReportMetric(float64(cpu()-t0)/float64(b.N), "cpu-ns/op")
		})
	}
}
