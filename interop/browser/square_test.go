package browser

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/page"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/faultproxy"
)

//go:embed square.js
var squareScript string

// clients are the browser clients, by the files they come in.
var clients = map[string]string{
	"ours":     "../../web/dist/socket.io.esm.min.js",
	"core":     "../../web/dist/core.js",
	"parser":   "../../web/dist/parser.js", // which core imports
	"official": "../node/node_modules/socket.io-client/dist/socket.io.esm.min.js",
}

// transports says what each client is tried over; nothing is its own choice.
var transports = map[string][]string{
	"ours":     {"", "websocket", "polling", "polling,websocket"},
	"core":     {"websocket"},
	"official": {"websocket", "polling", "polling,websocket"},
}

// An origin serves the page, the clients, and one of the servers, behind a proxy
// that breaks connections.
type origin struct {
	*faultproxy.Proxy
	handler atomic.Value // of http.HandlerFunc, for /socket.io/
	restart func()
	sockets func() int // nil if nobody counts
}

func newOrigin(t *testing.T, start func(*testing.T, *origin)) *origin {
	o := &origin{}
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><link rel=icon href=data:,><title>square</title><script type=module>%s</script>", squareScript)
	})
	for name, file := range clients {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		mux.HandleFunc("/"+name+".js", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(data)
		})
	}
	mux.HandleFunc("/worker.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(w, workerScript)
	})
	mux.HandleFunc("/socket.io/", func(w http.ResponseWriter, r *http.Request) { o.handler.Load().(http.HandlerFunc)(w, r) })
	hs := httptest.NewServer(mux)
	t.Cleanup(hs.Close)
	o.Proxy = faultproxy.Listen(hs.Listener.Addr().String())
	t.Cleanup(o.Proxy.Close)
	start(t, o)
	return o
}

// Quick enough for a test, and slow enough for a machine that is busy.
const (
	pingInterval = time.Second
	pingTimeout  = 2 * time.Second
)

func ourServer(t *testing.T, o *origin) {
	var srv *socketio.Server
	o.restart = func() {
		if srv != nil {
			srv.Close()
		}
		srv = socketio.NewServer(&socketio.Options{PingInterval: pingInterval, PingTimeout: pingTimeout, Logger: slog.New(slog.DiscardHandler)})
		srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			s.On("echo", func(_ context.Context, m *socketio.Message) error {
				args, err := m.Args()
				if err != nil {
					return err
				}
				return m.Ack(args...)
			})
			s.On("say", func(_ context.Context, m *socketio.Message) error {
				args, err := m.Args()
				if err != nil {
					return err
				}
				return s.Emit("said", args...)
			})
			return nil
		})
		srv.Of("/guarded").Use(func(_ context.Context, s *socketio.Socket) error {
			var auth struct{ Token string }
			if err := s.DecodeAuth(&auth); err != nil || auth.Token != "good" {
				return &socketio.ConnectError{Message: "Invalid token", Data: map[string]int{"code": 401}}
			}
			return nil
		})
		o.handler.Store(http.HandlerFunc(srv.ServeHTTP))
		o.sockets = srv.Of("/").Size
	}
	o.restart()
	t.Cleanup(func() { srv.Close() })
}

func officialServer(t *testing.T, o *origin) {
	options, _ := json.Marshal(map[string]int64{"pingInterval": pingInterval.Milliseconds(), "pingTimeout": pingTimeout.Milliseconds()})
	var stop func()
	o.restart = func() {
		if stop != nil {
			stop()
		}
		cmd := exec.Command("node", "../../web/test/node-server.mjs", string(options))
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stop = func() {
			in.Close()
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		port, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, out)
		proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "127.0.0.1:" + strings.TrimSpace(port)})
		proxy.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
		o.handler.Store(http.HandlerFunc(proxy.ServeHTTP))
	}
	o.restart()
	t.Cleanup(func() { stop() })
}

var servers = map[string]func(*testing.T, *origin){"our server": ourServer, "the official server": officialServer}

// call evaluates an expression that is a promise, and decodes what it resolves to.
func (p *tab) call(expression string, result any) {
	p.t.Helper()
	p.run(expression, chromedp.Evaluate(expression, result, func(e *cdpruntime.EvaluateParams) *cdpruntime.EvaluateParams {
		return e.WithAwaitPromise(true)
	}))
}

// start opens the page and connects a client.
func (o *origin) start(t *testing.T, browser context.Context, client, transports string, options map[string]any) *tab {
	t.Helper()
	p := openTab(t, browser, o.URL()+"/")
	if options == nil {
		options = map[string]any{}
	}
	if transports != "" {
		options["transports"] = strings.Split(transports, ",")
	}
	o.Release()
	p.until("the page", `typeof start == "function"`)
	text, _ := json.Marshal(options)
	var over string
	p.call(fmt.Sprintf("start(%q, %s)", client, text), &over)
	if want := map[string]string{"": "websocket", "polling,websocket": "websocket"}; over != transports && over != want[transports] {
		t.Errorf("over %q with transports %q", over, transports)
	}
	return p
}

// TestSquare: every client against every server over every transport.
func TestSquare(t *testing.T) {
	browser := chromium(t)
	for server, start := range servers {
		o := newOrigin(t, start)
		for client := range clients {
			for _, over := range transports[client] {
				t.Run(fmt.Sprintf("%s/%s/%s", server, client, over), func(t *testing.T) {
					p := o.start(t, browser, client, over, nil)
					var said string
					p.call("talk()", &said)
					if said != "ok" {
						t.Fatal(said)
					}
					t.Run("cut", func(t *testing.T) {
						p.call("expectLoss()", nil)
						// Once may not be enough: the browser asks again by itself if the
						// connection of a GET is reset that had been used before.
						p.eventually("the page to lose its connection", func() (lost bool) {
							o.Cut(faultproxy.RST)
							p.call("Promise.resolve(lost)", &lost)
							return lost
						})
						p.call("back()", &said)
						if said != "transport close,said while away" && said != "transport error,said while away" {
							t.Error(said)
						}
					})
				})
			}
		}
	}
}

// TestSilence: a connection that swallows everything is noticed, and replaced.
func TestSilence(t *testing.T) {
	browser := chromium(t)
	for server, start := range servers {
		for _, over := range []string{"websocket", "polling"} {
			t.Run(server+"/"+over, func(t *testing.T) {
				o := newOrigin(t, start) // of its own: the browser would use the silent connections again
				p := o.start(t, browser, "ours", over, map[string]any{
					"timeout": 2000, // the browser tries silent connections again, which it has kept
				})
				p.call("expectLoss()", nil)
				o.Cut(faultproxy.Blackhole)
				var said string
				p.call("back()", &said)
				if said != "ping timeout,said while away" {
					t.Error(said)
				}
			})
		}
	}
}

// TestRestart: a server that comes back is found.
func TestRestart(t *testing.T) {
	browser := chromium(t)
	for server, start := range servers {
		t.Run(server, func(t *testing.T) {
			o := newOrigin(t, start)
			p := o.start(t, browser, "ours", "", nil)
			p.call("expectLoss()", nil)
			o.Refuse(true)
			o.Cut(faultproxy.RST)
			p.until("a failed attempt", "errors.length > 0")
			o.restart()
			o.Refuse(false)
			var said string
			p.call("back()", &said)
			if !strings.HasSuffix(said, ",said while away") {
				t.Error(said)
			}
		})
	}
}

// TestRefused: the status that a browser hides when a WebSocket is refused is found
// out.
func TestRefused(t *testing.T) {
	browser := chromium(t)
	o := newOrigin(t, ourServer)
	p := openTab(t, browser, o.URL()+"/")
	p.until("the page", `typeof refused == "function"`)
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable} {
		for _, over := range []string{"", "websocket", "polling"} {
			t.Run(fmt.Sprint(status, over), func(t *testing.T) {
				o.handler.Store(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
				var said string
				p.call(fmt.Sprintf("refused(%q)", over), &said)
				if want := fmt.Sprintf("TransportError %d", status); said != want {
					t.Errorf("connect_error with %q; want %q", said, want)
				}
			})
		}
	}
}

// TestFrozenTab: a page that was frozen while its connection died looks at once when
// it thaws. Waiting would take a minute.
func TestFrozenTab(t *testing.T) {
	browser := chromium(t)
	o := newOrigin(t, ourServer)
	p := o.start(t, browser, "ours", "websocket", map[string]any{"reconnectionDelay": 60_000, "reconnectionDelayMax": 60_000})
	p.call("expectLoss()", nil)
	p.run("freeze", page.SetWebLifecycleState(page.SetWebLifecycleStateStateFrozen))
	// The server gives up on a client that answers no ping.
	p.eventually("the server to give the frozen client up", func() bool { return o.sockets() == 0 })
	p.run("thaw", page.SetWebLifecycleState(page.SetWebLifecycleStateStateActive))
	var said string
	p.call("back()", &said)
	if !strings.HasSuffix(said, ",said while away") {
		t.Error(said)
	}
}

// TestReconnects: a thousand of them leave nothing behind, in the page or on the
// server.
func TestReconnects(t *testing.T) {
	browser := chromium(t)
	o := newOrigin(t, ourServer)
	for over, rounds := range map[string][3]int{"websocket": {200, 400, 400}, "polling": {100, 100, 100}} {
		t.Run(over, func(t *testing.T) {
			p := o.start(t, browser, "ours", over, map[string]any{"reconnectionDelay": 1, "reconnectionDelayMax": 1})
			used := func() (bytes float64) {
				p.run("heap", heapprofiler.CollectGarbage(), chromedp.ActionFunc(func(ctx context.Context) (err error) {
					bytes, _, _, _, err = cdpruntime.GetHeapUsage().Do(ctx)
					return err
				}))
				return bytes
			}
			var times int
			var bytes [3]float64
			for i, n := range rounds { // what is compiled and cached is there after the first
				p.call(fmt.Sprintf("reconnect(%d)", n), &times)
				bytes[i] = used()
			}
			t.Logf("bytes after %d more reconnects each: %.0f", rounds, bytes)
			// What the engine keeps for itself comes and goes by a hundred thousand; a
			// connection that is kept would be several thousand each time.
			if grown := min(bytes[1]-bytes[0], bytes[2]-bytes[1]); grown > 250_000 {
				t.Errorf("%d reconnects keep %.0f bytes", rounds[1], grown)
			}
			if n := o.sockets(); n != 1 {
				t.Errorf("the server has %d sockets; want 1", n)
			}
		})
	}
}
