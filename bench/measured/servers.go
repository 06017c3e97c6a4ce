//go:build linux

// Package measured has the Go servers that are measured: this module's, and hard-coded
// ones that answer the packets of the benchmark and no others.
//
// It imports nothing that such servers do not need: each collection of garbage looks
// through what packages keep from their beginning, and a broker's whole server, which
// the benchmark of clusters has, made a large echo a tenth dearer.
package measured

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/ws"
)

// Body is what is echoed.
type Body struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	Text string `json:"text"`
}

type cast struct {
	Room string `json:"room"`
	ID   int    `json:"id"`
	Text string `json:"text"`
}

// Run runs one of the servers until the process is killed: "epoll", "reference", or
// this module's, with options o. It prints its port first.
func Run(name string, o *socketio.Options) error {
	// Without the keep-alive of TCP, which other servers do not have either.
	lc := net.ListenConfig{KeepAlive: -1}
	ln, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr().(*net.TCPAddr).Port)
	go CollectOnSignal()
	if prefix := os.Getenv("BENCH_PROFILE"); prefix != "" {
		go profileOnSignal(prefix)
	}
	if os.Getenv("BENCH_WRAP") != "" {
		ln = wrapping{ln}
	}
	switch name {
	case "epoll":
		return serveEpoll(ln)
	case "reference":
		return serveHTTP(ln, newReference())
	}
	return serveHTTP(ln, NewSockeye(o))
}

func serveHTTP(ln net.Listener, h http.Handler) error {
	if os.Getenv("BENCH_TLS") != "" {
		return serveTLS(ln, h)
	}
	return http.Serve(ln, h)
}

// A wrapping listener hides that its connections are plain TCP, as TLS and
// proxies do.
type wrapping struct{ net.Listener }

func (w wrapping) Accept() (net.Conn, error) {
	nc, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return wrapped{nc}, nil
}

type wrapped struct{ net.Conn }

// NewSockeye is this module's server.
func NewSockeye(o *socketio.Options) http.Handler {
	srv := socketio.NewServer(o)
	castEvent := socketio.NewEvent[cast]("cast")
	socketio.NewEventWithAck[Body, Body]("echo").Handle(srv, func(_ context.Context, _ *socketio.Socket, b Body) (Body, error) { return b, nil })
	socketio.NewEventWithAck[[]byte, []byte]("bin").Handle(srv, func(_ context.Context, _ *socketio.Socket, b []byte) ([]byte, error) { return b, nil })
	socketio.NewEventWithAck[string, bool]("join").Handle(srv, func(_ context.Context, s *socketio.Socket, room string) (bool, error) { return true, s.Join(room) })
	// What is confirmed has been emitted, and the store has it.
	socketio.NewEventWithAck[cast, bool]("confirm").Handle(srv, func(ctx context.Context, _ *socketio.Socket, c cast) (bool, error) {
		if c.Text != "" {
			if err := castEvent.Emit(srv.To(c.Room), c); err != nil {
				return false, err
			}
		}
		return true, srv.Flush(ctx)
	})
	castEvent.Handle(srv, func(_ context.Context, _ *socketio.Socket, c cast) error { return castEvent.Emit(srv.To(c.Room), c) })
	return srv
}

// A reference answers the packets of this benchmark and no others, without
// decoding JSON, with a goroutine per connection: about the limit of net/http
// with a WebSocket library. It has no heartbeat and no limits, and its polling is
// two bare requests.
type reference struct {
	mu    sync.Mutex
	rooms map[string][]io.Writer
	polls map[string][]byte // answers that wait for a GET, by sid
}

func newReference() *reference {
	return &reference{rooms: map[string][]io.Writer{}, polls: map[string][]byte{}}
}

type refConn struct {
	mu sync.Mutex
	nc net.Conn
}

// Write is for many goroutines. Whoever has gone is noticed by its reader.
func (c *refConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nc.Write(b)
}

const openData = `"upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`

var openFrame = ws.AppendFrame(nil, ws.Text, []byte(`0{"sid":"x",`+openData))

func (s *reference) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.RawQuery, "transport=polling") {
		s.poll(w, r)
		return
	}
	nc, in, err := ws.Upgrade(w, r, nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	defer nc.Close()
	c := &refConn{nc: nc}
	_, _ = c.Write(openFrame)
	var p ws.Parser
	p.Init(ws.Server, 1<<20)
	buf, out := make([]byte, 4096), []byte(nil)
	var binID []byte
	for {
		out = out[:0]
		for len(in) > 0 {
			m, n, ok, err := p.Next(in)
			if err != nil {
				return
			}
			in = in[n:]
			if ok {
				out = s.answer(out, c, m, &binID)
			}
		}
		if len(out) > 0 {
			_, _ = c.Write(out)
		}
		n, err := nc.Read(buf)
		if err != nil {
			return
		}
		in = buf[:n]
	}
}

// poll answers a POST with ok and the GET behind it with what is to be answered.
func (s *reference) poll(w http.ResponseWriter, r *http.Request) {
	_, sid, _ := strings.Cut(r.URL.RawQuery, "&sid=")
	if r.Method == http.MethodGet {
		s.mu.Lock()
		body := s.polls[sid]
		if sid == "" {
			sid = fmt.Sprint(len(s.polls))
			s.polls[sid] = nil
			body = fmt.Appendf(nil, `0{"sid":"%s",%s`, sid, openData)
		}
		s.mu.Unlock()
		_, _ = w.Write(body)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	answer := []byte(`40{"sid":"x"}`)
	if string(body) != "40" {
		open := bytes.IndexByte(body, '[')
		answer = fmt.Appendf(nil, "43%s[%s", body[2:open], body[open+len(`["echo",`):])
	}
	s.mu.Lock()
	s.polls[sid] = answer
	s.mu.Unlock()
	_, _ = io.WriteString(w, "ok")
}

func (s *reference) answer(out []byte, c io.Writer, m ws.Message, binID *[]byte) []byte {
	d := m.Data
	if m.Op == ws.Binary {
		out = ws.AppendFrame(out, ws.Text, fmt.Appendf(nil, `461-%s[{"_placeholder":true,"num":0}]`, *binID))
		return ws.AppendFrame(out, ws.Binary, d)
	}
	if bytes.HasPrefix(d, []byte("451-")) {
		*binID = bytes.Clone(d[4:bytes.IndexByte(d, '[')])
		return out
	}
	if string(d) == "40" {
		return ws.AppendFrame(out, ws.Text, []byte(`40{"sid":"x"}`))
	}
	open := bytes.IndexByte(d, '[')
	if open < 2 {
		return out
	}
	switch id, args := d[2:open], d[open:]; {
	case bytes.HasPrefix(args, []byte(`["echo",`)):
		out = ws.AppendHeader(out, ws.Text, 3+len(id)+len(args)-len(`["echo",`))
		out = append(append(append(out, "43"...), id...), '[')
		return append(out, args[len(`["echo",`):]...)
	case bytes.HasPrefix(args, []byte(`["join",`)):
		room := string(args[len(`["join","`) : len(args)-2])
		s.mu.Lock()
		s.rooms[room] = append(s.rooms[room], c)
		s.mu.Unlock()
		return ws.AppendFrame(out, ws.Text, fmt.Appendf(nil, "43%s[true]", id))
	case bytes.HasPrefix(args, []byte(`["cast",{"room":"`)):
		room := args[len(`["cast",{"room":"`):]
		room = room[:bytes.IndexByte(room, '"')]
		frame := ws.AppendFrame(nil, ws.Text, d)
		s.mu.Lock()
		members := s.rooms[string(room)]
		s.mu.Unlock()
		for _, member := range members {
			_, _ = member.Write(frame)
		}
	}
	return out
}
