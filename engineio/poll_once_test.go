package engineio_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sockeye-go/socketio/engineio"
)

// A poll whose connection breaks before its answer ends the session, and is not
// made again behind our back: what it was answered with is lost.
func TestPollIsNotRepeated(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var polls atomic.Int32
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					if r.Method != http.MethodGet || r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
						t.Errorf("%s with %d bytes, %v", r.Method, r.ContentLength, r.TransferEncoding)
					}
					answer := `0{"sid":"AAAAAAAAAAAAAAAAAAAA","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`
					if r.URL.Query().Has("sid") {
						if polls.Add(1) > 1 {
							return // taken, and never answered
						}
						answer = "4first"
					}
					fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
				}
			}()
		}
	}()
	rec := &recorder{more: make(chan struct{}, 1), closed: make(chan struct{})}
	s, err := engineio.Dial(t.Context(), "http://"+l.Addr().String()+"/", &engineio.DialOptions{Transports: []string{engineio.Polling}},
		func(*engineio.ClientSession) engineio.Receiver { return rec })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := rec.waitClosed(t); got != engineio.TransportError {
		t.Errorf("ended with %q", got)
	}
	if got := rec.messages(); len(got) != 1 || got[0] != "first" {
		t.Errorf("got %q", got)
	}
	if n := polls.Load(); n != 2 {
		t.Errorf("%d polls; want 2", n)
	}
}

// A client may close the connection of a poll as soon as it has read all of the
// answer, before the handler knows that it has.
func TestPollReadAndClosed(t *testing.T) {
	h := newHarness(t, nil, nil)
	q, rec := h.openPoll()
	send(t, rec.session, text("first"))
	ctx, cancel := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/engine.io/?"+q, nil)
	h.srv.ServeHTTP(&hastyReader{httptest.NewRecorder(), cancel}, r)
	send(t, rec.session, text("second"))
	if got := h.poll(q); got != "4second" {
		t.Errorf("poll = %q; want the second message", got)
	}

	// One that has gone before there was an answer ends the session.
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	send(t, rec.session, text("third"))
	h.srv.ServeHTTP(httptest.NewRecorder(), r.WithContext(gone))
	if got := rec.waitClosed(t); got != engineio.TransportError {
		t.Errorf("ended with %q", got)
	}
}

// A hastyReader ends its request when it has the body.
type hastyReader struct {
	*httptest.ResponseRecorder
	close func()
}

func (w *hastyReader) Write(b []byte) (int, error) {
	defer w.close()
	return w.ResponseRecorder.Write(b)
}

func (w *hastyReader) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// A client may have the answer to a POST, and send its next one, before the handler
// has returned: what is around the engine may write through at once.
func TestPostAnsweredAndNext(t *testing.T) {
	for name, body := range map[string]string{"ok": "4first", "too large": strings.Repeat("x", 101)} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, &engineio.Options{MaxPayload: 100}, nil)
			q, rec := h.openPoll()
			post := func(w http.ResponseWriter, body string) {
				h.srv.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/engine.io/?"+q, strings.NewReader(body)))
			}
			next := httptest.NewRecorder()
			post(&hastyReader{httptest.NewRecorder(), func() { post(next, "4next") }}, body)
			if next.Code != http.StatusOK || next.Body.String() != "ok" {
				t.Errorf("the next POST = %d %q", next.Code, next.Body)
			}
			if got := rec.messages(); len(got) == 0 || got[len(got)-1] != "next" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// What a POST brought is handled, whatever a hook does while it is answered.
func TestPostHandledThoughHookPanics(t *testing.T) {
	answering := false
	h := newHarness(t, &engineio.Options{Headers: func(http.Header, *http.Request) {
		if answering {
			panic("in a hook")
		}
	}}, nil)
	q, rec := h.openPoll()
	rec.flush.Store(0)
	answering = true
	func() {
		defer func() { _ = recover() }() // as net/http does
		h.srv.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/engine.io/?"+q, strings.NewReader("4x")))
	}()
	if got := rec.messages(); len(got) != 1 || got[0] != "x" {
		t.Errorf("got %q", got)
	}
	if rec.flush.Load() == 0 {
		t.Error("the receiver was not told that there is something")
	}
}
