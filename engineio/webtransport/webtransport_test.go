package webtransport_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	wt "github.com/quic-go/webtransport-go"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/engineio/webtransport"
	"github.com/sockeye-go/socketio/internal/leak"
)

// What the tests of this package start, they end.
func TestMain(m *testing.M) { leak.Main(m) }

// certificate is one that clients are told to trust.
func certificate(t testing.TB) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

// A receiver echoes, and tells of the end.
type receiver struct {
	s   *engineio.Session
	end chan engineio.Reason
}

func (r *receiver) Receive(m engineio.Message) {
	if string(m.Data) == "close" {
		r.s.Close()
		return
	}
	_ = r.s.SendMessage(m, 0)
}
func (r *receiver) Flush(bool) {}
func (r *receiver) Closed(reason engineio.Reason, _ error) {
	r.end <- reason
}

type server struct {
	t        testing.TB
	engine   *engineio.Server
	h3       *webtransport.Server
	url      string // https, UDP
	tcp      string // http
	pool     *x509.CertPool
	sessions chan *receiver
	refused  chan *engineio.ConnectionError
}

func serve(t testing.TB, o engineio.Options, wo webtransport.Options, wrap ...func(http.Handler) http.Handler) *server {
	t.Helper()
	s := &server{t: t, sessions: make(chan *receiver, 100), refused: make(chan *engineio.ConnectionError, 100)}
	if o.Transports == nil {
		o.Transports = []string{engineio.Polling, engineio.WebSocket, engineio.WebTransport}
	}
	o.Logger = slog.New(slog.DiscardHandler)
	o.OnConnectionError = func(e *engineio.ConnectionError) { s.refused <- e }
	o.OnSession = func(sess *engineio.Session, _ *http.Request) engineio.Receiver {
		r := &receiver{s: sess, end: make(chan engineio.Reason, 1)}
		s.sessions <- r
		return r
	}
	s.engine = engineio.NewServer(&o)
	var h http.Handler = s.engine
	for _, w := range wrap {
		h = w(h)
	}
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", h)
	wo.TLSConfig, s.pool = certificate(t)
	wo.Logger = o.Logger
	h3 := webtransport.NewServer(mux, &wo)
	s.h3 = h3
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h3.Serve(pc) }()
	ts := httptest.NewServer(mux)
	s.url, s.tcp = fmt.Sprintf("https://%s/engine.io/", pc.LocalAddr()), ts.URL+"/engine.io/"
	t.Cleanup(func() {
		s.engine.Close()
		if err := h3.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
		pc.Close()
		ts.Close()
	})
	return s
}

func (s *server) tls() *tls.Config { return &tls.Config{RootCAs: s.pool} }

func (s *server) transport() *wt.Transport {
	c := s.tls()
	c.NextProtos = []string{"h3"}
	return &wt.Transport{TLSClientConfig: c}
}

// A client speaks frames.
type client struct {
	t  testing.TB
	nc net.Conn
}

func (s *server) dial(header ...string) (*client, error) {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	nc, _, err := new(webtransport.Dialer).DialStream(ctx, s.url, h, s.tls())
	if err != nil {
		return nil, err
	}
	s.t.Cleanup(func() { nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	return &client{s.t, nc}, nil
}

func (s *server) mustDial() *client {
	s.t.Helper()
	c, err := s.dial()
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func frame(bin bool, payload string) []byte {
	var b []byte
	bit := byte(0)
	if bin {
		bit = 0x80
	}
	switch n := len(payload); {
	case n < 126:
		b = []byte{bit | byte(n)}
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16([]byte{bit | 126}, uint16(n))
	default:
		b = binary.BigEndian.AppendUint64([]byte{bit | 127}, uint64(n))
	}
	return append(b, payload...)
}

func (c *client) send(packets ...string) {
	c.t.Helper()
	var b []byte
	for _, p := range packets {
		if data, ok := strings.CutPrefix(p, "bin:"); ok {
			b = append(b, frame(true, data)...)
		} else {
			b = append(b, frame(false, p)...)
		}
	}
	if _, err := c.nc.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// read returns the next packet, binary as bin:, the end as an error.
func (c *client) read() (string, error) {
	head := make([]byte, 9)
	if _, err := io.ReadFull(c.nc, head[:1]); err != nil {
		return "", err
	}
	n := int(head[0] & 0x7f)
	switch n {
	case 126:
		if _, err := io.ReadFull(c.nc, head[1:3]); err != nil {
			return "", err
		}
		n = int(binary.BigEndian.Uint16(head[1:]))
	case 127:
		if _, err := io.ReadFull(c.nc, head[1:9]); err != nil {
			return "", err
		}
		n = int(binary.BigEndian.Uint64(head[1:]))
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(c.nc, data); err != nil {
		return "", err
	}
	if head[0]&0x80 != 0 {
		return "bin:" + string(data), nil
	}
	return string(data), nil
}

func (c *client) want(packets ...string) {
	c.t.Helper()
	for _, p := range packets {
		got, err := c.read()
		if err != nil || got != p {
			c.t.Fatalf("read %.100q, %v; want %.100q", got, err, p)
		}
	}
}

// ended waits for the end of the session.
func (c *client) ended() error {
	c.t.Helper()
	for {
		if p, err := c.read(); err != nil {
			if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
				c.t.Fatal("the session did not end")
			}
			return err
		} else if p != "2" {
			c.t.Fatalf("read %.100q; want the end", p)
		}
	}
}

func (c *client) open() (sid string) {
	c.t.Helper()
	c.send("0")
	p, err := c.read()
	var open struct {
		SID        string
		Upgrades   []string
		MaxPayload int
	}
	if err != nil || p[0] != '0' || json.Unmarshal([]byte(p[1:]), &open) != nil || len(open.SID) != 20 || len(open.Upgrades) != 0 {
		c.t.Fatalf("open packet %q, %v", p, err)
	}
	return open.SID
}

func reason(t testing.TB, r *receiver) engineio.Reason {
	t.Helper()
	select {
	case reason := <-r.end:
		return reason
	case <-time.After(10 * time.Second):
		t.Fatal("the session did not end")
	}
	return ""
}

func TestSession(t *testing.T) {
	s := serve(t, engineio.Options{}, webtransport.Options{})
	c := s.mustDial()
	sid := c.open()
	r := <-s.sessions
	if r.s.Transport() != engineio.WebTransport || r.s.ID() != sid || s.engine.Stats().WebTransports != 1 {
		t.Errorf("%s, %s, %+v", r.s.Transport(), r.s.ID(), s.engine.Stats())
	}
	for _, n := range []int{0, 1, 124, 125, 126, 127, 65534, 65535, 65536, 300_000} {
		data := strings.Repeat("x", n)
		c.send("4" + data)
		c.want("4" + data)
		c.send("bin:" + data)
		c.want("bin:" + data)
	}
	c.send("4one", "bin:two", "4drei ä🙂") // in one write
	c.want("4one", "bin:two", "4drei ä🙂")
	c.nc.Close()
	if got := reason(t, r); got != engineio.TransportClose {
		t.Errorf("reason %q", got)
	}
	if n := s.engine.Stats().WebTransports; n != 0 {
		t.Errorf("%d are left", n)
	}
}

// TestServerClose: what was sent before the end arrives before the end.
func TestServerClose(t *testing.T) {
	s := serve(t, engineio.Options{}, webtransport.Options{})
	c := s.mustDial()
	c.open()
	r := <-s.sessions
	last := strings.Repeat("last", 20_000)
	c.send("4"+last, "4close")
	c.want("4" + last)
	c.ended()
	if got := reason(t, r); got != engineio.ForcedClose {
		t.Errorf("reason %q", got)
	}
}

// TestBroadcast: one Prepared is right for every transport.
func TestBroadcast(t *testing.T) {
	s := serve(t, engineio.Options{}, webtransport.Options{})
	clients := []*client{s.mustDial(), s.mustDial()}
	p := engineio.Prepare(engineio.Message{Data: []byte("text")}, engineio.Message{Binary: true, Data: []byte{1, 2}})
	for _, c := range clients {
		c.open()
		if err := (<-s.sessions).s.Send(p, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range clients {
		c.want("4text", "bin:\x01\x02")
	}
}

func (s *server) http(method, query, body string) string {
	s.t.Helper()
	req, err := http.NewRequest(method, s.tcp+"?EIO=4&transport=polling"+query, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		s.t.Fatalf("%s %s: %s %s, %v", method, query, res.Status, b, err)
	}
	return string(b)
}

func (s *server) openPolling() (sid string, r *receiver) {
	s.t.Helper()
	var open struct {
		SID      string
		Upgrades []string
	}
	if err := json.Unmarshal([]byte(s.http("GET", "", "")[1:]), &open); err != nil {
		s.t.Fatal(err)
	}
	if fmt.Sprint(open.Upgrades) != "[websocket webtransport]" {
		s.t.Errorf("upgrades %v", open.Upgrades)
	}
	return open.SID, <-s.sessions
}

func TestUpgrade(t *testing.T) {
	s := serve(t, engineio.Options{}, webtransport.Options{})
	sid, r := s.openPolling()
	c := s.mustDial()
	c.send(fmt.Sprintf(`0{"sid":%q}`, sid), "2probe") // at once, as leftover
	c.want("3probe")
	s.http("POST", "&sid="+sid, "4polled")
	if got := s.http("GET", "&sid="+sid, ""); got != "4polled" {
		t.Errorf("poll: %q", got)
	}
	if r.s.Transport() != engineio.Polling {
		t.Error("it has moved already")
	}
	if err := r.s.SendMessage(engineio.Message{Data: []byte("queued")}, 0); err != nil {
		t.Fatal(err)
	}
	c.send("5", "4streamed", "bin:\x00")
	c.want("4queued", "4streamed", "bin:\x00")
	if r.s.Transport() != engineio.WebTransport || s.engine.Stats().Upgraded != 1 {
		t.Errorf("%s, %+v", r.s.Transport(), s.engine.Stats())
	}
	// A second one is refused, and does no harm.
	again := s.mustDial()
	again.send(fmt.Sprintf(`0{"sid":%q}`, sid), "2probe")
	again.ended()
	c.send("4still")
	c.want("4still")
}

func TestProbeFails(t *testing.T) {
	for name, packets := range map[string][]string{
		"another packet": {"2probe", "4x"},
		"binary":         {"bin:x"},
		"upgrade first":  {"5"},
		"empty frame":    {"2probe", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, engineio.Options{}, webtransport.Options{})
			sid, r := s.openPolling()
			c := s.mustDial()
			c.send(append([]string{fmt.Sprintf(`0{"sid":%q}`, sid)}, packets...)...)
			if p, err := c.read(); err == nil && p != "3probe" {
				t.Errorf("read %q", p)
			}
			c.ended()
			s.http("POST", "&sid="+sid, "4alive")
			if got := s.http("GET", "&sid="+sid, ""); got != "4alive" || r.s.Transport() != engineio.Polling {
				t.Errorf("poll: %q over %s", got, r.s.Transport())
			}
		})
	}
}

func TestBadInput(t *testing.T) {
	for name, c := range map[string]struct {
		raw    []byte
		reason engineio.Reason
	}{
		"empty frame":       {frame(false, ""), engineio.TransportError},
		"beyond the limit":  {frame(true, strings.Repeat("x", 5001)), engineio.TransportError},
		"declares too much": {[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, engineio.TransportError},
		"unknown type":      {frame(false, "9"), engineio.ParseError},
		"wrong heartbeat":   {frame(false, "2"), engineio.TransportError},
		"close":             {frame(false, "1"), engineio.TransportClose},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, engineio.Options{MaxPayload: 5000}, webtransport.Options{})
			client := s.mustDial()
			client.open()
			r := <-s.sessions
			if _, err := client.nc.Write(c.raw); err != nil {
				t.Fatal(err)
			}
			if got := reason(t, r); got != c.reason {
				t.Errorf("reason %q; want %q", got, c.reason)
			}
			client.ended()
		})
	}
}

// TestRefused: the same hooks as for every other transport.
func TestRefused(t *testing.T) {
	forbidden := errors.New("not you")
	for _, c := range []struct {
		name    string
		options engineio.Options
		wrap    func(http.Handler) http.Handler
		header  []string
		first   string
		status  int // refused by HTTP
		code    engineio.Code
		message string // refused behind it
	}{
		{name: "transport", options: engineio.Options{Transports: []string{"polling"}}, status: 400, code: engineio.UnknownTransport},
		{name: "origin", header: []string{"Origin", "https://elsewhere.example"}, status: 403, code: engineio.Forbidden},
		{name: "CheckOrigin", options: engineio.Options{CheckOrigin: func(*http.Request) bool { return false }}, status: 403, code: engineio.Forbidden},
		{name: "invalid origin", header: []string{"Origin", "a\u00e9\u0100"}, status: 400, code: engineio.BadRequest},
		{name: "AllowRequest", options: engineio.Options{AllowRequest: func(*http.Request) error { return forbidden }}, first: "0", code: engineio.Forbidden, message: "Forbidden"},
		{name: "AllowRequest in words", options: engineio.Options{AllowRequest: func(*http.Request) error { return &engineio.RefuseError{Message: "not today"} }}, first: "0", code: engineio.Forbidden, message: "not today"},
		{name: "MaxConnections", options: engineio.Options{MaxConnectionsPerAddress: 1}, first: "0", code: engineio.BadRequest, message: "Too Many Requests"},
		{name: "unknown sid", first: `0{"sid":"xxxxxxxxxxxxxxxxxxxx"}`, code: engineio.UnknownSID, message: "Session ID unknown"},
		{name: "sid that is no text", first: `0{"sid":1}`, code: engineio.BadRequest, message: "Bad request"},
		{name: "another packet", first: "2probe", code: engineio.BadRequest, message: "Bad request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.options, webtransport.Options{})
			if c.options.MaxConnectionsPerAddress > 0 {
				s.mustDial().open()
				<-s.sessions
			}
			client, err := s.dial(c.header...)
			if c.status != 0 {
				if err == nil || !strings.Contains(err.Error(), fmt.Sprint(c.status)) {
					t.Errorf("dial: %v; want status %d", err, c.status)
				}
			} else {
				if err != nil {
					t.Fatal(err)
				}
				client.send(c.first)
				end := client.ended()
				if se, ok := errors.AsType[*wt.SessionError](end); ok && (se.ErrorCode != wt.SessionErrorCode(c.code) || se.Message != c.message) {
					t.Errorf("session ends with %d %q; want %d %q", se.ErrorCode, se.Message, c.code, c.message)
				}
			}
			e := <-s.refused
			if e.Code != c.code || e.Request == nil {
				t.Errorf("refused: %+v; want code %d", e, c.code)
			}
			select {
			case <-s.sessions:
				t.Error("there is a session")
			default:
			}
		})
	}
}

// TestMiddleware: a handler in front of the engine sees the request and may answer.
func TestMiddleware(t *testing.T) {
	seen := make(chan *http.Request, 10)
	s := serve(t, engineio.Options{}, webtransport.Options{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen <- r
			if r.Header.Get("X-Token") != "good" {
				http.Error(w, "no", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	if _, err := s.dial(); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("without a token: %v", err)
	}
	if r := <-seen; r.URL.Path != "/engine.io/" || r.TLS == nil || r.RemoteAddr == "" {
		t.Errorf("request: %s, %v, %q", r.URL, r.TLS != nil, r.RemoteAddr)
	}
	c, err := s.dial("X-Token", "good")
	if err != nil {
		t.Fatal(err)
	}
	c.open()
}

// TestHandshakeTimeouts: a client that does not go on is not waited for.
func TestHandshakeTimeouts(t *testing.T) {
	o := engineio.Options{UpgradeTimeout: 50 * time.Millisecond}
	t.Run("no packet", func(t *testing.T) {
		s := serve(t, o, webtransport.Options{})
		c := s.mustDial()
		if _, err := c.nc.Write([]byte{5, '0'}); err != nil { // the beginning of one
			t.Fatal(err)
		}
		c.ended()
		if e := <-s.refused; e.Code != engineio.BadRequest || s.engine.Stats().Limits["UpgradeTimeout"] != 1 {
			t.Errorf("%v, %v", e, s.engine.Stats().Limits)
		}
	})
	t.Run("no stream", func(t *testing.T) {
		s := serve(t, o, webtransport.Options{})
		_, sess, err := s.transport().Dial(t.Context(), s.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		<-sess.Context().Done()
		<-s.refused
		if s.engine.Stats().Limits["UpgradeTimeout"] != 1 {
			t.Errorf("%v", s.engine.Stats().Limits)
		}
	})
	t.Run("no request", func(t *testing.T) {
		s := serve(t, o, webtransport.Options{HandshakeTimeout: 100 * time.Millisecond})
		c, err := quic.DialAddr(t.Context(), strings.Split(s.url, "/")[2], &tls.Config{RootCAs: s.pool, NextProtos: []string{"h3"}},
			&quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true})
		if err != nil {
			t.Fatal(err)
		}
		<-c.Context().Done()
	})
	t.Run("half of a head", func(t *testing.T) {
		s := serve(t, o, webtransport.Options{HandshakeTimeout: 500 * time.Millisecond})
		c, err := quic.DialAddr(t.Context(), strings.Split(s.url, "/")[2], &tls.Config{RootCAs: s.pool, NextProtos: []string{"h3"}},
			&quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true})
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			stream, err := c.OpenStreamSync(t.Context())
			if err != nil {
				break // that was slow: it is over already
			}
			stream.Write([]byte{1, 0x40, 100, 0}) // HEADERS of 100 bytes, and the first of them
		}
		<-c.Context().Done()
		if n := s.h3.Stats().Limits["HandshakeTimeout"]; n != 1 {
			t.Errorf("counted %d times", n)
		}
	})
	t.Run("no session any more", func(t *testing.T) {
		s := serve(t, o, webtransport.Options{HandshakeTimeout: 100 * time.Millisecond})
		tr := s.transport()
		tr.QUICConfig = &quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true}
		q, err := quic.DialAddr(t.Context(), strings.Split(s.url, "/")[2], tr.TLSClientConfig, tr.QUICConfig)
		if err != nil {
			t.Fatal(err)
		}
		c, err := tr.NewClientConn(q)
		if err != nil {
			t.Fatal(err)
		}
		_, sess, err := c.Dial(t.Context(), s.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		stream, err := sess.OpenStreamSync(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stream.Write(frame(false, "0"))
		(<-s.sessions).s.Close()
		<-q.Context().Done()
	})
	t.Run("too many one-way streams", func(t *testing.T) {
		s := serve(t, o, webtransport.Options{})
		_, sess, err := s.transport().Dial(t.Context(), s.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; n < 100; n++ {
			if _, err := sess.OpenUniStream(); err != nil {
				break
			}
		}
		if n >= 8 { // some are those of HTTP/3
			t.Errorf("%d could be opened", n)
		}
		sess.CloseWithError(0, "")
	})
	t.Run("too many", func(t *testing.T) {
		s := serve(t, engineio.Options{MaxHandshakes: 1}, webtransport.Options{})
		waiting := s.mustDial()
		if _, err := waiting.nc.Write([]byte{5}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.dial(); err == nil || !strings.Contains(err.Error(), "503") {
			t.Errorf("dial: %v", err)
		}
		s.http("GET", "", "") // polling is not kept out by it
		waiting.nc.Close()
	})
}

// TestResetInTheNameOfTheSession: a client may reset its stream as the end of a session
// does, and not end the session. Nothing of it is left when the server has; that
// nothing runs any more is what TestMain looks for.
func TestResetInTheNameOfTheSession(t *testing.T) {
	s := serve(t, engineio.Options{}, webtransport.Options{})
	tr := s.transport()
	q, err := quic.DialAddr(t.Context(), strings.Split(s.url, "/")[2], tr.TLSClientConfig, &quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true})
	if err != nil {
		t.Fatal(err)
	}
	defer q.CloseWithError(0, "")
	c, err := tr.NewClientConn(q)
	if err != nil {
		t.Fatal(err)
	}
	_, sess, err := c.Dial(t.Context(), s.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := q.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	stream.Write(append([]byte{0x40, 0x41, 0}, frame(false, "0")...)) // of the session that request 0 has made
	r := <-s.sessions
	stream.Write(frame(false, "4x"))
	if _, err := io.ReadFull(stream, make([]byte, 50)); err != nil { // it is being read
		t.Fatal(err)
	}
	stream.CancelWrite(wt.WTSessionGoneErrorCode)
	bad, err := q.OpenStream() // when this is refused the reset has arrived
	if err != nil {
		t.Fatal(err)
	}
	bad.Write([]byte{1, 3, 0xff, 0xff, 0xff})
	_, _ = io.ReadAll(bad)
	r.s.Close()
	reason(t, r)
	<-sess.Context().Done()
}

func TestMaxConnections(t *testing.T) {
	s := serve(t, engineio.Options{}, webtransport.Options{MaxConnections: 1})
	first := s.mustDial()
	first.open()
	if _, err := s.dial(); err == nil {
		t.Error("a second one is let in")
	}
	if n := s.engine.Sessions(); n != 1 {
		t.Errorf("%d sessions", n)
	}
	if st := s.h3.Stats(); st.Connections != 1 || st.Limits["MaxConnections"] == 0 {
		t.Errorf("%+v", st)
	}
	first.nc.Close()
	for s.h3.Stats().Connections > 0 {
		<-time.After(time.Millisecond)
	}
	s.mustDial().open()
}

// TestSlowClient: one that does not read is cut.
func TestSlowClient(t *testing.T) {
	s := serve(t, engineio.Options{MaxQueuedBytes: 100_000}, webtransport.Options{})
	c := s.mustDial()
	c.open()
	r := <-s.sessions
	for range 10_000 {
		if err := r.s.SendMessage(engineio.Message{Data: bytes.Repeat([]byte("x"), 10_000)}, 0); err != nil {
			break
		}
	}
	if got := reason(t, r); got != engineio.TransportError {
		t.Errorf("reason %q", got)
	}
}

// TestPause: what is not read is held back, and comes later.
func TestPause(t *testing.T) {
	s := serve(t, engineio.Options{}, webtransport.Options{})
	c := s.mustDial()
	c.open()
	r := <-s.sessions
	r.s.Pause()
	c.send("4a", "4b")
	r.s.Resume()
	c.want("4a", "4b")
}

func TestHeartbeat(t *testing.T) {
	s := serve(t, engineio.Options{PingInterval: 50 * time.Millisecond, PingTimeout: 100 * time.Millisecond}, webtransport.Options{})
	c := s.mustDial()
	c.open()
	r := <-s.sessions
	for range 3 {
		c.want("2")
		c.send("3")
	}
	c.want("2")
	if got := reason(t, r); got != engineio.PingTimeout {
		t.Errorf("reason %q", got)
	}
	c.ended()
}

func TestOptions(t *testing.T) {
	config, _ := certificate(t)
	for name, o := range map[string]*webtransport.Options{
		"TLSConfig": nil, "MaxStreams": {TLSConfig: config, MaxStreams: -1}, "MaxWindow": {TLSConfig: config, MaxWindow: 1},
		"IdleTimeout": {TLSConfig: config, IdleTimeout: -1}, "MaxConnections": {TLSConfig: config, MaxConnections: -1},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if v, _ := recover().(string); !strings.Contains(v, name) {
					t.Errorf("panic %q does not name %s", v, name)
				}
			}()
			webtransport.NewServer(http.NotFoundHandler(), o)
		})
	}
}

// BenchmarkIdle is what an idle connection costs, both ends together.
func BenchmarkIdle(b *testing.B) {
	s := serve(b, engineio.Options{}, webtransport.Options{})
	measure := func() (bytes uint64, goroutines int) {
		var m runtime.MemStats
		for range 3 {
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse, runtime.NumGoroutine()
	}
	for b.Loop() {
		const n = 200
		bytes, goroutines := measure()
		clients := make([]*client, n)
		for i := range clients {
			clients[i] = s.mustDial()
			clients[i].open()
			<-s.sessions
		}
		after, more := measure()
		b.ReportMetric(float64(after-bytes)/n, "B/pair")
		b.ReportMetric(float64(more-goroutines)/n, "goroutines/pair")
		for _, c := range clients {
			c.nc.Close()
		}
	}
}
