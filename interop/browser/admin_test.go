package browser

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/crypto/bcrypt"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/admin"
)

// adminPages is where npm puts the official pages.
const adminPages = "../node/node_modules/@socket.io/admin-ui/ui/dist"

// serveAdmin is a server that the official pages, which it serves too, can look
// at.
func serveAdmin(t *testing.T) (*socketio.Server, string) {
	t.Helper()
	if _, err := os.Stat(adminPages + "/index.html"); err != nil {
		t.Fatal("run npm ci in interop/node first: ", err)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte("swordfish"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	srv := socketio.NewServer(nil)
	a := admin.Instrument(srv, &admin.Options{Auth: admin.Basic("root", string(hash)), ServerID: "gopher"})
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error { return s.Join("lobby") })
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle("/admin/", http.StripPrefix("/admin/", http.FileServer(http.Dir(adminPages))))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`<!doctype html><p id="said"></p><script src="/socket.io/socket.io.js"></script><script>
			const socket = io();
			socket.onAny((...args) => (said.textContent += JSON.stringify(args)));
			socket.on("connect", () => (document.title = socket.id));
			socket.on("disconnect", (reason) => (said.textContent += reason));
		</script>`))
	})
	hs := httptest.NewServer(mux)
	t.Cleanup(func() {
		a.Close()
		srv.Close()
		hs.Close()
	})
	return srv, hs.URL
}

// TestAdminUI logs in to the official pages and does what they offer.
func TestAdminUI(t *testing.T) {
	browser := chromium(t)
	srv, url := serveAdmin(t)
	user := openTab(t, browser, url+"/")
	user.until("the user to connect", `document.title.length == 20`)
	id := user.value(`document.title`)

	p := openTab(t, browser, url+"/admin/")
	p.run("size", chromedp.EmulateViewport(1400, 1000))
	p.until("the form", `document.querySelector("[type=submit]") != null`)
	fields := `form input[type=text][required], form input[type=text], form input[type=password]`
	login := func(password string) {
		t.Helper()
		for n, text := range []string{url, "root", password} {
			p.run("fill in", chromedp.Evaluate(fmt.Sprintf(
				`(() => { const e = document.querySelectorAll(%q)[%d]; e.value = %q; e.dispatchEvent(new Event("input")); })()`, fields, n, text), nil))
		}
		// No click: the form is still on its way to where it will stand.
		p.until("the button", `document.querySelector("form [type=submit]:enabled") != null`)
		p.run("log in", chromedp.Evaluate(`document.querySelector("form").requestSubmit()`, nil))
	}
	login("wrong")
	p.until("the refusal", `document.body.innerText.includes("Invalid credentials")`)
	login("swordfish")
	p.until("the dashboard", `/Status:\s*CONNECTED/i.test(document.body.innerText)`)

	// Each page shows what it is there for.
	page := func(route string, texts ...string) {
		t.Helper()
		p.run("go to "+route, chromedp.Evaluate(fmt.Sprintf(`location.hash = "#/%s"`, route), nil))
		for _, text := range texts {
			p.until(route+" to show "+text, fmt.Sprintf(`document.querySelector("main").innerText.includes(%q)`, text))
		}
	}
	page("", "/admin", "WebSocket")
	page("servers/", "gopher")
	page("sockets/", id, "WebSocket")
	page("clients/", "127.0.0.1")
	page("rooms/", "lobby")
	page("n/%2F/rooms/lobby", id)
	page("events/")
	user.run("say", chromedp.Evaluate(`void socket.emit("hello", "world")`, nil))
	p.until("the event", `document.querySelector("main").innerText.includes("hello")`)

	// And does what it offers.
	sock, ok := srv.Socket(id)
	if !ok {
		t.Fatal("the socket is not there")
	}
	other, ok := srv.Socket(p.secondUser(browser, url))
	if !ok {
		t.Fatal("the other socket is not there")
	}
	if err := other.Join("vip"); err != nil {
		t.Fatal(err)
	}
	page("n/%2F/sockets/"+id, id, "lobby")
	p.run("join", chromedp.SendKeys(`form .select-room input[type=text]`, "vip"+kb.Enter, chromedp.ByQuery),
		chromedp.Click(`form button:has(.mdi-tag-plus-outline):enabled`, chromedp.ByQuery))
	p.until("the new room", `document.querySelector("main").innerText.includes("vip")`)
	if !sock.InRoom("vip") {
		t.Error("the page shows a room that the socket is not in")
	}
	p.run("disconnect", chromedp.Click(`main button:has(.mdi-logout):enabled`, chromedp.ByQuery))
	user.shows("said", "io server disconnect")
	p.quiet("net::ERR") // the pages ask for fonts from elsewhere
}

// secondUser opens one more page of the site and returns the id of its socket.
func (p *tab) secondUser(browser context.Context, url string) string {
	p.t.Helper()
	other := openTab(p.t, browser, url+"/")
	other.until("another user to connect", `document.title.length == 20`)
	return other.value(`document.title`)
}
