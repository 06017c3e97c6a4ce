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
	"github.com/sockeye-go/socketio/internal/rawclient"
)

// adminPages is where npm puts the official pages.
const adminPages = "../node/node_modules/@socket.io/admin-ui/ui/dist"

// serveAdmin is a server that the official pages, which it serves too, can look
// at.
func serveAdmin(t *testing.T, o admin.Options) (*socketio.Server, string) {
	t.Helper()
	if _, err := os.Stat(adminPages + "/index.html"); err != nil {
		t.Fatal("run npm ci in interop/node first: ", err)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte("swordfish"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	srv := socketio.NewServer(nil)
	o.Auth, o.ServerID = admin.Basic("root", string(hash)), "gopher"
	a := admin.Instrument(srv, &o)
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
	srv, url := serveAdmin(t, admin.Options{})
	user := openTab(t, browser, url+"/")
	user.until("the user to connect", `document.title.length == 20`)
	id := user.value(`document.title`)

	p := openAdmin(t, browser, url)
	p.logIn(url, "wrong")
	p.until("the refusal", `document.body.innerText.includes("Invalid credentials")`)
	p.logIn(url, "swordfish")
	p.until("the dashboard", connected)

	// Each page shows what it is there for.
	page := p.page
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

const connected = `/Status:\s*CONNECTED/i.test(document.body.innerText)`

func openAdmin(t *testing.T, browser context.Context, url string) *tab {
	t.Helper()
	p := openTab(t, browser, url+"/admin/")
	p.run("size", chromedp.EmulateViewport(1400, 1000))
	return p
}

// logIn fills in the form of the pages.
func (p *tab) logIn(url, password string) {
	p.t.Helper()
	p.until("the form", `document.querySelector("[type=submit]") != null`)
	fields := `form input[type=text][required], form input[type=text], form input[type=password]`
	for n, text := range []string{url, "root", password} {
		p.run("fill in", chromedp.Evaluate(fmt.Sprintf(
			`(() => { const e = document.querySelectorAll(%q)[%d]; e.value = %q; e.dispatchEvent(new Event("input")); })()`, fields, n, text), nil))
	}
	// No click: the form is still on its way to where it will stand.
	p.until("the button", `document.querySelector("form [type=submit]:enabled") != null`)
	p.run("log in", chromedp.Evaluate(`document.querySelector("form").requestSubmit()`, nil))
}

// page goes to one of the pages and waits for what it shows.
func (p *tab) page(route string, texts ...string) {
	p.t.Helper()
	p.run("go to "+route, chromedp.Evaluate(fmt.Sprintf(`location.hash = "#/%s"`, route), nil))
	for _, text := range texts {
		p.until(route+" to show "+text, fmt.Sprintf(`document.querySelector("main").innerText.includes(%q)`, text))
	}
}

// press clicks a button with an icon, in the row of a table that has a text.
func (p *tab) press(icon, row string) {
	p.t.Helper()
	button := fmt.Sprintf(`[...document.querySelectorAll("main tr")].find((r) => r.innerText.includes(%q))?.querySelector("button:has(.%s):enabled")`, row, icon)
	p.until("the button "+icon, button+` != null`)
	p.run("press "+icon, chromedp.Evaluate(`void `+button+`.click()`, nil))
}

// TestAdminUIMany does what the pages offer for rooms and lists.
func TestAdminUIMany(t *testing.T) {
	browser := chromium(t)
	srv, url := serveAdmin(t, admin.Options{})
	a, b := openTab(t, browser, url+"/"), openTab(t, browser, url+"/")
	var ids []string
	for _, user := range []*tab{a, b} {
		user.until("the user to connect", `document.title.length == 20`)
		id := user.value(`document.title`)
		ids = append(ids, id)
		s, ok := srv.Socket(id)
		if !ok {
			t.Fatal("no socket")
		}
		if err := s.Join("one", "two"); err != nil {
			t.Fatal(err)
		}
	}
	p := openAdmin(t, browser, url)
	p.logIn(url, "swordfish")
	p.until("the dashboard", connected)
	p.page("n/%2F/sockets/"+ids[0], ids[0], "one")
	p.press("mdi-tag-off-outline", "one")
	p.eventually("the socket to leave", func() bool { return srv.RoomSize("one") == 1 })

	p.page("rooms/", "one", "two")
	p.press("mdi-tag-off-outline", "two")
	p.eventually("the room to be cleared", func() bool { return srv.RoomSize("two") == 0 })
	// A click on a row leads to its details, too.
	p.until("the room to go", `document.querySelector("main").innerText.includes("DELETED")`)
	p.page("rooms/", "one")
	p.press("mdi-logout", "one")
	b.shows("said", "io server disconnect")

	p.page("sockets/", ids[0])
	p.press("mdi-logout", ids[0])
	a.shows("said", "io server disconnect")
	p.quiet("net::ERR")
}

// TestAdminUIReadOnly: pages that may only look offer nothing (but the form to join,
// which they always have, and which nobody hears), and details are shown all the same.
func TestAdminUIReadOnly(t *testing.T) {
	browser := chromium(t)
	_, url := serveAdmin(t, admin.Options{ReadOnly: true})
	user := openTab(t, browser, url+"/")
	user.until("the user to connect", `document.title.length == 20`)
	id := user.value(`document.title`)
	p := openAdmin(t, browser, url)
	p.logIn(url, "swordfish")
	p.until("the dashboard", connected)
	for route, text := range map[string]string{"sockets/": id, "rooms/": "lobby", "n/%2F/rooms/lobby": id, "n/%2F/sockets/" + id: "lobby"} {
		p.page(route, text)
		if n := p.value(`"" + document.querySelectorAll("main button:enabled:has(.mdi-logout, .mdi-tag-off-outline)").length`); n != "0" {
			t.Errorf("%s has %s buttons that change something", route, n)
		}
	}
	p.quiet("net::ERR")
}

// TestAdminUIAggregated: with more sockets than are shown one by one the pages
// have sums, and lists again when there are fewer.
func TestAdminUIAggregated(t *testing.T) {
	browser := chromium(t)
	srv, url := serveAdmin(t, admin.Options{MaxSockets: 10})
	p := openAdmin(t, browser, url)
	p.logIn(url, "swordfish")
	p.until("the dashboard", connected)
	lists := `[...document.querySelectorAll("nav .v-list-item__title")].some((e) => e.innerText == "Rooms")`
	p.until("the lists", lists)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all []*rawclient.WebSocket
	for range 300 {
		c, err := rawclient.DialWebSocket(ctx, url+"/socket.io/")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := rawclient.Join(ctx, c); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	p.until("the lists to go", "!"+lists)
	p.until("the sum", `document.querySelector("main").innerText.includes("301")`)
	for _, c := range all {
		c.Close()
	}
	p.eventually("the clients to leave", func() bool { return srv.Connections() == 1 })
	p.until("the lists to come back", lists)
	p.page("sockets/", "/admin")
	p.quiet("net::ERR")
}
