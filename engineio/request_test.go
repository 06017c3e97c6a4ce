package engineio_test

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sockeye-go/socketio/engineio"
)

// TestRefusals: each bad request gets the status and the JSON of the original,
// and none of them makes a session.
func TestRefusals(t *testing.T) {
	var seen []engineio.ConnectionError
	h := newHarness(t, &engineio.Options{
		OnConnectionError: func(e *engineio.ConnectionError) { seen = append(seen, *e) },
		AllowRequest: func(r *http.Request) error {
			switch r.Header.Get("X-Case") {
			case "plain":
				return errors.New("secret detail")
			case "message":
				return &engineio.RefuseError{Message: "come back later", Status: 503}
			case "body":
				return &engineio.RefuseError{Status: 401, Body: []byte("<who are you>")}
			}
			return nil
		},
	}, nil)
	const polling = "EIO=4&transport=polling"
	tests := []struct {
		name, method, query, body string
		header                    []string
		status                    int
		want                      string
		code                      engineio.Code
	}{
		{name: "no transport", method: "GET", query: "EIO=4", status: 400, want: `{"code":0,"message":"Transport unknown"}`, code: 0},
		{name: "unknown transport", method: "GET", query: "EIO=4&transport=flash", status: 400, want: `{"code":0,"message":"Transport unknown"}`, code: 0},
		{name: "webtransport over HTTP/1", method: "GET", query: "EIO=4&transport=webtransport", status: 400, want: `{"code":0,"message":"Transport unknown"}`, code: 0},
		{name: "property of every object", method: "GET", query: "EIO=4&transport=constructor", status: 400, want: `{"code":0,"message":"Transport unknown"}`, code: 0},
		{name: "last value counts", method: "GET", query: "EIO=4&transport=polling&transport=x", status: 400, want: `{"code":0,"message":"Transport unknown"}`, code: 0},
		{name: "unknown sid", method: "GET", query: polling + "&sid=AAAAAAAAAAAAAAAAAAAA", status: 400, want: `{"code":1,"message":"Session ID unknown"}`, code: 1},
		{name: "unknown sid POST", method: "POST", query: polling + "&sid=x", body: "4x", status: 400, want: `{"code":1,"message":"Session ID unknown"}`, code: 1},
		{name: "method", method: "POST", query: polling, body: "4x", status: 400, want: `{"code":2,"message":"Bad handshake method"}`, code: 2},
		{name: "OPTIONS without CORS", method: "OPTIONS", query: polling, status: 400, want: `{"code":2,"message":"Bad handshake method"}`, code: 2},
		{name: "websocket without upgrade", method: "GET", query: "EIO=4&transport=websocket", status: 400, want: `{"code":3,"message":"Bad request"}`, code: 3},
		{name: "refused", method: "GET", query: polling, header: []string{"X-Case", "plain"}, status: 403, want: `{"code":4,"message":"Forbidden"}`, code: 4},
		{name: "refused with status", method: "GET", query: polling, header: []string{"X-Case", "message"}, status: 503, want: `{"code":4,"message":"come back later"}`, code: 4},
		{name: "refused with body", method: "GET", query: polling, header: []string{"X-Case", "body"}, status: 401, want: "<who are you>", code: 4},
		{name: "no revision", method: "GET", query: "transport=polling", status: 400, want: `{"code":5,"message":"Unsupported protocol version"}`, code: 5},
		{name: "revision 3", method: "GET", query: "EIO=3&transport=polling", status: 400, want: `{"code":5,"message":"Unsupported protocol version"}`, code: 5},
		{name: "revision 5", method: "GET", query: "EIO=5&transport=polling", status: 400, want: `{"code":5,"message":"Unsupported protocol version"}`, code: 5},
		{name: "revision 04", method: "GET", query: "EIO=04&transport=polling", status: 400, want: `{"code":5,"message":"Unsupported protocol version"}`, code: 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			seen = nil
			res := h.do(tt.method, tt.query, tt.body, tt.header...)
			if body, hinted := withoutHint(res.body); res.status != tt.status || body != tt.want || hinted != (tt.code != engineio.Forbidden) {
				t.Errorf("got %d %s; want %d %s", res.status, res.body, tt.status, tt.want)
			}
			if res.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Error("no nosniff: an error could be taken for a page")
			}
			if len(seen) != 1 || seen[0].Code != tt.code || seen[0].Request == nil || len(seen[0].Context) == 0 {
				t.Errorf("OnConnectionError got %+v", seen)
			}
		})
	}
	if n := h.srv.Sessions(); n != 0 {
		t.Errorf("%d sessions after refusals only", n)
	}

	q, _ := h.openPoll()
	t.Run("method with sid", func(t *testing.T) {
		for _, m := range []string{"PUT", "DELETE", "OPTIONS"} {
			if res := h.do(m, q, ""); res.status != 500 || res.body != "" {
				t.Errorf("%s = %d %q; want 500 and nothing", m, res.status, res.body)
			}
		}
	})
	t.Run("revision of a session", func(t *testing.T) {
		if res := h.do("GET", strings.Replace(q, "EIO=4", "EIO=3", 1), ""); res.body != `{"code":3,"message":"Bad request","hint":"the session began with EIO=4, and this request has EIO=3"}` {
			t.Errorf("got %q", res.body)
		}
	})
	t.Run("transport of a session", func(t *testing.T) {
		if res := h.do("GET", wsQuery(q), ""); res.body != `{"code":3,"message":"Bad request","hint":"the session uses polling now, and this request websocket"}` {
			t.Errorf("got %q", res.body)
		}
	})
	if h.post(q, "4x").body != "ok" {
		t.Error("the session suffered from bad requests")
	}
}

// TestWebSocketRefusals: on a WebSocket the status is 400, or what the hook
// chose, and the message is plain.
func TestWebSocketRefusals(t *testing.T) {
	h := newHarness(t, &engineio.Options{AllowRequest: func(r *http.Request) error {
		if r.Header.Get("X-Case") != "" {
			return &engineio.RefuseError{Message: "no token", Status: 401}
		}
		return nil
	}}, nil)
	tests := []struct {
		name, query string
		header      []string
		status      int
		body        string
	}{
		{"transport", "EIO=4&transport=x", nil, 400, "Transport unknown"},
		{"sid", "EIO=4&transport=websocket&sid=x", nil, 400, "Session ID unknown"},
		{"revision", "EIO=3&transport=websocket", nil, 400, "Unsupported protocol version"},
		{"hook", "EIO=4&transport=websocket", []string{"X-Case", "1"}, 401, "no token"},
		{"origin", "EIO=4&transport=websocket", []string{"Origin", "https://evil.example"}, 403, "Forbidden"},
		{"null origin", "EIO=4&transport=websocket", []string{"Origin", "null"}, 403, "Forbidden"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, res, err := h.tryDial(tt.query, tt.header...)
			if err == nil || res == nil {
				t.Fatalf("dial = %v, %v; want a refusal", res, err)
			}
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != tt.status || string(body) != tt.body {
				t.Errorf("got %d %q; want %d %q", res.StatusCode, body, tt.status, tt.body)
			}
		})
	}
	for _, origin := range []string{"", strings.TrimSuffix(h.base, "/engine.io/")} {
		c, _, err := h.tryDial("EIO=4&transport=websocket", "Origin", origin)
		if err != nil {
			t.Fatalf("origin %q: %v", origin, err)
		}
		c.nc.Close()
	}
	c, _, err := h.tryDial("EIO=4&transport=websocket", "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "same-origin")
	if err != nil {
		t.Fatalf("same origin behind a proxy that changes Host: %v", err)
	}
	c.nc.Close()
	// An upgrade request for polling is accepted and closed, as the original does.
	odd := h.dialWS("EIO=4&transport=polling")
	odd.want("close 1005")
}

// TestHandshake compares the open packet with the original's, byte for byte.
func TestHandshake(t *testing.T) {
	h := newHarness(t, nil, nil)
	res := h.do("GET", "EIO=4&transport=polling", "")
	want := regexp.MustCompile(`^0\{"sid":"[\w-]{20}","upgrades":\["websocket"\],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000\}$`)
	if !want.MatchString(res.body) {
		t.Errorf("open packet %s", res.body)
	}
	if ct := res.header.Get("Content-Type"); ct != "text/plain; charset=UTF-8" {
		t.Errorf("content type %q", ct)
	}
	if cc := res.header.Get("Cache-Control"); cc != "no-store" {
		t.Errorf("cache control %q", cc)
	}
	c := h.dialWS("EIO=4&transport=websocket")
	want = regexp.MustCompile(`^0\{"sid":"[\w-]{20}","upgrades":\[\],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000\}$`)
	if got := c.read(); !want.MatchString(got) {
		t.Errorf("open packet %s", got)
	}
}

// TestInitialMessages: what OnSession sends is in the first response.
func TestInitialMessages(t *testing.T) {
	h := newHarness(t, &engineio.Options{OnSession: func(s *engineio.Session, r *http.Request) engineio.Receiver {
		if s.Transport() != r.URL.Query().Get("transport") {
			t.Errorf("transport in OnSession: %s", s.Transport())
		}
		_ = s.Send(engineio.Prepare(text("first")), 0)
		return nil
	}}, nil)
	res := h.do("GET", "EIO=4&transport=polling", "")
	if !strings.HasSuffix(res.body, "}\x1e4first") {
		t.Errorf("first response %q", res.body)
	}
	c := h.dialWS("EIO=4&transport=websocket")
	openSID(t, c.read())
	c.want("4first")
}

// TestClosedInHandshake: OnSession may end what it has just been given.
func TestClosedInHandshake(t *testing.T) {
	abort := true
	h := newHarness(t, &engineio.Options{OnSession: func(s *engineio.Session, r *http.Request) engineio.Receiver {
		if abort {
			s.Abort(engineio.ForcedClose)
		} else {
			_ = s.Send(engineio.Prepare(text("bye")), 0)
			s.Close()
		}
		return nil
	}}, nil)
	if res := h.do("GET", "EIO=4&transport=polling", ""); res.status != 400 {
		t.Errorf("aborted handshake = %d %q", res.status, res.body)
	}
	(<-h.sessions).waitClosed(t)
	h.dialWS("EIO=4&transport=websocket").want("close 1005")
	(<-h.sessions).waitClosed(t)
	abort = false
	res := h.do("GET", "EIO=4&transport=polling", "")
	if !strings.HasSuffix(res.body, "}\x1e4bye") {
		t.Errorf("closed handshake = %d %q", res.status, res.body)
	}
	first, _, _ := strings.Cut(res.body, "\x1e")
	if got := h.poll("EIO=4&transport=polling&sid=" + openSID(t, first)); got != "6\x1e1" {
		t.Errorf("poll of a closed handshake = %q", got)
	}
	(<-h.sessions).waitClosed(t)
	c := h.dialWS("EIO=4&transport=websocket")
	openSID(t, c.read())
	c.want("4bye", "close 1005")
	(<-h.sessions).waitClosed(t)
	if n := h.srv.Sessions(); n != 0 {
		t.Errorf("%d sessions left", n)
	}
}

func TestCORS(t *testing.T) {
	h := newHarness(t, &engineio.Options{CORS: &engineio.CORS{Origins: []string{"https://app.example", "https://*.wild.example"}, Credentials: true}}, nil)
	for origin, allowed := range map[string]bool{
		"https://app.example":         true,
		"https://a.b.wild.example":    true,
		"https://wild.example":        false,
		"https://evil.example":        false,
		"https://app.example.evil":    false,
		"http://app.example":          false,
		"https://.wild.example":       false,
		"https://evilwild.example":    false,
		"https://x.wild.example.evil": false,
	} {
		want := ""
		if allowed {
			want = origin
		}
		res := h.do("OPTIONS", "EIO=4&transport=polling", "", "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-token")
		if res.status != 204 || res.header.Get("Access-Control-Allow-Origin") != want {
			t.Errorf("preflight for %s = %d %q", origin, res.status, res.header.Get("Access-Control-Allow-Origin"))
		}
		res = h.do("GET", "EIO=4&transport=nope", "", "Origin", origin)
		if got := res.header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("error for %s: %q; a page must be able to read it", origin, got)
		}
		_, _, err := h.tryDial("EIO=4&transport=websocket", "Origin", origin)
		if (err == nil) != allowed {
			t.Errorf("WebSocket for %s: %v", origin, err)
		}
	}
	res := h.do("OPTIONS", "", "", "Origin", "https://app.example", "Access-Control-Request-Headers", "x-token")
	for name, want := range map[string]string{
		"Access-Control-Allow-Credentials": "true",
		"Access-Control-Allow-Headers":     "x-token",
		"Access-Control-Allow-Methods":     "GET,HEAD,PUT,PATCH,POST,DELETE",
	} {
		if got := res.header.Get(name); got != want {
			t.Errorf("%s = %q; want %q", name, got, want)
		}
	}
	if got := res.header.Values("Vary"); strings.Join(got, ",") != "Origin,Access-Control-Request-Headers" {
		t.Errorf("Vary = %q", got)
	}
}

func TestInvalidOptions(t *testing.T) {
	ok := func(*engineio.Session, *http.Request) engineio.Receiver { return nil }
	for field, o := range map[string]*engineio.Options{
		"OnSession":        {},
		"PingInterval":     {OnSession: ok, PingInterval: -1},
		"PingTimeout":      {OnSession: ok, PingTimeout: 5},
		"MaxPayload":       {OnSession: ok, MaxPayload: -1},
		"Transports":       {OnSession: ok, Transports: []string{"carrier pigeon"}},
		"CORS.Origins":     {OnSession: ok, CORS: &engineio.CORS{Origins: []string{"example.com"}}},
		"CORS.Credentials": {OnSession: ok, CORS: &engineio.CORS{Origins: []string{"*"}, Credentials: true}},
	} {
		func() {
			defer func() {
				if msg, _ := recover().(string); !strings.Contains(msg, field) {
					t.Errorf("%s: panic %q does not name the field", field, msg)
				}
			}()
			engineio.NewServer(o)
		}()
	}
}

// withoutHint takes the hint out of a refusal; the rest is the original's.
func withoutHint(body string) (string, bool) {
	head, _, hinted := strings.Cut(body, `,"hint":"`)
	if hinted {
		head += "}"
	}
	return head, hinted
}

// TestPollHeaders: what old browsers are told, and nobody else.
func TestPollHeaders(t *testing.T) {
	h := newHarness(t, nil, nil)
	for ua, want := range map[string]string{
		"": "",
		"Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0":          "",
		"Mozilla/4.0 (compatible;MSIE 8.0; Windows NT 6.1)":     "0",
		"Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0)":   "0",
		"Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1)":    "", // with a space: neither there nor here
		"Mozilla/5.0 (compatible; MSIE 10.0; Trident/6.0; ARM)": "0",
	} {
		res := h.do("GET", "EIO=4&transport=polling", "", "User-Agent", ua)
		if got := res.header.Get("X-XSS-Protection"); got != want || res.status != 200 {
			t.Errorf("%q: %d, X-XSS-Protection %q; want %q", ua, res.status, got, want)
		}
	}
}

// TestBodyOfAMiddleware: one that inflates bodies may leave ContentLength as it was.
func TestBodyOfAMiddleware(t *testing.T) {
	h := newHarness(t, nil, echo)
	query, _ := h.openPoll()
	h.srv.UseHTTP(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				r.Body = io.NopCloser(strings.NewReader("4longer than it was"))
			}
			next.ServeHTTP(w, r)
		})
	})
	if res := h.post(query, "4x"); res.status != 200 || res.header.Get("Content-Length") != "2" {
		t.Fatalf("got %+v", res)
	}
	if got := h.poll(query); got != "4longer than it was" {
		t.Errorf("got %q back", got)
	}
}

// TestBodyThatBreaks: of a type that cannot be compared, as a middleware may make it.
func TestBodyThatBreaks(t *testing.T) {
	h := newHarness(t, nil, nil)
	query, rec := h.openPoll()
	h.srv.UseHTTP(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				r.Body = brokenBody{iotest.ErrReader(errors.New("broken")), nil}
			}
			next.ServeHTTP(w, r)
		})
	})
	h.post(query, "4x")
	if got := rec.waitClosed(t); got != engineio.TransportError {
		t.Errorf("ended with %q", got)
	}
	if log := h.complaints.String(); log != "" {
		t.Errorf("the HTTP server complains: %s", log)
	}
}

type brokenBody struct {
	io.Reader
	_ []byte
}

func (brokenBody) Close() error { return nil }
