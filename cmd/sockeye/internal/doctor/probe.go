package doctor

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
	"github.com/sockeye-go/socketio/internal/rawclient"
	"github.com/sockeye-go/socketio/internal/ws"
)

// maxBody is how much of an answer is read.
const maxBody = 4 << 20

// A probe asks a server, request by request, so that each step can be seen.
type probe struct {
	target *cli.Target
	header http.Header
	tls    *tls.Config
	rev    int // of Engine.IO
}

// An answer is what came of a request.
type answer struct {
	status int
	header http.Header
	body   string
	took   time.Duration
	at     time.Time // when it came
}

// A handshake is the server's open packet.
type handshake struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int64    `json:"pingInterval"` // ms
	PingTimeout  int64    `json:"pingTimeout"`
	MaxPayload   int64    `json:"maxPayload"` // revision 4 only
}

// client makes a client of its own connections. With fresh each request has a new
// one; jar may be nil.
func (p *probe) client(fresh bool, jar http.CookieJar) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: p.tls, DisableKeepAlives: fresh, MaxIdleConnsPerHost: 2,
			// A client of HTTP/2 shares a connection, and browsers do that too, but
			// here each request is to be on its own.
			TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
		},
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func newJar() http.CookieJar {
	jar, _ := cookiejar.New(nil)
	return jar
}

// url is the address of the engine with this transport, and of a session if sid
// is not "".
func (p *probe) url(transport, sid string) string {
	q := p.target.URL.Query()
	for _, pair := range p.target.Query {
		name, value, _ := strings.Cut(pair, "=")
		q.Add(name, value)
	}
	q.Set("EIO", strconv.Itoa(p.rev))
	q.Set("transport", transport)
	if sid != "" {
		q.Set("sid", sid)
	}
	u := url.URL{Scheme: p.target.URL.Scheme, Host: p.target.URL.Host, Path: p.target.Path, RawQuery: q.Encode()}
	return u.String()
}

// do makes a request, for as long as ctx allows.
func (p *probe) do(ctx context.Context, c *http.Client, method, url string, body []byte, extra http.Header) (*answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for _, h := range []http.Header{p.header, extra} {
		for k, v := range h {
			r.Header[k] = v
		}
	}
	if body != nil && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	start := time.Now()
	res, err := c.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	a := &answer{status: res.StatusCode, header: res.Header, body: string(b), took: time.Since(start), at: time.Now()}
	return a, err
}

// quick is do with the time of --timeout.
func (p *probe) quick(ctx context.Context, c *http.Client, method, url string, body []byte, extra http.Header) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, p.target.Timeout)
	defer cancel()
	return p.do(ctx, c, method, url, body, extra)
}

// open makes a session over polling.
func (p *probe) open(ctx context.Context, c *http.Client) (*handshake, *answer, error) {
	a, err := p.quick(ctx, c, http.MethodGet, p.url("polling", ""), nil, nil)
	if err != nil {
		return nil, nil, err
	}
	if a.status != http.StatusOK {
		return nil, a, a.refusal()
	}
	for _, packet := range packets(p.rev, a.body) {
		if h, err := readHandshake(packet); err == nil {
			return h, a, nil
		}
	}
	return nil, a, fmt.Errorf("the answer is no handshake: %q", start(a.body))
}

// leave ends a session politely. What comes of it is of no interest.
func (p *probe) leave(ctx context.Context, c *http.Client, h *handshake) {
	if h != nil {
		_, _ = p.post(ctx, c, h.SID, "1")
	}
}

// post sends packets.
func (p *probe) post(ctx context.Context, c *http.Client, sid string, list ...string) (*answer, error) {
	a, err := p.quick(ctx, c, http.MethodPost, p.url("polling", sid), []byte(payload(p.rev, list...)), nil)
	if err == nil && a.status != http.StatusOK {
		err = a.refusal()
	}
	return a, err
}

// poll asks for packets.
func (p *probe) poll(ctx context.Context, c *http.Client, sid string) ([]string, error) {
	a, err := p.do(ctx, c, http.MethodGet, p.url("polling", sid), nil, nil)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, a.refusal()
	}
	return packets(p.rev, a.body), nil
}

// A refusal is an answer with another status than 200.
type refusal struct {
	status  int
	code    int // of the protocol; -1: none, so that it is not of the engine
	message string
}

func (r *refusal) Error() string {
	s := fmt.Sprintf("%d %s", r.status, http.StatusText(r.status))
	if r.message != "" {
		s += fmt.Sprintf(" (%q)", r.message)
	}
	return s
}

func (a *answer) refusal() *refusal {
	r := &refusal{status: a.status, code: -1, message: start(a.body)}
	var engine struct {
		Code    *int   `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal([]byte(a.body), &engine) == nil && engine.Code != nil {
		r.code, r.message = *engine.Code, engine.Message
	}
	return r
}

// unknownSession reports whether the server does not know the session: another
// server made it.
func unknownSession(err error) bool {
	r, ok := errors.AsType[*refusal](err)
	return ok && r.code == 1
}

// A socket is a WebSocket, packet by packet.
type socket struct{ frames *rawclient.Frames }

// dial makes a WebSocket; with a sid for a session that has begun.
func (p *probe) dial(ctx context.Context, sid string, jar http.CookieJar) (*socket, *http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, p.target.Timeout)
	defer cancel()
	header := p.header.Clone()
	if jar != nil {
		for _, c := range jar.Cookies(p.target.URL) {
			header.Add("Cookie", c.Name+"="+c.Value)
		}
	}
	nc, leftover, res, err := ws.Dial(ctx, p.url("websocket", sid), &ws.DialOptions{Header: header, TLSConfig: p.tls})
	if err != nil {
		return nil, res, err
	}
	return &socket{rawclient.NewFrames(nc, leftover, maxBody)}, res, nil
}

func (s *socket) close() { s.frames.Close() }

func (s *socket) send(packet string) error { return s.frames.Write(ws.Text, []byte(packet)) }

// next reads a packet, until deadline.
func (s *socket) next(deadline time.Time) (string, error) {
	s.frames.Until(deadline)
	return s.frames.Next()
}

// expect reads until a packet begins with one of these.
func (s *socket) expect(deadline time.Time, prefixes ...string) (string, error) {
	for {
		packet, err := s.next(deadline)
		if err != nil {
			return "", err
		}
		for _, prefix := range prefixes {
			if strings.HasPrefix(packet, prefix) {
				return packet, nil
			}
		}
	}
}
