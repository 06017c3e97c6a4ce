package engineio_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/ws"
)

// Each test of a limit goes up to it, where all is well and nothing counted, and
// one beyond it.

// wantLimits compares what has been counted.
func (h *harness) wantLimits(want map[string]uint64) {
	h.t.Helper()
	if got := h.srv.Stats().Limits; !maps.Equal(got, want) {
		h.t.Errorf("limits hit: %v; want %v", got, want)
	}
}

func TestLimitConnections(t *testing.T) {
	h := newHarness(t, &engineio.Options{MaxConnections: 2}, echo)
	first, rec := h.openWS()
	h.openPoll()
	h.wantLimits(map[string]uint64{})
	for range 2 {
		res := h.do("GET", "EIO=4&transport=polling", "")
		if res.status != 503 || res.body != `{"code":3,"message":"Service Unavailable"}` || res.header.Get("Retry-After") == "" {
			t.Errorf("one too many = %d %s, Retry-After %q", res.status, res.body, res.header.Get("Retry-After"))
		}
	}
	if _, res, err := h.tryDial("EIO=4&transport=websocket"); err == nil || res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
		t.Errorf("one too many by WebSocket: %v, %+v", err, res)
	}
	h.wantLimits(map[string]uint64{"MaxConnections": 3})

	first.write(ws.Close, "")
	rec.waitClosed(t)
	for h.srv.Sessions() == 2 { // it is counted out behind Closed
		<-time.After(time.Millisecond)
	}
	h.openWS()
	if got := h.srv.Stats(); got.Sessions != 2 || got.WebSockets != 1 || got.Opened != 3 || got.Closed[engineio.TransportClose] != 1 || got.Refused[engineio.BadRequest] != 3 {
		t.Errorf("stats %+v", got)
	}
}

func TestLimitConnectionsPerAddress(t *testing.T) {
	h := newHarness(t, &engineio.Options{
		MaxConnectionsPerAddress: 2,
		TrustedProxies:           []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")},
	}, echo)
	from := func(forwarded string) int {
		return h.do("GET", "EIO=4&transport=polling", "", "X-Forwarded-For", forwarded).status
	}
	for i, tt := range []struct {
		forwarded string
		status    int
	}{
		{"203.0.113.7", 200},
		{"203.0.113.7, 10.1.2.3", 200}, // through another proxy of ours
		{"203.0.113.7", 429},
		{"198.51.100.1, 203.0.113.7", 429}, // what stands before it is the client's own word
		{"203.0.113.8", 200},
		{"2001:db8::1", 200},
		{"2001:db8::2", 200}, // the same subscriber
		{"2001:db8::3", 429},
		{"2001:db8:0:1::1", 200},
		{"::ffff:203.0.113.8", 200}, // the second of that address
		{"203.0.113.8", 429},
		{"", 200}, // a client that sits where the proxies are
		{"<script>", 200},
		{"rubbish, 127.0.0.1", 429}, // no address: the last that can be believed counts
	} {
		if got := from(tt.forwarded); got != tt.status {
			t.Errorf("%d: from %q = %d; want %d", i, tt.forwarded, got, tt.status)
		}
	}
	h.wantLimits(map[string]uint64{"MaxConnectionsPerAddress": 5})
	for range 9 {
		(<-h.sessions).session.Abort(engineio.ForcedClose)
	}
	for h.srv.Sessions() > 0 {
		<-time.After(time.Millisecond)
	}
	if got := from("203.0.113.7"); got != 200 {
		t.Errorf("when all had left: %d", got)
	}
}

func TestLimitHandshakes(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	h := newHarness(t, &engineio.Options{
		MaxHandshakes: 2,
		AllowRequest:  func(*http.Request) error { asked <- struct{}{}; <-answer; return nil },
	}, echo)
	first, second := h.pollLater("EIO=4&transport=polling"), h.pollLater("EIO=4&transport=polling")
	<-asked
	<-asked
	if n := h.srv.Stats().Handshakes; n != 2 {
		t.Errorf("%d handshakes", n)
	}
	h.wantLimits(map[string]uint64{})
	if res := h.do("GET", "EIO=4&transport=polling", ""); res.status != 503 || res.header.Get("Retry-After") != "1" {
		t.Errorf("one too many = %d %s, Retry-After %q", res.status, res.body, res.header.Get("Retry-After"))
	}
	h.wantLimits(map[string]uint64{"MaxHandshakes": 1})
	close(answer)
	for _, res := range []response{<-first, <-second} {
		if res.status != 200 {
			t.Errorf("got %d %s", res.status, res.body)
		}
	}
	go func() { <-asked }()
	h.openPoll()
}

func TestLimitPayload(t *testing.T) {
	const limit = 1000
	h := newHarness(t, &engineio.Options{MaxPayload: limit}, echo)
	q, rec := h.openPoll()
	fits := "4" + strings.Repeat("x", limit-1)
	if res := h.post(q, fits); res.status != 200 {
		t.Errorf("POST of %d bytes = %d", limit, res.status)
	}
	rec.waitMessages(t, 1)
	c, wsRec := h.openWS()
	c.text(fits)
	c.want(fits)
	// In fragments of one byte fewer than it takes to be too big at once.
	first := ws.AppendMasked(nil, ws.Text, []byte(fits[:limit-1]), [4]byte{})
	first[0] &^= 0x80
	c.raw(append(first, ws.AppendMasked(nil, ws.Continuation, []byte("x"), [4]byte{})...))
	c.want(fits)
	h.wantLimits(map[string]uint64{})

	if res := h.post(q, fits+"x"); res.status != http.StatusRequestEntityTooLarge {
		t.Errorf("POST of %d bytes = %d", limit+1, res.status)
	}
	if res := h.post(q, "4small"); res.status != 200 {
		t.Errorf("the session did not survive: %d", res.status)
	}
	c.text(fits + "x")
	c.want("close 1009")
	if got := wsRec.waitClosed(t); got != engineio.TransportError {
		t.Errorf("ended with %q", got)
	}
	h.wantLimits(map[string]uint64{"MaxPayload": 2})
}

func TestLimitPayloadPackets(t *testing.T) {
	h := newHarness(t, &engineio.Options{MaxPayloadPackets: 3}, echo)
	q, rec := h.openPoll()
	if res := h.post(q, "4a\x1e4b\x1e4c"); res.status != 200 {
		t.Errorf("three packets = %d", res.status)
	}
	rec.waitMessages(t, 3)
	h.wantLimits(map[string]uint64{})
	h.post(q, "4a\x1e4b\x1e4c\x1e4d")
	if got := rec.waitClosed(t); got != engineio.ParseError {
		t.Errorf("ended with %q", got)
	}
	h.wantLimits(map[string]uint64{"MaxPayloadPackets": 1})
}

func TestLimitFragments(t *testing.T) {
	const limit = 10
	h := newHarness(t, &engineio.Options{MaxFragments: limit}, echo)
	message := func(fragments, size int) (in []byte) {
		for i := range fragments {
			op := ws.Continuation
			if i == 0 {
				op = ws.Text
			}
			f := ws.AppendMasked(nil, op, []byte(strings.Repeat("4", size)), [4]byte{})
			if i < fragments-1 {
				f[0] &^= 0x80
			}
			in = append(in, f...)
		}
		return in
	}
	c, _ := h.openWS()
	c.raw(message(limit, 1))
	c.want(strings.Repeat("4", limit))
	c.raw(message(limit+1, 100)) // larger ones are fine
	c.want(strings.Repeat("4", (limit+1)*100))
	h.wantLimits(map[string]uint64{})
	for i, size := range []int{0, 1} {
		c, rec := h.openWS()
		c.raw(message(limit+1, size))
		c.want("close 1008")
		rec.waitClosed(t)
		h.wantLimits(map[string]uint64{"MaxFragments": uint64(i + 1)})
	}
}

func TestLimitPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, &engineio.Options{MaxPings: 3})
		defer stop()
		c := h.dialWS("EIO=4&transport=websocket")
		c.read()
		for range 3 {
			for range 3 {
				c.write(ws.Ping, "x")
				c.want("pong x")
			}
			<-time.After(time.Second)
		}
		h.wantLimits(map[string]uint64{})
		for range 3 {
			c.write(ws.Ping, "x")
			c.want("pong x")
		}
		c.write(ws.Ping, "x")
		c.want("close 1008")
		h.wantLimits(map[string]uint64{"MaxPings": 1})
		c.nc.Close()
	})
}

// A body that trickles is given up, and its session with it; one that takes just
// as long as it may is not.
func TestLimitBodyTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, &engineio.Options{BodyTimeout: 5 * time.Second})
		defer stop()
		slow := func(query string, d time.Duration) error {
			body, w := io.Pipe()
			written := make(chan struct{})
			go func() {
				defer close(written)
				io.WriteString(w, "4sl")
				<-time.After(d)
				io.WriteString(w, "ow")
				w.Close()
			}()
			defer func() { <-written }()
			res, err := h.client.Post(h.base+"?"+query, "text/plain", body)
			if err == nil {
				res.Body.Close()
				if res.StatusCode != 200 {
					err = fmt.Errorf("status %d", res.StatusCode)
				}
			}
			return err
		}
		q, rec := h.openPoll()
		if err := slow(q, 5*time.Second-time.Millisecond); err != nil {
			t.Error(err)
		}
		rec.waitMessages(t, 1)
		h.wantLimits(map[string]uint64{})
		slow(q, 5*time.Second+time.Millisecond)
		if got := rec.waitClosed(t); got != engineio.TransportError {
			t.Errorf("ended with %q", got)
		}
		h.wantLimits(map[string]uint64{"BodyTimeout": 1})
	})
}

func TestLimitUpgradeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, &engineio.Options{UpgradeTimeout: time.Second})
		defer stop()
		q, _ := h.openPoll()
		sid := q[strings.Index(q, "sid="):]
		c := h.dialWS("EIO=4&transport=websocket&" + sid)
		c.text("2probe")
		c.want("3probe")
		<-time.After(time.Second - time.Millisecond)
		c.text("5")
		<-time.After(time.Minute)
		h.wantLimits(map[string]uint64{})
		c.nc.Close()

		q, _ = h.openPoll()
		c = h.dialWS("EIO=4&transport=websocket&" + q[strings.Index(q, "sid="):])
		c.text("2probe")
		c.want("3probe")
		<-time.After(time.Second + time.Millisecond)
		h.wantLimits(map[string]uint64{"UpgradeTimeout": 1})
		c.nc.Close()
	})
}

// Of what waits for a polling client, the limit and one more, by packets and by
// bytes; and what is lost is counted.
func TestLimitQueue(t *testing.T) {
	for limit, o := range map[string]engineio.Options{"MaxQueuedPackets": {MaxQueuedPackets: 4}, "MaxQueuedBytes": {MaxQueuedBytes: 40}} {
		h := newHarness(t, &o, echo)
		_, rec := h.openPoll() // that took the open packet
		ten := engineio.Prepare(text("0123456789"))
		for range 4 {
			if err := rec.session.Send(ten, 0); err != nil {
				t.Error(err)
			}
		}
		if bytes, packets := rec.session.Buffered(); bytes != 40 || packets != 4 {
			t.Errorf("buffered %d bytes in %d packets", bytes, packets)
		}
		h.wantLimits(map[string]uint64{})
		if err := rec.session.Send(ten, engineio.Volatile); err != engineio.ErrDropped {
			t.Errorf("volatile: %v", err)
		}
		if err := rec.session.Send(ten, 0); err != engineio.ErrSlowConsumer {
			t.Errorf("one too many: %v", err)
		}
		rec.waitClosed(t)
		h.wantLimits(map[string]uint64{limit: 1})
		want := map[engineio.DropReason]uint64{engineio.DropSlow: 5, engineio.DropVolatile: 1}
		if got := h.srv.Stats().Dropped; !maps.Equal(got, want) {
			t.Errorf("dropped %v; want %v", got, want)
		}
	}
}

// What waits for a poll that never comes is counted when the session ends.
func TestDropClosed(t *testing.T) {
	h := newHarness(t, nil, echo)
	_, rec := h.openPoll()
	send(t, rec.session, text("a"))
	send(t, rec.session, text("b"))
	rec.session.Abort(engineio.ForcedClose)
	rec.waitClosed(t)
	want := map[engineio.DropReason]uint64{engineio.DropClosed: 2}
	if got := h.srv.Stats().Dropped; !maps.Equal(got, want) {
		t.Errorf("dropped %v; want %v", got, want)
	}
}
