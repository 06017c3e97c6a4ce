package ws

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// DialOptions change how Dial connects; nil stands for none.
type DialOptions struct {
	Header    http.Header
	TLSConfig *tls.Config
	// NetDial makes the connection. Default that of a net.Dialer.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Dial opens a WebSocket. It returns the connection and what the server had sent
// behind its answer. If the server answers otherwise, the response comes with
// the error; its body holds up to 64 KiB and needs no closing.
func Dial(ctx context.Context, rawURL string, o *DialOptions) (nc net.Conn, leftover []byte, res *http.Response, err error) {
	if o == nil {
		o = new(DialOptions)
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("websocket: %w", err)
	}
	nc, err = connect(ctx, u, o)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("websocket: dial: %w", err)
	}
	conn := nc // the function may run when nc has become the result of a failure
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	leftover, res, err = handshake(nc, u, o.Header)
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		nc.Close()
		return nil, nil, res, fmt.Errorf("websocket: handshake: %w", err)
	}
	return nc, leftover, res, nil
}

func connect(ctx context.Context, u *url.URL, o *DialOptions) (net.Conn, error) {
	secure := u.Scheme == "wss" || u.Scheme == "https"
	if !secure && u.Scheme != "ws" && u.Scheme != "http" {
		return nil, fmt.Errorf("scheme %q is none of ws, wss, http, https", u.Scheme)
	}
	port := u.Port()
	if port == "" {
		port = "80"
		if secure {
			port = "443"
		}
	}
	dial := o.NetDial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	nc, err := dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil || !secure {
		return nc, err
	}
	config := o.TLSConfig.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName = u.Hostname()
	}
	config.NextProtos = []string{"http/1.1"}
	tc := tls.Client(nc, config)
	if err := tc.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, err
	}
	return tc, nil
}

func handshake(nc net.Conn, u *url.URL, header http.Header) (leftover []byte, res *http.Response, err error) {
	var nonce [16]byte
	rand.Read(nonce[:])
	key := base64.StdEncoding.EncodeToString(nonce[:])
	req := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: header.Clone(), ProtoMajor: 1, ProtoMinor: 1}
	if req.Header == nil {
		req.Header = make(http.Header)
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	setUpgrade(req.Header, key)
	if err := req.Write(nc); err != nil {
		return nil, nil, err
	}
	br := bufio.NewReader(nc)
	res, err = http.ReadResponse(br, req)
	if err != nil {
		return nil, nil, err
	}
	if err := checkAnswer(res, key); err != nil {
		keepBody(res)
		return nil, res, err
	}
	if n := br.Buffered(); n > 0 {
		b, _ := br.Peek(n)
		leftover = bytes.Clone(b)
	}
	return leftover, res, nil
}

// keepBody replaces the body by its start, which outlives the connection.
func keepBody(res *http.Response) {
	if res.StatusCode == http.StatusSwitchingProtocols {
		res.Body.Close()
		res.Body = http.NoBody
		return
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
}
