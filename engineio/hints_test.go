package engineio_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/ws"
)

// TestHints: the words that people find beside a code.
func TestHints(t *testing.T) {
	h := newHarness(t, &engineio.Options{AllowJSONP: true}, nil)
	tests := []struct{ method, query, hint string }{
		{"GET", "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA", "sticky sessions are missing"},
		{"GET", "EIO=3&transport=polling", "AllowEIO3"},
		{"GET", "EIO=4&transport=flashsocket", `"flashsocket" is not among those`},
		{"GET", "EIO=4&transport=" + strings.Repeat("x", 500), `"` + strings.Repeat("x", 40) + "…"},
		{"GET", "EIO=4&transport=%3Cscript%3E", "the transport that was asked for"},
		{"POST", "EIO=4&transport=polling", "begins with a GET"},
		{"GET", "EIO=4&transport=websocket", "does a proxy drop Upgrade"},
	}
	for _, tt := range tests {
		res := h.do(tt.method, tt.query, "")
		var body struct{ Hint string }
		if err := json.Unmarshal([]byte(res.body), &body); err != nil || !strings.Contains(body.Hint, tt.hint) {
			t.Errorf("%.60s: %s; want a hint with %q", tt.query, res.body, tt.hint)
		}
	}
	res := h.do("GET", "EIO=4&transport=polling&j=0", "", "Sec-Fetch-Site", "cross-site")
	if !strings.Contains(res.body, "CORS.Origins") {
		t.Errorf("another origin: %s", res.body)
	}
}

// TestTooLargeInWords: the client and the log are told the size, the limit and
// the event.
func TestTooLargeInWords(t *testing.T) {
	var log logBuffer
	o := &engineio.Options{MaxPayload: 1000, AllowEIO3: true}
	h := &harness{t: t}
	h.options(o, nil)
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	h.srv = engineio.NewServer(o)
	h.serve()

	event := func(head string, size int) string { return head + strings.Repeat("x", size-len(head)) }
	tests := []struct{ name, body, want string }{
		{"event", event(`42["upload","`, 1200), `payload of 1.2 kB is over the limit of 1.0 kB, event "upload"`},
		{"with attachments, namespace and ack", event(`451-/files,7["up load",`, 5000), `payload of 5.0 kB is over the limit of 1.0 kB, event "up load"`},
		{"one byte", event(`42["e"]`, 1001), `payload of 1001 bytes is over the limit of 1000 bytes, event "e"`},
		{"no event", event("hello", 2000), "payload of 2.0 kB is over the limit of 1.0 kB"},
		{"an object that has an array", event(`{"a":["b"]}`, 2000), "payload of 2.0 kB is over the limit of 1.0 kB"},
		{"escapes", event(`42["a\"b"]`, 2000), "payload of 2.0 kB is over the limit of 1.0 kB"},
		{"a long name", event(`42["`+strings.Repeat("n", 100)+`"]`, 2000), `payload of 2.0 kB is over the limit of 1.0 kB, event "` + strings.Repeat("n", 40) + `…"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			query, rec := h.openPoll()
			res := h.post(query, tt.body)
			if res.status != http.StatusRequestEntityTooLarge || res.body != tt.want {
				t.Errorf("POST = %d %q; want %q", res.status, res.body, tt.want)
			}
			if h.post(query, "4x").body != "ok" {
				t.Error("the session did not survive")
			}
			rec.session.Abort(engineio.ForcedClose)

			c, _ := h.openWS()
			c.write(ws.Text, tt.body)
			m, err := c.next()
			if err != nil || m.Op != ws.Close || m.Code != ws.CloseTooBig || !bytes.HasSuffix(m.Data, []byte(tt.want)) {
				t.Errorf("WebSocket: %v %d %q, %v; want %q", m.Op, m.Code, m.Data, err, tt.want)
			}
		})
	}
	if got := strings.Count(log.String(), `event \"upload\"`); got != 2 {
		t.Errorf("the log has the event %d times; want 2:\n%s", got, log.String())
	}
	t.Run("size unknown", func(t *testing.T) {
		h.t = t
		query, _ := h.openPoll()
		req, _ := http.NewRequest("POST", h.base+"?"+query, io.MultiReader(strings.NewReader(event(`42["upload","`, 1200))))
		res, err := h.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if b, _ := io.ReadAll(res.Body); string(b) != `payload is over the limit of 1.0 kB, event "upload"` {
			t.Errorf("POST = %d %q", res.StatusCode, b)
		}
	})
}
