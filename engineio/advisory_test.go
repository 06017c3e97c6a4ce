package engineio_test

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/leak"
	"github.com/sockeye-go/socketio/internal/ws"
)

// The tests in this file are named after what has hurt systems of this kind.

// echo sends what comes.
func echo(r *recorder, m engineio.Message) {
	_ = r.session.Send(engineio.Prepare(m), 0)
}

// dialTCP opens a connection without a word.
func (h *harness) dialTCP() *net.TCPConn {
	h.t.Helper()
	nc, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(h.base, "http://"), "/engine.io/"))
	if err != nil {
		h.t.Fatal(err)
	}
	return nc.(*net.TCPConn)
}

const upgradeRequest = "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

func TestAdvisoryReservedBitsAtHandshake(t *testing.T) {
	h := newHarness(t, nil, echo)
	nc := h.dialTCP()
	defer nc.Close()
	if _, err := nc.Write([]byte(upgradeRequest + "\r\n\xb1\x80\x00\x00\x00\x00")); err != nil { // RSV2 and RSV3
		t.Fatal(err)
	}
	rec := <-h.sessions
	if got := rec.waitClosed(t); got != engineio.TransportError {
		t.Errorf("ended with %q", got)
	}
	c, _ := h.openWS()
	c.text("4alive")
	c.want("4alive")
}

func TestAdvisoryUnknownNames(t *testing.T) {
	h := newHarness(t, nil, echo)
	for _, name := range []string{"constructor", "__proto__", "toString", "webtransport", "", "%00"} {
		for _, query := range []string{"EIO=4&transport=" + name, "EIO=4&transport=polling&sid=" + name} {
			if name == "" && strings.Contains(query, "sid") {
				continue // no sid: a handshake
			}
			if res := h.do("GET", query, ""); res.status != 400 {
				t.Errorf("GET %s = %d %q; want 400", query, res.status, res.body)
			}
			if c, res, err := h.tryDial(query); err == nil || res == nil || res.StatusCode != 400 {
				if strings.Contains(query, "sid") && err == nil {
					c.nc.Close()
				}
				t.Errorf("WebSocket %s: %v, %v; want 400", query, res, err)
			}
		}
	}
}

func TestAdvisoryForeignOrigin(t *testing.T) {
	h := newHarness(t, nil, echo)
	if _, res, err := h.tryDial("EIO=4&transport=websocket", "Origin", "http://evil.example"); err == nil || res == nil || res.StatusCode != 403 {
		t.Errorf("WebSocket of a foreign page: %v, %v; want 403", res, err)
	}
	res := h.do("GET", "EIO=4&transport=polling", "", "Origin", "http://evil.example")
	if got := res.header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("Access-Control-Allow-Origin = %q", got)
	}
	if got := res.header.Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("X-Content-Type-Options = %q", got)
	}
}

func TestAdvisoryTinyPackets(t *testing.T) {
	h := newHarness(t, nil, nil)
	q, rec := h.openPoll()
	h.post(q, strings.Repeat("4\x1e", 200_000))
	if got := rec.waitClosed(t); got != engineio.ParseError {
		t.Errorf("ended with %q", got)
	}
	if got := len(rec.messages()); got != 1<<16 {
		t.Errorf("%d packets arrived; want the default limit", got)
	}
}

func TestAdvisoryTinyFragments(t *testing.T) {
	for _, size := range []int{0, 1} {
		t.Run(fmt.Sprint(size, " bytes"), func(t *testing.T) {
			h := newHarness(t, nil, echo)
			c, rec := h.openWS()
			piece := ws.AppendMasked(nil, ws.Text, []byte("4")[:size], [4]byte{})
			piece[0] = byte(ws.Text) // without FIN
			in := append([]byte(nil), piece...)
			piece[0] = byte(ws.Continuation)
			for range 2000 {
				in = append(in, piece...)
			}
			c.raw(in)
			c.want("close 1008")
			if got := rec.waitClosed(t); got != engineio.TransportError {
				t.Errorf("ended with %q", got)
			}
		})
	}
}

// Pongs nobody asked for start nothing.
func TestAdvisoryPongs(t *testing.T) {
	h := newHarness(t, nil, echo)
	c, _ := h.openWS()
	before := leak.Count()
	for range 5000 {
		c.text("3")
		c.write(ws.Pong, "x")
	}
	c.text("4alive")
	c.want("4alive")
	if n := leak.Count(); n > before+10 {
		t.Errorf("%d goroutines; %d before", n, before)
	}
}

// A client that makes the server answer, and does not read the answers, is cut;
// others do not notice.
func TestAdvisoryFloodWithoutReading(t *testing.T) {
	for name, flood := range map[string][]byte{
		"pings":  ws.AppendMasked(nil, ws.Ping, make([]byte, 125), [4]byte{}),
		"echoes": ws.AppendMasked(nil, ws.Text, append([]byte("4"), make([]byte, 1000)...), [4]byte{}),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, &engineio.Options{MaxQueuedBytes: 64 << 10}, echo)
			bystander, _ := h.openWS()
			c, rec := h.openWS()
			var many []byte
			for len(many) < 64<<10 {
				many = append(many, flood...)
			}
			_ = c.nc.SetWriteDeadline(time.Now().Add(10 * time.Second))
			for sent := 0; ; sent += len(many) {
				if sent > 256<<20 {
					t.Fatal("the server took 256 MiB without being read")
				}
				if _, err := c.nc.Write(many); err != nil {
					break
				}
			}
			if got := rec.waitClosed(t); got != engineio.TransportError {
				t.Errorf("ended with %q", got)
			}
			bystander.text("4alive")
			bystander.want("4alive")
		})
	}
}

// A panic of a receiver ends its session alone.
func TestAdvisoryReceiverPanics(t *testing.T) {
	h := newHarness(t, nil, func(r *recorder, m engineio.Message) {
		if string(m.Data) == "panic" {
			panic("in Receive")
		}
		echo(r, m)
	})
	bystander, _ := h.openWS()
	c, rec := h.openWS()
	c.text("4panic")
	if got := rec.waitClosed(t); got != engineio.TransportError {
		t.Errorf("ended with %q", got)
	}
	q, rec := h.openPoll()
	h.post(q, "4panic")
	if got := rec.waitClosed(t); got != engineio.TransportError {
		t.Errorf("on polling: ended with %q", got)
	}
	bystander.text("4alive")
	bystander.want("4alive")
}

// descriptors counts this process's, -1 where that is not known.
func descriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(entries)
}

// 2,000 clients that come and are gone by RST, at every stage, leave nothing.
func TestAdvisoryChurn(t *testing.T) {
	h := newHarness(t, nil, nil)
	go func() { // sessions are of no interest
		for {
			select {
			case <-h.sessions:
			case <-t.Context().Done():
				return
			}
		}
	}()
	reset := func(request string, wait bool) {
		nc := h.dialTCP()
		defer nc.Close()
		_ = nc.SetLinger(0)
		_, _ = nc.Write([]byte(request))
		if wait {
			_ = nc.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := nc.Read(make([]byte, 1024)); err != nil {
				t.Errorf("no answer to %.40q: %v", request, err)
			}
		}
	}
	reset(upgradeRequest+"\r\n", true) // what is made once is made now
	h.client.CloseIdleConnections()
	goroutines, fds := leak.Count(), descriptors()
	for i := range 2000 {
		switch i % 5 {
		case 0:
			reset(upgradeRequest+"\r\n", true)
		case 1:
			reset(upgradeRequest+"\r\n", false)
		case 2:
			reset(upgradeRequest, false) // an unfinished request
		case 3:
			reset(upgradeRequest+"Origin: http://evil.example\r\n\r\n", false)
		case 4:
			reset(upgradeRequest+"\r\n\xb1", i%2 == 0)
		}
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		g, d, n := leak.Count(), descriptors(), h.srv.Sessions()
		if g <= goroutines+5 && d <= fds+2 && n == 0 {
			if log := h.complaints.String(); log != "" {
				t.Errorf("the HTTP server complains: %.500s", log)
			}
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("left: %d goroutines (%d before), %d descriptors (%d before), %d sessions", g, goroutines, d, fds, n)
		}
	}
}
