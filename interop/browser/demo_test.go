package browser

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/examples/chat/chat"
)

var screenshots = flag.String("screenshots", "", "write pictures of the pages into this `directory`")

// serveChat is what sockeye demo serves.
func serveChat(t *testing.T) *httptest.Server {
	srv := socketio.NewServer(nil)
	chat.New(srv.Of("/"))
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle("/", chat.Page())
	hs := httptest.NewServer(mux)
	t.Cleanup(func() {
		srv.Close()
		hs.Close()
	})
	return hs
}

func (p *tab) say(text string) {
	p.t.Helper()
	p.run("say "+text, chromedp.SendKeys("#say", text+kb.Enter, chromedp.ByID))
}

func TestChat(t *testing.T) {
	browser := chromium(t)
	hs := serveChat(t)
	between := startProxy(t, hs.Listener.Addr().String())

	ada := openTab(t, browser, hs.URL+"/")
	ada.run("give a name", chromedp.SendKeys("#name", "Ada"+kb.Enter, chromedp.ByID))
	ada.shows("state", "online")
	ada.shows("transport", "websocket") // after the upgrade

	bob := openTab(t, browser, "http://"+between.addr+"/?name=Bob")
	bob.shows("state", "online")
	ada.shows("messages", "Bob is here")
	ada.shows("users", "Bob")

	ada.say("Have you seen the salmon run?")
	bob.shows("messages", "Have you seen the salmon run?")
	const hostile = `<img src=x onerror="document.title='taken'">`
	bob.say(hostile)
	ada.shows("messages", hostile)
	bob.run("type", chromedp.SendKeys("#say", "I was", chromedp.ByID))
	ada.shows("typing", "Bob typing")
	bob.run("clear", setValue("say", ""))
	if title := ada.value("document.title"); title != "Sockeye chat" {
		t.Errorf("title = %q: a message was run as markup", title)
	}

	t.Run("a cut", func(t *testing.T) {
		between.setCut(true)
		bob.shows("state", "offline")
		ada.shows("messages", "Bob has left")
		ada.say("Said while Bob was away")
		between.setCut(false)
		bob.shows("state", "online")
		bob.shows("messages", "Said while Bob was away")
		bob.say("Back again")
		ada.shows("messages", "Back again")
	})

	t.Run("rooms", func(t *testing.T) {
		ada.run("enter", setValue("room", "den"), chromedp.SendKeys("#room", kb.Enter, chromedp.ByID))
		ada.shows("messages", "You are in den")
		bob.shows("users", "Ada in den")
		ada.say("Nobody hears this")
		ada.shows("messages", "Nobody hears this")
		bob.say("marker")
		bob.shows("messages", "marker")
		if got := bob.value(`document.getElementById("messages").innerText`); strings.Contains(got, "Nobody hears this") {
			t.Error("a message of one room is shown in another")
		}
	})
	ada.quiet()
	bob.quiet("net::ERR_", "WebSocket connection to") // those of the cut

	if *screenshots != "" {
		ada.run("go back", setValue("room", "lobby"), chromedp.SendKeys("#room", kb.Enter, chromedp.ByID))
		ada.shows("messages", "marker")
		bob.run("type", chromedp.SendKeys("#say", "One more thing", chromedp.ByID))
		ada.shows("typing", "Bob typing")
		for _, shot := range []struct {
			name          string
			width, height int64
			scheme        string
		}{{"demo", 1100, 680, "light"}, {"demo-dark", 1100, 680, "dark"}, {"demo-phone", 390, 780, "light"}, {"demo-phone-dark", 390, 780, "dark"}} {
			var png []byte
			ada.run("picture", chromedp.EmulateViewport(shot.width, shot.height),
				emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: shot.scheme}}),
				chromedp.CaptureScreenshot(&png))
			if err := os.WriteFile(filepath.Join(*screenshots, shot.name+".png"), png, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func setValue(id, value string) chromedp.Action {
	return chromedp.Evaluate(fmt.Sprintf(`document.getElementById(%q).value = %q`, id, value), nil)
}

// TestTransports shows the chat over each transport alone.
func TestTransports(t *testing.T) {
	browser := chromium(t)
	hs := serveChat(t)
	for _, transport := range []string{"polling", "websocket"} {
		t.Run(transport, func(t *testing.T) {
			p := openTab(t, browser, hs.URL+"/?name=Eve&transports="+transport)
			p.shows("state", "online")
			p.say("over " + transport)
			p.shows("messages", "over "+transport)
			p.shows("transport", transport)
			p.shows("latency", "ms")
			p.quiet()
		})
	}
}
