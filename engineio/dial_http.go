package engineio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/sockeye-go/socketio/internal/ws"
)

// httpClient returns what makes the requests of a session, and what lets its
// idle connections go.
func (d *dialer) httpClient() (c *http.Client, closeIdle func()) {
	rt := d.opts.RoundTripper
	closeIdle = func() {}
	if rt == nil {
		t := &http.Transport{
			Proxy:             d.opts.Proxy,
			DialContext:       d.opts.NetDial,
			ForceAttemptHTTP2: true,
			MaxIdleConns:      4,
		}
		if d.opts.TLSConfig != nil {
			t.TLSClientConfig = d.opts.TLSConfig.Clone()
		}
		rt, closeIdle = t, t.CloseIdleConnections
	}
	return &http.Client{Transport: once{rt}, Jar: d.opts.Jar}, closeIdle
}

// once makes each poll once. An http.Transport makes a GET again by itself if its
// connection breaks before the answer. But what a poll was answered with, the
// server does not have any more: it would be lost, and nobody would know.
type once struct{ http.RoundTripper }

func (t once) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet && req.Body == nil {
		// A body that cannot be read twice, of no bytes, keeps it from that. The
		// http.Client does not see it, and follows redirects.
		req = req.WithContext(req.Context())
		req.Body = io.NopCloser(strings.NewReader(""))
	}
	return t.RoundTripper.RoundTrip(req)
}

// request makes one of a session's HTTP requests.
func (d *dialer) request(ctx context.Context, method, address string, body []byte) (*http.Request, error) {
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, r)
	if err != nil {
		return nil, err
	}
	for k, v := range d.opts.Header {
		req.Header[k] = v
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	if body != nil {
		req.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	return req, nil
}

// refused makes the error of an answer that is none of ours. It reads the body
// and closes it.
func refused(res *http.Response, err error) *HandshakeError {
	body, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	res.Body.Close()
	failed := &HandshakeError{Status: res.StatusCode, Code: NoCode, Header: res.Header, Err: err}
	if failed.Err == nil {
		failed.Err = fmt.Errorf("server answered %s", res.Status)
	}
	var answer struct {
		Code    *Code
		Message string
	}
	if json.Unmarshal(body, &answer) == nil && answer.Code != nil {
		failed.Code, failed.Message = *answer.Code, answer.Message
		return failed
	}
	failed.Message = strings.ToValidUTF8(string(body[:min(len(body), 256)]), "\uFFFD")
	for c := UnknownTransport; c <= UnsupportedProtocolVersion; c++ { // the official server answers an upgrade in words
		if failed.Message == c.String() {
			failed.Code = c
		}
	}
	return failed
}

// openWebSocket opens the connection of a WebSocket: straight to the server if
// nothing stands in between, for that is cheaper, and otherwise through the
// HTTP client.
func (d *dialer) openWebSocket(ctx context.Context, address string) (t *clientLink, nc net.Conn, leftover []byte, err error) {
	header := d.opts.Header
	if o := d.opts.PerMessageDeflate; o != nil {
		if header = header.Clone(); header == nil {
			header = make(http.Header)
		}
		header.Set("Sec-WebSocket-Extensions", o.config().Offer())
	}
	nc, leftover, res, err := d.openConnection(ctx, address, header)
	if err != nil {
		return nil, nil, nil, err
	}
	t = &clientLink{name: WebSocket}
	t.parser.Init(ws.Client, d.opts.MaxPayload)
	if o := d.opts.PerMessageDeflate; o != nil {
		agreed, err := o.config().Accepted(res.Header["Sec-Websocket-Extensions"])
		if err != nil {
			nc.Close()
			return nil, nil, nil, err
		}
		if t.deflate = agreed; agreed.WindowBits != 0 {
			t.parser.AllowDeflate(agreed)
			t.context = newTakeover(agreed)
		}
	}
	return t, nc, leftover, nil
}

// openConnection returns the server's answer too.
func (d *dialer) openConnection(ctx context.Context, address string, header http.Header) (net.Conn, []byte, *http.Response, error) {
	for range maxRedirects {
		u, err := url.Parse(address)
		if err != nil {
			return nil, nil, nil, err
		}
		direct, err := d.direct(u)
		if err != nil {
			return nil, nil, nil, err
		}
		if !direct {
			return d.openThroughHTTP(ctx, address, header)
		}
		nc, leftover, res, err := ws.Dial(ctx, address, &ws.DialOptions{
			Header: d.withCookies(header, u), TLSConfig: d.opts.TLSConfig, NetDial: d.opts.NetDial,
		})
		if res != nil {
			d.keepCookies(res, u)
		}
		if err == nil {
			return nc, leftover, res, nil
		}
		if res == nil {
			return nil, nil, nil, err
		}
		to := redirected(res, u)
		if to == nil {
			return nil, nil, nil, refused(res, err)
		}
		if to.Host != u.Host { // what was meant for one host is not for another
			header = header.Clone()
			for _, secret := range []string{"Authorization", "Cookie", "Www-Authenticate", "Host"} {
				header.Del(secret)
			}
		}
		address = to.String()
	}
	return nil, nil, nil, errors.New("too many redirects")
}

const maxRedirects = 10

func redirected(res *http.Response, from *url.URL) *url.URL {
	switch res.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		to, err := from.Parse(res.Header.Get("Location"))
		if err != nil || res.Header.Get("Location") == "" {
			return nil
		}
		switch to.Scheme {
		case "ws":
			to.Scheme = "http"
		case "wss":
			to.Scheme = "https"
		}
		if to.Scheme == "http" || to.Scheme == "https" {
			return to
		}
	}
	return nil
}

// direct reports whether there is neither a proxy nor a RoundTripper.
func (d *dialer) direct(u *url.URL) (bool, error) {
	if d.opts.RoundTripper != nil {
		return false, nil
	}
	proxy, err := d.proxy(u)
	return proxy == nil, err
}

// proxy returns the proxy that stands before u.
func (d *dialer) proxy(u *url.URL) (*url.URL, error) {
	asHTTP := *u
	switch asHTTP.Scheme {
	case "ws":
		asHTTP.Scheme = "http"
	case "wss":
		asHTTP.Scheme = "https"
	}
	proxy, err := d.opts.Proxy(&http.Request{Method: http.MethodGet, URL: &asHTTP, Host: asHTTP.Host, Header: d.opts.Header})
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	return proxy, nil
}

func (d *dialer) keepCookies(res *http.Response, u *url.URL) {
	if cookies := res.Cookies(); d.opts.Jar != nil && len(cookies) > 0 {
		d.opts.Jar.SetCookies(u, cookies)
	}
}

func (d *dialer) withCookies(h http.Header, u *url.URL) http.Header {
	if d.opts.Jar == nil {
		return h
	}
	cookies := d.opts.Jar.Cookies(u)
	if len(cookies) == 0 {
		return h
	}
	req := &http.Request{Header: h.Clone()}
	if req.Header == nil {
		req.Header = make(http.Header)
	}
	for _, c := range cookies {
		req.AddCookie(c)
	}
	return req.Header
}

func (d *dialer) openThroughHTTP(ctx context.Context, address string, header http.Header) (net.Conn, []byte, *http.Response, error) {
	c, closeIdle := d.httpClient()
	defer closeIdle() // not that of the WebSocket, which has left the pool
	nc, res, err := ws.DialHTTP(ctx, address, header, c)
	if err != nil {
		if res != nil {
			return nil, nil, nil, refused(res, err)
		}
		return nil, nil, nil, err
	}
	return nc, nil, res, nil
}
