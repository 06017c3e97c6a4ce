package engineio_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio/engineio"
)

// TestCookie: the cookie comes with the answer to a handshake over polling, and
// with nothing else.
func TestCookie(t *testing.T) {
	tests := []struct {
		name   string
		cookie engineio.Cookie
		tls    bool
		want   string
	}{
		{name: "defaults", want: "io=<sid>; Path=/; HttpOnly; SameSite=Lax"},
		{name: "over TLS", tls: true, want: "io=<sid>; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{name: "over TLS, insecure", tls: true, cookie: engineio.Cookie{Insecure: true}, want: "io=<sid>; Path=/; HttpOnly; SameSite=Lax"},
		{
			name:   "everything",
			cookie: engineio.Cookie{Name: "node", Path: "/socket.io/", Domain: "example.com", MaxAge: 60, SameSite: http.SameSiteNoneMode, Scripts: true, Secure: true},
			want:   "node=<sid>; Path=/socket.io/; Domain=example.com; Max-Age=60; Secure; SameSite=None",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := &engineio.Options{Cookie: &tt.cookie}
			h := &harness{t: t}
			h.srv = engineio.NewServer(h.options(o, nil))
			defer h.srv.Close()
			request := func(query string) *httptest.ResponseRecorder {
				r := httptest.NewRequest("GET", "/engine.io/?"+query, nil)
				if tt.tls {
					r.TLS = new(tls.ConnectionState)
				}
				w := httptest.NewRecorder()
				h.srv.ServeHTTP(w, r)
				return w
			}
			w := request("EIO=4&transport=polling")
			rec := <-h.sessions
			sid := rec.session.ID()
			if got := w.Header().Get("Set-Cookie"); got != strings.Replace(tt.want, "<sid>", sid, 1) {
				t.Errorf("Set-Cookie: %s; want %s", got, tt.want)
			}
			send(t, rec.session, text("x"))
			if w := request("EIO=4&transport=polling&sid=" + sid); w.Header().Get("Set-Cookie") != "" || w.Body.String() != "4x" {
				t.Errorf("the second response sets it again: %v", w.Header())
			}
		})
	}
	t.Run("not over WebSocket", func(t *testing.T) {
		h := newHarness(t, &engineio.Options{Cookie: &engineio.Cookie{}}, nil)
		_, res, err := h.tryDial("EIO=4&transport=websocket")
		if err != nil || res.Header.Get("Set-Cookie") != "" {
			t.Errorf("%v, %v", err, res.Header)
		}
	})
}

func TestCookieThatMakesNoSense(t *testing.T) {
	for name, c := range map[string]*engineio.Cookie{
		"name":             {Name: "a b"},
		"path":             {Path: "/a;b"},
		"secure, not":      {Secure: true, Insecure: true},
		"None, not secure": {SameSite: http.SameSiteNoneMode, Insecure: true},
	} {
		func() {
			defer func() {
				if v, _ := recover().(string); !strings.Contains(v, "Options.Cookie") {
					t.Errorf("%s: panic %q; want one that names the field", name, v)
				}
			}()
			h := &harness{t: t}
			engineio.NewServer(h.options(&engineio.Options{Cookie: c}, nil))
		}()
	}
}

func TestGenerateID(t *testing.T) {
	var refused []*engineio.ConnectionError
	h := newHarness(t, &engineio.Options{
		GenerateID: func(r *http.Request) (string, error) {
			if id := r.Header.Get("X-Id"); id != "error" {
				return id, nil
			}
			return "", errors.New("out of ids")
		},
		OnConnectionError: func(e *engineio.ConnectionError) { refused = append(refused, e) },
	}, nil)
	const open = "EIO=4&transport=polling"
	if res := h.do("GET", open, "", "X-Id", "node7.abc-_~"); !strings.HasPrefix(res.body, `0{"sid":"node7.abc-_~",`) {
		t.Fatalf("got %d %q", res.status, res.body)
	}
	rec := <-h.sessions
	if h.srv.Session("node7.abc-_~") != rec.session {
		t.Error("not found by its id")
	}
	for _, id := range []string{"error", "", "node7.abc-_~", `"},"x`, "a b", "é", strings.Repeat("x", 257)} {
		refused = nil
		res := h.do("GET", open, "", "X-Id", id)
		if res.status != 400 || !strings.HasPrefix(res.body, `{"code":3,"message":"Bad request"`) {
			t.Errorf("id %.20q: %d %q", id, res.status, res.body)
		}
		if len(refused) != 1 || refused[0].Context["name"] != "ID_GENERATION_ERROR" || refused[0].Err == nil {
			t.Errorf("id %.20q: OnConnectionError got %+v", id, refused)
		}
		if _, res, err := h.tryDial("EIO=4&transport=websocket", "X-Id", id); err == nil || res == nil || res.StatusCode != 400 {
			t.Errorf("id %.20q on a WebSocket: %v", id, err)
		}
	}
	if h.post(open+"&sid=node7.abc-_~", "4x").body != "ok" {
		t.Error("the session suffered from the one that wanted its id")
	}
	if n := h.srv.Sessions(); n != 1 {
		t.Errorf("%d sessions; want 1", n)
	}
	rec.session.Abort(engineio.ForcedClose)
	rec.waitClosed(t)
	if res := h.do("GET", open, "", "X-Id", "node7.abc-_~"); res.status != 200 {
		t.Errorf("the id of a session that has ended is not free: %q", res.body)
	}
}

// TestHeaderHooks: which response runs which, and that their changes are sent.
func TestHeaderHooks(t *testing.T) {
	var called []string
	h := newHarness(t, &engineio.Options{
		InitialHeaders: func(h http.Header, r *http.Request) { called = append(called, "first"); h.Set("X-First", r.URL.Path) },
		Headers: func(h http.Header, _ *http.Request) {
			called = append(called, "each")
			h.Set("X-Each", "1")
			h.Del("X-Content-Type-Options")
			if h.Get("Content-Type") != "" {
				h.Set("Content-Type", "text/x-mine")
			}
		},
	}, nil)
	want := func(what string, header http.Header, first bool, calls ...string) {
		t.Helper()
		if !slices.Equal(called, calls) || header.Get("X-Each") != "1" || (header.Get("X-First") != "") != first {
			t.Errorf("%s: called %q, headers %v", what, called, header)
		}
		called = nil
	}
	res := h.do("GET", "EIO=4&transport=polling", "")
	want("handshake", res.header, true, "first", "each")
	if res.header.Get("Content-Type") != "text/x-mine" || res.header.Get("X-Content-Type-Options") != "" {
		t.Errorf("the engine's own headers were not changed: %v", res.header)
	}
	rec := <-h.sessions
	query := "EIO=4&transport=polling&sid=" + rec.session.ID()
	send(t, rec.session, text("x"))
	want("poll", h.do("GET", query, "").header, false, "each")
	want("POST", h.post(query, "4x").header, false, "each")
	_, ws, err := h.tryDial("EIO=4&transport=websocket")
	if err != nil {
		t.Fatal(err)
	}
	want("WebSocket", ws.Header, true, "first", "each")
	_, ws, err = h.tryDial(wsQuery(query))
	if err != nil {
		t.Fatal(err)
	}
	want("upgrade", ws.Header, false, "each")
	h.do("GET", "EIO=4&transport=polling&sid=x", "")
	if called != nil {
		t.Errorf("a refusal called %q", called)
	}
}

// TestPanicInHook: it is the request's, and takes nothing with it.
func TestPanicInHook(t *testing.T) {
	panics := func(r *http.Request) {
		if r.Header.Get("X-Panic") != "" {
			panic("in a hook")
		}
	}
	for name, o := range map[string]*engineio.Options{
		"GenerateID":     {GenerateID: func(r *http.Request) (string, error) { panics(r); return "free", nil }},
		"InitialHeaders": {InitialHeaders: func(_ http.Header, r *http.Request) { panics(r) }},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, o, nil)
			if _, _, err := h.tryDial("EIO=4&transport=websocket", "X-Panic", "1"); err == nil {
				t.Error("it did not panic")
			}
			if n := h.srv.Sessions(); n != 0 {
				t.Errorf("%d sessions are left", n)
			}
			c := h.dialWS("EIO=4&transport=websocket")
			if p := c.read(); !strings.HasPrefix(p, `0{"sid":"`) {
				t.Errorf("open packet %q", p)
			}
		})
	}
}

func TestInitialPacket(t *testing.T) {
	data := []byte("welcome")
	for _, m := range []engineio.Message{{Data: data}, binary(1, 2)} {
		h := newHarness(t, &engineio.Options{AllowEIO3: true, InitialPacket: &m}, nil)
		wire, frame := "\x1e4welcome", "4welcome"
		if m.Binary {
			wire, frame = "\x1ebAQI=", "b0102"
		}
		if res := h.do("GET", "EIO=4&transport=polling", ""); !strings.HasSuffix(res.body, wire) {
			t.Errorf("handshake %q; want it to end with %q", res.body, wire)
		}
		c := h.dialWS("EIO=4&transport=websocket")
		openSID(t, c.read())
		c.want(frame)
		if !m.Binary {
			if res := h.do("GET", "EIO=3&transport=polling", ""); !strings.HasSuffix(res.body, "8:4welcome") {
				t.Errorf("handshake of revision 3 %q", res.body)
			}
		}
	}
}

// TestUseHTTP: the order, headers on every kind of response, an answer in place of
// the engine's.
func TestUseHTTP(t *testing.T) {
	var order []string
	mark := func(name string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				order = append(order, name)
				w.Header().Add("X-Mark", name)
				next.ServeHTTP(w, r)
			})
		}
	}
	deny := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Deny") != "" {
				http.Error(w, "not with me", http.StatusTeapot)
				return
			}
			next.ServeHTTP(&wrapped{w}, r)
		})
	}
	h := newHarness(t, &engineio.Options{OnSession: func(_ *engineio.Session, r *http.Request) engineio.Receiver {
		order = append(order, "session")
		return nil
	}}, nil)
	h.srv.UseHTTP(mark("a"), mark("b"))
	h.srv.UseHTTP(deny)
	want := func(what string, header http.Header, calls ...string) {
		t.Helper()
		if !slices.Equal(order, calls) || !slices.Equal(header["X-Mark"], []string{"a", "b"}) {
			t.Errorf("%s: %q, headers %v", what, order, header)
		}
		order = nil
	}
	res := h.do("GET", "EIO=4&transport=polling", "")
	want("handshake", res.header, "a", "b", "session")
	query := "EIO=4&transport=polling&sid=" + (<-h.sessions).session.ID()
	want("POST", h.post(query, "4x").header, "a", "b")
	want("refusal", h.do("GET", "EIO=4&transport=x", "").header, "a", "b")
	_, ws, err := h.tryDial("EIO=4&transport=websocket") // through a writer with Unwrap
	if err != nil {
		t.Fatal(err)
	}
	<-h.sessions // which is made after the answer
	want("WebSocket", ws.Header, "a", "b", "session")
	if res := h.do("GET", "EIO=4&transport=polling", "", "X-Deny", "1"); res.status != http.StatusTeapot {
		t.Errorf("denied: %d", res.status)
	}
	if _, ws, err := h.tryDial("EIO=4&transport=websocket", "X-Deny", "1"); err == nil || ws == nil || ws.StatusCode != http.StatusTeapot {
		t.Errorf("denied WebSocket: %v", err)
	}
}

// wrapped is what many a middleware does to a ResponseWriter.
type wrapped struct{ http.ResponseWriter }

func (w *wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// TestOtherHandlers: upgrades of other handlers on the same port, and other
// paths, are none of the engine's business (destroyUpgrade in JavaScript).
func TestOtherHandlers(t *testing.T) {
	h := &harness{t: t}
	h.srv = engineio.NewServer(h.options(nil, nil))
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", h.srv)
	mux.Handle("/engine.io", h.srv) // for clients with addTrailingSlash: false
	mux.HandleFunc("/other", func(w http.ResponseWriter, r *http.Request) {
		nc, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: mine\r\n\r\n")
		line, _ := rw.ReadString('\n')
		io.WriteString(nc, "echo "+line)
	})
	ts := httptest.NewServer(mux)
	defer ts.Close()
	defer h.srv.Close()
	h.client, h.base = ts.Client(), ts.URL+"/engine.io"

	req, _ := http.NewRequest("GET", ts.URL+"/other", nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "mine")
	res, err := ts.Client().Do(req)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", res, err)
	}
	rw := res.Body.(io.ReadWriteCloser)
	defer rw.Close()

	for _, base := range []string{ts.URL + "/engine.io", ts.URL + "/engine.io/", ts.URL + "/engine.io/deeper"} {
		h.base = base
		query, _ := h.openPoll()
		if h.post(query, "4x").body != "ok" {
			t.Errorf("%s: not served", base)
		}
		c := h.dialWS("EIO=4&transport=websocket")
		openSID(t, c.read())
	}
	h.base = ts.URL + "/elsewhere"
	if res := h.do("GET", "EIO=4&transport=polling", ""); res.status != http.StatusNotFound {
		t.Errorf("another path: %d", res.status)
	}

	io.WriteString(rw, "still here\n") // and long after
	if line, err := bufio.NewReader(rw).ReadString('\n'); line != "echo still here\n" {
		t.Errorf("the other upgrade got %q, %v", line, err)
	}
}
