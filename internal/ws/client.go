package ws

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"time"
)

// AppendClient appends a client's frame, whose payload is head followed by tail,
// with a fresh key.
func AppendClient(dst []byte, op Opcode, head, tail []byte) []byte {
	dst = appendHeader(dst, op, len(head)+len(tail), maskBit)
	// The runtime's generator is ChaCha8 with a seed of the system's: whoever
	// chose the payload cannot guess the key, and it costs no system call.
	k := mathrand.Uint32()
	key := [4]byte{byte(k), byte(k >> 8), byte(k >> 16), byte(k >> 24)}
	dst = append(dst, key[:]...)
	start := len(dst)
	dst = append(dst, head...)
	dst = append(dst, tail...)
	mask(dst[start:], key, 0)
	return dst
}

// DialHTTP opens a WebSocket through an HTTP client, which then decides about
// proxies, TLS, cookies and redirects. Results are those of [Dial]. The
// connection has no deadlines.
func DialHTTP(ctx context.Context, rawURL string, header http.Header, c *http.Client) (nc net.Conn, res *http.Response, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("websocket: %w", err)
	}
	var nonce [16]byte
	rand.Read(nonce[:])
	key := base64.StdEncoding.EncodeToString(nonce[:])
	if header != nil {
		req.Header = header.Clone()
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	setUpgrade(req.Header, key)
	res, err = c.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("websocket: handshake: %w", err)
	}
	if err := checkAnswer(res, key); err != nil {
		keepBody(res)
		return nil, res, fmt.Errorf("websocket: handshake: %w", err)
	}
	rwc, ok := res.Body.(io.ReadWriteCloser)
	if !ok {
		res.Body.Close()
		return nil, nil, errors.New("websocket: handshake: the HTTP transport gives no connection to write to")
	}
	return &stream{rwc}, res, nil
}

func setUpgrade(h http.Header, key string) {
	h.Set("Upgrade", "websocket")
	h.Set("Connection", "Upgrade")
	h.Set("Sec-WebSocket-Version", "13")
	h.Set("Sec-WebSocket-Key", key)
}

func checkAnswer(res *http.Response, key string) error {
	if res.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("server answered %s", res.Status)
	}
	if !hasToken(res.Header["Upgrade"], "websocket") || !hasToken(res.Header["Connection"], "upgrade") ||
		res.Header.Get("Sec-WebSocket-Accept") != accept(key) {
		return errors.New("server did not prove that it speaks WebSocket")
	}
	return nil
}

// stream makes a net.Conn of the body of a 101 response.
type stream struct{ io.ReadWriteCloser }

func (*stream) LocalAddr() net.Addr  { return streamAddr{} }
func (*stream) RemoteAddr() net.Addr { return streamAddr{} }

var errNoDeadline = errors.New("websocket: no deadlines through an HTTP client")

func (*stream) SetDeadline(time.Time) error      { return errNoDeadline }
func (*stream) SetReadDeadline(time.Time) error  { return errNoDeadline }
func (*stream) SetWriteDeadline(time.Time) error { return errNoDeadline }

type streamAddr struct{}

func (streamAddr) Network() string { return "http" }
func (streamAddr) String() string  { return "http" }
