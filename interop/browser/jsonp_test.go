package browser

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sockeye-go/socketio"
)

// oldPage is a page as they were written then: no modules, no fetch, and a
// client of Socket.IO 2 that includes scripts for its polls and posts forms for
// its messages.
const oldPage = `<!doctype html><meta charset="utf-8"><title>old</title>
<div id="log"></div>
<script src="/client.js"></script>
<script>
var log = document.getElementById("log");
function say(text) { log.appendChild(document.createElement("p")).textContent = text; }
var polls = 0;
new MutationObserver(function (changes) {
	changes.forEach(function (c) { c.addedNodes.forEach(function (n) { if (n.src && n.src.indexOf("j=") > 0) polls++; }); });
}).observe(document, { childList: true, subtree: true });
var socket = io(location.hash.slice(1), { transports: ["polling"], forceJSONP: true, reconnection: false });
var text = "lines\n\r\n and \\n, <\/script> \u2028\u2029 \u00e9\ud83d\ude00 +%&=";
socket.on("connect", function () {
	say("connected " + (socket.id === socket.io.engine.id));
	socket.emit("echo", text, new Uint8Array([0, 1, 254, 255]).buffer);
});
socket.on("echo", function (back, bytes) {
	say("text " + (back === text));
	say("bytes " + Array.prototype.join.call(new Uint8Array(bytes), " "));
	socket.emit("question", 20, function (answer) {
		say("answer " + answer);
		say("transport " + socket.io.engine.transport.name + ", by scripts " + (polls > 2));
		socket.emit("bye");
	});
});
socket.on("disconnect", function (reason) { say("gone " + reason); });
socket.on("connect_error", function (err) { say("refused " + err); });
</script>`

// TestJSONP polls by script tags, on a page of the same origin and of another
// one, which needs the permission of CORS.
func TestJSONP(t *testing.T) {
	browser := chromium(t)
	client, err := os.ReadFile("../node/node_modules/socket.io-client-2/dist/socket.io.js")
	if err != nil {
		t.Fatal("run npm ci in interop/node first: ", err)
	}
	var mu sync.Mutex
	refused := 0
	var friend string
	srv := socketio.NewServer(&socketio.Options{
		AllowEIO3: true,
		CORS: &socketio.CORS{AllowOrigin: func(_ *http.Request, origin string) bool {
			mu.Lock()
			defer mu.Unlock()
			return origin == friend
		}},
		OnConnectionError: func(e *socketio.ConnectionError) {
			mu.Lock()
			defer mu.Unlock()
			if e.Context["name"] == "FORBIDDEN_ORIGIN" {
				refused++
			}
		},
	})
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On("echo", func(_ context.Context, m *socketio.Message) error {
			args, err := m.Args()
			return errors.Join(err, s.Emit("echo", args...))
		})
		s.On("question", func(_ context.Context, m *socketio.Message) error {
			var n int
			return errors.Join(m.Decode(&n), m.Ack(n+1))
		})
		s.On("bye", func(context.Context, *socketio.Message) error {
			s.Disconnect(true)
			return nil
		})
		return nil
	})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	page := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/client.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(client)
		case "/":
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(oldPage))
		default:
			http.NotFound(w, r)
		}
	}
	mux.HandleFunc("/", page)
	own := httptest.NewServer(mux)
	t.Cleanup(func() {
		srv.Close()
		own.Close()
	})
	other, third := httptest.NewServer(http.HandlerFunc(page)), httptest.NewServer(http.HandlerFunc(page))
	t.Cleanup(other.Close)
	t.Cleanup(third.Close)
	// Another host too: two ports of one host are one site to a browser.
	friend = strings.Replace(other.URL, "127.0.0.1", "localhost", 1)

	for _, c := range []struct{ name, page string }{{"same origin", own.URL}, {"an origin of CORS", friend}} {
		t.Run(c.name, func(t *testing.T) {
			p := openTab(t, browser, c.page+"/#"+own.URL)
			for _, line := range []string{"connected true", "text true", "bytes 0 1 254 255", "answer 21", "transport polling, by scripts true", "gone io server disconnect"} {
				p.shows("log", line)
			}
			p.quiet("favicon", "sid=") // a poll that the end of the session overtook
		})
	}
	t.Run("another origin", func(t *testing.T) {
		p := openTab(t, browser, strings.Replace(third.URL, "127.0.0.1", "localhost", 1)+"/#"+own.URL)
		p.run("wait for the refusal", chromedp.ActionFunc(func(ctx context.Context) error {
			for {
				mu.Lock()
				n := refused
				mu.Unlock()
				if n > 0 || ctx.Err() != nil {
					return ctx.Err()
				}
				if err := chromedp.Evaluate(`new Promise(done => setTimeout(done, 20))`, nil).Do(ctx); err != nil {
					return err
				}
			}
		}))
		if got := p.value(`log.textContent`); strings.Contains(got, "connected") {
			t.Errorf("the page shows %q", got)
		}
	})
}
