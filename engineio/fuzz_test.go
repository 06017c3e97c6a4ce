package engineio_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio/engineio"
)

// direct is a server that is called without a network, and its latest session.
type direct struct {
	srv *engineio.Server
	rec *recorder
}

const fuzzPayload = 4096 // MaxPayload

func newDirect() *direct {
	d := new(direct)
	d.srv = engineio.NewServer(&engineio.Options{
		MaxPayload:        fuzzPayload,
		MaxPayloadPackets: 64,
		Logger:            slog.New(slog.DiscardHandler),
		OnSession: func(s *engineio.Session, _ *http.Request) engineio.Receiver {
			d.rec = &recorder{session: s, more: make(chan struct{}, 1), closed: make(chan struct{})}
			return d.rec
		},
	})
	return d
}

func (d *direct) do(method, query string, body []byte) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.srv.ServeHTTP(w, httptest.NewRequest(method, "/engine.io/?EIO=4&transport=polling"+query, bytes.NewReader(body)))
	return w
}

// open makes a session.
func (d *direct) open(t *testing.T) (query string, rec *recorder) {
	t.Helper()
	if w := d.do("GET", "", nil); w.Code != 200 {
		t.Fatalf("handshake = %d %q", w.Code, w.Body)
	}
	return "&sid=" + d.rec.session.ID(), d.rec
}

// expected is what the protocol says about a payload: the messages before the
// first packet that ends the session, and why it ends ("" = it does not).
func expected(body string) (messages []string, reason engineio.Reason) {
	for i, packet := range strings.Split(strings.ToValidUTF8(body, "\uFFFD"), "\x1e") {
		if i == 64 {
			return messages, engineio.ParseError
		}
		kind, data := "", ""
		if packet != "" {
			kind, data = packet[:1], packet[1:]
		}
		switch kind {
		case "4":
			messages = append(messages, data)
		case "b":
			raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(data, "="))
			if err != nil {
				return messages, engineio.ParseError
			}
			messages = append(messages, fmt.Sprintf("b%x", raw))
		case "0", "3", "5", "6":
		case "1":
			return messages, engineio.TransportClose
		case "2":
			return messages, engineio.TransportError
		default:
			return messages, engineio.ParseError
		}
	}
	return messages, ""
}

// Whatever a client posts, the session gets the messages in it and ends for the
// reason in the protocol, or goes on.
func FuzzPost(f *testing.F) {
	for _, seed := range []string{
		"", "4", "4a\x1e4b", "bAQI=", "bAQI", "b!", "4a\x1e9", "1", "4a\x1e1\x1e4b", "2probe", "3", "0\x1e5\x1e6",
		"\x1e", "4\xff", "4\xed\xa0\x80", strings.Repeat("4\x1e", 70), "b" + strings.Repeat("A", 4000), strings.Repeat("4", fuzzPayload+1),
	} {
		f.Add([]byte(seed))
	}
	d := newDirect()
	f.Fuzz(func(t *testing.T, body []byte) {
		query, rec := d.open(t)
		defer rec.session.Abort(engineio.ForcedClose)
		w := d.do("POST", query, bytes.Clone(body))
		if len(body) > fuzzPayload {
			if w.Code != http.StatusRequestEntityTooLarge || len(rec.messages()) > 0 {
				t.Errorf("%d bytes: status %d, messages %q", len(body), w.Code, rec.messages())
			}
			return
		}
		messages, reason := expected(string(body))
		if w.Code != 200 || w.Body.String() != "ok" {
			t.Errorf("POST = %d %q", w.Code, w.Body)
		}
		if got := rec.messages(); !slices.Equal(got, messages) {
			t.Errorf("received %q; want %q", got, messages)
		}
		if reason != "" {
			if got := rec.waitClosed(t); got != reason {
				t.Errorf("ended with %q; want %q", got, reason)
			}
			return
		}
		send(t, rec.session, text("alive"))
		if w := d.do("GET", query, nil); w.Body.String() != "4alive" {
			t.Errorf("poll = %d %q; the session should go on", w.Code, w.Body)
		}
	})
}

// What a server puts into a payload, it would read from one.
func FuzzPayload(f *testing.F) {
	f.Add("hello", []byte{1, 2}, "")
	f.Add("", []byte{}, "1")
	f.Add("b", []byte("\x1e"), "κ")
	d := newDirect()
	f.Fuzz(func(t *testing.T, first string, second []byte, third string) {
		if strings.Contains(first+third, "\x1e") || len(first)+len(second)*2+len(third) > fuzzPayload/2 {
			return // the separator cannot be escaped, in the original neither
		}
		first, third = strings.ToValidUTF8(first, "?"), strings.ToValidUTF8(third, "?")
		query, from := d.open(t)
		defer from.session.Abort(engineio.ForcedClose)
		send(t, from.session, text(first), binary(second...))
		send(t, from.session, text(third))
		payload := d.do("GET", query, nil).Body.Bytes()

		query, to := d.open(t)
		defer to.session.Abort(engineio.ForcedClose)
		d.do("POST", query, payload)
		if got, want := to.messages(), []string{first, fmt.Sprintf("b%x", second), third}; !slices.Equal(got, want) {
			t.Errorf("%q became %q", want, got)
		}
	})
}

// Whatever the query of a request is, it is answered with a code of the
// protocol; names and values are not confused.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"", "EIO=4&transport=polling", "transport=polling", "EIO=4&transport=websocket", "EIO=4&transport=constructor",
		"EIO=4&transport=polling&sid=__proto__", "EIO=4&transport=polling&transport=x", "EIO=4&transport=%zz", "&&==&", "transport=poll%69ng&EIO=4", "a;b",
		"EIO=4&transport=polling&%74ransport=x", "EIO=4&%74ransport=polling",
	} {
		f.Add(seed)
	}
	d := newDirect()
	f.Fuzz(func(t *testing.T, raw string) {
		r := httptest.NewRequest("GET", "/engine.io/", nil)
		r.URL.RawQuery = raw
		w := httptest.NewRecorder()
		d.rec = nil
		d.srv.ServeHTTP(w, r)
		if d.rec != nil {
			defer d.rec.session.Abort(engineio.ForcedClose)
		}
		switch {
		case w.Code == 200 && d.rec != nil:
		case w.Code == 400 && d.rec == nil && strings.HasPrefix(w.Body.String(), `{"code":`):
		default:
			t.Fatalf("answer = %d %q, session made: %v", w.Code, w.Body, d.rec != nil)
		}
		values, err := url.ParseQuery(raw)
		if err != nil || strings.Contains(raw, "+") {
			return // no canonical meaning
		}
		if last := values["transport"]; w.Code == 200 && (len(last) == 0 || last[len(last)-1] != "polling") {
			t.Errorf("a session for transport %q", last)
		}
	})
}
