package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/examples/react-chat/chat"
	"github.com/sockeye-go/socketio/internal/faultproxy"
)

// TestReactChat builds examples/react-chat with Vite and uses it as two people would.
func TestReactChat(t *testing.T) {
	browser := chromium(t)
	const dir = "../../examples/react-chat"
	dist := t.TempDir()
	if _, err := os.Stat(dir + "/node_modules/vite"); err != nil {
		t.Fatal("run npm ci in examples/react-chat first: ", err)
	}
	build := exec.Command("npm", "run", "--silent", "build", "--", "--outDir", dist, "--emptyOutDir", "--logLevel", "warn")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("npm run build: %v\n%s", err, out)
	}
	srv := socketio.NewServer(nil)
	chat.New(srv)
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle("/", http.FileServer(http.Dir(dist)))
	hs := httptest.NewServer(mux)
	t.Cleanup(func() {
		srv.Close()
		hs.Close()
	})
	between := faultproxy.Listen(hs.Listener.Addr().String())
	t.Cleanup(between.Close)

	sockets := func(p *tab, want int) {
		t.Helper()
		p.eventually(fmt.Sprintf("the server to have %d sockets", want), func() bool { return srv.Of("/").Size() == want })
	}
	ada := openTab(t, browser, hs.URL+"/?user=Ada")
	ada.shows("status", "connected")
	sockets(ada, 1) // StrictMode mounts twice, and two components ask for it
	bob := openTab(t, browser, between.URL()+"/?user=Bob")
	bob.shows("status", "connected")

	say := func(p *tab, text string) {
		t.Helper()
		p.run("say "+text, chromedp.SendKeys("#text", text+kb.Enter, chromedp.ByID))
	}
	say(ada, "Is the river open?")
	bob.shows("messages", "Ada Is the river open?")
	bob.until("one message, although effects run twice", `document.querySelectorAll("#messages li").length == 1`)
	const hostile = `<img src=x onerror="document.title='taken'">`
	say(bob, hostile)
	ada.shows("messages", hostile)

	between.Refuse(true)
	between.Cut(faultproxy.RST)
	bob.until("the input to be disabled", `document.getElementById("text").disabled && document.getElementById("send").disabled`)
	bob.shows("status", "connecting")
	say(ada, "Bob is away")
	between.Refuse(false)
	bob.shows("status", "connected")
	say(bob, "Back again")
	ada.shows("messages", "Bob Back again")

	sockets(bob, 2)
	bob.run("leave", chromedp.Click("#leave", chromedp.ByID))
	sockets(bob, 1)
	bob.run("come back", chromedp.Click("#leave", chromedp.ByID))
	bob.shows("status", "connected")
	say(ada, "Welcome back")
	bob.until("one copy of it", `document.querySelectorAll("#messages li").length == 1`)
	if title := ada.value("document.title"); title != "React chat" {
		t.Errorf("title = %q: a message was run as markup", title)
	}
	ada.quiet()
	bob.quiet("net::ERR_", "WebSocket connection to") // those of the cut
}
