package mounts

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/labstack/echo/v4"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/rawclient"
)

var double = socketio.NewEventWithAck[int, int]("double")

func newServer(t *testing.T, o *socketio.Options) *socketio.Server {
	srv := socketio.NewServer(o)
	t.Cleanup(func() { srv.Close() })
	double.Handle(srv, func(_ context.Context, _ *socketio.Socket, n int) (int, error) { return 2 * n, nil })
	return srv
}

// converse has clients talk to the server at base over every transport.
func converse(t *testing.T, base string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	p, err := rawclient.OpenPolling(ctx, base)
	if err != nil {
		t.Fatal("polling: ", err)
	}
	if err := rawclient.Join(ctx, p); err != nil {
		t.Fatal("polling: ", err)
	}
	ask(t, ctx, "polling", p)
	up, err := p.Upgrade(ctx)
	if err != nil {
		t.Fatal("upgrade: ", err)
	}
	defer up.Close()
	ask(t, ctx, "upgrade", up)

	ws := joined(t, ctx, base, nil)
	defer ws.Close()
	ask(t, ctx, "websocket", ws)

	file, err := rawclient.Request(ctx, http.MethodGet, base+"socket.io.js", "")
	if err != nil || !strings.Contains(file, "connect_error") {
		t.Errorf("the client's file: %v, %d bytes", err, len(file))
	}
}

// joined returns a WebSocket that has joined "/".
func joined(t *testing.T, ctx context.Context, base string, config *tls.Config) *rawclient.WebSocket {
	t.Helper()
	ws, err := rawclient.DialTLS(ctx, base, config)
	if err != nil {
		t.Fatal("websocket: ", err)
	}
	if err := rawclient.Join(ctx, ws); err != nil {
		ws.Close()
		t.Fatal("websocket: ", err)
	}
	return ws
}

func ask(t *testing.T, ctx context.Context, transport string, c rawclient.Client) {
	t.Helper()
	if err := c.Send(ctx, `427["double",21]`); err != nil {
		t.Fatal(transport, ": ", err)
	}
	if answer, err := c.Expect(ctx, "43"); err != nil || answer != "437[42]" {
		t.Fatalf("%s: ack = %q, %v; want 437[42]", transport, answer, err)
	}
}

func TestMounts(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	for _, m := range []struct {
		name, path string
		mount      func(*socketio.Server) http.Handler
	}{
		{"net/http", "/socket.io/", func(srv *socketio.Server) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/socket.io/", srv)
			return mux
		}},
		{"a path of one's own", "/live/feed/", func(srv *socketio.Server) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/live/feed/", srv)
			return mux
		}},
		{"StripPrefix", "/app/socket.io/", func(srv *socketio.Server) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/app/", http.StripPrefix("/app", srv))
			return mux
		}},
		{"the handler alone", "/", func(srv *socketio.Server) http.Handler { return srv }},
		{"chi", "/api/socket.io/", func(srv *socketio.Server) http.Handler {
			r := chi.NewRouter()
			r.Route("/api", func(r chi.Router) { r.Handle("/socket.io/*", srv) })
			return r
		}},
		{"gin", "/api/socket.io/", func(srv *socketio.Server) http.Handler {
			r := gin.New()
			r.Group("/api").Any("/socket.io/*any", gin.WrapH(srv))
			return r
		}},
		{"echo", "/api/socket.io/", func(srv *socketio.Server) http.Handler {
			e := echo.New()
			e.Group("/api").Any("/socket.io/*", echo.WrapHandler(srv))
			return e
		}},
	} {
		t.Run(m.name, func(t *testing.T) {
			hs := httptest.NewServer(m.mount(newServer(t, nil)))
			defer hs.Close()
			converse(t, hs.URL+m.path)
		})
	}
}

// TestHTTP2 polls over TLS and HTTP/2, where a server cannot hijack, and opens
// a WebSocket on the same port, for which clients ask with HTTP/1.1.
func TestHTTP2(t *testing.T) {
	hs := httptest.NewUnstartedServer(newServer(t, nil))
	hs.EnableHTTP2 = true
	hs.StartTLS()
	defer hs.Close()
	do := func(method, query, body string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, hs.URL+"/socket.io/?EIO=4&transport=polling"+query, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := hs.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.ProtoMajor != 2 {
			t.Fatalf("answered over %s", res.Proto)
		}
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %s %s %v", method, query, res.Status, b, err)
		}
		return string(b)
	}
	open := do("GET", "", "")
	_, rest, _ := strings.Cut(open, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	sid = "&sid=" + url.QueryEscape(sid)
	do("POST", sid, "40")
	got := do("GET", sid, "")
	do("POST", sid, `427["double",21]`)
	for !strings.Contains(got, "437[42]") {
		got = do("GET", sid, "") // fails when the session ends
	}

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ws := joined(t, ctx, hs.URL+"/socket.io/", hs.Client().Transport.(*http.Transport).TLSClientConfig)
	defer ws.Close()
	ask(t, ctx, "wss", ws)
}
