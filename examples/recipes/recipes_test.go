// Package recipes holds the code of docs/recipes.md: it compiles, and a test holds the
// page to it.
package recipes

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/batch"
	"github.com/sockeye-go/socketio/idle"
	"github.com/sockeye-go/socketio/middleware/auth"
	"github.com/sockeye-go/socketio/middleware/ratelimit"
	"github.com/sockeye-go/socketio/middleware/validate"
	"github.com/sockeye-go/socketio/rooms"
)

type Line struct {
	User    string `json:"user" validate:"required,max=32"`
	Message string `json:"message" validate:"required,max=500" html:"escape"`
}

var (
	srv  = socketio.NewServer(nil)
	Chat = socketio.NewEvent[Line]("chat message")
	User = socketio.NewKey[string]("user")
)

func Example_welcome() {
	welcome := socketio.NewEvent[map[string]string]("welcome")
	came := socketio.NewEvent[string]("user connected")
	gone := socketio.NewEvent[string]("user disconnected")
	srv.OnConnection(func(ctx context.Context, s *socketio.Socket) error {
		if err := welcome.Emit(s, map[string]string{"message": "hello", "id": s.ID()}); err != nil {
			return err
		}
		return came.Emit(s.Broadcast(), s.ID())
	})
	srv.OnDisconnect(func(ctx context.Context, s *socketio.Socket, reason socketio.DisconnectReason) {
		_ = gone.Emit(s.Broadcast(), s.ID())
	})
}

func Example_roomManager() {
	manager := rooms.New(srv.Namespace, &rooms.Options{MaxUsers: 100})
	manager.Handle() // "create room", "join room", "leave room", "room list"
	Chat.Handle(srv, func(ctx context.Context, s *socketio.Socket, in Line) error {
		return Chat.Emit(manager.To(manager.In(s)...).Except(s.ID()), in)
	})
}

func Example_rateLimiter() {
	ratelimit.NewConnections(nil).Protect(srv) // 100 a minute from one address
	ratelimit.NewEvents(&ratelimit.EventOptions{
		PerSocket: ratelimit.Rate{Events: 50, Per: time.Second, Kind: ratelimit.TokenBucket},
		PerEvent:  map[string]ratelimit.Rate{"chat message": {Events: 10, Per: 10 * time.Second}},
		CutAfter:  1000,
	}).Protect(srv)
}

func Example_authentication() {
	guard := auth.New(User, auth.Subject, &auth.Options{Secret: []byte(os.Getenv("JWT_SECRET"))})
	guard.Protect(srv.Of("/admin"))
	_ = Chat.Emit(auth.ToUser(srv.Of("/admin"), "ada"), Line{"system", "on all devices of Ada"})
}

func Example_validation() {
	validate.Protect(srv)
	Chat.Handle(srv, validate.Event(func(ctx context.Context, s *socketio.Socket, in Line) error {
		return Chat.Emit(srv, in) // present, short enough, and escaped
	}))
}

func Example_batching() {
	price := socketio.NewEvent[float64]("price")
	prices := batch.New(srv.To("market"), &batch.Options{Size: 10, Interval: 100 * time.Millisecond})
	_ = price.Emit(prices, 12.5)
}

func Example_memoryManager() {
	tracker := idle.New(srv.Namespace, &idle.Options{Interval: 5 * time.Minute, MaxIdle: time.Hour})
	defer tracker.Close()
	http.Handle("/debug/sockets", tracker) // active sockets, memory, uptime
}

func Example_debugging() {
	srv.OnAny(func(ctx context.Context, s *socketio.Socket, m *socketio.Message) error {
		slog.Debug("in", "socket", s, "event", m.Event(), "arguments", m.Len())
		return nil
	})
	srv.OnAnyOutgoing(func(s *socketio.Socket, event string, args []any) {
		slog.Debug("out", "socket", s, "event", event, "arguments", len(args))
	})
	srv.UseEvents(func(ctx context.Context, s *socketio.Socket, m *socketio.Message) error {
		start := time.Now()
		event := m.Event()
		m.OnHandled(func(err error) { slog.Debug("handled", "event", event, "took", time.Since(start), "error", err) })
		return nil
	})
}

// TestPage holds docs/recipes.md to this file: each block of Go in it is the body of a
// function here, and each function is there.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("recipes_test.go")
	if err != nil {
		t.Fatal(err)
	}
	indentation := regexp.MustCompile(`(?m)^\t+`)
	flat := indentation.ReplaceAllString(string(code), "")
	blocks := strings.Split(string(page), "```go\n")[1:]
	for _, b := range blocks {
		b, _, _ = strings.Cut(b, "```")
		if !strings.Contains(flat, indentation.ReplaceAllString(b, "")) {
			t.Errorf("docs/recipes.md shows what is not here:\n%s", b)
		}
	}
	if want := strings.Count(string(code), "\nfunc Example_"); len(blocks) < want {
		t.Errorf("docs/recipes.md has %d blocks; there are %d recipes", len(blocks), want)
	}
}
