// Command development is a server as one runs it while writing an application:
// it accepts pages of any localhost, logs each connection with its address,
// headers and query, each event in both directions, and each refused request
// with the words that help. The flag -debug adds what the library itself does,
// packet by packet, as SOCKEYE_DEBUG would.
//
//	go run ./examples/development -debug
package main

import (
	"context"
	"flag"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/sockeye-go/socketio"
)

func main() {
	addr := flag.String("addr", "localhost:3000", "where to listen")
	debug := flag.Bool("debug", false, "log every packet")
	flag.Parse()
	level := slog.LevelInfo
	if *debug {
		level = slog.LevelDebug
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))

	srv := newServer(logger)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On("echo", func(_ context.Context, m *socketio.Message) error {
			args, err := m.Args()
			if err != nil {
				return err
			}
			if m.WantsAck() {
				return m.Ack(args...)
			}
			return s.Emit("echo", args...)
		})
		return s.Emit("welcome", map[string]string{"message": "hello from the development server", "id": s.ID()})
	})
	http.Handle("/socket.io/", srv)
	log.Printf("listening on http://%s/", *addr)
	log.Fatal(http.ListenAndServe(*addr, nil))
}

// newServer returns a server that tells what happens to it.
func newServer(logger *slog.Logger) *socketio.Server {
	srv := socketio.NewServer(&socketio.Options{
		Logger: logger,
		// The page is often served by another program, on another port.
		CORS: &socketio.CORS{AllowOrigin: isLocal, Credentials: true},
		OnConnectionError: func(e *socketio.ConnectionError) {
			logger.Warn("refused", "code", int(e.Code), "message", e.Message(), "context", e.Context, "error", e.Err, "url", withoutSecrets(e.Request.URL))
		},
	})
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		h := s.Handshake()
		attrs := []any{"socket", s, "address", h.Address, "query", h.Query(), "secure", h.Secure, "headers", headers(s.Request())}
		logger.Info("connection", attrs...)
		return nil
	})
	srv.OnAny(func(_ context.Context, s *socketio.Socket, m *socketio.Message) error {
		args, err := m.Args()
		logger.Info("event in", "socket", s.ID(), "event", m.Event(), "args", args, "ack", m.WantsAck())
		return err
	})
	srv.OnAnyOutgoing(func(s *socketio.Socket, event string, args []any) {
		logger.Info("event out", "socket", s.ID(), "event", event, "args", args)
	})
	srv.OnDisconnect(func(_ context.Context, s *socketio.Socket, reason socketio.DisconnectReason) {
		logger.Info("disconnect", "socket", s.ID(), "reason", string(reason))
	})
	return srv
}

// isLocal allows pages of this machine, whatever their port.
func isLocal(_ *http.Request, origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1")
}

// headers returns the headers of a request without those that are secrets, even
// while developing: logs are pasted into questions. r is nil for the second
// namespace that a client joins.
func headers(r *http.Request) map[string]string {
	shown := make(map[string]string)
	if r == nil {
		return shown
	}
	for name, values := range r.Header {
		switch name {
		case "Cookie", "Authorization", "Sec-Websocket-Key":
			shown[name] = "…"
		default:
			shown[name] = strings.Join(values, ", ")
		}
	}
	return shown
}

func withoutSecrets(u *url.URL) string {
	q := u.Query()
	if q.Has("sid") {
		q.Set("sid", "…")
	}
	return u.Path + "?" + q.Encode()
}
