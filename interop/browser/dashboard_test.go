package browser

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/crypto/bcrypt"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/admin"
	"github.com/sockeye-go/socketio/internal/rawclient"
)

// serveDashboard is a server with a dashboard, and some traffic to be seen.
func serveDashboard(t *testing.T, o *admin.DashboardOptions) (*socketio.Server, string) {
	t.Helper()
	srv := socketio.NewServer(nil)
	d := admin.Handler(srv, o)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error { return s.Join("lobby") })
	socketio.NewEventWithAck[string, string]("hello").Handle(srv, func(_ context.Context, s *socketio.Socket, in string) (string, error) {
		return in, s.To("lobby").Emit("heard", in)
	})
	socketio.NewEvent[float64]("position").Handle(srv, func(_ context.Context, _ *socketio.Socket, x float64) error { return nil })
	srv.Of("/prices")
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle("/dashboard/", d)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`<!doctype html><p id="said"></p><script src="/socket.io/socket.io.js"></script><script>
			const socket = io({ auth: { token: "HUSH-HUSH" } });
			socket.onAny((...args) => { said.textContent += JSON.stringify(args.slice(0, 3)); const f = args.pop(); if (typeof f === "function") f("mine", location.pathname); });
			socket.on("connect", () => (document.title = socket.id));
			socket.on("disconnect", (reason) => (said.textContent += reason));
		</script>`))
	})
	hs := httptest.NewServer(mux)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		traffic(ctx, srv, hs.URL+"/socket.io/")
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		d.Close()
		srv.Close()
		hs.Close()
	})
	return srv, hs.URL
}

// traffic is a few clients that talk, and answer when they are asked.
func traffic(ctx context.Context, srv *socketio.Server, url string) {
	var all []*rawclient.WebSocket
	for range 20 {
		c, err := rawclient.DialWebSocket(ctx, url)
		if err != nil || rawclient.Join(ctx, c) != nil {
			return
		}
		defer c.Close()
		all = append(all, c)
		go func() {
			for {
				packet, err := c.Expect(ctx, "42")
				if err != nil {
					return
				}
				if id, isCall := strings.CutSuffix(packet, `["ping me"]`); isCall {
					_ = c.Send(ctx, "43"+id[2:]+"[]")
				}
			}
		}()
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		c := all[n%len(all)]
		for range 1 + rand.IntN(4) {
			_ = c.Send(ctx, fmt.Sprintf(`42["position",%d]`, n))
		}
		_ = srv.Of("/").To("lobby").Volatile().Emit("tick", n)
		if n%25 == 0 {
			short, end := context.WithTimeout(ctx, time.Second)
			for range srv.EmitWithAcks(short, "ping me") {
				break
			}
			end()
		}
	}
}

// charts is how many charts the page has drawn.
const charts = `document.querySelectorAll(".chart .uplot canvas").length`

// TestDashboard logs in, looks, finds, listens, emits and disconnects.
func TestDashboard(t *testing.T) {
	browser := chromium(t)
	hash, err := bcrypt.GenerateFromPassword([]byte("swordfish"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	srv, url := serveDashboard(t, &admin.DashboardOptions{Auth: admin.Basic("root", string(hash)), ServerID: "gopher"})
	user := openTab(t, browser, url+"/")
	user.until("the user to connect", `document.title.length == 20`)
	id := user.value(`document.title`)

	p := openTab(t, browser, url+"/dashboard/")
	p.run("size", chromedp.EmulateViewport(1400, 1000))
	login := func(password string) {
		t.Helper()
		p.until("the form", `!document.getElementById("login").hidden`)
		p.run("log in", setValue("username", "root"), setValue("password", password), chromedp.Evaluate(`document.getElementById("login").requestSubmit()`, nil))
	}
	login("wrong")
	p.shows("refused", "Invalid credentials")
	login("swordfish")
	p.shows("state", "live")
	if cookie := p.value(`document.cookie`); cookie != "" {
		t.Errorf("a script can read the cookie: %q", cookie)
	}

	// Numbers and charts move.
	tile := func(name string) string {
		return fmt.Sprintf(`document.querySelector("[data-tile=%s] dd").textContent`, name)
	}
	p.until("the connections", tile("connections")+` == "21"`)
	p.until("packets a second", fmt.Sprintf(`parseFloat(%s) > 10`, tile("in")))
	p.until("answers of clients", tile("ack")+`.includes("ms")`)
	p.until("six charts", charts+` == 6`)
	p.until("the events", `["position", "tick", "ping me"].every((e) => document.querySelector("main").innerText.includes(e))`)
	drawn := `document.querySelector("[data-chart=in] canvas").toDataURL()`
	before := p.value(drawn)
	p.until("the chart to move", fmt.Sprintf("%s != %q", drawn, before))

	// Keys: the search by "/", and what it finds by its id at once.
	p.run("/", chromedp.KeyEvent("/"))
	p.until("the search", `document.activeElement.id == "q"`)
	p.run("find", setValue("q", id), chromedp.Evaluate(`document.getElementById("search").requestSubmit()`, nil))
	p.until("the socket", `location.hash.startsWith("#/socket")`)
	p.shows("facts", id)
	p.shows("rooms", "lobby")
	p.shows("handshake", "•••")
	if text := p.value(`document.body.innerText`); strings.Contains(text, "HUSH") {
		t.Error("the page shows a token")
	}

	// The tap shows what goes both ways, and ends.
	p.run("listen", chromedp.Click("#listen", chromedp.ByID))
	p.shows("tap-state", "listening")
	user.run("say", chromedp.Evaluate(`void socket.emit("hello", "a salmon", () => {})`, nil))
	p.until("the packets", `[...document.querySelectorAll("#packets .in")].some((e) => e.innerText.includes("a salmon"))`)
	p.until("the answer", `[...document.querySelectorAll("#packets .out")].some((e) => e.innerText.includes("a salmon"))`)
	p.run("stop", chromedp.Click("#listen", chromedp.ByID))
	p.shows("tap-state", "stopped")

	// Emit and call reach the client.
	form := fmt.Sprintf(`[data-emitter="%s"] `, id)
	p.run("emit", chromedp.SendKeys(form+"[name=event]", "news", chromedp.ByQuery), chromedp.SendKeys(form+"textarea", `1, {"b": 2}`, chromedp.ByQuery),
		chromedp.Click(form+"button[value=emit]", chromedp.ByQuery))
	user.shows("said", `["news",1,{"b":2}]`)
	p.run("call", chromedp.Click(form+"button[value=call]", chromedp.ByQuery))
	p.until("the answer", `document.querySelector("[data-answers]").textContent.includes('["mine","/"]')`)

	// The address is the state: another tab with it shows the same, once logged in
	// by the same cookie.
	again := openTab(t, browser, p.value(`location.href`))
	again.shows("facts", id)
	p.run("back to the first", page.BringToFront()) // a tab that is not seen draws nothing

	for route, text := range map[string]string{"events": "position", "sockets": "127.0.0.1", "rooms": "lobby", "nodes": "gopher", "trouble": "panics survived", "find?q=lob": "lobby"} {
		p.run("go to "+route, chromedp.Evaluate(fmt.Sprintf(`location.hash = "#/%s"`, route), nil))
		p.until(route, fmt.Sprintf(`document.querySelector("main").innerText.includes(%q)`, text))
	}
	// What a client makes up stays a text, and does not turn what is around it.
	user.run("say", chromedp.Evaluate(`void socket.emit("<img src=x onerror=\"document.title='in'\">\u202elive", 1)`, nil))
	p.run("events", chromedp.Evaluate(`location.hash = "#/events"`, nil))
	p.until("the name", `document.querySelector("main").innerText.includes("\">\\u202elive") && document.querySelectorAll("main img").length == 0`)
	p.run("an address of no page", chromedp.Evaluate(`location.hash = "#/constructor"`, nil))
	p.until("the overview", `document.querySelector("[data-tile=connections]") != null`)
	p.run("rooms", chromedp.Evaluate(`document.getElementById("q").blur(); location.hash = "#/rooms"`, nil))
	p.until("the room", `document.querySelector("tbody tr[data-href]") != null`)
	p.run("j and Enter", chromedp.KeyEvent("j"), chromedp.KeyEvent(kb.Enter))
	p.until("the members", `location.hash.includes("room=lobby") && document.querySelectorAll("tbody tr[data-href]").length == 21`)
	p.run("?", chromedp.KeyEvent("?"))
	p.until("the keys", `document.getElementById("help").open`)
	p.run("close", chromedp.Evaluate(`document.getElementById("help").close()`, nil))

	if *screenshots != "" {
		p.run("a socket", chromedp.Evaluate(fmt.Sprintf(`location.hash = "#/socket?ns=%%2F&id=%s"`, id), nil))
		p.shows("facts", id)
		p.run("listen", chromedp.Click("#listen", chromedp.ByID))
		p.shows("tap-state", "listening")
		user.run("say", chromedp.Evaluate(`void socket.emit("hello", "a salmon", () => {})`, nil))
		p.shows("packets", "a salmon")
		p.pictures("dashboard-socket")
		p.run("overview", chromedp.Evaluate(`location.hash = "#/"`, nil))
		p.until("some history", `document.querySelectorAll(".chart canvas").length == 6`)
		p.eventually("a chart to fill", func() bool { return time.Since(started) > 20*time.Second })
		p.pictures("dashboard")
	}

	p.run("the socket", chromedp.Evaluate(fmt.Sprintf(`location.hash = "#/socket?ns=%%2F&id=%s"`, id), nil))
	p.shows("facts", id)
	p.run("disconnect", chromedp.Click("#disconnect", chromedp.ByID))
	p.until("the question", `document.getElementById("ask").open`)
	p.run("yes", chromedp.Click("#yes", chromedp.ByID))
	user.shows("said", "io server disconnect")
	p.shows("facts", "has left")
	if _, ok := srv.Socket(id); ok {
		t.Error("the socket is still there")
	}

	p.run("log out", chromedp.Click("#logout", chromedp.ByID))
	p.until("the form", `!document.getElementById("login").hidden && document.getElementById("top").hidden`)
	p.quiet("401", "404") // the wrong password, the socket that left
	user.quiet()
}

var started = time.Now()

// TestDashboardReadOnly looks for anything to press that would change something.
func TestDashboardReadOnly(t *testing.T) {
	browser := chromium(t)
	_, url := serveDashboard(t, &admin.DashboardOptions{Insecure: true, ReadOnly: true})
	user := openTab(t, browser, url+"/")
	user.until("the user to connect", `document.title.length == 20`)
	id := user.value(`document.title`)
	p := openTab(t, browser, url+"/dashboard/#/socket?ns=%2F&id="+id)
	p.shows("facts", id)
	if n := p.value(`"" + document.querySelectorAll("#disconnect, [data-emitter], .chip button, main textarea").length`); n != "0" {
		t.Errorf("%s things to press", n)
	}
	// The server refuses, whatever the page sends.
	p.run("try", chromedp.Evaluate(fmt.Sprintf(`window.tried = "";
		fetch("disconnect", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ns: "/", to: %q }) })
			.then(async (r) => (window.tried = r.status + (await r.text())))`, id), nil))
	p.until("the refusal", `window.tried.startsWith("403") && window.tried.includes("read-only")`)
	if said := user.value(`document.getElementById("said").textContent`); strings.Contains(said, "disconnect") {
		t.Error("the user was disconnected")
	}
	p.quiet("403")
}

// pictures writes what the page looks like, wide and on a phone, light and dark.
func (p *tab) pictures(name string) {
	p.t.Helper()
	for _, shot := range []struct {
		suffix        string
		width, height int64
		scheme        string
	}{{"", 1400, 1000, "light"}, {"-dark", 1400, 1000, "dark"}, {"-phone", 390, 844, "light"}, {"-phone-dark", 390, 844, "dark"}} {
		var png []byte
		p.run("picture", chromedp.EmulateViewport(shot.width, shot.height),
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: shot.scheme}}),
			chromedp.Evaluate(`new Promise((r) => setTimeout(r, 1500))`, nil, chromedp.EvalAsValue),
			chromedp.CaptureScreenshot(&png))
		if err := os.WriteFile(filepath.Join(*screenshots, name+shot.suffix+".png"), png, 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
}
