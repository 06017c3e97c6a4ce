package admin_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter/cluster"
	"github.com/sockeye-go/socketio/admin"
)

var quiet = slog.New(slog.DiscardHandler)

// TestAuthorizeWithdrawn: who may not look any more does not go on to look, for
// longer than it takes until he is asked for again.
func TestAuthorizeWithdrawn(t *testing.T) {
	for _, c := range []struct {
		name     string
		withdraw func(*atomic.Int32)
	}{
		{"refused", func(a *atomic.Int32) { a.Store(int32(admin.NoAccess)) }},
		{"panics", func(a *atomic.Int32) { a.Store(-1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := socketio.NewServer(&socketio.Options{Logger: quiet})
				defer srv.Close()
				var access, asked atomic.Int32
				access.Store(int32(admin.MayRead))
				d := admin.Handler(srv, &admin.DashboardOptions{Logger: quiet, Authorize: func(*http.Request) admin.Access {
					asked.Add(1)
					if access.Load() < 0 {
						panic("of the program")
					}
					return admin.Access(access.Load())
				}})
				defer d.Close()
				r := httptest.NewRequest("GET", "/dashboard/stream", nil)
				r.Header.Set("Sec-Fetch-Site", "same-origin")
				w := httptest.NewRecorder()
				ended := make(chan struct{})
				go func() { defer close(ended); d.ServeHTTP(w, r) }()
				time.Sleep(time.Minute) // of the bubble
				synctest.Wait()
				select {
				case <-ended:
					t.Fatalf("the stream has ended: %d %s", w.Code, w.Body)
				default:
				}
				if n := asked.Load(); n < 6 || n > 12 {
					t.Errorf("asked %d times in a minute", n)
				}
				c.withdraw(&access)
				start := time.Now()
				<-ended
				if took := time.Since(start); took > 10*time.Second {
					t.Errorf("ended %v later; want 10 s at the most", took)
				}
				if n := strings.Count(w.Body.String(), "event: sample"); n < 59 {
					t.Errorf("%d samples in a minute", n)
				}
			})
		})
	}
}

// TestLogoutEverywhere: a logout ends what is open on the other nodes with the same
// key, and lets nobody in there by the cookie.
func TestLogoutEverywhere(t *testing.T) {
	hub, key := cluster.NewHub(), bytes.Repeat([]byte("k"), 32)
	node := func(id string) *board {
		return newNode(t, &socketio.Options{Adapter: cluster.NewFactory(hub, nil)}, &admin.DashboardOptions{
			Auth: func(context.Context, string, string) bool { return true }, Key: key, ServerID: id,
		})
	}
	one, two := node("one"), node("two")
	res, _ := one.request("POST", "login", `{}`)
	mine := res.Cookies()[0]
	res, _ = one.request("POST", "login", `{}`)
	one.cookie, two.cookie = mine, mine
	_, id := one.user()
	here, there, tap := one.listen("stream"), two.listen("stream"), one.listen("tap?id="+id)
	two.cookie = res.Cookies()[0]
	other := two.listen("stream")
	if res, text := one.request("POST", "logout", `{}`); res.StatusCode != 200 {
		t.Fatalf("logout = %d %s", res.StatusCode, text)
	}
	here.ends()
	there.ends()
	tap.ends()
	two.cookie = mine
	if res, _ := two.request("GET", "rooms", ""); res.StatusCode != 401 {
		t.Errorf("the other node lets in who has logged out: %d", res.StatusCode)
	}
	var s sample
	other.next("sample", &s) // somebody else looks on
	other.next("sample", &s)
}

// TestViewersOfOtherSites: a page of another site cannot have a browser look, by which
// it would learn nothing and take the place of others.
func TestViewersOfOtherSites(t *testing.T) {
	b := newBoard(t, &admin.DashboardOptions{Insecure: true, MaxViewers: 1})
	var me struct{ Proof string }
	b.get("me", &me)
	if me.Proof == "" {
		t.Fatal("the page is told of no proof")
	}
	_, id := b.user()
	for _, name := range []string{"stream", "tap?id=" + id, "find?q=x", "sockets", "rooms", "socket?ns=/&id=" + id} {
		for _, site := range []string{"cross-site", "same-site", ""} {
			if res, text := b.request("GET", name, "", "Sec-Fetch-Site", site); res.StatusCode != 403 || !strings.Contains(text, "another site") {
				t.Errorf("%s from %q = %d %s; want 403", name, site, res.StatusCode, text)
			}
		}
		// What the browser says counts for more than what is in the address.
		if res, _ := b.request("GET", withProof(name, me.Proof), "", "Sec-Fetch-Site", "cross-site"); res.StatusCode != 403 {
			t.Errorf("%s from another site, with the proof = %d; want 403", name, res.StatusCode)
		}
	}
	if res, _ := b.request("GET", withProof("rooms", me.Proof+"x"), "", "Sec-Fetch-Site", ""); res.StatusCode != 403 {
		t.Errorf("with a wrong proof = %d; want 403", res.StatusCode)
	}
	for _, site := range []string{"", "same-origin", "none"} { // without the header, an old browser
		if res, text := b.request("GET", withProof("rooms", me.Proof), "", "Sec-Fetch-Site", site); res.StatusCode != 200 {
			t.Errorf("the page itself, %q = %d %s", site, res.StatusCode, text)
		}
	}
	b.listen("stream") // the only place is still free
}

func withProof(name, proof string) string {
	name, query, _ := strings.Cut(name, "?")
	v, _ := url.ParseQuery(query)
	v.Set("proof", proof)
	return name + "?" + v.Encode()
}

// TestTapFullHouse: nodes are not asked to listen for a viewer for whom there is no
// place.
func TestTapFullHouse(t *testing.T) {
	hub := cluster.NewHub()
	near := newNode(t, &socketio.Options{Adapter: cluster.NewFactory(hub, nil)}, &admin.DashboardOptions{Insecure: true, MaxViewers: 1})
	far := socketio.NewServer(&socketio.Options{Adapter: cluster.NewFactory(hub, nil), Logger: quiet})
	defer far.Close()
	var taps atomic.Int32
	marked := make(chan struct{})
	far.OnServerSide("sockeye:dashboard:tap", func(context.Context, *socketio.Message) error { taps.Add(1); return nil })
	far.OnServerSide("marker", func(context.Context, *socketio.Message) error { close(marked); return nil })
	near.listen("stream")
	for range 10 {
		if res, text := near.request("GET", "tap?id=elsewhere", ""); res.StatusCode != 503 {
			t.Fatalf("a viewer too many: %d %s", res.StatusCode, text)
		}
	}
	if err := near.srv.ServerSideEmit("marker"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-marked:
	case <-near.ctx.Done():
		t.Fatal("the nodes do not hear each other")
	}
	if n := taps.Load(); n != 0 {
		t.Errorf("the other node was asked %d times", n)
	}
}
