package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
	"weak"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/rawclient"
)

// A census of what a server was given to hold.
type census struct {
	mu       sync.Mutex
	requests []weak.Pointer[http.Request]
	headers  []weak.Pointer[byte] // the bytes of a large header
}

// watch counts the requests that pass.
func (c *census) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A value of our own, so that its bytes are nobody else's.
		b := make([]byte, 16<<10)
		for i := range b {
			b[i] = 'x'
		}
		large := unsafe.String(&b[0], len(b))
		r.Header.Set("X-Large", large)
		c.mu.Lock()
		c.requests = append(c.requests, weak.Make(r))
		c.headers = append(c.headers, weak.Make(&b[0]))
		c.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// left returns how much of it has not been collected, once that is steady.
func (c *census) left() (requests, headers int) {
	for range 5 {
		runtime.GC()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.requests {
		if c.requests[i].Value() != nil {
			requests++
		}
		if c.headers[i].Value() != nil {
			headers++
		}
	}
	return requests, headers
}

// TestNothingRetained: while connections are open, and after OnConnection has
// returned, neither the requests that made them nor their headers are held,
// unless KeepHeaders asks for the one header.
func TestNothingRetained(t *testing.T) {
	const clients = 20
	for name, open := range map[string]func(*testing.T, *httptest.Server, http.Handler){
		"websocket": openWebSocket, "upgrade": openUpgraded, "polling": openPolling,
	} {
		for _, keep := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, keep %v", name, keep), func(t *testing.T) {
				o := &socketio.Options{Logger: slog.New(slog.DiscardHandler)}
				if keep {
					o.KeepHeaders = []string{"X-Large"}
				}
				srv := socketio.NewServer(o)
				var readable atomic.Int32
				settled := make(chan struct{}, clients)
				srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
					if v, err := s.Header("X-Large"); err == nil && strings.HasPrefix(v, "xxx") && s.Request() != nil {
						readable.Add(1)
					}
					return nil
				})
				srv.OnAny(func(_ context.Context, s *socketio.Socket, _ *socketio.Message) error { // OnConnection is over
					if _, err := s.Header("X-Large"); (err == nil) != keep || s.Request() != nil {
						t.Errorf("Header: %v; Request: %v", err, s.Request())
					}
					settled <- struct{}{}
					return nil
				})
				var c census
				counted := c.watch(srv)
				hs := httptest.NewServer(counted)
				defer hs.Close()
				defer srv.Close()
				for range clients {
					open(t, hs, counted)
					<-settled
				}
				if n := srv.Connections(); n != clients || readable.Load() != clients {
					t.Fatalf("%d connections, %d had their headers in OnConnection", n, readable.Load())
				}
				requests, headers := c.left()
				if requests != 0 {
					t.Errorf("%d requests are held by %d connections", requests, clients)
				}
				if want := map[bool]int{false: 0, true: clients}[keep]; headers != want {
					t.Errorf("%d headers are held by %d connections; want %d", headers, clients, want)
				}
			})
		}
	}
}

const event42 = `42["x"]`

func openWebSocket(t *testing.T, hs *httptest.Server, _ http.Handler) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := rawclient.DialWebSocket(ctx, hs.URL+"/socket.io/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := errors.Join(rawclient.Join(ctx, c), c.Send(ctx, event42)); err != nil {
		t.Fatal(err)
	}
}

func openUpgraded(t *testing.T, hs *httptest.Server, _ http.Handler) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	p, err := rawclient.OpenPolling(ctx, hs.URL+"/socket.io/")
	if err != nil {
		t.Fatal(err)
	}
	if err := rawclient.Join(ctx, p); err != nil {
		t.Fatal(err)
	}
	c, err := p.Upgrade(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Send(ctx, event42); err != nil {
		t.Fatal(err)
	}
	// A connection of HTTP that is kept alive holds its last request.
	http.DefaultClient.CloseIdleConnections()
}

// openPolling calls the handler, so that there is no connection of HTTP to hold
// anything.
func openPolling(t *testing.T, _ *httptest.Server, h http.Handler) {
	serve := func(method, query, body string) string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/socket.io/?EIO=4&transport=polling"+query, strings.NewReader(body)))
		return w.Body.String()
	}
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(serve("GET", "", "")[1:]), &open); err != nil {
		t.Fatal(err)
	}
	query := "&sid=" + open.SID
	serve("POST", query, "40")
	if got := serve("GET", query, ""); !strings.HasPrefix(got, "40{") {
		t.Fatalf("answer to CONNECT = %q", got)
	}
	serve("POST", query, event42)
}

// TestBuffersGivenBack: what large messages needed, whole or in pieces, is free
// again when they have been handled.
func TestBuffersGivenBack(t *testing.T) {
	const clients, size = 20, 900 << 10
	srv := socketio.NewServer(&socketio.Options{Logger: slog.New(slog.DiscardHandler), MaxQueuedBytes: 2 << 20})
	handled := make(chan struct{}, clients)
	srv.OnAny(func(_ context.Context, s *socketio.Socket, m *socketio.Message) error {
		err := s.Emit("back", json.RawMessage(m.Raw(0)))
		handled <- struct{}{}
		return err
	})
	hs := httptest.NewServer(srv)
	defer hs.Close()
	defer srv.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var all []*rawclient.WebSocket
	for range clients {
		c, err := rawclient.DialWebSocket(ctx, hs.URL+"/socket.io/")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := rawclient.Join(ctx, c); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	heap := func() int64 {
		for range 3 {
			runtime.GC() // pools are emptied by the second
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	large := `42["x","` + strings.Repeat("y", size) + `"]`
	for _, c := range all {
		if err := c.Send(ctx, large); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Expect(ctx, "42"); err != nil || len(got) < size {
			t.Fatalf("%d bytes came back, %v", len(got), err)
		}
		<-handled
	}
	large = ""
	if grown := heap() - before; grown > clients*size/4 {
		t.Errorf("%d bytes more are in use after %d messages of %d", grown, clients, size)
	}
}
