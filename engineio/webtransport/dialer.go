package webtransport

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	wt "github.com/quic-go/webtransport-go"
)

// A Dialer lets the Go client speak WebTransport: it goes into the WebTransport
// field of client.Options, or of engineio.DialOptions. Its zero value is fit for
// production. It is safe for concurrent use, and must not change while it is used.
// Each session has a QUIC connection and a UDP socket of its own.
type Dialer struct {
	// CertificateHashes are SHA-256 hashes of certificates, one of which the server
	// must have, in place of one that an authority has signed: what browsers call
	// serverCertificateHashes, with the same rules for such a certificate. It is
	// valid for two weeks at most, and its key is none of RSA.
	CertificateHashes [][]byte
	// HandshakeTimeout is how long the handshake of QUIC may take, where UDP does
	// not get through all of that. Default 5 s.
	HandshakeTimeout time.Duration
	// IdleTimeout ends connections on which nothing arrives, not even the answer to
	// a keep-alive, which is sent every third of it. Default 45 s.
	IdleTimeout time.Duration
	// MaxWindow is how many bytes may have arrived without having been read. Default
	// 512 KiB.
	MaxWindow uint64
	// ListenPacket makes the UDP socket of a session, that of net.ListenPacket by
	// default. It is closed with the session.
	ListenPacket func(ctx context.Context) (net.PacketConn, error)
}

func (d *Dialer) quicConfig() (*quic.Config, error) {
	c := *d
	if c.HandshakeTimeout < 0 || c.IdleTimeout < 0 {
		return nil, errors.New("webtransport: Dialer: a timeout is negative")
	}
	positive(&c.HandshakeTimeout, 5*time.Second, "")
	positive(&c.IdleTimeout, 45*time.Second, "")
	if c.MaxWindow == 0 {
		c.MaxWindow = 512 << 10
	}
	if c.MaxWindow < firstWindow {
		return nil, fmt.Errorf("webtransport: Dialer.MaxWindow: %d is less than 64 KiB", c.MaxWindow)
	}
	return &quic.Config{
		HandshakeIdleTimeout:             c.HandshakeTimeout,
		MaxIdleTimeout:                   c.IdleTimeout,
		KeepAlivePeriod:                  c.IdleTimeout / 3, // which some NATs need too
		MaxIncomingStreams:               -1,                // the server has no reason to open one
		MaxIncomingUniStreams:            8,                 // those of HTTP/3
		InitialStreamReceiveWindow:       firstWindow,
		MaxStreamReceiveWindow:           c.MaxWindow,
		InitialConnectionReceiveWindow:   firstWindow,
		MaxConnectionReceiveWindow:       c.MaxWindow + c.MaxWindow/2,
		EnableDatagrams:                  true, // WebTransport wants both
		EnableStreamResetPartialDelivery: true,
	}, nil
}

// DialStream implements [engineio.StreamDialer].
//
// [engineio.StreamDialer]: https://pkg.go.dev/github.com/sockeye-go/socketio/engineio#StreamDialer
func (d *Dialer) DialStream(ctx context.Context, rawURL string, header http.Header, config *tls.Config) (net.Conn, *http.Response, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, nil, fmt.Errorf("webtransport: %w", err)
	}
	if u.Scheme != "https" || u.Hostname() == "" {
		return nil, nil, fmt.Errorf("webtransport: %q is not https://host", rawURL)
	}
	quicConfig, err := d.quicConfig()
	if err != nil {
		return nil, nil, err
	}
	c, err := d.connect(ctx, u, d.tlsConfig(config, u.Hostname()), quicConfig)
	if err != nil {
		return nil, nil, fmt.Errorf("webtransport: %w", err)
	}
	var t wt.Transport
	client, err := t.NewClientConn(c.Conn)
	if err != nil {
		c.close()
		return nil, nil, fmt.Errorf("webtransport: %w", err)
	}
	return d.session(ctx, c, client, u, header)
}

// session asks for a session and opens its stream.
func (d *Dialer) session(ctx context.Context, c *quicConn, client *wt.ClientConn, u *url.URL, header http.Header) (net.Conn, *http.Response, error) {
	// The library waits for the answer without looking at ctx.
	stop := context.AfterFunc(ctx, func() { _ = c.CloseWithError(0, "") })
	defer stop()
	fail := func(res *http.Response, err error) (net.Conn, *http.Response, error) {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		c.close()
		return nil, res, fmt.Errorf("webtransport: %w", err)
	}
	res, sess, err := client.Dial(ctx, u.String(), header)
	if err != nil {
		if res != nil && res.Body != nil {
			body, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10)) // it ends with the connection
			res.Body = io.NopCloser(bytes.NewReader(body))
		}
		return fail(res, err)
	}
	res.Body = http.NoBody // the session's own
	stream, err := sess.OpenStreamSync(ctx)
	if err != nil {
		_ = sess.CloseWithError(0, "")
		return fail(nil, err)
	}
	return &conn{Stream: stream, sess: sess, gone: make(chan struct{}), after: c.close}, res, nil
}

// maxValidity is how long a certificate that is trusted by its hash may be valid.
const maxValidity = 14 * 24 * time.Hour

func (d *Dialer) tlsConfig(config *tls.Config, host string) *tls.Config {
	c := config.Clone()
	if c == nil {
		c = new(tls.Config)
	}
	c.NextProtos = []string{http3.NextProtoH3}
	if c.ServerName == "" {
		c.ServerName = host
	}
	if len(d.CertificateHashes) == 0 {
		return c
	}
	c.InsecureSkipVerify = true // by itself; what follows is what verifies
	next := c.VerifyConnection
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if err := d.verify(state); err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
		}
		if next != nil {
			return next(state)
		}
		return nil
	}
	return c
}

// verify holds the server's certificate to CertificateHashes.
func (d *Dialer) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server has no certificate")
	}
	cert := state.PeerCertificates[0]
	sum := sha256.Sum256(cert.Raw)
	now := time.Now()
	switch _, isRSA := cert.PublicKey.(*rsa.PublicKey); {
	case !slices.ContainsFunc(d.CertificateHashes, func(h []byte) bool { return bytes.Equal(h, sum[:]) }):
		return fmt.Errorf("the certificate has the hash %x, which is none of those that are trusted", sum)
	case isRSA:
		return errors.New("a certificate that is trusted by its hash must not have a key of RSA")
	case cert.NotAfter.Sub(cert.NotBefore) > maxValidity:
		return errors.New("a certificate that is trusted by its hash must not be valid for more than two weeks")
	case now.Before(cert.NotBefore) || now.After(cert.NotAfter):
		return fmt.Errorf("the certificate is valid from %v to %v", cert.NotBefore, cert.NotAfter)
	}
	return nil
}

// A quicConn is a connection with the socket that it has for itself.
type quicConn struct {
	*quic.Conn
	transport *quic.Transport
	socket    net.PacketConn
}

// close returns when nothing of it runs any more.
func (c *quicConn) close() {
	if c.Conn != nil {
		_ = c.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
	}
	_ = c.transport.Close()
	_ = c.socket.Close()
}

// connect tries the addresses of a host in turn.
func (d *Dialer) connect(ctx context.Context, u *url.URL, tlsConfig *tls.Config, config *quic.Config) (*quicConn, error) {
	port := 443
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("port %q: %w", p, err)
		}
		port = int(n)
	}
	hosts, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return nil, err
	}
	var failed []error
	for _, host := range hosts {
		c, err := d.connectTo(ctx, netip.AddrPortFrom(host.Unmap(), uint16(port)), tlsConfig, config)
		if err == nil {
			return c, nil
		}
		failed = append(failed, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(failed...)
}

func (d *Dialer) connectTo(ctx context.Context, addr netip.AddrPort, tlsConfig *tls.Config, config *quic.Config) (*quicConn, error) {
	listen := d.ListenPacket
	if listen == nil {
		listen = func(ctx context.Context) (net.PacketConn, error) {
			return new(net.ListenConfig).ListenPacket(ctx, "udp", ":0")
		}
	}
	socket, err := listen(ctx)
	if err != nil {
		return nil, err
	}
	c := &quicConn{transport: &quic.Transport{Conn: socket}, socket: socket}
	c.Conn, err = c.transport.Dial(ctx, net.UDPAddrFromAddrPort(addr), tlsConfig, config)
	if err != nil {
		c.close()
		return nil, fmt.Errorf("%v: %w", addr, err)
	}
	return c, nil
}
