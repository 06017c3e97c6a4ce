// Command target is what the battery attacks: a server with an echo, and an
// account of itself on request. It speaks as interop/goserver does: the first
// line of standard output is "listening PORT", commands come on standard input.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio/webtransport"
	"github.com/sockeye-go/socketio/internal/leak"
	"github.com/sockeye-go/socketio/interop/internal/h3"
)

// silence is how long clients are waited for that ought to say something.
const silence = 1500 * time.Millisecond

// A listener keeps what the kernel takes for a slow reader small, if
// TARGET_WRITE_BUFFER says so, in bytes.
type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if n, _ := strconv.Atoi(os.Getenv("TARGET_WRITE_BUFFER")); n > 0 && err == nil {
		err = c.(*net.TCPConn).SetWriteBuffer(n)
	}
	return c, err
}

func main() {
	srv := socketio.NewServer(&socketio.Options{
		Transports: []string{"polling", "websocket", "webtransport"},
		// Shorter than usual: what is cut by them is waited for.
		ConnectTimeout: silence, UpgradeTimeout: silence,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On("echo", func(_ context.Context, m *socketio.Message) error {
			var v any
			if err := m.Decode(&v); err != nil {
				return err
			}
			if m.WantsAck() {
				return m.Ack(v)
			}
			return s.Emit("echo", v)
		})
		s.On("panic", func(context.Context, *socketio.Message) error { panic("as asked") })
		s.On("hang", func(ctx context.Context, _ *socketio.Message) error { <-ctx.Done(); return nil })
		return nil
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	hs := &http.Server{Handler: mux, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	socketio.ConfigureServer(hs)
	go hs.Serve(listener{ln})
	quic, err := h3.Serve(ln.Addr().String(), mux, webtransport.Options{HandshakeTimeout: silence, IdleTimeout: silence})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening %d\n", ln.Addr().(*net.TCPAddr).Port)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() { // "account", or "count" for one without a collection
		if in.Text() == "account" {
			debug.FreeOSMemory()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b, err := json.Marshal(map[string]any{
			// How many workers rest is up to how many handlers once blocked at a time.
			"goroutines": leak.Count(), "heap": m.HeapAlloc, "stats": srv.Stats(), "QUIC": quic.Stats().Connections,
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", b)
	}
}
