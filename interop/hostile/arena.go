package hostile

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/sockeye-go/socketio/internal/ws"
)

// An arena is what an attack has to work with.
type arena struct {
	s    *subject
	http *http.Client
}

func newArena(s *subject) *arena {
	return &arena{s: s, http: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 512},
		Timeout:   10 * time.Second,
	}}
}

// patience bounds each step of an attack, so that none waits for ever.
const patience = 5 * time.Second

// quiet bounds the wait for what is to come in the end.
const quiet = 15 * time.Second

func waitFor(f func() bool) bool {
	for deadline := time.Now().Add(quiet); !f(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// tcp opens a connection. What cannot be had is an answer too: a server may
// refuse, as long as it lives.
func (a *arena) tcp() *net.TCPConn {
	c, err := net.DialTimeout("tcp", a.s.addr, patience)
	if err != nil {
		return nil
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn)
}

// raw sends bytes on a connection of their own and returns what comes until
// the end, or until the server has been silent for a while.
func (a *arena) raw(in string, silence time.Duration) string {
	c := a.tcp()
	if c == nil {
		return ""
	}
	defer c.Close()
	_, _ = io.WriteString(c, in)
	return readFor(c, silence)
}

func readFor(c net.Conn, silence time.Duration) string {
	var got []byte
	buf := make([]byte, 4096)
	for len(got) < 1<<20 {
		_ = c.SetReadDeadline(time.Now().Add(silence))
		n, err := c.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil {
			break
		}
	}
	return string(got)
}

func get(path string, headers ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + strings.Join(append(headers, "", ""), "\r\n")
}

const (
	engine    = "/socket.io/?EIO=4&transport="
	upgrading = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
)

func upgradeRequest(sid string) string {
	if sid != "" {
		sid = "&sid=" + sid
	}
	return get(engine+"websocket"+sid, upgrading)
}

// A socket is a WebSocket that can send anything.
type socket struct {
	*net.TCPConn
	in *bufio.Reader
}

// ws opens a WebSocket, on a session if sid names one. It has read the answer to
// the handshake and nothing else. nil if there is none to be had.
func (a *arena) ws(sid string) *socket {
	c := a.tcp()
	if c == nil {
		return nil
	}
	_, _ = io.WriteString(c, upgradeRequest(sid))
	s := &socket{c, bufio.NewReader(c)}
	res, err := http.ReadResponse(s.in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		c.Close()
		return nil
	}
	return s
}

// joined opens a WebSocket that has joined "/".
func (a *arena) joined() *socket {
	s := a.ws("")
	if s == nil {
		return nil
	}
	s.text("40")
	for range 2 { // open, CONNECT
		if _, err := s.frame(); err != nil {
			s.Close()
			return nil
		}
	}
	return s
}

func (s *socket) text(packets ...string) {
	var b []byte
	for _, p := range packets {
		b = ws.AppendMasked(b, ws.Text, []byte(p), [4]byte{1, 2, 3, 4})
	}
	_, _ = s.Write(b)
}

func (s *socket) binary(b []byte) {
	_, _ = s.Write(ws.AppendMasked(nil, ws.Binary, b, [4]byte{1, 2, 3, 4}))
}

// frame reads one frame of a server.
func (s *socket) frame() (string, error) {
	var h [2]byte
	if _, err := io.ReadFull(s.in, h[:]); err != nil {
		return "", err
	}
	n := int(h[1] & 0x7f)
	if n == 126 {
		if _, err := io.ReadFull(s.in, h[:]); err != nil {
			return "", err
		}
		n = int(h[0])<<8 | int(h[1])
	} else if n == 127 {
		return "", errors.New("long frame")
	}
	b := make([]byte, n)
	_, err := io.ReadFull(s.in, b)
	return string(b), err
}

// ended reports whether the server closes the connection before long.
func (s *socket) ended() bool {
	_ = s.SetReadDeadline(time.Now().Add(patience))
	_, err := io.Copy(io.Discard, s.in)
	return err == nil || !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err)
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

func (s *socket) reset() {
	_ = s.SetLinger(0)
	_ = s.Close()
}

// do makes an HTTP request and returns status and body, 0 if it failed.
func (a *arena) do(method, path string, body io.Reader, headers ...string) (int, string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+a.s.addr+path, body)
	if err != nil {
		return 0, ""
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := a.http.Do(r)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, string(b)
}

// polling makes a session over polling; "" if it is refused.
func (a *arena) polling() (sid string) {
	_, body := a.do("GET", engine+"polling", nil)
	first, _, _ := strings.Cut(body, "\x1e")
	var open struct{ SID string }
	if !strings.HasPrefix(first, "0") || json.Unmarshal([]byte(first[1:]), &open) != nil {
		return ""
	}
	return open.SID
}

func (a *arena) post(sid, body string, headers ...string) int {
	status, _ := a.do("POST", engine+"polling&sid="+sid, strings.NewReader(body), headers...)
	return status
}

// works reports whether a new client is served over both transports.
func (a *arena) works() error {
	s := a.joined()
	if s == nil {
		return errors.New("no WebSocket to be had")
	}
	defer s.Close()
	s.text(`427["echo","alive"]`)
	for {
		got, err := s.frame()
		if err != nil {
			return fmt.Errorf("echo: %w", err)
		}
		if got == `437["alive"]` {
			break // the control says hello first
		}
	}
	sid := a.polling()
	if status := a.post(sid, "40"); status != 200 {
		return fmt.Errorf("POST = %d", status)
	}
	if status, body := a.do("GET", engine+"polling&sid="+sid, nil); status != 200 || !strings.HasPrefix(body, "40") {
		return fmt.Errorf("poll = %d %q", status, body)
	}
	a.post(sid, "1")
	return nil
}
