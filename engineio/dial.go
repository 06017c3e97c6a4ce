package engineio

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// DialOptions change how [Dial] connects. The zero value of each field stands
// for its default, which is fit for production. They must not change while a
// session uses them.
type DialOptions struct {
	// Protocol is the revision of Engine.IO: 4, the default, or 3 for servers
	// of Socket.IO 2.
	Protocol int
	// Transports to try, in order: the next one if the server answers the one
	// before with something else than a session. Default WebSocket, Polling.
	// With Polling first, the session moves to WebSocket or WebTransport if that is
	// in the list and the server offers it; if both are, to the one that answers
	// first, of which WebTransport has a start of 200 ms.
	Transports []string
	// WebTransport makes the streams of that transport, which must be set to have it
	// in Transports. It takes TLSConfig, and none of what else is below about
	// connections; behind a proxy there is no WebTransport.
	WebTransport StreamDialer
	// DisableUpgrades keeps a session that began with polling there.
	DisableUpgrades bool

	// Query is added to that of the URL, Header to every request. Host in
	// Header is the name that the server sees.
	Query  url.Values
	Header http.Header
	// Jar keeps cookies, between sessions too, such as those of a load
	// balancer. Default nil: no cookies.
	Jar http.CookieJar

	// TLSConfig, Proxy and NetDial are how connections are made. Proxy defaults
	// to http.ProxyFromEnvironment, NetDial to that of a net.Dialer.
	TLSConfig *tls.Config
	Proxy     func(*http.Request) (*url.URL, error)
	NetDial   func(ctx context.Context, network, addr string) (net.Conn, error)
	// RoundTripper makes all requests, that of a WebSocket too, in place of the
	// three fields above. A WebSocket through it costs about 6 KB more, and on
	// Linux a goroutine.
	RoundTripper http.RoundTripper
	// PerMessageDeflate offers compression over WebSocket. Default nil: no.
	PerMessageDeflate *PerMessageDeflate
	// MaxPayload is the largest message, in bytes, and the largest payload of a
	// poll that is taken from the server. Default 16 MB.
	MaxPayload int64
	// MaxPayloadPackets limits the packets in one answer to a poll. Default
	// 65,536.
	MaxPayloadPackets int
	// MaxQueuedBytes and MaxQueuedPackets limit what waits to be written.
	// Beyond them Send returns [ErrSlowConsumer]. Default 16 MiB and 65,536.
	MaxQueuedBytes   int
	MaxQueuedPackets int
}

// Check returns what [Dial] would say about options that make no sense.
func (o *DialOptions) Check() error {
	_, err := o.withDefaults()
	return err
}

func (o *DialOptions) withDefaults() (*DialOptions, error) {
	var c DialOptions
	if o != nil {
		c = *o
	}
	if c.Protocol == 0 {
		c.Protocol = 4
	}
	if c.Protocol != 3 && c.Protocol != 4 {
		return nil, fmt.Errorf("DialOptions.Protocol: there is no revision %d", c.Protocol)
	}
	if c.Transports == nil {
		c.Transports = []string{WebSocket, Polling}
	}
	if len(c.Transports) == 0 {
		return nil, errors.New("DialOptions.Transports: empty; nil stands for the default")
	}
	for _, t := range c.Transports {
		switch {
		case t == Polling || t == WebSocket:
		case t != WebTransport:
			return nil, fmt.Errorf("DialOptions.Transports: unknown transport %q", t)
		case c.WebTransport == nil:
			return nil, errors.New("DialOptions.WebTransport: must be set for that transport, to a webtransport.Dialer")
		case c.Protocol == 3:
			return nil, errors.New("DialOptions.Transports: there is no webtransport in revision 3")
		}
	}
	if c.Proxy == nil {
		c.Proxy = http.ProxyFromEnvironment
	}
	if err := c.PerMessageDeflate.check(); err != nil {
		return nil, fmt.Errorf("DialOptions.PerMessageDeflate.%w", err)
	}
	c.PerMessageDeflate = c.PerMessageDeflate.withDefaults()
	for _, n := range []struct {
		name string
		set  func() bool
	}{
		{"MaxPayload", func() bool { return positive(&c.MaxPayload, 16e6) }},
		{"MaxPayloadPackets", func() bool { return positive(&c.MaxPayloadPackets, 1<<16) }},
		{"MaxQueuedBytes", func() bool { return positive(&c.MaxQueuedBytes, 16<<20) }},
		{"MaxQueuedPackets", func() bool { return positive(&c.MaxQueuedPackets, 1<<16) }},
	} {
		if !n.set() {
			return nil, fmt.Errorf("DialOptions.%s: negative", n.name)
		}
	}
	return &c, nil
}

// positive fills in a default and reports whether the value makes sense.
func positive[T int | int64](n *T, def T) bool {
	if *n == 0 {
		*n = def
	}
	return *n > 0
}

// NoCode is the Code of a HandshakeError without one.
const NoCode Code = -1

// A HandshakeError is a session that could not be made.
type HandshakeError struct {
	Transport string
	Status    int    // of the HTTP answer; 0 if there was none
	Code      Code   // of the protocol, if the answer had one; otherwise NoCode
	Message   string // what the server says: that of the protocol, or the start of the body
	Header    http.Header
	Err       error
}

func (e *HandshakeError) Error() string {
	s := "engineio: handshake"
	if e.Transport != "" {
		s += " over " + e.Transport
	}
	s += fmt.Sprintf(": %v", e.Err)
	if e.Message != "" {
		s += fmt.Sprintf(": %q", e.Message)
	}
	return s
}

func (e *HandshakeError) Unwrap() error { return e.Err }

// Timeout reports whether the server did not answer in time.
func (e *HandshakeError) Timeout() bool {
	if errors.Is(e.Err, context.DeadlineExceeded) {
		return true
	}
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

// Dial makes a session with the server at rawURL, which includes the path of
// the engine. onSession is called before the first message and returns its
// receiver. ctx bounds the handshake only. Errors are of type [*HandshakeError].
func Dial(ctx context.Context, rawURL string, o *DialOptions, onSession func(*ClientSession) Receiver) (*ClientSession, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, &HandshakeError{Code: NoCode, Err: err}
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, &HandshakeError{Code: NoCode, Err: err}
	}
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	case "http", "https":
	default:
		return nil, &HandshakeError{Code: NoCode, Err: fmt.Errorf("scheme %q is none of http, https, ws, wss", u.Scheme)}
	}
	d := &dialer{opts: opts, url: u}
	for i, transport := range opts.Transports {
		var s *ClientSession
		switch transport {
		case WebTransport:
			s, err = d.dialStream(ctx, onSession)
		case WebSocket:
			s, err = d.dialWebSocket(ctx, onSession)
		default:
			s, err = d.dialPolling(ctx, onSession)
		}
		if err == nil {
			return s, nil
		}
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		failed := asHandshakeError(err, transport)
		if i == len(opts.Transports)-1 || ctx.Err() != nil || !failed.anotherMayDo() {
			return nil, failed
		}
	}
	panic("unreachable: Transports is not empty")
}

func asHandshakeError(err error, transport string) *HandshakeError {
	failed, ok := errors.AsType[*HandshakeError](err)
	if !ok {
		failed = &HandshakeError{Code: NoCode, Err: err}
	}
	failed.Transport = transport
	return failed
}

// anotherMayDo reports whether it makes sense to try another transport: not if
// nobody is there, nor if somebody is and says no to this client.
func (e *HandshakeError) anotherMayDo() bool {
	if e.Code == UnsupportedProtocolVersion || e.Code == Forbidden {
		return false
	}
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired,
		http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return false
	case 0:
		var op *net.OpError
		if errors.As(e.Err, &op) && op.Op == "dial" {
			return false
		}
		_, untrusted := errors.AsType[*tls.CertificateVerificationError](e.Err)
		return !untrusted
	}
	return true
}

// A dialer makes the transports of one session.
type dialer struct {
	opts *DialOptions
	url  *url.URL
}

// address returns the URL of a request.
func (d *dialer) address(transport, sid string) string {
	u := *d.url
	q := u.Query()
	for k, v := range d.opts.Query {
		q[k] = v
	}
	q.Set("EIO", fmt.Sprint(d.opts.Protocol))
	q.Set("transport", transport)
	if sid != "" {
		q.Set("sid", sid)
	}
	if d.opts.Protocol == 3 && transport == Polling {
		q.Set("b64", "1") // payloads are text then, whatever is in them
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// opened is the data of an open packet.
type opened struct {
	SID                       string
	Upgrades                  []string
	PingInterval, PingTimeout int64 // milliseconds
	MaxPayload                int64
}

var errNoOpen = errors.New("the server's first packet opens nothing")

// check looks for numbers that would make no session.
func (o *opened) check() error {
	const most = int64(24 * time.Hour / time.Millisecond)
	if o.SID == "" || len(o.SID) > 1024 || o.PingInterval <= 0 || o.PingTimeout <= 0 ||
		o.PingInterval > most || o.PingTimeout > most || o.MaxPayload < 0 {
		return errors.New("the open packet makes no sense")
	}
	return nil
}

func (o *opened) upgradesTo(transport string) bool {
	return slices.ContainsFunc(o.Upgrades, func(s string) bool { return strings.EqualFold(s, transport) })
}

func parseOpen(data []byte) (*opened, error) {
	o := new(opened)
	if err := json.Unmarshal(data, o); err != nil {
		return nil, err
	}
	return o, o.check()
}
