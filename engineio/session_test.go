package engineio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/ws"
)

// TestPollingViolations: what a client may not do on polling, what it gets for
// it, and what becomes of the session.
func TestPollingViolations(t *testing.T) {
	tests := []struct {
		name, body, contentType string
		status                  int
		answer                  string
		reason                  engineio.Reason // "" = goes on
		poll                    string          // what the waiting poll gets
		got                     string          // what arrived before
	}{
		{name: "unknown packet type", body: "4a\x1e9x\x1e4b", status: 200, answer: "ok", reason: engineio.ParseError, poll: "1", got: "[a]"},
		{name: "letter", body: "x", status: 200, answer: "ok", reason: engineio.ParseError, poll: "1", got: "[]"},
		{name: "empty packet", body: "4a\x1e\x1e4b", status: 200, answer: "ok", reason: engineio.ParseError, poll: "1", got: "[a]"},
		{name: "empty body", body: "", status: 200, answer: "ok", reason: engineio.ParseError, poll: "1", got: "[]"},
		{name: "bad base64", body: "4a\x1eb!!", status: 200, answer: "ok", reason: engineio.ParseError, poll: "1", got: "[a]"},
		{name: "ping from a client", body: "4a\x1e2\x1e4b", status: 200, answer: "ok", reason: engineio.TransportError, poll: "1", got: "[a]"},
		{name: "close", body: "4a\x1e1\x1e4b", status: 200, answer: "ok", reason: engineio.TransportClose, poll: "6", got: "[a]"},
		{name: "binary content type", body: "4a", contentType: "application/octet-stream", status: 400, reason: engineio.TransportError, poll: "1", got: "[]"},
		{name: "too many packets", body: strings.Repeat("4\x1e", 20), status: 200, answer: "ok", reason: engineio.ParseError, poll: "1", got: fmt.Sprint(make([]string, 16))},
		{name: "too large", body: "4" + strings.Repeat("x", 1000), status: 413, answer: "payload of 1001 bytes is over the limit of 1000 bytes", got: "[]"},
		{name: "at the limit", body: "4" + strings.Repeat("x", 999), status: 200, answer: "ok", got: "[" + strings.Repeat("x", 999) + "]"},
		{name: "meaningless types", body: "0\x1e5\x1e6\x1e3\x1e4a", status: 200, answer: "ok", got: "[a]"},
		{name: "no UTF-8", body: "4\xff", status: 200, answer: "ok", got: "[\uFFFD]"},
		{name: "unpadded base64", body: "bAQI\x1ebAQI=", status: 200, answer: "ok", got: "[b0102 b0102]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, stop := newBubble(t, &engineio.Options{MaxPayload: 1000, MaxPayloadPackets: 16})
				defer stop()
				q, rec := h.openPoll()
				polled := h.pollLater(q)
				synctest.Wait() // until the poll is there
				ct := tt.contentType
				if ct == "" {
					ct = "text/plain;charset=UTF-8"
				}
				res := h.do("POST", q, tt.body, "Content-Type", ct)
				if res.status != tt.status || res.body != tt.answer {
					t.Errorf("POST = %d %q; want %d %q", res.status, res.body, tt.status, tt.answer)
				}
				if tt.status == 200 && (res.header.Get("Content-Type") != "text/html" || res.header.Get("Content-Length") != "2") {
					t.Errorf("POST headers %v", res.header)
				}
				if tt.reason != "" {
					if got := rec.waitClosed(t); got != tt.reason {
						t.Errorf("reason %q; want %q", got, tt.reason)
					}
					if got := (<-polled); got.body != tt.poll || got.status != 200 {
						t.Errorf("waiting poll = %d %q; want %q", got.status, got.body, tt.poll)
					}
				} else {
					send(t, rec.session, text("alive"))
					if got := (<-polled); got.body != "4alive" {
						t.Errorf("poll = %q; the session should go on", got.body)
					}
				}
				if got := fmt.Sprint(rec.messages()); got != tt.got {
					t.Errorf("received %s; want %s", got, tt.got)
				}
			})
		})
	}
}

// TestOverlap: one GET and one POST at a time.
func TestOverlap(t *testing.T) {
	t.Run("GET", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, stop := newBubble(t, nil)
			defer stop()
			q, rec := h.openPoll()
			first := h.pollLater(q)
			synctest.Wait()
			if res := h.do("GET", q, ""); res.status != 400 || res.body != "" {
				t.Errorf("second GET = %d %q; want 400 and nothing", res.status, res.body)
			}
			if res := <-first; res.status != 200 || res.body != "1" {
				t.Errorf("first GET = %d %q; want the close packet", res.status, res.body)
			}
			if got := rec.waitClosed(t); got != engineio.TransportError {
				t.Errorf("reason %q", got)
			}
		})
	})
	t.Run("POST", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, stop := newBubble(t, nil)
			defer stop()
			q, rec := h.openPoll()
			body, w := io.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				if res, err := h.client.Post(h.base+"?"+q, "text/plain", body); err == nil {
					res.Body.Close()
				}
			}()
			synctest.Wait()
			if res := h.post(q, "4x"); res.status != 400 || res.body != "" {
				t.Errorf("second POST = %d %q; want 400 and nothing", res.status, res.body)
			}
			w.CloseWithError(errors.New("enough"))
			<-done
			if got := rec.waitClosed(t); got != engineio.TransportError {
				t.Errorf("reason %q", got)
			}
		})
	})
}

// TestGone: a client that leaves a poll or a POST in the middle.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, nil)
		defer stop()
		for _, request := range []string{"GET /?%s HTTP/1.1\r\nHost: x\r\n\r\n", "POST /?%s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4abc"} {
			q, rec := h.openPoll()
			nc, err := h.dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(nc, request, q)
			synctest.Wait()
			nc.Close()
			if got := rec.waitClosed(t); got != engineio.TransportError {
				t.Errorf("reason %q; want %q", got, engineio.TransportError)
			}
		}
	})
}

// TestSlowBody: a body that does not come is given up after 30 s.
func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, nil)
		defer stop()
		q, rec := h.openPoll()
		start := time.Now()
		nc, _ := h.dial(t.Context(), "", "")
		defer nc.Close()
		fmt.Fprintf(nc, "POST /?%s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4abc", q)
		<-rec.closed
		if took := time.Since(start); rec.reason != engineio.TransportError || took != 30*time.Second {
			t.Errorf("ended with %q after %v; want a transport error after 30s", rec.reason, took)
		}
	})
}

// TestCloseOnPolling: the end waits for the next poll, at most 30 s.
func TestCloseOnPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, nil)
		defer stop()

		q, rec := h.openPoll()
		send(t, rec.session, text("bye"))
		rec.session.Close()
		if err := rec.session.Send(engineio.Prepare(text("x")), 0); !errors.Is(err, engineio.ErrClosed) {
			t.Errorf("Send after Close = %v", err)
		}
		if got := h.poll(q); got != "4bye" {
			t.Errorf("poll = %q", got)
		}
		if got := h.poll(q); got != "6\x1e1" {
			t.Errorf("last poll = %q", got)
		}
		rec.waitClosed(t)

		q, rec = h.openPoll()
		rec.session.Close()
		if got := h.poll(q); got != "6\x1e1" {
			t.Errorf("poll = %q", got)
		}
		rec.waitClosed(t)

		q, rec = h.openPoll()
		polled := h.pollLater(q)
		synctest.Wait()
		rec.session.Close()
		if got := (<-polled).body; got != "1" {
			t.Errorf("waiting poll = %q", got)
		}
		rec.waitClosed(t)

		_, rec = h.openPoll()
		start := time.Now()
		rec.session.Close()
		<-rec.closed
		if got := time.Since(start); got != 30*time.Second {
			t.Errorf("forced after %v; want 30s", got)
		}
		if rec.reason != engineio.ForcedClose {
			t.Errorf("reason %q", rec.reason)
		}

		q, rec = h.openPoll()
		c := h.dialWS(wsQuery(q))
		c.text("2probe")
		c.want("3probe")
		send(t, rec.session, text("last"))
		rec.session.Close()
		c.text("5")
		c.want("4last", "close 1005")
		rec.waitClosed(t)
	})
}

// TestWebSocketEnds: how a WebSocket can end, what the peer sees of it, and why.
func TestWebSocketEnds(t *testing.T) {
	tests := []struct {
		name   string
		do     func(c *wsClient, s *engineio.Session)
		want   string
		reason engineio.Reason
	}{
		{"forced", func(c *wsClient, s *engineio.Session) { s.Close() }, "close 1005", engineio.ForcedClose},
		{"client closes", func(c *wsClient, s *engineio.Session) {
			c.raw(ws.AppendMasked(nil, ws.Close, []byte{3, 0xe8}, [4]byte{}))
		}, "close 1000", engineio.TransportClose},
		{"client closes without code", func(c *wsClient, s *engineio.Session) { c.write(ws.Close, "") }, "close 1005", engineio.TransportClose},
		{"close packet", func(c *wsClient, s *engineio.Session) { c.text("1") }, "close 1005", engineio.TransportClose},
		{"gone", func(c *wsClient, s *engineio.Session) { c.nc.Close() }, "end", engineio.TransportClose},
		{"unknown packet", func(c *wsClient, s *engineio.Session) { c.text("9") }, "close 1005", engineio.ParseError},
		{"empty text", func(c *wsClient, s *engineio.Session) { c.text("") }, "close 1005", engineio.ParseError},
		{"ping packet", func(c *wsClient, s *engineio.Session) { c.text("2") }, "close 1005", engineio.TransportError},
		{"unmasked", func(c *wsClient, s *engineio.Session) { c.raw(ws.AppendFrame(nil, ws.Text, []byte("4x"))) }, "close 1002", engineio.TransportError},
		{"reserved bit", func(c *wsClient, s *engineio.Session) { c.raw([]byte{0xc1, 0x80, 0, 0, 0, 0}) }, "close 1002", engineio.TransportError},
		{"no UTF-8", func(c *wsClient, s *engineio.Session) { c.text("4\xff") }, "close 1007", engineio.TransportError},
		{"too large", func(c *wsClient, s *engineio.Session) { c.text("4" + strings.Repeat("x", 1000)) }, "close 1009", engineio.TransportError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t, &engineio.Options{MaxPayload: 1000}, nil)
			c, rec := h.openWS()
			c.text("4" + strings.Repeat("x", 999)) // at the limit
			rec.waitMessages(t, 1)
			tt.do(c, rec.session)
			if got := c.read(); got != tt.want {
				t.Errorf("client read %q; want %q", got, tt.want)
			}
			if got := rec.waitClosed(t); got != tt.reason {
				t.Errorf("reason %q; want %q", got, tt.reason)
			}
			if got := rec.messages(); len(got) != 1 {
				t.Errorf("received %d messages; want 1", len(got))
			}
			if err := rec.session.Send(engineio.Prepare(text("x")), 0); !errors.Is(err, engineio.ErrClosed) {
				t.Errorf("Send after the end = %v", err)
			}
		})
	}
}

// TestWebSocketBase64: a client with forceBase64 sends bytes as text here too.
func TestWebSocketBase64(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, nil)
		defer stop()
		c, rec := h.openWS()
		c.text("bAQI=")
		c.text("bAQI")
		if got := fmt.Sprint(rec.waitMessages(t, 2)); got != "[b0102 b0102]" {
			t.Errorf("received %s", got)
		}
		c.text("b!!")
		if got := rec.waitClosed(t); got != engineio.ParseError {
			t.Errorf("reason %q; want %q", got, engineio.ParseError)
		}
	})
}

// TestWebSocketPing: RFC 6455 pings are answered; pongs and the packets without
// meaning do no harm.
func TestWebSocketPing(t *testing.T) {
	h := newHarness(t, nil, nil)
	c, rec := h.openWS()
	c.write(ws.Ping, "are you there")
	c.want("pong are you there")
	c.write(ws.Pong, "")
	for _, p := range []string{"0", "5", "6", "3", "3probe"} {
		c.text(p)
	}
	c.text("4alive")
	if got := rec.waitMessages(t, 1); got[0] != "alive" {
		t.Errorf("got %q", got)
	}
}

// TestSlowConsumer: a client that does not read is cut, volatile messages are
// dropped before, and others do not notice.
func TestSlowConsumer(t *testing.T) {
	for _, transport := range []string{"websocket", "polling"} {
		t.Run(transport, func(t *testing.T) {
			h := newHarness(t, &engineio.Options{MaxQueuedBytes: 100_000}, nil)
			var rec *recorder
			if transport == "websocket" {
				_, rec = h.openWS()
			} else {
				_, rec = h.openPoll()
			}
			big := engineio.Prepare(engineio.Message{Binary: true, Data: make([]byte, 10_000)})
			var err error
			for range 10_000 {
				if err = rec.session.Send(big, 0); err != nil {
					break
				}
				if n, _ := rec.session.Buffered(); n > 90_000 {
					if err := rec.session.Send(big, engineio.Volatile); !errors.Is(err, engineio.ErrDropped) {
						t.Fatalf("volatile on a full queue = %v", err)
					}
				}
			}
			if !errors.Is(err, engineio.ErrSlowConsumer) {
				t.Fatalf("Send = %v; want %v", err, engineio.ErrSlowConsumer)
			}
			if got := rec.waitClosed(t); got != engineio.TransportError || !errors.Is(rec.err, engineio.ErrSlowConsumer) {
				t.Errorf("ended with %q, %v", got, rec.err)
			}
		})
	}
}

// TestVolatile: on polling a volatile message needs a poll that waits.
func TestVolatile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, nil)
		defer stop()
		q, rec := h.openPoll()
		if err := rec.session.SendMessage(text("lost"), engineio.Volatile); !errors.Is(err, engineio.ErrDropped) {
			t.Errorf("volatile without a poll = %v", err)
		}
		polled := h.pollLater(q)
		synctest.Wait()
		if err := rec.session.SendMessage(text("seen"), engineio.Volatile); err != nil {
			t.Errorf("volatile with a poll = %v", err)
		}
		if err := rec.session.SendMessage(text("lost"), engineio.Volatile); !errors.Is(err, engineio.ErrDropped) {
			t.Errorf("second volatile = %v", err)
		}
		if got := (<-polled).body; got != "4seen" {
			t.Errorf("poll = %q", got)
		}
	})
}

// TestEcho sends everything back, in order and of every size, on each transport.
func TestEcho(t *testing.T) {
	h := newHarness(t, &engineio.Options{MaxPayload: 5 << 20, MaxQueuedBytes: 64 << 20}, func(r *recorder, m engineio.Message) {
		if err := r.session.SendMessage(m, 0); err != nil {
			t.Error(err)
		}
	})
	var sizes []int
	for n := 1; n < 4<<20; n = n*3 + 1 {
		sizes = append(sizes, n)
	}
	t.Run("websocket", func(t *testing.T) {
		c, rec := h.openWS()
		var wg sync.WaitGroup
		wg.Go(func() {
			for _, n := range sizes {
				c.raw(ws.AppendMasked(nil, ws.Text, []byte("4"+strings.Repeat("é", n/2)), [4]byte{9, 8, 7, 6}))
				c.raw(ws.AppendMasked(nil, ws.Binary, bytes.Repeat([]byte{0xab}, n), [4]byte{9, 8, 7, 6}))
			}
		})
		for _, n := range sizes {
			c.want("4"+strings.Repeat("é", n/2), "b"+strings.Repeat("ab", n))
		}
		wg.Wait()
		rec.session.Close()
	})
	t.Run("polling", func(t *testing.T) {
		q, _ := h.openPoll()
		for _, n := range sizes[:12] {
			h.post(q, "4"+strings.Repeat("é", n/2)+"\x1ebq6ur")
			if got, want := h.poll(q), "4"+strings.Repeat("é", n/2)+"\x1ebq6ur"; got != want {
				t.Fatalf("poll has %d bytes; want %d", len(got), len(want))
			}
		}
	})
}

// TestShutdown flushes, tells everybody and waits for them.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, nil)
		defer stop()
		c, wsRec := h.openWS()
		q, pollRec := h.openPoll()
		send(t, wsRec.session, text("bye"))
		send(t, pollRec.session, text("bye"))
		done := make(chan error, 1)
		go func() { done <- h.srv.Shutdown(t.Context()) }()
		c.want("4bye", "close 1005")
		synctest.Wait()
		if res := h.do("GET", "EIO=4&transport=polling", ""); res.status != 503 {
			t.Errorf("handshake while shutting down = %d", res.status)
		}
		if _, res, err := h.tryDial("EIO=4&transport=websocket"); err == nil || res.StatusCode != 503 {
			t.Errorf("WebSocket while shutting down: %v", err)
		}
		if got := h.poll(q); got != "4bye" {
			t.Errorf("poll = %q", got)
		}
		if got := h.poll(q); got != "6\x1e1" {
			t.Errorf("last poll = %q", got)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		for _, r := range []*recorder{wsRec, pollRec} {
			if got := r.waitClosed(t); got != engineio.ForcedClose {
				t.Errorf("reason %q", got)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, nil)
		defer stop()
		_, rec := h.openPoll() // never polls again
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		if err := h.srv.Shutdown(ctx); err != nil || time.Since(start) != 2500*time.Millisecond {
			t.Errorf("Shutdown = %v after %v; want nil when half of the time is over", err, time.Since(start))
		}
		rec.waitClosed(t)
		if n := h.srv.Sessions(); n != 0 {
			t.Errorf("%d sessions left", n)
		}
	})
}

// TestPausePolling: a POST is left to TCP while the session is paused.
func TestPausePolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, nil)
		defer stop()
		q, rec := h.openPoll()
		rec.session.Pause()
		done := make(chan response)
		go func() { done <- h.post(q, "4x") }()
		synctest.Wait()
		if got := rec.messages(); len(got) != 0 {
			t.Errorf("paused session received %q", got)
		}
		rec.session.Resume()
		if res := <-done; res.body != "ok" {
			t.Errorf("POST = %q", res.body)
		}
		if got := rec.messages(); len(got) != 1 {
			t.Errorf("received %q", got)
		}
	})
}

// TestServerTimeouts: the timeouts of an http.Server do not cut a poll.
func TestServerTimeouts(t *testing.T) {
	h := newHarness(t, &engineio.Options{PingInterval: 300 * time.Millisecond}, nil)
	h2 := &http.Server{Handler: h.srv, ReadTimeout: 50 * time.Millisecond, WriteTimeout: 50 * time.Millisecond}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go h2.Serve(ln)
	defer h2.Close()
	h.base = "http://" + ln.Addr().String() + "/"
	q, _ := h.openPoll()
	if got := h.poll(q); got != "2" {
		t.Errorf("poll = %q; want the ping", got)
	}
	if res := h.post(q, "3"); res.body != "ok" {
		t.Errorf("POST = %d %q", res.status, res.body)
	}
}
