package forward

import (
	"crypto/hmac"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/sockeye-go/socketio/internal/ws"
)

// header tells the next node of a forwarded request whom it comes from, and that
// it must not be forwarded again: the address of the client's connection and what
// proves that a node has written it.
const header = "Sockeye-Forwarded"

// hopByHop are headers between two neighbours ("RFC 9110 7.6.1").
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

func removeHopByHop(h http.Header) {
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop {
		h.Del(name)
	}
}

func isUpgrade(r *http.Request) bool { return ws.IsUpgrade(r) }

// request makes what is sent to the node at address. The path is what the client
// has asked for, before any mux took something off.
func (f *Forwarder) request(r *http.Request, address, sid string) (*http.Request, error) {
	u, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		return nil, err
	}
	u.Scheme, u.Host = "http", address
	if host, secure := strings.CutPrefix(address, "https://"); secure {
		u.Scheme, u.Host = "https", host
	}
	out := &http.Request{
		Method: r.Method, URL: u, Host: r.Host, Header: r.Header.Clone(),
		Body: r.Body, ContentLength: r.ContentLength,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if r.Method == http.MethodGet {
		// A body that cannot be read twice, of no bytes, keeps the transport from
		// making the request again: what the first was answered with is lost.
		out.Body, out.ContentLength = io.NopCloser(strings.NewReader("")), 0
	}
	removeHopByHop(out.Header)
	if from, ok := r.Header["X-Forwarded-For"]; ok { // whatever the client calls it
		out.Header["X-Forwarded-For"] = from
	}
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header["User-Agent"] = nil // none, rather than that of Go
	}
	mac := f.seals[0].mac(r, sid, r.RemoteAddr)
	out.Header.Set(header, r.RemoteAddr+" "+base64.RawURLEncoding.EncodeToString(mac))
	return out, nil
}

// mac covers what a node that forwards r vouches for.
func (s seal) mac(r *http.Request, sid, remote string) []byte {
	return derive(s.headers, r.Method, sid, remote, strings.Join(r.Header["X-Forwarded-For"], ","))
}

// Arrive implements [engineio.Forwarder]. The header stays, so that what has been
// forwarded is seen to have been.
func (f *Forwarder) Arrive(r *http.Request) *http.Request {
	if _, ok := r.Header[header]; !ok {
		return r
	}
	remote, sum, _ := strings.Cut(r.Header.Get(header), " ")
	b, err := base64.RawURLEncoding.DecodeString(sum)
	if err != nil {
		return r
	}
	sid := r.URL.Query().Get("sid")
	for _, s := range f.seals {
		if hmac.Equal(b, s.mac(r, sid, remote)) {
			c := *r
			c.RemoteAddr = remote
			return &c
		}
	}
	return r
}
