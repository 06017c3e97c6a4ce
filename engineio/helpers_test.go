package engineio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/memnet"
	"github.com/sockeye-go/socketio/internal/ws"
)

// recorder is a receiver that keeps what it gets and may do something with it.
type recorder struct {
	session *engineio.Session

	mu     sync.Mutex
	got    []engineio.Message
	reason engineio.Reason
	err    error
	more   chan struct{} // one token per Receive
	flush  atomic.Int32  // how often

	closed    chan struct{}
	onMessage func(*recorder, engineio.Message)
}

func (r *recorder) Receive(m engineio.Message) {
	m.Data = append([]byte(nil), m.Data...)
	r.mu.Lock()
	if r.reason != "" {
		panic("Receive after Closed")
	}
	r.got = append(r.got, m)
	r.mu.Unlock()
	if r.onMessage != nil {
		r.onMessage(r, m)
	}
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *recorder) Flush(bool) { r.flush.Add(1) }

func (r *recorder) Closed(reason engineio.Reason, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reason != "" {
		panic("Closed twice")
	}
	r.reason, r.err = reason, err
	close(r.closed)
}

// messages returns what has come so far, text as it is and binary as b<bytes>.
func (r *recorder) messages() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, m := range r.got {
		if m.Binary {
			out = append(out, fmt.Sprintf("b%x", m.Data))
		} else {
			out = append(out, string(m.Data))
		}
	}
	return out
}

// waitClosed returns the reason of the end.
func (r *recorder) waitClosed(t *testing.T) engineio.Reason {
	t.Helper()
	select {
	case <-r.closed:
	case <-time.After(10 * time.Second):
		t.Fatal("the session did not end")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reason
}

// waitMessages waits until n messages have come.
func (r *recorder) waitMessages(t *testing.T, n int) []string {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		if got := r.messages(); len(got) >= n {
			return got
		}
		select {
		case <-r.more:
		case <-timeout:
			t.Fatalf("got %q; waited for %d messages", r.messages(), n)
		}
	}
}

// harness is a server with its sessions and a way to talk to it.
type harness struct {
	t        *testing.T
	srv      *engineio.Server
	client   *http.Client
	base     string // http://…/engine.io/
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)
	sessions chan *recorder

	complaints logBuffer // of the HTTP server about its handler
}

// A logBuffer keeps a log.
type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (h *harness) options(o *engineio.Options, onMessage func(*recorder, engineio.Message)) *engineio.Options {
	if o == nil {
		o = new(engineio.Options)
	}
	h.sessions = make(chan *recorder, 4096)
	o.Logger = slog.New(slog.DiscardHandler)
	also := o.OnSession
	o.OnSession = func(s *engineio.Session, r *http.Request) engineio.Receiver {
		rec := &recorder{session: s, more: make(chan struct{}, 1), closed: make(chan struct{}), onMessage: onMessage}
		if also != nil {
			also(s, r)
		}
		h.sessions <- rec
		return rec
	}
	return o
}

// newHarness serves on loopback.
func newHarness(t *testing.T, o *engineio.Options, onMessage func(*recorder, engineio.Message)) *harness {
	t.Helper()
	h := &harness{t: t}
	h.srv = engineio.NewServer(h.options(o, onMessage))
	h.serve()
	return h
}

// serve puts the server on loopback.
func (h *harness) serve() {
	ts := httptest.NewUnstartedServer(h.srv)
	ts.Config.ErrorLog = log.New(&h.complaints, "", 0)
	ts.Start()
	h.client = ts.Client()
	h.base = ts.URL + "/engine.io/"
	h.t.Cleanup(func() {
		h.srv.Close()
		h.client.CloseIdleConnections()
		ts.Close()
	})
}

// newBubble serves in memory; for synctest bubbles. stop must be called before
// the bubble ends.
func newBubble(t *testing.T, o *engineio.Options) (h *harness, stop func()) {
	t.Helper()
	h = &harness{t: t}
	h.srv = engineio.NewServer(h.options(o, nil))
	network := memnet.New()
	hs := &http.Server{Handler: h.srv}
	go hs.Serve(network)
	transport := network.Transport()
	h.client = &http.Client{Transport: transport}
	h.base = "http://memory/engine.io/"
	h.dial = func(context.Context, string, string) (net.Conn, error) { return network.Dial() }
	return h, func() {
		h.srv.Close()
		transport.CloseIdleConnections()
		hs.Close()
	}
}

// response is what matters of an HTTP response.
type response struct {
	status int
	body   string
	header http.Header
}

// do sends a request; query is appended to EIO=4.
func (h *harness) do(method, query, body string, header ...string) response {
	h.t.Helper()
	req, err := http.NewRequest(method, h.base+"?"+query, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if body == "" {
		req.Body = http.NoBody
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := h.client.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return response{res.StatusCode, string(b), res.Header}
}

// openPoll makes a handshake over polling.
func (h *harness) openPoll() (query string, rec *recorder) {
	h.t.Helper()
	res := h.do("GET", "EIO=4&transport=polling", "")
	if res.status != 200 || !strings.HasPrefix(res.body, "0") {
		h.t.Fatalf("handshake = %d %q", res.status, res.body)
	}
	first, _, _ := strings.Cut(res.body, "\x1e")
	return "EIO=4&transport=polling&sid=" + openSID(h.t, first), <-h.sessions
}

func openSID(t *testing.T, packet string) string {
	t.Helper()
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(packet[1:]), &open); err != nil || len(open.SID) != 20 {
		t.Fatalf("open packet %q: %v", packet, err)
	}
	return open.SID
}

// poll makes one GET, get starts one.
func (h *harness) poll(query string) string {
	h.t.Helper()
	res := h.do("GET", query, "")
	if res.status != 200 {
		h.t.Fatalf("poll = %d %q", res.status, res.body)
	}
	return res.body
}

func (h *harness) post(query, body string) response {
	h.t.Helper()
	return h.do("POST", query, body, "Content-Type", "text/plain;charset=UTF-8")
}

// pollLater starts a GET and returns where its response will come.
func (h *harness) pollLater(query string) <-chan response {
	out := make(chan response, 1)
	go func() {
		res, err := h.client.Get(h.base + "?" + query)
		if err != nil {
			out <- response{body: err.Error()}
			return
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		out <- response{res.StatusCode, string(b), res.Header}
	}()
	return out
}

// wsClient is a WebSocket that reads whole messages.
type wsClient struct {
	t      *testing.T
	nc     net.Conn
	parser ws.Parser
	in     []byte
	buf    [4096]byte
}

// tryDial opens a WebSocket.
func (h *harness) tryDial(query string, header ...string) (*wsClient, *http.Response, error) {
	hd := http.Header{}
	for i := 0; i < len(header); i += 2 {
		hd.Set(header[i], header[i+1])
	}
	nc, leftover, res, err := ws.Dial(h.t.Context(), "ws"+strings.TrimPrefix(h.base, "http")+"?"+query, &ws.DialOptions{Header: hd, NetDial: h.dial})
	if err != nil {
		return nil, res, err
	}
	c := &wsClient{t: h.t, nc: nc, in: leftover}
	c.parser.Init(ws.Client, 64<<20)
	return c, res, nil
}

func (h *harness) dialWS(query string) *wsClient {
	h.t.Helper()
	c, _, err := h.tryDial(query)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.nc.Close() })
	return c
}

// openWS makes a handshake over WebSocket.
func (h *harness) openWS() (*wsClient, *recorder) {
	h.t.Helper()
	c := h.dialWS("EIO=4&transport=websocket")
	openSID(h.t, c.read())
	return c, <-h.sessions
}

// next returns the next message, or the error of the connection.
func (c *wsClient) next() (ws.Message, error) {
	for {
		if len(c.in) > 0 {
			m, n, ok, err := c.parser.Next(c.in)
			c.in = c.in[n:]
			if err != nil || ok {
				return m, err
			}
		}
		n, err := c.nc.Read(c.buf[:])
		if n == 0 && err != nil {
			return ws.Message{}, err
		}
		c.in = append([]byte(nil), c.buf[:n]...)
	}
}

// read returns the next message: text as it is, binary as b<hex>, the end as
// "close <code>" or "end".
func (c *wsClient) read() string {
	m, err := c.next()
	switch {
	case err != nil:
		return "end"
	case m.Op == ws.Close:
		return fmt.Sprintf("close %d", m.Code)
	case m.Op == ws.Binary:
		return fmt.Sprintf("b%x", m.Data)
	case m.Op == ws.Pong:
		return "pong " + string(m.Data)
	}
	return string(m.Data)
}

func (c *wsClient) want(messages ...string) {
	c.t.Helper()
	for _, m := range messages {
		if got := c.read(); got != m {
			c.t.Fatalf("read %.100q; want %.100q", got, m)
		}
	}
}

func (c *wsClient) write(op ws.Opcode, data string) {
	c.t.Helper()
	c.raw(ws.AppendMasked(nil, op, []byte(data), [4]byte{1, 2, 3, 4}))
}

func (c *wsClient) raw(b []byte) {
	c.t.Helper()
	if _, err := c.nc.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *wsClient) text(data string) { c.t.Helper(); c.write(ws.Text, data) }

func text(s string) engineio.Message { return engineio.Message{Data: []byte(s)} }

func binary(b ...byte) engineio.Message { return engineio.Message{Binary: true, Data: b} }

func send(t *testing.T, s *engineio.Session, m ...engineio.Message) {
	t.Helper()
	if err := s.Send(engineio.Prepare(m...), 0); err != nil {
		t.Fatal(err)
	}
}
