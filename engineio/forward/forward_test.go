package forward_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/engineio/forward"
	"github.com/sockeye-go/socketio/internal/rawclient"
)

var key = []byte("a key that all nodes have")

// A node is a server that forwards, and echoes.
type node struct {
	*socketio.Server
	f    *forward.Forwarder
	hs   *httptest.Server
	base string
	seen chan *http.Request // that the engine was given

	mu   sync.Mutex
	dial func() error // instead of connecting to another node, if it fails
}

func newNode(t *testing.T, o *socketio.Options, change func(*forward.Options)) *node {
	t.Helper()
	n := &node{hs: httptest.NewUnstartedServer(nil), seen: make(chan *http.Request, 1000)}
	addr := n.hs.Listener.Addr().String()
	n.base = "http://" + addr + "/socket.io/"
	fo := &forward.Options{Address: addr, Key: key, Logger: slog.New(slog.DiscardHandler)}
	fo.NetDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		n.mu.Lock()
		dial := n.dial
		n.mu.Unlock()
		if dial != nil {
			if err := dial(); err != nil {
				return nil, err
			}
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	if change != nil {
		change(fo)
	}
	var err error
	if n.f, err = forward.New(fo); err != nil {
		t.Fatal(err)
	}
	var so socketio.Options
	if o != nil {
		so = *o
	}
	so.Forwarder, so.Logger = n.f, slog.New(slog.DiscardHandler)
	n.Server = socketio.NewServer(&so)
	n.UseHTTP(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n.seen <- r
			next.ServeHTTP(w, r)
		})
	})
	echo.Handle(n, func(_ context.Context, _ *socketio.Socket, i int) (int, error) { return i, nil })
	count.Handle(n, func(_ context.Context, s *socketio.Socket, i int) error { return count.Emit(s, i) })
	n.hs.Config.Handler = n.Server
	n.hs.Start()
	t.Cleanup(func() {
		n.Close()
		n.hs.Close()
	})
	return n
}

var (
	echo  = socketio.NewEventWithAck[int, int]("echo")
	count = socketio.NewEvent[int]("count")
)

// spread is a load balancer that sends each request to the next node.
func spread(t *testing.T, nodes ...*node) (base string) {
	t.Helper()
	var next atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, _ := url.Parse(nodes[int(next.Add(1))%len(nodes)].hs.URL)
		p := httputil.NewSingleHostReverseProxy(u)
		p.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
		p.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return front.URL
}

// TestSpread: no two requests of a client go to the same node, and it does not
// notice.
func TestSpread(t *testing.T) {
	for name, c := range map[string]struct {
		transports []string
		options    socketio.Options
	}{
		"polling":   {[]string{"polling"}, socketio.Options{}},
		"upgrade":   {[]string{"polling", "websocket"}, socketio.Options{}},
		"websocket": {[]string{"websocket"}, socketio.Options{}},
		"own ids": {[]string{"polling", "websocket"}, socketio.Options{
			GenerateID: func() func(*http.Request) (string, error) {
				var n atomic.Int64
				return func(*http.Request) (string, error) { return fmt.Sprintf("id.%d~", n.Add(1)), nil }
			}(),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var nodes []*node
			for range 3 {
				nodes = append(nodes, newNode(t, &c.options, nil))
			}
			base := spread(t, nodes...)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() { talk(ctx, t, base, c.transports) })
			}
			wg.Wait()
			var total int64
			for _, n := range nodes {
				total += n.f.Stats().Total
			}
			if (total > 0) != (name != "websocket") {
				t.Errorf("%d requests were forwarded", total)
			}
		})
	}
}

func talk(ctx context.Context, t *testing.T, base string, transports []string) {
	m, err := client.New(base, &client.Options{Transports: transports})
	if err != nil {
		t.Error(err)
		return
	}
	defer m.Close()
	s := m.Socket("/")
	got := make(chan int, 100)
	count.On(s, func(_ context.Context, i int) error {
		got <- i
		return nil
	})
	if err := s.Connect(ctx); err != nil {
		t.Error(err)
		return
	}
	for i := range 100 {
		if err := count.Emit(s, i); err != nil {
			t.Error(err)
		}
		if i%10 == 0 {
			if answer, err := echo.EmitWithAck(ctx, s, i); answer != i || err != nil {
				t.Errorf("echo(%d) = %d, %v", i, answer, err)
				return
			}
		}
	}
	for want := range 100 {
		select {
		case i := <-got:
			if i != want {
				t.Errorf("got %d; want %d", i, want)
				return
			}
		case <-ctx.Done():
			t.Errorf("%d did not come", want)
			return
		}
	}
}

// do makes a request and returns status, body and headers.
func do(t *testing.T, method, url, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b), res.Header
}

const polling = "?EIO=4&transport=polling"

// handshake opens a session at n and returns the rest of the query for it.
func (n *node) handshake(t *testing.T) (query string) {
	t.Helper()
	_, body, _ := do(t, "GET", n.base+polling, "")
	_, rest, _ := strings.Cut(body, `"sid":"`)
	sid, _, ok := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("handshake = %q", body)
	}
	<-n.seen
	return polling + "&sid=" + sid
}

// TestAddress: middleware on the owner sees the client, and believes only nodes.
func TestAddress(t *testing.T) {
	o := &socketio.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	a, b := newNode(t, o, nil), newNode(t, o, nil)
	q := a.handshake(t)
	if status, body, _ := do(t, "POST", b.base+q, "40", "X-Forwarded-For", "192.0.2.7"); status != 200 || body != "ok" {
		t.Fatalf("%d %s", status, body)
	}
	came, went := <-b.seen, <-a.seen
	if came.RemoteAddr != went.RemoteAddr || went.Header.Get("X-Forwarded-For") != "192.0.2.7" {
		t.Errorf("the owner sees %s for %v; the other %s", went.RemoteAddr, went.Header, came.RemoteAddr)
	}
	forged := went.Header.Get("Sockeye-Forwarded")
	for name, header := range map[string][]string{
		"of another sid":    {"Sockeye-Forwarded", forged, "X-Forwarded-For", "192.0.2.7"},
		"made up":           {"Sockeye-Forwarded", "192.0.2.9:1 AAAA"},
		"empty":             {"Sockeye-Forwarded", ""},
		"another forwarder": {"Sockeye-Forwarded", forged, "X-Forwarded-For", "192.0.2.8"},
	} {
		q := a.handshake(t)
		if status, _, _ := do(t, "POST", a.base+q, "40", header...); status != 200 {
			t.Errorf("%s: status %d at the owner", name, status)
		}
		if r := <-a.seen; !strings.HasPrefix(r.RemoteAddr, "127.0.0.1:") || r.RemoteAddr == came.RemoteAddr {
			t.Errorf("%s: RemoteAddr = %s", name, r.RemoteAddr)
		}
		if header[1] == "" {
			continue // as if it were not there
		}
		if status, body, _ := do(t, "POST", b.base+q, "40", header...); status != 400 || !strings.Contains(body, `"code":1`) {
			t.Errorf("%s: is forwarded: %d %s", name, status, body)
		}
		<-b.seen
		if len(a.seen) > 0 {
			t.Errorf("%s: reached the owner", name)
		}
	}
}

// TestHeaders: what both nodes set is there once, and the path is the client's.
func TestHeaders(t *testing.T) {
	o := &socketio.Options{
		CORS:    &socketio.CORS{Origins: []string{"https://app.example"}},
		Headers: func(h http.Header, r *http.Request) { h.Set("X-Path", r.RequestURI) },
	}
	a, b := newNode(t, o, nil), newNode(t, o, nil)
	q := a.handshake(t)
	_, _, h := do(t, "POST", b.base+q+"&x=%7e;y", "40", "Origin", "https://app.example")
	for _, name := range []string{"Access-Control-Allow-Origin", "X-Content-Type-Options", "X-Path", "Content-Length"} {
		if len(h[name]) != 1 {
			t.Errorf("%s: %q", name, h[name])
		}
	}
	if got, want := h.Get("X-Path"), "/socket.io/"+q+"&x=%7e;y"; got != want {
		t.Errorf("path = %s; want %s", got, want)
	}
	if status, _, _ := do(t, "POST", b.base+q, strings.Repeat("4", 1_000_001)); status != 413 {
		t.Errorf("a POST that is too large: status %d; want 413", status)
	}
	if status, _, _ := do(t, "PUT", b.base+q, ""); status != 400 {
		t.Errorf("PUT: status %d; want 400", status)
	}
}

// TestConnectionHeader: a client cannot have a node take away what the owner is to
// know of it.
func TestConnectionHeader(t *testing.T) {
	o := &socketio.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	a, b := newNode(t, o, nil), newNode(t, o, nil)
	do(t, "POST", b.base+a.handshake(t), "40", "X-Forwarded-For", "203.0.113.7", "Connection", "X-Forwarded-For, Sockeye-Forwarded")
	if r := <-a.seen; r.Header.Get("X-Forwarded-For") != "203.0.113.7" {
		t.Errorf("X-Forwarded-For = %q; want 203.0.113.7", r.Header.Get("X-Forwarded-For"))
	}
}

// TestAway: a node that is not there any more, or not any more the one that had
// the session, means code 1 at once.
func TestAway(t *testing.T) {
	a, b := newNode(t, nil, nil), newNode(t, nil, nil)
	q := a.handshake(t)
	unknown := func(what, url, hint string) {
		t.Helper()
		if status, body, _ := do(t, "GET", url, ""); status != 400 || !strings.Contains(body, `"code":1`) || !strings.Contains(body, hint) {
			t.Errorf("%s: %d %s", what, status, body)
		}
	}
	var dials atomic.Int32
	b.mu.Lock()
	b.dial = func() error {
		dials.Add(1)
		return &net.OpError{Op: "dial", Err: errors.New("nobody there")}
	}
	b.mu.Unlock()
	unknown("away", b.base+q, "cannot be reached")
	unknown("away, again", b.base+q, "cannot be reached")
	if n := dials.Load(); n != 1 {
		t.Errorf("dialled %d times; want 1", n)
	}
	if _, err := rawclient.Request(t.Context(), "GET", b.base+strings.Replace(q, "polling", "websocket", 1), ""); err == nil {
		t.Error("a WebSocket to a node that is away")
	}
	c := newNode(t, nil, nil)
	unknown("ended", c.base+q+"x", "")
	a.Close()
	unknown("ended at the owner", c.base+q, "")
	unknown("ended here", a.base+q, "")
	d := newNode(t, nil, func(o *forward.Options) { o.Key = []byte("another key of some length") })
	unknown("another key", d.base+c.handshake(t), "sticky sessions are missing")
	e := newNode(t, nil, func(o *forward.Options) { o.Key, o.OldKeys = []byte("another key of some length"), [][]byte{key} })
	if status, _, _ := do(t, "POST", e.base+c.handshake(t), "40"); status != 200 {
		t.Errorf("with an old key: status %d", status)
	}
}

// TestOnce: a poll whose answer was lost is not made again.
func TestOnce(t *testing.T) {
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
					if r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
						t.Errorf("%d bytes, %v", r.ContentLength, r.TransferEncoding)
					}
					if polls.Add(1) == 2 {
						return // taken, and never answered
					}
					fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n6")
				}
			}()
		}
	}()
	other, err := forward.New(&forward.Options{Address: l.Addr().String(), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	n := newNode(t, nil, nil)
	q := polling + "&sid=" + other.SID("AAAAAAAAAAAAAAAAAAAA")
	for i, want := range []int{200, 400} {
		if status, body, _ := do(t, "GET", n.base+q, ""); status != want {
			t.Errorf("poll %d: %d %s", i, status, body)
		}
	}
	if got := polls.Load(); got != 2 {
		t.Errorf("%d polls; want 2", got)
	}
}

// waitingPoll has a poll for a session of owner wait, through n, and returns where
// its status will come.
func waitingPoll(t *testing.T, owner, n *node, q string) <-chan int {
	t.Helper()
	do(t, "POST", owner.base+q, "40")
	<-owner.seen
	do(t, "GET", owner.base+q, "") // the CONNECT
	<-owner.seen
	ended := make(chan int, 1)
	go func() {
		status, _, _ := do(t, "GET", n.base+q, "")
		ended <- status
	}()
	<-owner.seen
	return ended
}

// TestShutdown: what a node forwards ends with it, and the sessions do not.
func TestShutdown(t *testing.T) {
	a, b := newNode(t, nil, nil), newNode(t, nil, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	q := a.handshake(t)
	ended := waitingPoll(t, a, b, q)
	if err := b.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if status := <-ended; status != 400 {
		t.Errorf("the poll ends with %d; want 400", status)
	}
	if status, _, _ := do(t, "POST", b.base+q, "3"); status != 400 {
		t.Errorf("a node that has been shut down forwards: %d", status)
	}
	if n := b.f.Stats().Open; n != 0 {
		t.Errorf("%d are left", n)
	}
}

// TestLimit: beyond MaxForwarded the answer is 503.
func TestLimit(t *testing.T) {
	a, b := newNode(t, nil, nil), newNode(t, nil, func(o *forward.Options) { o.MaxForwarded = 1 })
	q := a.handshake(t)
	ended := waitingPoll(t, a, b, q)
	status, _, h := do(t, "POST", b.base+q, "3")
	if status != 503 || h.Get("Retry-After") == "" {
		t.Errorf("status %d, %v; want 503", status, h)
	}
	b.Close()
	<-ended
}

func TestOptions(t *testing.T) {
	for _, o := range []*forward.Options{
		nil, {Key: key}, {Address: "a:1"}, {Address: "a:1", Key: []byte("short")},
		{Address: "a:1", Key: key, OldKeys: [][]byte{{}}}, {Address: "a:1", Key: key, DialTimeout: -1},
	} {
		if _, err := forward.New(o); err == nil {
			t.Errorf("New(%+v) succeeds", o)
		}
	}
}

var _ engineio.Forwarder = (*forward.Forwarder)(nil)
