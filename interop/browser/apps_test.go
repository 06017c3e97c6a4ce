package browser

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/examples/demo"
)

// serveDemo is what sockeye demo serves.
func serveDemo(t *testing.T) *httptest.Server {
	srv := socketio.NewServer(&socketio.Options{Recovery: &socketio.Recovery{}})
	pages, closePages, err := demo.New(srv)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle("/", pages)
	hs := httptest.NewServer(mux)
	t.Cleanup(func() {
		srv.Close()
		hs.Close()
		if err := closePages(); err != nil {
			t.Error(err)
		}
	})
	return hs
}

// picture writes what a tab shows, on a desk and on a phone, in light and in dark, if
// -screenshots says where. It is not wider than the window on any.
func (p *tab) picture(name string) {
	p.t.Helper()
	p.run("to the front", page.BringToFront()) // what is behind is not drawn
	for _, shot := range []struct {
		name          string
		width, height int64
		scheme        string
	}{{"", 1100, 680, "light"}, {"-dark", 1100, 680, "dark"}, {"-phone", 390, 780, "light"}, {"-phone-dark", 390, 780, "dark"}} {
		p.run("emulate", chromedp.EmulateViewport(shot.width, shot.height),
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: shot.scheme}}))
		var wide bool
		p.run("width", chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wide))
		if wide {
			p.t.Errorf("%s%s: the page is wider than the window", name, shot.name)
		}
		if *screenshots == "" {
			continue
		}
		var shown []byte
		p.run("picture", chromedp.CaptureScreenshot(&shown))
		if err := os.WriteFile(filepath.Join(*screenshots, name+shot.name+".png"), shown, 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
}

func TestDemoIndex(t *testing.T) {
	chrome := chromium(t)
	hs := serveDemo(t)
	p := openTab(t, chrome, hs.URL+"/")
	p.shows("state", "online")
	p.shows("latency", "ms")
	chat := openTab(t, chrome, hs.URL+"/chat/?name=Ada")
	chat.shows("state", "online")
	chat.shows("users", "Ada")
	p.until("the count of the chat", `document.querySelector("[data-app=chat]").textContent === "1 here"`)
	p.picture("index")
	p.quiet()
	chat.quiet()
}

// TestChatTools is what TestChat does not go through: editing, deleting, whispering,
// and a cut after which a recovered socket has lost nothing.
func TestChatTools(t *testing.T) {
	chrome := chromium(t)
	hs := serveDemo(t)
	between := startProxy(t, hs.Listener.Addr().String())
	ada := openTab(t, chrome, hs.URL+"/chat/?name=Ada")
	ada.shows("state", "online")
	bob := openTab(t, chrome, "http://"+between.addr+"/chat/?name=Bob")
	bob.shows("state", "online")
	eve := openTab(t, chrome, hs.URL+"/chat/?name=Eve")
	eve.shows("users", "Bob")
	ada.shows("users", "Eve")

	ada.say("the river is hihg")
	bob.shows("messages", "hihg")
	ada.shows("messages", "hihg")
	ada.run("edit", chromedp.Evaluate(`[...document.querySelectorAll("#messages button")].find((b) => b.textContent === "edit").click()`, nil), setValue("say", ""))
	ada.say("the river is high")
	bob.shows("messages", "the river is high")
	bob.shows("messages", "edited")
	ada.say("delete me")
	eve.shows("messages", "delete me")
	ada.shows("messages", "delete me")
	ada.run("delete", chromedp.Evaluate(`[...document.querySelectorAll("#messages button")].filter((b) => b.textContent === "delete").at(-1).click()`, nil))
	eve.until("the message to go", `!document.getElementById("messages").innerText.includes("delete me")`)

	ada.run("whisper", chromedp.Evaluate(`[...document.querySelectorAll("#users li")].find((li) => li.innerText.includes("Bob")).querySelector("button").click()`, nil))
	ada.say("just between us")
	bob.shows("messages", "just between us")
	ada.shows("messages", "you to Bob")

	between.setCut(true)
	bob.shows("state", "offline")
	ada.say("said while Bob was away")
	ada.shows("messages", "said while Bob was away")
	between.setCut(false)
	bob.shows("state", "online")
	bob.shows("messages", "nothing lost")
	bob.until("what was missed, once", `document.getElementById("messages").innerText.split("said while Bob was away").length === 2`)
	bob.say("and I am still Bob")
	ada.shows("messages", "and I am still Bob")
	if got := eve.value(`document.getElementById("messages").innerText`); strings.Contains(got, "between us") {
		t.Error("a whisper reached a third")
	}
	ada.picture("chat")
	ada.quiet()
	bob.quiet("net::ERR_", "WebSocket connection to")
	eve.quiet()
}

func (p *tab) typeText(text string) {
	p.t.Helper()
	p.run("type "+text, chromedp.Evaluate(`document.getElementById("text").focus()`, nil), input.InsertText(text))
}

func (p *tab) text() string { return p.value(`document.getElementById("text").value`) }

func TestEditor(t *testing.T) {
	chrome := chromium(t)
	hs := serveDemo(t)
	between := startProxy(t, hs.Listener.Addr().String())
	var tabs []*tab
	for i, name := range []string{"Ada", "Bob", "Eve"} {
		base := hs.URL
		if i == 1 {
			base = "http://" + between.addr
		}
		p := openTab(t, chrome, base+"/editor/?name="+name+"#plan")
		p.shows("state", "online")
		p.until("the document", `document.getElementById("version").textContent !== ""`)
		tabs = append(tabs, p)
	}
	ada, bob, eve := tabs[0], tabs[1], tabs[2]
	ada.shows("people", "Eve")
	ada.typeText("Salmon 🐟 swim upstream.\n")
	bob.until("Ada's text", `document.getElementById("text").value === "Salmon 🐟 swim upstream.\n"`)
	bob.run("caret to the end", chromedp.Evaluate(`document.getElementById("text").setSelectionRange(9999, 9999)`, nil))
	bob.typeText("So do we.")
	eve.until("Bob's text", `document.getElementById("text").value.endsWith("So do we.")`)
	eve.until("Bob's caret", `document.getElementById("behind").innerText.includes("Bob")`)

	// All at once: each page types on its own, without waiting for anybody. Each puts
	// its own letter at places that move under its hands.
	const each = 120
	for i, p := range tabs {
		letter := string("abc"[i])
		p.run("type at once", chromedp.Evaluate(fmt.Sprintf(`(async () => {
			const text = document.getElementById("text");
			let seed = %d;
			const random = (n) => (seed = (seed * 48271) %% 2147483647) %% n;
			for (let i = 0; i < %d; i++) {
				const at = random(text.value.length + 1);
				text.focus();
				text.setRangeText(%q, at, at, "end");
				text.dispatchEvent(new InputEvent("input"));
				if (i %% 7 === 0) await new Promise((done) => setTimeout(done, random(20)));
			}
			window.done = true;
		})(); 0`, i+11, each, letter), nil))
	}
	for _, p := range tabs {
		p.until("all typed", `window.done && document.getElementById("pending").textContent === "all saved"`)
	}
	same := func(when string) string {
		t.Helper()
		// One version, one text: what is on its way has arrived when they agree.
		version := ""
		for _, p := range tabs {
			version = max(version, p.value(`document.getElementById("version").textContent`))
		}
		for _, p := range tabs {
			p.until("version", fmt.Sprintf(`document.getElementById("version").textContent === %q`, version))
		}
		want := ada.text()
		for i, p := range tabs[1:] {
			if got := p.text(); got != want {
				t.Fatalf("%s: tab %d has %q; Ada has %q", when, i+1, got, want)
			}
		}
		return want
	}
	// A swimmer's emoji may have been split by no letter, and no letter is lost.
	got := same("after all typed")
	for _, letter := range "abc" {
		if n := strings.Count(strings.NewReplacer("Salmon", "", "swim upstream", "").Replace(got), string(letter)); n < each-3 {
			t.Errorf("%d of %q; want about %d", n, letter, each)
		}
	}

	// Offline, Bob goes on, and so does Ada; then both are right.
	between.setCut(true)
	bob.shows("state", "offline")
	bob.run("type offline", chromedp.Evaluate(`document.getElementById("text").setSelectionRange(0, 0)`, nil))
	bob.typeText("[offline]")
	ada.typeText("[meanwhile]")
	between.setCut(false)
	bob.shows("state", "online")
	ada.until("Bob's edit", `document.getElementById("text").value.includes("[offline]")`)
	bob.until("Ada's edit", `document.getElementById("text").value.includes("[meanwhile]")`)
	same("after the cut")

	// Undo takes back one's own and leaves the others'.
	bob.run("undo", chromedp.Click("#undo", chromedp.ByID))
	ada.until("Bob's edit to go", `!document.getElementById("text").value.includes("[offline]")`)
	if got := same("after the undo"); !strings.Contains(got, "[meanwhile]") {
		t.Errorf("Bob's undo took Ada's edit: %q", got)
	}
	for _, p := range tabs[:2] {
		p.quiet("net::ERR_", "WebSocket connection to")
	}
	eve.quiet()
	ada, eve = openTab(t, chrome, hs.URL+"/editor/?name=Ada#river"), openTab(t, chrome, hs.URL+"/editor/?name=Eve#river")
	ada.shows("people", "Eve")
	ada.typeText("The salmon run\n\nEvery autumn the sockeye turn red and swim up the river\nto where they were born. Nobody knows how they find it.\n")
	eve.until("the text", `document.getElementById("text").value.includes("find it")`)
	eve.run("select", chromedp.Evaluate(`const t = document.getElementById("text"); t.focus(); t.setSelectionRange(t.value.indexOf("sockeye"), t.value.indexOf("sockeye") + 7)`, nil))
	ada.until("Eve's selection", `document.querySelector("#behind .selected")?.textContent === "sockeye"`)
	ada.picture("editor")
	ada.quiet()
	eve.quiet()
}

func TestGame(t *testing.T) {
	chrome := chromium(t)
	hs := serveDemo(t)
	ada := openTab(t, chrome, hs.URL+"/game/?name=Ada")
	ada.shows("state", "online")
	ada.picture("game-lobby")
	ada.run("a game", chromedp.Click("#create", chromedp.ByID))
	ada.shows("players", "Ada")
	bob := openTab(t, chrome, hs.URL+"/game/?name=Bob")
	bob.shows("games", "1 of 8 players")
	bob.run("join", chromedp.Click("#games button", chromedp.ByQuery))
	ada.shows("players", "Bob")
	bob.run("ready", chromedp.Click("#ready", chromedp.ByID))
	ada.shows("players", "ready")
	ada.run("ready", chromedp.Click("#ready", chromedp.ByID))
	ada.until("the start", `document.body.dataset.state === "running"`)
	bob.until("snapshots", `document.getElementById("rate").textContent.includes("kB/s")`)
	// The page in front swims: its frames run.
	ada.run("front", chromedp.Evaluate(`0`, nil))
	ada.until("the clock", `parseInt(document.getElementById("clock").textContent) < 120`)
	bob.run("leave", chromedp.Click("#leave", chromedp.ByID))
	ada.shows("players", "away")
	ada.run("leave", chromedp.Click("#leave", chromedp.ByID))

	// Against bots, with a key held down, until something has been eaten.
	ada.run("practice", chromedp.Evaluate(`document.getElementById("practice").click()`, nil))
	ada.until("the start", `document.body.dataset.state === "running" && document.getElementById("players").children.length === 6`)
	ada.run("swim", chromedp.Evaluate(`window.keys = ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"]; window.n = 0;
		setInterval(() => { for (const code of keys) dispatchEvent(new KeyboardEvent("keyup", { code })); dispatchEvent(new KeyboardEvent("keydown", { code: keys[n++ % 4] })); }, 700); 0`, nil))
	ada.until("somebody to eat", `[...document.querySelectorAll("#players b")].some((b) => Number(b.textContent) > 3)`)
	ada.picture("game")
	ada.quiet()
	bob.quiet()
}

func TestFiles(t *testing.T) {
	chrome := chromium(t)
	hs := serveDemo(t)
	dir := t.TempDir()
	var river bytes.Buffer
	img := image.NewRGBA(image.Rect(0, 0, 400, 300))
	for x := range 400 {
		for y := range 300 {
			img.Set(x, y, color.RGBA{uint8(200 - y/3), uint8(70 + x/4), uint8(40 + y/2), 255})
		}
	}
	if err := png.Encode(&river, img); err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 3_000_000)
	rand.Read(noise)
	for name, data := range map[string][]byte{"river.png": river.Bytes(), "noise.bin": noise, "page.html": []byte("<!doctype html><p>x")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	between := startProxy(t, hs.Listener.Addr().String())
	ada := openTab(t, chrome, "http://"+between.addr+"/files/")
	bob := openTab(t, chrome, hs.URL+"/files/")
	ada.shows("state", "online")
	bob.shows("state", "online")

	ada.run("a picture", chromedp.SetUploadFiles("#pick", []string{filepath.Join(dir, "river.png")}, chromedp.ByID))
	ada.shows("transfers", "checksum right")
	bob.shows("files", "river.png")
	bob.until("the thumbnail", `document.querySelector("#files img")?.naturalWidth === 160`)
	ada.run("what is not allowed", chromedp.SetUploadFiles("#pick", []string{filepath.Join(dir, "page.html")}, chromedp.ByID))
	ada.shows("transfers", "File type is not allowed")

	// Cut off in the middle, it goes on from where it was.
	ada.run("a large one", chromedp.SetUploadFiles("#pick", []string{filepath.Join(dir, "noise.bin")}, chromedp.ByID))
	between.setCut(true)
	ada.shows("state", "offline")
	between.setCut(false)
	bob.shows("files", "noise.bin")
	ada.until("both", `document.getElementById("transfers").innerText.split("checksum right").length === 3`)

	bob.run("download", browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(t.TempDir()),
		chromedp.Evaluate(`[...document.querySelectorAll(".file")].find((f) => f.innerText.includes("noise.bin")).querySelector("button").click()`, nil))
	bob.shows("transfers", "saved, checksum right")
	ada.run("pause", chromedp.SetUploadFiles("#pick", []string{filepath.Join(dir, "noise.bin")}, chromedp.ByID),
		chromedp.Evaluate(`[...document.querySelectorAll("#transfers button")].find((b) => b.textContent === "Pause").click()`, nil))
	ada.shows("transfers", "paused at")
	ada.picture("files")
	ada.run("resume", chromedp.Evaluate(`[...document.querySelectorAll("#transfers button")].find((b) => b.textContent === "Resume").click()`, nil))
	bob.shows("files", "noise (2).bin")
	ada.quiet("net::ERR_", "WebSocket connection to")
	bob.quiet()
}
