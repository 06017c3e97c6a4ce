package engineio_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/ws"
)

func wsQuery(q string) string {
	return strings.Replace(q, "transport=polling", "transport=websocket", 1)
}

// TestUpgrade walks the sequence of the protocol and sends in every phase.
func TestUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, nil)
		defer stop()
		q, rec := h.openPoll()
		waiting := h.pollLater(q)
		synctest.Wait()

		start := time.Now()
		c := h.dialWS(wsQuery(q))
		c.text("2probe")
		c.want("3probe")
		if res := <-waiting; res.body != "6" || time.Since(start) != 0 {
			t.Fatalf("waiting poll = %q after %v; want a noop at once", res.body, time.Since(start))
		}
		// A poll that comes during the probe is released within 100 ms.
		if got := h.poll(q); got != "6" || time.Since(start) != 100*time.Millisecond {
			t.Fatalf("poll = %q after %v; want a noop after 100ms", got, time.Since(start))
		}
		send(t, rec.session, text("a"))
		send(t, rec.session, binary(1, 2), text("b"))
		if res := h.post(q, "4late"); res.body != "ok" {
			t.Fatalf("POST during the probe = %q", res.body)
		}
		if tr := rec.session.Transport(); tr != "polling" {
			t.Errorf("transport during the probe: %s", tr)
		}
		c.text("5")
		c.want("4a", "b0102", "4b")
		send(t, rec.session, text("c"))
		c.want("4c")
		c.text("4over")
		c.write(ws.Binary, "\x07")
		got := rec.waitMessages(t, 3)
		if fmt.Sprint(got) != "[late over b07]" {
			t.Errorf("server got %q", got)
		}
		if tr := rec.session.Transport(); tr != "websocket" {
			t.Errorf("transport after the upgrade: %s", tr)
		}
		if res := h.do("GET", q, ""); res.status != 400 || !strings.HasPrefix(res.body, `{"code":3,"message":"Bad request"`) {
			t.Errorf("poll after the upgrade = %d %q", res.status, res.body)
		}
		second := h.dialWS(wsQuery(q))
		second.want("close 1005")
	})
}

// TestProbeFails: whatever goes wrong with a probe, the session goes on.
func TestProbeFails(t *testing.T) {
	probes := map[string]func(*wsClient){
		"wrong packet":         func(c *wsClient) { c.text("4hello") },
		"upgrade before probe": func(c *wsClient) { c.text("5") },
		"binary":               func(c *wsClient) { c.write(ws.Binary, "x") },
		"violation":            func(c *wsClient) { c.raw([]byte{0xff, 0xff}) },
		"closed":               func(c *wsClient) { c.write(ws.Close, "") },
		"gone":                 func(c *wsClient) { c.nc.Close() },
		"nothing": func(c *wsClient) {
			start := time.Now()
			c.want("close 1005")
			if got := time.Since(start); got != 10*time.Second {
				c.t.Errorf("probe ended after %v; want 10s", got)
			}
		},
		"no upgrade": func(c *wsClient) {
			c.text("2probe")
			c.want("3probe")
			start := time.Now()
			c.want("close 1005")
			if got := time.Since(start); got != 10*time.Second {
				c.t.Errorf("probe ended after %v; want 10s", got)
			}
		},
	}
	for name, fail := range probes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, stop := newBubble(t, &engineio.Options{PingInterval: time.Hour})
				defer stop()
				q, rec := h.openPoll()
				c := h.dialWS(wsQuery(q))
				fail(c)
				synctest.Wait()
				send(t, rec.session, text("still here"))
				if got := h.poll(q); got != "4still here" {
					t.Errorf("poll = %q", got)
				}
				// The next attempt is free to succeed.
				again := h.dialWS(wsQuery(q))
				again.text("2probe")
				again.want("3probe")
				again.text("5")
				send(t, rec.session, text("x"))
				for got := again.read(); got != "4x"; got = again.read() {
					t.Fatalf("read %q; want 4x", got)
				}
			})
		})
	}
}

// TestUpgradeUnderTraffic upgrades many sessions while both sides send, and
// counts: everything once, in order, over both transports.
func TestUpgradeUnderTraffic(t *testing.T) {
	const each = 300
	h := newHarness(t, nil, nil)
	for range 20 {
		q, rec := h.openPoll()
		sent := make(chan error, 1)
		more := make(chan struct{}) // one for each third but the first
		go func() {
			for i := range each {
				if i > 0 && i%(each/3) == 0 {
					<-more
				}
				if err := rec.session.Send(engineio.Prepare(text(fmt.Sprint(i))), 0); err != nil {
					sent <- err
					return
				}
			}
			sent <- nil
		}()
		next := 0
		take := func(packet string) bool {
			if !strings.HasPrefix(packet, "4") {
				return false
			}
			if packet != fmt.Sprintf("4%d", next) {
				t.Fatalf("got %q; want 4%d", packet, next)
			}
			next++
			return true
		}
		poll := func() {
			for _, p := range strings.Split(h.poll(q), "\x1e") {
				take(p)
			}
		}
		for next < each/3 {
			poll()
		}
		for i := range each / 2 {
			h.post(q, fmt.Sprintf("4c%d", i))
		}
		more <- struct{}{}
		c := h.dialWS(wsQuery(q))
		c.text("2probe")
		c.want("3probe")
		poll()
		overPolling := next
		c.text("5")
		for i := each / 2; i < each; i++ {
			c.text(fmt.Sprintf("4c%d", i))
		}
		more <- struct{}{}
		for next < each {
			take(c.read())
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
		if overPolling < each/3 || overPolling > each*2/3 {
			t.Fatalf("%d of %d messages went over polling; the upgrade was not under traffic", overPolling, each)
		}
		for i, m := range rec.waitMessages(t, each) {
			if m != fmt.Sprintf("c%d", i) {
				t.Fatalf("server got %q as number %d", m, i)
			}
		}
		c.nc.Close()
		if got := rec.waitClosed(t); got != engineio.TransportClose {
			t.Errorf("reason %q; want %q", got, engineio.TransportClose)
		}
	}
}

// TestPostBreaksBehindUpgrade: a POST that was under way when the session moved to a
// WebSocket, and whose connection breaks, or which takes too long, ends nothing any more.
func TestPostBreaksBehindUpgrade(t *testing.T) {
	for _, slow := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			h, stop := newBubble(t, nil)
			defer stop()
			q, rec := h.openPoll()
			body, out := io.Pipe()
			posted := make(chan struct{})
			go func() {
				defer close(posted)
				h.srv.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/engine.io/?"+q, body))
			}()
			if _, err := io.WriteString(out, "4half of a "); err != nil {
				t.Fatal(err)
			}
			c := h.dialWS(wsQuery(q))
			c.text("2probe")
			c.want("3probe")
			c.text("5")
			send(t, rec.session, text("moved"))
			c.want("4moved")
			err := io.ErrUnexpectedEOF
			if slow {
				err = os.ErrDeadlineExceeded
			}
			_ = out.CloseWithError(err)
			<-posted
			send(t, rec.session, text("alive"))
			c.want("4alive")
		})
	}
}
