package interop

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/faultproxy"
)

// A peer is an official server in a process of its own; see node/peer.mjs.
type peer struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	addr  string

	mu    sync.Mutex
	lines []string
}

func startPeer(t *testing.T, version, options, port string) *peer {
	t.Helper()
	p := &peer{t: t, cmd: exec.Command("node", "peer.mjs", version, port)}
	p.cmd.Dir = "node"
	p.cmd.Env = append(os.Environ(), "FIXTURE_OPTIONS="+options)
	p.cmd.Stderr = os.Stderr
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	in := bufio.NewScanner(out)
	if !in.Scan() {
		t.Fatal("the server says nothing: ", in.Err())
	}
	listening, found := strings.CutPrefix(in.Text(), "listening ")
	if !found {
		t.Fatalf("the server says %q", in.Text())
	}
	p.addr = "127.0.0.1:" + listening
	go func() {
		for in.Scan() {
			p.mu.Lock()
			p.lines = append(p.lines, in.Text())
			p.mu.Unlock()
		}
	}()
	return p
}

func (p *peer) stop() {
	p.stdin.Close()
	_ = p.cmd.Process.Kill() // it may have ended
	_ = p.cmd.Wait()
}

func (p *peer) say(format string, args ...any) {
	fmt.Fprintf(p.stdin, format+"\n", args...)
}

// output returns what the server has printed.
func (p *peer) output() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.lines)
}

// connect makes a socket that is connected and closed with the test.
func connect(t *testing.T, addr, nsp string, o client.Options) *client.Socket {
	t.Helper()
	m, err := client.New("http://"+addr, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	s := m.Socket(nsp)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// soon fails the test when what should come does not.
func soon[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(15 * time.Second):
		t.Fatalf("waited for %s in vain", what)
		panic("unreachable")
	}
}

// until waits for what nobody tells of.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(15 * time.Second); !f(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited for %s in vain", what)
		}
	}
}

type hello struct {
	ID        string
	Auth      map[string]any
	Query     string
	Header    string
	Cookie    string
	Recovered bool
}

var (
	helloEvent = socketio.NewEvent[hello]("hello")
	echo       = socketio.NewEventWithAck[payload, payload]("echo")
	ask        = socketio.NewEventWithAck[question, int]("ask")
	kick       = socketio.NewEvent[bool]("kick")
	count      = socketio.NewEventWithAck[int, int]("count")
)

type payload struct {
	socketio.Positional
	Text string
	Deep struct{ Bytes []byte }
}

type question struct {
	socketio.Positional
	Event string
	N     int
}

// TestGoClient takes the Go client through what both official servers do, over
// each transport.
func TestGoClient(t *testing.T) {
	needParts(t)
	for _, version := range []string{"4", "2"} {
		p := startPeer(t, version, `{"pingInterval":300,"pingTimeout":400}`, "0")
		for _, transports := range [][]string{{"websocket"}, {"polling"}, {"polling", "websocket"}} {
			t.Run(version+"/"+strings.Join(transports, ","), func(t *testing.T) {
				o := client.Options{Transports: transports, Header: http.Header{"X-Who": {"bot"}}, Query: url.Values{"who": {"me"}}}
				if version == "2" {
					o.Protocol = 3
				}
				t.Run("talk", func(t *testing.T) { talk(t, p, o) })
				t.Run("namespaces", func(t *testing.T) { namespaces(t, p, o) })
				t.Run("reasons", func(t *testing.T) { reasons(t, p, o) })
			})
		}
	}
}

func talk(t *testing.T, p *peer, o client.Options) {
	m, err := client.New("http://"+p.addr, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	s := m.Socket("/")
	hellos := make(chan hello, 1)
	helloEvent.On(s, func(_ context.Context, h hello) error { hellos <- h; return nil })
	double := socketio.NewEventWithAck[int, int]("double")
	double.On(s, func(ctx context.Context, n int) (int, error) {
		// A handler may wait for an ack of its own socket.
		if got, err := echo.EmitWithAck(ctx, s, payload{Text: "inner"}); err != nil || got.Text != "inner" {
			return 0, fmt.Errorf("%v, %w", got, err)
		}
		return 2 * n, nil
	})
	flood := make(chan []int, 1)
	var numbers []int
	s.On("n", func(_ context.Context, m *socketio.Message) error {
		var n int
		var b []byte
		if err := m.Decode(&n, &b); err != nil || len(b) != 1 || b[0] != byte(n) {
			t.Errorf("n: %d %v %v", n, b, err)
		}
		if numbers = append(numbers, n); len(numbers) == 2000 {
			flood <- numbers
		}
		return nil
	})
	if err := s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := soon(t, "hello", hellos)
	if h.ID != s.ID() || h.Query != "me" || h.Header != "bot" {
		t.Errorf("hello %+v, id %q", h, s.ID())
	}
	in := payload{Text: "héllo 😀"}
	in.Deep.Bytes = bytes.Repeat([]byte{0, 255, 30, 4}, 10_000)
	out, err := echo.EmitWithAck(t.Context(), s, in)
	if err != nil || out.Text != in.Text || !bytes.Equal(out.Deep.Bytes, in.Deep.Bytes) {
		t.Errorf("echo: %q, %d bytes, %v", out.Text, len(out.Deep.Bytes), err)
	}
	if n, err := ask.EmitWithAck(t.Context(), s, question{Event: "double", N: 21}); n != 42 || err != nil {
		t.Errorf("ask: %d, %v", n, err)
	}
	if err := s.Emit("flood", 2000); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if err := count.Emit(s, i); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := s.EmitWithAck(t.Context(), "counted")
	if err != nil {
		t.Fatal(err)
	}
	var counted []int
	if err := answer.Decode(&counted); err != nil || len(counted) != 1000 || !slices.IsSorted(counted) {
		t.Errorf("the server counted %d, %v", len(counted), err)
	}
	if got := soon(t, "the flood", flood); !slices.IsSorted(got) {
		t.Error("the flood is out of order")
	}
	if want := o.Transports[len(o.Transports)-1]; m.Transport() != want {
		t.Errorf("ends on %s", m.Transport())
	}
	// A few heartbeats.
	ctx, cancel := context.WithTimeout(s.Context(), 800*time.Millisecond)
	defer cancel()
	if <-ctx.Done(); !s.Connected() {
		t.Error("did not live through its heartbeats: ", context.Cause(ctx))
	}
}

func namespaces(t *testing.T, p *peer, o client.Options) {
	m, err := client.New("http://"+p.addr, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	refused, ok := errors.AsType[*client.ConnectError](m.SocketWith("/guarded", client.SocketOptions{Auth: map[string]string{"token": "bad"}}).Connect(ctx))
	switch {
	case !ok:
		t.Errorf("no refusal")
	case o.Protocol == 3: // sends the data alone
	case refused.Message != "not you" || string(refused.Data) != `{"given":"bad"}`:
		t.Errorf("refusal %+v", refused)
	}
	if _, ok := errors.AsType[*client.ConnectError](m.Socket("/nowhere").Connect(ctx)); !ok {
		t.Error("/nowhere is somewhere")
	}
	// Two on one connection, with what a function says.
	good := client.SocketOptions{AuthFunc: func(context.Context) (any, error) { return map[string]string{"token": "good"}, nil }}
	chat := m.Socket("chat")
	if err := chat.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	m2, err := client.New("http://"+p.addr, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m2.Close)
	guarded := m2.SocketWith("/guarded", good)
	other := m2.Socket("/chat")
	if err := errors.Join(guarded.Connect(ctx), other.Connect(ctx)); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*client.Socket{chat, guarded, other} {
		if out, err := echo.EmitWithAck(ctx, s, payload{Text: s.Namespace()}); err != nil || out.Text != s.Namespace() {
			t.Errorf("%s: %v, %v", s.Namespace(), out, err)
		}
	}
	guarded.Disconnect()
	if out, err := echo.EmitWithAck(ctx, other, payload{Text: "still"}); err != nil || out.Text != "still" {
		t.Errorf("after the other has left: %v, %v", out, err)
	}
	if err := guarded.Connect(ctx); err != nil { // and comes back on the same connection
		t.Error(err)
	}
}

func reasons(t *testing.T, p *peer, o client.Options) {
	proxy := faultproxy.Listen(p.addr)
	t.Cleanup(proxy.Close)
	o.ReconnectionDelay = 20 * time.Millisecond
	m, err := client.New(proxy.URL(), &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	s := m.Socket("/")
	gone := make(chan socketio.DisconnectReason, 1)
	back := make(chan bool, 1)
	s.OnDisconnect(func(r socketio.DisconnectReason, _ error) { gone <- r })
	s.OnConnect(func() { back <- true })
	want := func(what string, comesBack bool, reasons ...socketio.DisconnectReason) {
		t.Helper()
		if r := soon(t, what, gone); !slices.Contains(reasons, r) {
			t.Errorf("%s: %q", what, r)
		}
		if comesBack {
			soon(t, "reconnection", back)
		}
	}
	if err := s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	soon(t, "connection", back)
	p.say("close")
	want("a close of the engine", true, socketio.TransportClose)
	// Polling fails in a request, as XHR does, and survives a cut between two.
	until(t, "a reset", func() bool { proxy.Cut(faultproxy.RST); return !s.Connected() })
	want("a reset", true, socketio.TransportClose, socketio.TransportError)
	proxy.Cut(faultproxy.Blackhole)
	want("silence", true, socketio.PingTimeout)
	if err := kick.Emit(s, false); err != nil {
		t.Fatal(err)
	}
	want("a kick", false, client.ServerDisconnect)
	if s.Active() || s.Connected() {
		t.Error("comes back after a kick")
	}
	if err := s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	soon(t, "connection", back)
	s.Disconnect()
	want("Disconnect", false, client.ClientDisconnect)
	if err := s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	soon(t, "connection", back)
	s.Manager().Close()
	want("Close", false, socketio.ForcedClose)
}

// TestGoClientRestart restarts the official server twice while numbers are sent
// with retries: each arrives at least once, in order.
func TestGoClientRestart(t *testing.T) {
	needParts(t)
	first := startPeer(t, "4", "{}", "0")
	proxy := faultproxy.Listen(first.addr)
	t.Cleanup(proxy.Close)
	s := connect(t, proxy.Addr(), "/", client.Options{
		ReconnectionDelay: 20 * time.Millisecond, ReconnectionDelayMax: 50 * time.Millisecond,
		SocketOptions: client.SocketOptions{Retries: 1000, AckTimeout: time.Second}, MaxBufferedEvents: 10_000,
	})
	if s.OnceWindow() != 0 {
		t.Error("the official server has a window")
	}
	const numbers = 3000
	var last error
	peers := []*peer{first}
	for n := range numbers {
		if n == numbers/3 || n == 2*numbers/3 {
			// Part of what was emitted is still to be sent.
			peers[len(peers)-1].stop()
			peers = append(peers, startPeer(t, "4", "{}", "0"))
			proxy.Target(peers[len(peers)-1].addr)
		}
		if n == numbers-1 {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			_, last = count.EmitWithAck(ctx, s, n)
			cancel()
		} else if err := count.Emit(s, n); err != nil {
			t.Fatal(err)
		}
	}
	if last != nil {
		t.Fatal(last)
	}
	next := 0
	for _, p := range peers {
		for _, line := range p.output() {
			var n int
			fmt.Sscanf(line, "count %d", &n)
			if n > next || n < next-1 {
				t.Fatalf("%d where %d comes next", n, next)
			}
			next = max(next, n+1)
		}
	}
	if next < numbers-1 { // the last line may still be in the pipe
		t.Errorf("%d of %d have arrived", next, numbers)
	}
}

// TestGoClientRecovery cuts the connection to an official server that recovers
// its clients: what it emits meanwhile comes.
func TestGoClientRecovery(t *testing.T) {
	needParts(t)
	p := startPeer(t, "4", `{"connectionStateRecovery":{}}`, "0")
	for _, transports := range [][]string{{"websocket"}, {"polling", "websocket"}} {
		t.Run(strings.Join(transports, ","), func(t *testing.T) {
			proxy := faultproxy.Listen(p.addr)
			t.Cleanup(proxy.Close)
			m, err := client.New(proxy.URL(), &client.Options{Transports: transports, ReconnectionDelay: 50 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(m.Close)
			s := m.Socket("/")
			numbers := make(chan int, 10_000)
			s.On("n", func(_ context.Context, m *socketio.Message) error {
				var n int
				err := m.Decode(&n)
				numbers <- n
				return err
			})
			recovered := make(chan bool, 10)
			s.OnConnect(func() { recovered <- s.Recovered() })
			if err := s.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if soon(t, "connect", recovered) {
				t.Error("the first connection is recovered")
			}
			p.say("emit 1")
			next := soon(t, "a number", numbers) + 1
			expect := func(count int) {
				t.Helper()
				for range count {
					if n := soon(t, "a number", numbers); n != next {
						t.Fatalf("number %d, want %d", n, next)
					}
					next++
				}
			}
			id := s.ID()
			for range 5 {
				// What comes over the WebSocket shows that the server has upgraded
				// too. One that still polls does not notice a cut before its ping.
				until(t, "the upgrade", func() bool { return m.Transport() == "websocket" })
				p.say("emit 1")
				expect(1)
				p.say("emit 50")
				proxy.Cut(faultproxy.RST)
				p.say("emit 50")
				if !soon(t, "reconnection", recovered) {
					t.Error("not recovered")
				}
				expect(100)
			}
			if s.ID() != id {
				t.Errorf("id %s, before %s", s.ID(), id)
			}
		})
	}
}

// TestGoClientHandshakes is about what can happen before there is a session.
func TestGoClientHandshakes(t *testing.T) {
	needParts(t)
	p := startPeer(t, "4", `{"maxHttpBufferSize":100000,"cookie":true}`, "0")
	target, _ := url.Parse("http://" + p.addr)
	back := httputil.NewSingleHostReverseProxy(target)
	back.ErrorLog = nil
	transports := [][]string{{"websocket"}, {"polling"}, {"polling", "websocket"}}
	try := func(t *testing.T, rawURL string, o client.Options) (*client.Socket, error) {
		m, err := client.New(rawURL, &o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.Close)
		s := m.Socket("/")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		return s, s.Connect(ctx)
	}
	works := func(t *testing.T, rawURL string, o client.Options) {
		t.Helper()
		s, err := try(t, rawURL, o)
		if err != nil {
			t.Error(err)
			return
		}
		if out, err := echo.EmitWithAck(t.Context(), s, payload{Text: "x"}); err != nil || out.Text != "x" {
			t.Errorf("%v, %v", out, err)
		}
	}
	for _, tr := range transports {
		name := strings.Join(tr, ",")
		t.Run("tls/"+name, func(t *testing.T) {
			front := httptest.NewTLSServer(back)
			t.Cleanup(front.Close)
			roots := front.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
			works(t, front.URL, client.Options{Transports: tr, TLSConfig: &tls.Config{RootCAs: roots}})
			_, err := try(t, front.URL, client.Options{Transports: tr})
			if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); !untrusted {
				t.Errorf("an unknown authority: %v", err)
			}
		})
		t.Run("redirect/"+name, func(t *testing.T) {
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://"+p.addr+r.URL.RequestURI(), http.StatusTemporaryRedirect)
			}))
			t.Cleanup(front.Close)
			works(t, front.URL, client.Options{Transports: tr})
			loop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, r.URL.RequestURI(), http.StatusFound)
			}))
			t.Cleanup(loop.Close)
			if _, err := try(t, loop.URL, client.Options{Transports: tr}); err == nil {
				t.Error("came out of a loop")
			}
		})
		t.Run("proxy/"+name, func(t *testing.T) {
			front := httptest.NewServer(forwardProxy(t))
			t.Cleanup(front.Close)
			via, _ := url.Parse(front.URL)
			// Nobody but the proxy knows this name.
			works(t, "http://official.invalid", client.Options{Transports: tr, Proxy: http.ProxyURL(via),
				Header: http.Header{"X-Target": {p.addr}}})
		})
		t.Run("slow/"+name, func(t *testing.T) {
			proxy := faultproxy.Listen(p.addr)
			t.Cleanup(proxy.Close)
			slow := faultproxy.Way{Segment: 7, Delay: time.Millisecond}
			proxy.Plan(faultproxy.Always(faultproxy.Plan{Up: slow, Down: slow}))
			works(t, proxy.URL(), client.Options{Transports: tr})
		})
		t.Run("never answers/"+name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			_, err = try(t, "http://"+l.Addr().String(), client.Options{Transports: tr, Timeout: 200 * time.Millisecond})
			if failed, ok := errors.AsType[*client.HandshakeError](err); !ok || !failed.Timeout() {
				t.Errorf("%v", err)
			}
		})
		for _, status := range []int{401, 403, 503} {
			t.Run(fmt.Sprintf("%d/%s", status, name), func(t *testing.T) {
				front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Retry-After", "7")
					w.WriteHeader(status)
					io.WriteString(w, `{"code":4,"message":"not today"}`)
				}))
				t.Cleanup(front.Close)
				_, err := try(t, front.URL, client.Options{Transports: tr})
				failed, ok := errors.AsType[*client.HandshakeError](err)
				if !ok || failed.Status != status || failed.Code != engineio.Forbidden || failed.Message != "not today" || failed.Header.Get("Retry-After") != "7" {
					t.Errorf("%#v", err)
				}
			})
		}
		t.Run("too large/"+name, func(t *testing.T) {
			s, err := try(t, "http://"+p.addr, client.Options{Transports: tr, MaxPayload: 50_000, ReconnectionDelay: 10 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Emit("echo", strings.Repeat("x", 100_000)); !errors.Is(err, engineio.ErrTooLarge) {
				t.Errorf("Emit: %v", err)
			}
			if out, err := echo.EmitWithAck(t.Context(), s, payload{Text: "alive"}); err != nil || out.Text != "alive" {
				t.Errorf("afterwards: %v, %v", out, err)
			}
			gone := make(chan socketio.DisconnectReason, 1)
			s.OnDisconnect(func(r socketio.DisconnectReason, _ error) { gone <- r })
			if err := s.Emit("big", 60_000); err != nil {
				t.Fatal(err)
			}
			if r := soon(t, "the end", gone); r != socketio.TransportError {
				t.Errorf("the server sent too much: %q", r)
			}
		})
	}
	t.Run("cookies", func(t *testing.T) {
		jar, _ := cookiejar.New(nil)
		o := client.Options{Transports: []string{"polling", "websocket"}, Jar: jar}
		works(t, "http://"+p.addr, o)
		m, _ := client.New("http://"+p.addr, &o)
		t.Cleanup(m.Close)
		s := m.Socket("/")
		hellos := make(chan hello, 1)
		helloEvent.On(s, func(_ context.Context, h hello) error { hellos <- h; return nil })
		if err := s.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if h := soon(t, "hello", hellos); !strings.HasPrefix(h.Cookie, "io=") {
			t.Errorf("cookie %q", h.Cookie)
		}
	})
}

// forwardProxy is an HTTP proxy that leads everybody to X-Target, or to where
// CONNECT for official.invalid was told before.
func forwardProxy(t *testing.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.IsAbs() || r.URL.Host != "official.invalid" {
			t.Errorf("the proxy is asked for %s %s", r.Method, r.URL)
		}
		to := &httputil.ReverseProxy{Rewrite: func(pr *httputil.ProxyRequest) {
			pr.Out.URL.Host = pr.In.Header.Get("X-Target")
		}}
		to.ServeHTTP(w, r)
	})
}

// TestGoClientCompression: both ends of the official server's compression, which takes
// its context over when it is offered that.
func TestGoClientCompression(t *testing.T) {
	needParts(t)
	// The server counts a ping as sent when it is queued, behind a flood that it has yet
	// to compress: its patience must be longer than that takes.
	p := startPeer(t, "4", `{"pingInterval":300,"pingTimeout":5000,"perMessageDeflate":{"threshold":50}}`, "0")
	for name, o := range map[string]*socketio.PerMessageDeflate{
		"alone":         {Threshold: 50},
		"context":       {Threshold: 50, ContextTakeover: true},
		"small windows": {Threshold: 50, ContextTakeover: true, WindowBits: 9},
		"large windows": {Threshold: 50, ContextTakeover: true, WindowBits: 15},
	} {
		for _, transports := range [][]string{{"websocket"}, {"polling", "websocket"}} {
			t.Run(name+"/"+strings.Join(transports, ","), func(t *testing.T) {
				talk(t, p, client.Options{
					Transports: transports, PerMessageDeflate: o,
					Header: http.Header{"X-Who": {"bot"}}, Query: url.Values{"who": {"me"}},
				})
			})
		}
	}
}

// TestGoClientSlowHandlers: handlers that take longer than the server waits for a pong,
// while more comes than may wait for them, cost neither the connection nor an event.
func TestGoClientSlowHandlers(t *testing.T) {
	needParts(t)
	for _, version := range []string{"4", "2"} {
		p := startPeer(t, version, `{"pingInterval":200,"pingTimeout":200}`, "0")
		for _, transport := range []string{"websocket", "polling"} {
			t.Run(version+"/"+transport, func(t *testing.T) {
				o := client.Options{Transports: []string{transport}, MaxReceivedEvents: 8, DisableReconnection: true}
				if version == "2" {
					o.Protocol = 3
				}
				m, err := client.New("http://"+p.addr, &o)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(m.Close)
				s := m.Socket("/")
				all := make(chan bool)
				next := 0
				s.On("n", func(_ context.Context, m *socketio.Message) error {
					var n int
					if err := m.Decode(&n); err != nil || n != next {
						t.Errorf("%d, %v; want %d", n, err, next)
					}
					if next%100 == 50 {
						<-time.After(1500 * time.Millisecond) // several times what the server waits
					}
					if next++; next == 200 {
						close(all)
					}
					return nil
				})
				if err := s.Connect(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := s.Emit("flood", 200); err != nil {
					t.Fatal(err)
				}
				select {
				case <-all:
				case <-s.Context().Done():
					t.Fatalf("cut after %d events: %v", next, context.Cause(s.Context()))
				}
				if _, err := echo.EmitWithAck(t.Context(), s, payload{Text: "alive"}); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestGoClientLostAcks: an answer that never comes ends with AckTimeout, and
// nothing of it stays.
func TestGoClientLostAcks(t *testing.T) {
	needParts(t)
	p := startPeer(t, "4", "{}", "0")
	s := connect(t, p.addr, "/", client.Options{SocketOptions: client.SocketOptions{AckTimeout: 300 * time.Millisecond}, MaxPendingAcks: 10})
	var wg sync.WaitGroup
	for n := range 10 {
		wg.Go(func() {
			m, err := s.EmitWithAck(t.Context(), "half", n)
			if n%2 == 0 && err != nil || n%2 == 1 && !errors.Is(err, client.ErrAckTimeout) {
				t.Errorf("%d: %v, %v", n, m, err)
			}
		})
	}
	wg.Wait()
	for range 10 { // there is room again
		if _, err := s.EmitWithAck(t.Context(), "half", 2); err != nil {
			t.Error(err)
		}
	}
}
