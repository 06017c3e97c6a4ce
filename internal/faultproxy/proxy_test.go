package faultproxy_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/internal/faultproxy"
	"github.com/sockeye-go/socketio/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// pair is a client's connection through a proxy, and the server's end of it.
type pair struct {
	proxy          *faultproxy.Proxy
	client, server *net.TCPConn
}

// connect sends "hello" through a proxy with this plan and returns both ends
// with it on its way.
func connect(t *testing.T, plan faultproxy.Plan) pair {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := faultproxy.Listen(l.Addr().String())
	t.Cleanup(p.Close)
	p.Plan(faultproxy.Always(plan))
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return pair{p, c.(*net.TCPConn), s.(*net.TCPConn)}
}

// rest reads until the end and says how it came: "" for an orderly one.
func rest(t *testing.T, c net.Conn) (got, end string) {
	t.Helper()
	b, err := io.ReadAll(c)
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		end = "reset"
	case err != nil:
		end = err.Error()
	}
	return string(b), end
}

func expect(t *testing.T, c net.Conn, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != want {
		t.Fatalf("got %q, %v; want %q", b, err, want)
	}
}

func TestPlainProxyPassesEnds(t *testing.T) {
	p := connect(t, faultproxy.Plan{})
	p.client.CloseWrite()
	if got, end := rest(t, p.server); got != "hello" || end != "" {
		t.Fatalf("server got %q, end %q", got, end)
	}
	io.WriteString(p.server, strings.Repeat("x", 1<<20))
	p.server.Close()
	if got, end := rest(t, p.client); len(got) != 1<<20 || end != "" {
		t.Fatalf("client got %d bytes, end %q", len(got), end)
	}
}

func TestResetAtByte(t *testing.T) {
	for n := int64(0); n <= 5; n++ {
		p := connect(t, faultproxy.Plan{Up: faultproxy.Way{Fault: faultproxy.RST, At: n}})
		if got, end := rest(t, p.client); got != "" || end != "reset" {
			t.Errorf("byte %d: client got %q, end %q", n, got, end)
		}
		// A reset may destroy what came before it: at most n bytes have arrived.
		if got, end := rest(t, p.server); len(got) > int(n) || end != "reset" {
			t.Errorf("byte %d: server got %q, end %q", n, got, end)
		}
	}
}

func TestFINAtByte(t *testing.T) {
	p := connect(t, faultproxy.Plan{Up: faultproxy.Way{Fault: faultproxy.FIN, At: 3}})
	if got, end := rest(t, p.server); got != "hel" || end != "" {
		t.Errorf("server got %q, end %q", got, end)
	}
	if got, end := rest(t, p.client); got != "" || end != "" {
		t.Errorf("client got %q, end %q", got, end)
	}
}

func TestHalfClose(t *testing.T) {
	p := connect(t, faultproxy.Plan{Up: faultproxy.Way{Fault: faultproxy.HalfClose, At: 4}})
	if got, end := rest(t, p.server); got != "hell" || end != "" {
		t.Errorf("server got %q, end %q", got, end)
	}
	io.WriteString(p.server, "still there")
	expect(t, p.client, "still there")

	p = connect(t, faultproxy.Plan{})
	expect(t, p.server, "hello")
	p.proxy.Cut(faultproxy.HalfClose)
	if got, end := rest(t, p.client); got != "" || end != "" {
		t.Errorf("client got %q, end %q", got, end)
	}
	io.WriteString(p.client, "still there")
	expect(t, p.server, "still there")
}

// A mark may be split over what was read at once.
func TestMark(t *testing.T) {
	p := connect(t, faultproxy.Plan{Down: faultproxy.Way{Fault: faultproxy.FIN, Mark: "MARK", At: 2}})
	for _, s := range []string{"before ", "MA", "R", "K12", "34"} {
		io.WriteString(p.server, s)
	}
	if got, end := rest(t, p.client); got != "before MARK12" || end != "" {
		t.Errorf("client got %q, end %q", got, end)
	}
}

func TestBlackholeTellsNobody(t *testing.T) {
	p := connect(t, faultproxy.Plan{})
	expect(t, p.server, "hello")
	if n := p.proxy.Cut(faultproxy.Blackhole); n != 1 {
		t.Fatalf("%d connections", n)
	}
	io.WriteString(p.client, "lost")
	p.client.Close()
	p.server.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if got, end := rest(t, p.server); got != "" || !strings.Contains(end, "timeout") {
		t.Errorf("server got %q, end %q", got, end)
	}
	if n := p.proxy.Links(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestStallAndRelease(t *testing.T) {
	p := connect(t, faultproxy.Plan{Up: faultproxy.Way{Fault: faultproxy.Stall, At: 2}})
	expect(t, p.server, "he")
	p.server.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if got, end := rest(t, p.server); got != "" || !strings.Contains(end, "timeout") {
		t.Errorf("server got %q, end %q", got, end)
	}
	p.server.SetReadDeadline(time.Time{})
	p.proxy.Release()
	expect(t, p.server, "llo")
}

func TestShape(t *testing.T) {
	p := connect(t, faultproxy.Plan{
		Up:   faultproxy.Way{Segment: 1, Delay: time.Millisecond, Jitter: time.Millisecond},
		Down: faultproxy.Way{Coalesce: 100 * time.Millisecond},
	})
	expect(t, p.server, "hello")
	io.WriteString(p.server, "a")
	io.WriteString(p.server, "b")
	expect(t, p.client, "ab")
}

func TestRefuseAndTarget(t *testing.T) {
	p := connect(t, faultproxy.Plan{})
	p.proxy.Refuse(true)
	if c, err := net.Dial("tcp", p.proxy.Addr()); err == nil {
		if _, end := rest(t, c); end != "reset" {
			t.Errorf("end %q", end)
		}
		c.Close()
	}
	p.proxy.Refuse(false)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p.proxy.Target(l.Addr().String())
	c, err := net.Dial("tcp", p.proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "there")
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	expect(t, s, "there")
}

func TestChaosIsDecidedBySeed(t *testing.T) {
	a := faultproxy.Chaos{Seed: 1, Spare: 0.3, Shape: true}
	b := faultproxy.Chaos{Seed: 2, Spare: 0.3, Shape: true}
	differ := false
	for n := range 50 {
		if a.Plan(n, "") != a.Plan(n, "other") {
			t.Fatalf("connection %d: two plans of one seed", n)
		}
		differ = differ || a.Plan(n, "") != b.Plan(n, "")
	}
	if !differ {
		t.Error("two seeds, one plan")
	}
}
