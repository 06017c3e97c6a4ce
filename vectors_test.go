package socketio_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/ws"
)

// A transcript is one of testdata/vectors/sessions.json, recorded from the
// official server; the README there describes its application.
type transcript struct {
	Name    string
	Options struct{ PingInterval, PingTimeout int64 }
	Steps   []step
}

type step struct {
	From, Transport string
	Text            *string
	Binary          *string
	Close           bool
}

// String is the step as it is compared: text, b and base64, or "close".
func (s step) String() string {
	switch {
	case s.Text != nil:
		return *s.Text
	case s.Binary != nil:
		return "b" + *s.Binary
	}
	return "close"
}

func vectorApplication(srv *socketio.Server) {
	handlers := func(_ context.Context, s *socketio.Socket) error {
		s.On("echo", func(_ context.Context, m *socketio.Message) error {
			args, err := m.Args()
			if err != nil {
				return err
			}
			if m.WantsAck() {
				return m.Ack(args...)
			}
			return s.Emit("echo", args...)
		})
		s.On("bye", func(context.Context, *socketio.Message) error { s.Disconnect(false); return nil })
		s.On("leave", func(context.Context, *socketio.Message) error { s.Disconnect(true); return nil })
		s.On("ask", func(ctx context.Context, m *socketio.Message) error {
			answer, err := s.EmitWithAck(ctx, "question", 1)
			if err != nil {
				return err
			}
			args, err := answer.Args()
			if err != nil {
				return err
			}
			return s.Emit("answered", args...)
		})
		return nil
	}
	srv.OnConnection(handlers)
	srv.Of("/chat").OnConnection(handlers)
	admin := srv.Of("/admin")
	admin.Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct{ Token string }
		if err := s.DecodeAuth(&auth); err != nil || auth.Token != "good" {
			return &socketio.ConnectError{Message: "not authorized", Data: map[string]string{"code": "E001"}}
		}
		return nil
	})
	admin.OnConnection(handlers)
}

// A player is the client of a transcript.
type player struct {
	h    *harness
	sid  string
	conn net.Conn
	got  map[string]chan string // by transport
	// upgrading lets the poll that waits be the last, as clients do.
	upgrading atomic.Bool
	ids       map[string]string // what <…> stands for in this session
}

func (p *player) openPolling() {
	p.push("polling", p.h.get(""))
}

// push takes the packets of a response, or one message.
func (p *player) push(transport, payload string) {
	for packet := range strings.SplitSeq(payload, "\x1e") {
		p.got[transport] <- packet
	}
}

// pollLoop keeps one request waiting, as clients do, until there is no session.
func (p *player) pollLoop() {
	for {
		res, err := p.h.http.Get("http://memory/socket.io/?EIO=4&transport=polling&sid=" + p.sid)
		if err != nil {
			return
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != 200 {
			return
		}
		p.push("polling", string(body))
		if p.upgrading.Load() {
			return
		}
	}
}

func (p *player) post(packets []string) {
	res, err := p.h.http.Post("http://memory/socket.io/?EIO=4&transport=polling&sid="+p.sid, "text/plain;charset=UTF-8", strings.NewReader(strings.Join(packets, "\x1e")))
	if err != nil {
		p.h.t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); res.StatusCode != 200 || string(body) != "ok" {
		p.h.t.Errorf("POST %q = %d %q", packets, res.StatusCode, body)
	}
}

func (p *player) openWebSocket() {
	url := "ws://memory/socket.io/?EIO=4&transport=websocket"
	if p.sid != "" {
		url += "&sid=" + p.sid
		p.upgrading.Store(true)
	}
	conn, leftover, _, err := ws.Dial(p.h.t.Context(), url, &ws.DialOptions{
		NetDial: func(context.Context, string, string) (net.Conn, error) { return p.h.network.Dial() },
	})
	if err != nil {
		p.h.t.Fatal(err)
	}
	p.conn = conn
	go p.readLoop(leftover)
}

func (p *player) readLoop(in []byte) {
	defer func() { p.got["websocket"] <- "close" }()
	var frames ws.Parser
	frames.Init(ws.Client, 1<<20)
	buf := make([]byte, 4096)
	for {
		for len(in) > 0 {
			m, n, ok, err := frames.Next(in)
			in = in[n:]
			switch {
			case err != nil || ok && m.Op == ws.Close:
				p.conn.Close()
				return
			case !ok:
			case m.Op == ws.Binary:
				p.got["websocket"] <- "b" + base64.StdEncoding.EncodeToString(m.Data)
			default:
				p.got["websocket"] <- string(m.Data)
			}
		}
		n, err := p.conn.Read(buf)
		if n == 0 && err != nil {
			return
		}
		in = buf[:n]
	}
}

func (p *player) send(s step) {
	op, data := ws.Text, []byte(s.String())
	if s.Binary != nil {
		op = ws.Binary
		data, _ = base64.StdEncoding.DecodeString(*s.Binary)
	}
	if _, err := p.conn.Write(ws.AppendMasked(nil, op, data, [4]byte{1, 2, 3, 4})); err != nil {
		p.h.t.Errorf("send %v: %v", s, err)
	}
}

var identifier = regexp.MustCompile(`<(session|socket)[^>]*>`)

// expect waits for what the official server said.
func (p *player) expect(i int, s step) {
	p.h.t.Helper()
	var got string
	select {
	case got = <-p.got[s.Transport]:
	case <-time.After(time.Minute):
		p.h.t.Fatalf("step %d: nothing on %s in a minute; want %s", i, s.Transport, s)
	}
	want := s.String()
	names := identifier.FindAllString(want, -1)
	pattern := identifier.ReplaceAllString(regexp.QuoteMeta(want), `([A-Za-z0-9_-]{20})`)
	found := regexp.MustCompile(`^` + pattern + `$`).FindStringSubmatch(got)
	if found == nil {
		p.h.t.Fatalf("step %d: got %s\nwant %s", i, got, want)
	}
	for k, name := range names {
		p.ids[name] = found[k+1]
	}
}

// TestSessionVectors plays the client of every transcript and wants to hear
// what the official server said, byte for byte.
func TestSessionVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/vectors/sessions.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Sessions []transcript }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Sessions) < 19 {
		t.Fatalf("%d sessions: some are missing", len(file.Sessions))
	}
	for _, s := range file.Sessions {
		t.Run(s.Name, func(t *testing.T) {
			o := &socketio.Options{
				PingInterval: time.Duration(s.Options.PingInterval) * time.Millisecond,
				PingTimeout:  time.Duration(s.Options.PingTimeout) * time.Millisecond,
			}
			bubble(t, o, func(t *testing.T, h *harness) {
				vectorApplication(h.Server)
				p := &player{h: h, ids: map[string]string{}, got: map[string]chan string{"polling": make(chan string, 64), "websocket": make(chan string, 64)}}
				defer func() {
					if p.conn != nil {
						p.conn.Close()
					}
				}()
				p.play(s.Steps)
			})
		})
	}
}

func (p *player) play(steps []step) {
	for i := 0; i < len(steps); i++ {
		s := steps[i]
		switch {
		case s.Transport == "websocket" && p.conn == nil:
			p.openWebSocket()
		case s.Transport == "polling" && i == 0:
			p.openPolling()
		}
		if s.From == "server" {
			p.expect(i, s)
			if i == 0 && s.Transport == "polling" {
				p.sid = p.ids["<session>"]
				go p.pollLoop()
			}
			continue
		}
		synctest.Wait() // until the poll waits, and all that was said has been heard
		if s.Transport == "websocket" {
			p.send(s)
			continue
		}
		body := []string{s.String()}
		for i+1 < len(steps) && steps[i+1].From == "client" && steps[i+1].Transport == "polling" {
			i++
			body = append(body, steps[i].String())
		}
		p.post(body)
	}
	// Nothing more than the official server says.
	synctest.Wait()
	for transport, c := range p.got {
		for len(c) > 0 {
			if more := <-c; more != "close" {
				p.h.t.Errorf("more on %s: %q", transport, more)
			}
		}
	}
}
