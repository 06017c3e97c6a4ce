// Package lab is a server and its clients in memory, for the tests of the
// packages that stand on the public API. Everything of it runs in a synctest
// bubble, where time is fake and quiet can be waited for.
package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/memnet"
	"github.com/sockeye-go/socketio/internal/ws"
)

// AddressHeader is the header by which a client of a Lab chooses the address
// that it seems to come from.
const AddressHeader = "Lab-Address"

// A Lab is a server on a network in memory.
type Lab struct {
	*socketio.Server
	t       *testing.T
	network *memnet.Network
	log     log
}

// Run calls f in a bubble with a server of these options, which may be nil.
// What is left of either when f returns fails the test.
func Run(t *testing.T, o *socketio.Options, f func(*testing.T, *Lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l, end := Start(t, o)
		defer end()
		f(t, l)
	})
}

// Start makes another Lab in the bubble of a test, another node of a cluster for
// one. It must be ended.
func Start(t *testing.T, o *socketio.Options) (l *Lab, end func()) {
	l = &Lab{t: t, network: memnet.New()}
	var own socketio.Options
	if o != nil {
		own = *o
	}
	own.Logger = slog.New(slog.NewTextHandler(&l.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	l.Server = socketio.NewServer(&own)
	hs := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "192.0.2.1:4711"
		if a := r.Header.Get(AddressHeader); a != "" {
			r.RemoteAddr = a
		}
		l.Server.ServeHTTP(w, r)
	})}
	go hs.Serve(l.network)
	return l, func() {
		l.Server.Close()
		hs.Close()
		synctest.Wait()
	}
}

// Log returns what the server has logged.
func (l *Lab) Log() string { synctest.Wait(); return l.log.String() }

type log struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Wait lets the fake time pass.
func Wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// A Client is a WebSocket that answers pings and keeps every packet.
type Client struct {
	ID string // of its socket, after Join
	t  *testing.T
	nc net.Conn

	nsp     string
	nextAck int
	writing chan struct{} // a lock that lets the fake clock go on while it is waited for

	mu  sync.Mutex
	got []string
}

// Open connects and joins nothing. header is names and values by turns. A
// handshake that is refused is an error.
func (l *Lab) Open(header ...string) (*Client, error) {
	l.t.Helper()
	hd := http.Header{}
	for i := 0; i < len(header); i += 2 {
		hd.Set(header[i], header[i+1])
	}
	nc, leftover, res, err := ws.Dial(l.t.Context(), "ws://memory/socket.io/?EIO=4&transport=websocket", &ws.DialOptions{
		Header:  hd,
		NetDial: func(context.Context, string, string) (net.Conn, error) { return l.network.Dial() },
	})
	if err != nil {
		if res != nil {
			return nil, fmt.Errorf("%s: %w", res.Status, err)
		}
		return nil, err
	}
	c := &Client{t: l.t, nc: nc, writing: make(chan struct{}, 1)}
	go c.read(leftover)
	synctest.Wait()
	if got := c.raw(); len(got) != 1 || !strings.HasPrefix(got[0], `0{"sid":`) {
		l.t.Fatalf("open packet = %q", got)
	}
	return c, nil
}

// Join connects and joins a namespace with auth, which is JSON or "".
func (l *Lab) Join(nsp, auth string, header ...string) *Client {
	l.t.Helper()
	c, err := l.Open(header...)
	if err != nil {
		l.t.Fatal(err)
	}
	if refusal := c.Connect(nsp, auth); refusal != "" {
		l.t.Fatalf("CONNECT to %s was refused: %s", nsp, refusal)
	}
	return c
}

// Connect joins a namespace. It returns the payload of the CONNECT_ERROR if the
// server refuses. What came before the answer is kept.
func (c *Client) Connect(nsp, auth string) (refusal string) {
	c.t.Helper()
	c.nsp = ""
	if nsp != "/" {
		c.nsp = nsp + ","
	}
	c.send("40" + c.nsp + auth)
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, p := range c.got {
		if payload, ok := strings.CutPrefix(p, "40"+c.nsp); ok {
			var reply struct{ SID string }
			if err := json.Unmarshal([]byte(payload), &reply); err != nil {
				c.t.Fatalf("answer to CONNECT = %q", p)
			}
			c.ID = reply.SID
			c.got = append(c.got[:i:i], c.got[i+1:]...)
			return ""
		}
		if payload, ok := strings.CutPrefix(p, "44"+c.nsp); ok {
			c.got = append(c.got[:i:i], c.got[i+1:]...)
			return payload
		}
	}
	c.t.Fatalf("no answer to CONNECT: %q", c.got)
	return ""
}

// Emit sends an event.
func (c *Client) Emit(event string, args ...any) { c.t.Helper(); c.emit("", event, args) }

// Ask sends an event and returns the answer, the array of its arguments in
// JSON, once all is quiet; "" if there was none.
func (c *Client) Ask(event string, args ...any) string {
	c.t.Helper()
	id := fmt.Sprint(c.nextAck)
	c.nextAck++
	c.emit(id, event, args)
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, p := range c.got {
		if answer, ok := strings.CutPrefix(p, "43"+c.nsp+id+"["); ok {
			c.got = append(c.got[:i:i], c.got[i+1:]...)
			return "[" + answer
		}
	}
	return ""
}

func (c *Client) emit(id, event string, args []any) {
	c.t.Helper()
	b, err := json.Marshal(append([]any{event}, args...))
	if err != nil {
		c.t.Fatal(err)
	}
	c.send("42" + c.nsp + id + string(b))
}

// Take returns the events that came since the last call, once all is quiet, as
// `["name",…]`; a disconnect by the server is "disconnect", the end of the
// connection "end".
func (c *Client) Take() []string {
	synctest.Wait()
	var events []string
	for _, p := range c.raw() {
		switch {
		case strings.HasPrefix(p, "42"+c.nsp):
			events = append(events, strings.TrimPrefix(p, "42"+c.nsp))
		case p == "41"+c.nsp:
			events = append(events, "disconnect")
		default:
			events = append(events, p)
		}
	}
	return events
}

// Want checks all that came since the last look.
func (c *Client) Want(events ...string) {
	c.t.Helper()
	if got := c.Take(); strings.Join(got, "\n") != strings.Join(events, "\n") {
		c.t.Errorf("client got %q; want %q", got, events)
	}
}

// Leave disconnects from the namespace, Cut ends the connection.
func (c *Client) Leave() { c.send("41" + c.nsp); synctest.Wait() }

// Cut ends the connection.
func (c *Client) Cut() { c.nc.Close(); synctest.Wait() }

func (c *Client) raw() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.got
	c.got = nil
	return got
}

func (c *Client) send(text string) {
	c.writing <- struct{}{}
	c.nc.Write(ws.AppendMasked(nil, ws.Text, []byte(text), [4]byte{1, 2, 3, 4}))
	<-c.writing
}

func (c *Client) add(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, s)
}

func (c *Client) read(in []byte) {
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
				c.add(fmt.Sprintf("binary %x", m.Data))
			case string(m.Data) == "2":
				c.send("3")
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
