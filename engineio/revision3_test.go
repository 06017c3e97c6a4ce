package engineio_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/ws"
)

func eio3() *engineio.Options { return &engineio.Options{AllowEIO3: true} }

// openPoll3 makes a handshake of revision 3; extra goes into each query.
func (h *harness) openPoll3(extra string) (query string, rec *recorder) {
	h.t.Helper()
	res := h.do("GET", "EIO=3&transport=polling"+extra, "")
	n, packet, ok := strings.Cut(res.body, ":")
	if res.status != 200 || !ok || n != fmt.Sprint(len(packet)) {
		h.t.Fatalf("handshake = %d %q", res.status, res.body)
	}
	return "EIO=3&transport=polling" + extra + "&sid=" + openSID(h.t, packet), <-h.sessions
}

// TestRevision3Sent: the framings of a poll.
func TestRevision3Sent(t *testing.T) {
	h := newHarness(t, eio3(), nil)
	tests := []struct {
		name, extra string
		send        []engineio.Message
		want, kind  string
	}{
		{"text", "", []engineio.Message{text("a"), text("é😀")}, "2:4a4:4é😀", "text/plain; charset=UTF-8"},
		{"bytes", "", []engineio.Message{text("é"), binary(1, 2, 3)}, "\x00\x03\xff4é\x01\x04\xff\x04\x01\x02\x03", "application/octet-stream"},
		{"bytes as text", "&b64=1", []engineio.Message{text("é"), binary(1, 2, 3)}, "2:4é6:b4AQID", "text/plain; charset=UTF-8"},
		{"an empty b64 asks for nothing", "&b64=", []engineio.Message{binary(1)}, "\x01\x02\xff\x04\x01", "application/octet-stream"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			query, rec := h.openPoll3(tt.extra)
			if rec.session.Protocol() != 3 {
				t.Errorf("Protocol = %d", rec.session.Protocol())
			}
			send(t, rec.session, tt.send...)
			res := h.do("GET", query, "")
			if res.body != tt.want || res.header.Get("Content-Type") != tt.kind {
				t.Errorf("polled %q as %q; want %q as %q", res.body, res.header.Get("Content-Type"), tt.want, tt.kind)
			}
		})
	}
}

// TestRevision3Received: the framings of a POST.
func TestRevision3Received(t *testing.T) {
	h := newHarness(t, eio3(), nil)
	tests := []struct {
		name, kind, body string
		want             []string
		bad              bool
	}{
		{"text", "text/plain;charset=UTF-8", "4:4é😀0:2:4b", []string{"é😀", "b"}, false},
		{"bytes as text", "text/plain;charset=UTF-8", "6:b4AQID3:b4=", []string{"b010203", "b"}, false},
		{"bytes", "application/octet-stream", "\x01\x04\xff\x04\x01\x02\x03\x00\x03\xff4é", []string{"b010203", "é"}, false},
		{"a good one before a bad one", "text/plain", "2:4a9:x", []string{"a"}, true},
		{"no length", "text/plain", "4a", nil, true},
		{"nothing", "text/plain", "", nil, true},
		{"unknown type", "text/plain", "2:7a", nil, true},
		{"unknown type of bytes", "application/octet-stream", "\x01\x02\xff\x07a", nil, true},
		{"an empty packet of bytes", "application/octet-stream", "\x01\x00\xff", nil, true},
		{"base64 without a type", "text/plain", "1:b", nil, true},
		{"revision 4", "text/plain", "4a\x1e4b", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			query, rec := h.openPoll3("")
			h.do("POST", query, tt.body, "Content-Type", tt.kind)
			if got := rec.messages(); !slices.Equal(got, tt.want) {
				t.Errorf("received %q; want %q", got, tt.want)
			}
			if tt.bad {
				if reason := rec.waitClosed(t); reason != engineio.ParseError {
					t.Errorf("closed for %q", reason)
				}
			} else if res := h.post(query, "1:1"); res.body != "ok" || rec.waitClosed(t) != engineio.TransportClose {
				t.Errorf("the session did not live to be closed")
			}
		})
	}
}

// TestRevision3WebSocket: the forms of bytes on a WebSocket, of both revisions.
func TestRevision3WebSocket(t *testing.T) {
	h := newHarness(t, eio3(), nil)
	tests := []struct {
		query string
		op    ws.Opcode
		wire  string
	}{
		{"EIO=3", ws.Binary, "\x04\x01\x02\x03"},
		{"EIO=3&b64=1", ws.Text, "b4AQID"},
		{"EIO=4", ws.Binary, "\x01\x02\x03"},
		{"EIO=4&b64=1", ws.Text, "bAQID"},
	}
	shared := engineio.Prepare(text("head"), binary(1, 2, 3))
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			h.t = t
			c := h.dialWS(tt.query + "&transport=websocket")
			openSID(t, c.read())
			rec := <-h.sessions
			wire := func() {
				t.Helper()
				if m, err := c.next(); err != nil || m.Op != tt.op || string(m.Data) != tt.wire {
					t.Errorf("got %v %q, %v; want %v %q", m.Op, m.Data, err, tt.op, tt.wire)
				}
			}
			for range 2 { // built, and taken from the cache
				if err := rec.session.Send(shared, 0); err != nil {
					t.Fatal(err)
				}
				c.want("4head")
				wire()
			}
			if err := rec.session.SendMessage(binary(1, 2, 3), 0); err != nil {
				t.Fatal(err)
			}
			wire()
			c.write(tt.op, tt.wire)
			if got := rec.waitMessages(t, 1); !slices.Equal(got, []string{"b010203"}) {
				t.Errorf("received %q", got)
			}
		})
	}
}

// TestRevision3Upgrade: the queue of polling moves to a WebSocket, bytes in it.
func TestRevision3Upgrade(t *testing.T) {
	h := newHarness(t, eio3(), nil)
	query, rec := h.openPoll3("&b64=1")
	c := h.dialWS(strings.Replace(query, "polling&b64=1", "websocket", 1))
	c.text("2probe")
	c.want("3probe")
	send(t, rec.session, text("a"), binary(1))
	c.text("5")
	c.want("4a", "b0401")
	c.text("2")
	c.want("3")
	if got := rec.session.Transport(); got != engineio.WebSocket {
		t.Errorf("transport %q", got)
	}
}

// TestRevision3Heartbeat: the client pings; its silence, and its pongs, end the
// session.
func TestRevision3Heartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, eio3())
		defer stop()
		start := time.Now()
		c := h.dialWS("EIO=3&transport=websocket")
		openSID(t, c.read())
		rec := <-h.sessions
		for range 3 {
			time.Sleep(44 * time.Second)
			c.text("2data")
			c.want("3")
			c.text("4message") // keeps nothing alive
		}
		if got := rec.waitMessages(t, 3); len(got) != 3 {
			t.Errorf("received %q", got)
		}
		<-rec.closed
		if rec.reason != engineio.PingTimeout || time.Since(start) != (3*44+45)*time.Second {
			t.Errorf("closed for %q after %v", rec.reason, time.Since(start))
		}

		c = h.dialWS("EIO=3&transport=websocket")
		openSID(t, c.read())
		rec = <-h.sessions
		c.text("3")
		<-rec.closed
		if rec.reason != engineio.TransportError {
			t.Errorf("closed for %q; want the wrong direction to be an error", rec.reason)
		}
	})
}

// TestRevision3Paused: while we do not read, the client's pings are not missed.
func TestRevision3Paused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, eio3())
		defer stop()
		c := h.dialWS("EIO=3&transport=websocket")
		openSID(t, c.read())
		rec := <-h.sessions
		rec.session.Pause()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		select {
		case <-rec.closed:
			t.Fatalf("closed for %q while paused", rec.reason)
		default:
		}
		rec.session.Resume()
		<-rec.closed
		if rec.reason != engineio.PingTimeout {
			t.Errorf("closed for %q", rec.reason)
		}
	})
}

// TestRevision3Close: the last words of the server have the framing too.
func TestRevision3Close(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, eio3())
		defer stop()
		query, rec := h.openPoll3("")
		later := h.pollLater(query)
		synctest.Wait()
		rec.session.Close()
		if res := <-later; res.body != "1:1" {
			t.Errorf("the open poll got %q; want a close packet", res.body)
		}
		query, rec = h.openPoll3("")
		rec.session.Close()
		if got := h.poll(query); got != "1:61:1" {
			t.Errorf("the next poll got %q", got)
		}
	})
}

// TestRevisionOfASession: it is that of the handshake, in either direction.
func TestRevisionOfASession(t *testing.T) {
	var seen []map[string]any
	o := eio3()
	o.OnConnectionError = func(e *engineio.ConnectionError) { seen = append(seen, e.Context) }
	h := newHarness(t, o, nil)
	three, _ := h.openPoll3("")
	four, _ := h.openPoll()
	for _, query := range []string{strings.Replace(three, "EIO=3", "EIO=4", 1), strings.Replace(four, "EIO=4", "EIO=3", 1), strings.Replace(four, "EIO=4&", "", 1)} {
		if res := h.do("GET", query, ""); res.status != 400 || !strings.HasPrefix(res.body, `{"code":3,"message":"Bad request"`) {
			t.Errorf("%s = %d %s", query, res.status, res.body)
		}
	}
	want := []string{
		"map[name:PROTOCOL_MISMATCH previousProtocol:3 protocol:4]",
		"map[name:PROTOCOL_MISMATCH previousProtocol:4 protocol:3]",
		"map[name:PROTOCOL_MISMATCH previousProtocol:4 protocol:3]",
	}
	for i := range want {
		if i >= len(seen) || fmt.Sprint(seen[i]) != want[i] {
			t.Fatalf("contexts %v; want %v", seen, want)
		}
	}
	// Anything that is not 4 is 3, also none and 5.
	for _, eio := range []string{"", "EIO=5&", "EIO=04&"} {
		if res := h.do("GET", eio+"transport=polling", ""); !strings.Contains(res.body, `:0{"sid"`) {
			t.Errorf("%s: %d %q", eio, res.status, res.body)
		}
	}
}

// call returns what a script calls ___eio[j] with.
func call(t *testing.T, j string, res response) string {
	t.Helper()
	body, head := strings.CutPrefix(res.body, "___eio["+j+"](")
	body, foot := strings.CutSuffix(body, ");")
	var s string
	if err := json.Unmarshal([]byte(body), &s); err != nil || !head || !foot || res.status != 200 {
		t.Fatalf("not a call of ___eio[%s]: %d %q", j, res.status, res.body)
	}
	if kind := res.header.Get("Content-Type"); kind != "text/javascript; charset=UTF-8" || res.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("Content-Type %q; a browser would not run it", kind)
	}
	return s
}

func TestJSONP(t *testing.T) {
	h := newHarness(t, &engineio.Options{AllowJSONP: true}, nil)
	const base = "EIO=4&transport=polling&j=3"
	open := call(t, "3", h.do("GET", base, ""))
	rec := <-h.sessions
	query := base + "&sid=" + openSID(t, open)

	// Everything that could end a string, a line or a script.
	odd := "\u2028\u2029</script><!--\"'\\\r\n\x00é😀"
	send(t, rec.session, text(odd), binary(1, 2, 3))
	res := h.do("GET", query, "")
	if got := call(t, "3", res); got != "4"+odd+"\x1ebAQID" {
		t.Errorf("called with %q", got)
	}
	if strings.ContainsAny(res.body, "\u2028\u2029\n\r") {
		t.Errorf("%q has a character that ends a line of a script", res.body)
	}

	form := url.Values{"x": {"1"}, "d": {`4a\nb\\nc` + "\x1ebAQID\x1e4+%&é"}}.Encode()
	if res := h.do("POST", query, form, "Content-Type", "application/x-www-form-urlencoded"); res.status != 200 || res.body != "ok" {
		t.Fatalf("POST = %d %q", res.status, res.body)
	}
	if got, want := rec.messages(), []string{"a\nb\\nc", "b010203", "+%&é"}; !slices.Equal(got, want) {
		t.Errorf("received %q; want %q", got, want)
	}

	for _, tt := range []struct{ j, digits string }{{"", ""}, {"1]=alert(1)//2", "112"}, {"<script>", ""}, {strings.Repeat("9", 99), strings.Repeat("9", 16)}} {
		call(t, tt.digits, h.do("GET", "EIO=4&transport=polling&j="+url.QueryEscape(tt.j), ""))
	}
	for _, body := range []string{"x=1", "d=%zz", ""} { // no payload at all
		open := call(t, "3", h.do("GET", base, ""))
		for len(h.sessions) > 1 {
			<-h.sessions
		}
		rec := <-h.sessions
		h.do("POST", base+"&sid="+openSID(t, open), body, "Content-Type", "application/x-www-form-urlencoded")
		if reason := rec.waitClosed(t); reason != engineio.ParseError {
			t.Errorf("%q: closed for %q", body, reason)
		}
	}
}

// TestJSONPRevision3: the framing of revision 3 inside the call; bytes are
// text even if the client forgets b64.
func TestJSONPRevision3(t *testing.T) {
	h := newHarness(t, eio3(), nil)
	open := call(t, "0", h.do("GET", "EIO=3&transport=polling&j=0", ""))
	rec := <-h.sessions
	_, packet, _ := strings.Cut(open, ":")
	query := "EIO=3&transport=polling&j=0&sid=" + openSID(t, packet)
	send(t, rec.session, text("é"), binary(1, 2, 3))
	if got := call(t, "0", h.do("GET", query, "")); got != "2:4é6:b4AQID" {
		t.Errorf("called with %q", got)
	}
	h.do("POST", query, "d="+url.QueryEscape("3:4é!"), "Content-Type", "application/x-www-form-urlencoded")
	if got := rec.messages(); !slices.Equal(got, []string{"é!"}) {
		t.Errorf("received %q", got)
	}
}

// TestJSONPIsOff: without the option j means nothing.
func TestJSONPIsOff(t *testing.T) {
	h := newHarness(t, nil, nil)
	if res := h.do("GET", "EIO=4&transport=polling&j=0", ""); !strings.HasPrefix(res.body, "0{") || !strings.HasPrefix(res.header.Get("Content-Type"), "text/plain") {
		t.Errorf("got %q", res.body)
	}
}

// TestJSONPOrigins: a page of another origin gets no session by including a
// script, or it could act as its visitor.
func TestJSONPOrigins(t *testing.T) {
	h := newHarness(t, &engineio.Options{AllowJSONP: true, CORS: &engineio.CORS{Origins: []string{"https://friend.example"}, Credentials: true}}, nil)
	tests := []struct {
		name   string
		header []string
		ok     bool
	}{
		{"no browser", nil, true},
		{"same origin", []string{"Sec-Fetch-Site", "same-origin", "Cookie", "a=b"}, true},
		{"another origin that hides", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"another origin", []string{"Sec-Fetch-Site", "cross-site", "Referer", "https://evil.example/page"}, false},
		{"a subdomain", []string{"Sec-Fetch-Site", "same-site", "Referer", "https://sub.friend.example/"}, false},
		{"an origin of CORS", []string{"Sec-Fetch-Site", "cross-site", "Referer", "https://friend.example/page"}, true},
		{"old browser, same origin", []string{"Referer", "http://" + strings.TrimPrefix(strings.TrimSuffix(h.base, "/engine.io/"), "http://") + "/page", "Cookie", "a=b"}, true},
		{"old browser, another origin", []string{"Referer", "https://evil.example/page"}, false},
		{"old browser that hides, with cookies", []string{"Cookie", "a=b"}, false},
		{"an Origin", []string{"Origin", "https://evil.example"}, false},
		{"an Origin of CORS", []string{"Origin", "https://friend.example"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := h.do("GET", "EIO=4&transport=polling&j=0", "", tt.header...)
			if (res.status == 200) != tt.ok || !tt.ok && res.status != 403 {
				t.Errorf("%d %.60q; want allowed: %v", res.status, res.body, tt.ok)
			}
		})
	}
}
