package socketio_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/memnet"
	"github.com/sockeye-go/socketio/internal/ws"
)

// A harness is a server on a network in memory, in a synctest bubble.
type harness struct {
	*socketio.Server
	t       *testing.T
	network *memnet.Network
	http    *http.Client
	log     logBuffer
}

// bubble runs f in a bubble with a server of these options. Whatever is left of
// either when f returns fails the test.
func bubble(t *testing.T, o *socketio.Options, f func(*testing.T, *harness)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h, stop := serve(t, o)
		defer stop()
		f(t, h)
	})
}

// serve starts a server; in a bubble, stop is the last that happens.
func serve(t *testing.T, o *socketio.Options) (h *harness, stop func()) {
	h = &harness{t: t, network: memnet.New()}
	if o == nil {
		o = new(socketio.Options)
	}
	own := *o
	own.Logger = slog.New(slog.NewTextHandler(&h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.Server = socketio.NewServer(&own)
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", h.Server)
	hs := &http.Server{Handler: mux}
	go hs.Serve(h.network)
	transport := h.network.Transport()
	h.http = &http.Client{Transport: transport}
	return h, func() {
		h.Server.Close()
		transport.CloseIdleConnections()
		hs.Close()
		synctest.Wait()
	}
}

// A logBuffer keeps the log.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
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

// A client is a WebSocket that answers pings and keeps everything else.
type client struct {
	t   *testing.T
	nc  net.Conn
	sid string
	// writing is a lock that lets the fake clock go on while it is waited for.
	writing chan struct{}

	mu  sync.Mutex
	got []string // text as it is, binary as b<hex>, the end as "end"
	// deaf makes it stop answering pings.
	deaf bool
}

// open makes a connection that has joined nothing.
func (h *harness) open(header ...string) *client {
	h.t.Helper()
	return h.openRevision(4, header...)
}

// open3 makes a connection of a client of Socket.IO 2.
func (h *harness) open3() *client {
	h.t.Helper()
	return h.openRevision(3)
}

func (h *harness) openRevision(revision int, header ...string) *client {
	h.t.Helper()
	hd := http.Header{}
	for i := 0; i < len(header); i += 2 {
		hd.Set(header[i], header[i+1])
	}
	nc, leftover, _, err := ws.Dial(h.t.Context(), fmt.Sprintf("ws://memory/socket.io/?EIO=%d&transport=websocket&token=t", revision), &ws.DialOptions{
		Header:  hd,
		NetDial: func(context.Context, string, string) (net.Conn, error) { return h.network.Dial() },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	c := &client{t: h.t, nc: nc, writing: make(chan struct{}, 1)}
	go c.read(leftover)
	packet := c.next()
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(packet, "0")), &open); err != nil {
		h.t.Fatalf("open packet %q: %v", packet, err)
	}
	c.sid = open.SID
	return c
}

// join makes a connection that has joined "/".
func (h *harness) join() *client {
	h.t.Helper()
	c := h.open()
	c.connect("/", "")
	return c
}

// connect joins a namespace and returns the id of the socket.
func (c *client) connect(nsp, auth string) string {
	c.t.Helper()
	prefix := ""
	if nsp != "/" {
		prefix = nsp + ","
	}
	c.send("40" + prefix + auth)
	answer, ok := strings.CutPrefix(c.next(), "40"+prefix)
	var reply struct{ SID string }
	if err := json.Unmarshal([]byte(answer), &reply); !ok || err != nil || len(reply.SID) != 20 {
		c.t.Fatalf("answer to CONNECT = %q", answer)
	}
	return reply.SID
}

func (c *client) read(in []byte) {
	var parser ws.Parser
	parser.Init(ws.Client, 64<<20)
	for {
		for len(in) > 0 {
			m, n, ok, err := parser.Next(in)
			in = in[n:]
			if err != nil {
				c.add("bad frame: " + err.Error())
				return
			}
			if !ok {
				break
			}
			switch {
			case m.Op == ws.Close:
				c.nc.Write(ws.AppendMasked(nil, ws.Close, nil, [4]byte{}))
			case m.Op == ws.Binary:
				c.add(fmt.Sprintf("b%x", m.Data))
			case string(m.Data) == "2":
				c.mu.Lock()
				deaf := c.deaf
				c.mu.Unlock()
				if !deaf {
					c.send("3")
				}
			default:
				c.add(string(m.Data))
			}
		}
		buf := make([]byte, 4096)
		n, err := c.nc.Read(buf)
		if n == 0 && err != nil {
			c.nc.Close()
			c.add("end")
			return
		}
		in = buf[:n]
	}
}

func (c *client) add(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, s)
}

// take returns what has come since the last call, once all is quiet.
func (c *client) take() []string {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.got
	c.got = nil
	return got
}

// next waits for one message.
func (c *client) next() string {
	c.t.Helper()
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.got) == 0 {
		return ""
	}
	first := c.got[0]
	c.got = c.got[1:]
	return first
}

// want checks all that has come.
func (c *client) want(messages ...string) {
	c.t.Helper()
	if got := c.take(); strings.Join(got, "\n") != strings.Join(messages, "\n") {
		c.t.Errorf("client got %q; want %q", got, messages)
	}
}

func (c *client) send(text string) { c.write(ws.Text, []byte(text)) }

// event sends Socket.IO packets.
func (c *client) packet(packets ...string) {
	for _, p := range packets {
		c.send("4" + p)
	}
}

func (c *client) binary(b ...byte) { c.write(ws.Binary, b) }

func (c *client) write(op ws.Opcode, data []byte) {
	c.writing <- struct{}{}
	c.nc.Write(ws.AppendMasked(nil, op, data, [4]byte{1, 2, 3, 4}))
	<-c.writing
}

// leave cuts the connection.
func (c *client) leave() { c.nc.Close() }

// get makes a request of long-polling.
func (h *harness) get(query string) string {
	h.t.Helper()
	res, err := h.http.Get("http://memory/socket.io/?EIO=4&transport=polling" + query)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(b)
}

func (h *harness) post(query, body string) string {
	h.t.Helper()
	res, err := h.http.Post("http://memory/socket.io/?EIO=4&transport=polling"+query, "text/plain", strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return string(b)
}

// openPolling makes a connection over polling that has joined "/".
func (h *harness) openPolling() (query string) {
	h.t.Helper()
	var open struct{ SID string }
	body := h.get("")
	if err := json.Unmarshal([]byte(body[1:]), &open); err != nil {
		h.t.Fatalf("open packet %q: %v", body, err)
	}
	query = "&sid=" + open.SID
	h.post(query, "40")
	if got := h.get(query); !strings.HasPrefix(got, "40{") {
		h.t.Fatalf("answer to CONNECT = %q", got)
	}
	return query
}

// A diary collects what happened, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) want(t *testing.T, lines ...string) {
	t.Helper()
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if strings.Join(d.lines, "\n") != strings.Join(lines, "\n") {
		t.Errorf("happened: %q\nwant: %q", d.lines, lines)
	}
	d.lines = nil
}

// wait lets the fake time pass.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
func sorted(s []string) []string {
	slices.Sort(s)
	return s
}
