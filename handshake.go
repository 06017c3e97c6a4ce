package socketio

import (
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"time"
)

// A Handshake is what is known of a connection from its first request. It is
// shared by the sockets of the connection and does not change.
type Handshake struct {
	// Address is the remote address, as http.Request has it. With
	// Options.TrustedProxies it is the address of the client that they tell of,
	// without a port.
	Address string
	// Time is when the connection was made.
	Time time.Time
	// Secure says that the connection to this server was TLS.
	Secure bool
	// CrossOrigin says that the request had an Origin header.
	CrossOrigin bool
	// URL is path and query of the request.
	URL string

	kept http.Header // those of Options.KeepHeaders
}

func (srv *Server) newHandshake(r *http.Request) *Handshake {
	h := &Handshake{
		Address:     r.RemoteAddr,
		Time:        time.Now(),
		Secure:      r.TLS != nil,
		CrossOrigin: r.Header.Get("Origin") != "",
		URL:         srv.sameURL(r.URL.RequestURI()),
	}
	if len(srv.opts.TrustedProxies) > 0 {
		h.Address = srv.engine.ClientAddr(r)
	}
	for _, name := range srv.opts.KeepHeaders {
		name = textproto.CanonicalMIMEHeaderKey(name)
		if h.kept == nil {
			h.kept = make(http.Header, len(srv.opts.KeepHeaders))
		}
		h.kept[name] = r.Header[name]
	}
	return h
}

// sameURL returns the last string that was equal to url: most clients ask for the
// same, and so share it.
func (srv *Server) sameURL(url string) string {
	if last := srv.lastURL.Load(); last != nil && *last == url {
		return *last
	}
	srv.lastURL.Store(&url)
	return url
}

// Query returns the query of the first request, which it parses at each call.
func (h *Handshake) Query() url.Values {
	u, err := url.ParseRequestURI(h.URL)
	if err != nil {
		return url.Values{}
	}
	return u.Query()
}

// A HeaderError says that a header was asked for after OnConnection had
// returned, and is not among Options.KeepHeaders.
type HeaderError struct{ Name string }

func (e *HeaderError) Error() string {
	return fmt.Sprintf("socketio: header %q was not kept: name it in Options.KeepHeaders", e.Name)
}

// Header returns a header of the first request, "" if it had none. Any can be
// asked for in middleware and OnConnection of the first namespace that a
// connection joins; elsewhere those of Options.KeepHeaders, and others are a
// [*HeaderError].
func (s *Socket) Header(name string) (string, error) {
	if r := s.Request(); r != nil {
		return r.Header.Get(name), nil
	}
	name = textproto.CanonicalMIMEHeaderKey(name)
	if values, ok := s.conn.handshake.kept[name]; ok {
		if len(values) == 0 {
			return "", nil
		}
		return values[0], nil
	}
	return "", &HeaderError{Name: name}
}

// Request returns the first request of the connection in middleware and
// OnConnection of the first namespace that it joins, and nil afterwards: it is
// let go, since it costs more memory than all the rest. Its body is not
// readable, and its context is that of the request, not of the socket.
func (s *Socket) Request() *http.Request {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return s.conn.request
}
