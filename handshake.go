package socketio

import (
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"time"
)

// A Handshake is what is known of a connection from its first request. It is
// the same for the sockets of the connection and does not change.
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

// An origin is what a connection keeps of its first request: what a [Handshake] can be
// made from, which most programs ask for once or never, in a third of its memory.
type origin struct {
	after time.Duration // the server's start
	asked *asked
}

// An asked is what a client has in common with most others.
type asked struct {
	url                 string
	secure, crossOrigin bool
	more                *moreOrigin // nil for most; otherwise it has this in it
}

type moreOrigin struct {
	asked   asked
	address string      // other than the session's, with Options.TrustedProxies
	kept    http.Header // with Options.KeepHeaders
	once    *onceClient // of a client that repeats its sends
}

func (srv *Server) newOrigin(r *http.Request) origin {
	o := origin{
		after: time.Since(srv.started),
		asked: srv.same(asked{url: r.URL.RequestURI(), secure: r.TLS != nil, crossOrigin: r.Header.Get("Origin") != ""}),
	}
	once := srv.once.enter(srv, r)
	if len(srv.opts.TrustedProxies) > 0 || len(srv.opts.KeepHeaders) > 0 || once != nil {
		more := srv.newMoreOrigin(r)
		more.once = once
		more.asked = *o.asked
		more.asked.more = more
		o.asked = &more.asked
	}
	return o
}

func (srv *Server) newMoreOrigin(r *http.Request) *moreOrigin {
	h := &moreOrigin{address: r.RemoteAddr}
	if len(srv.opts.TrustedProxies) > 0 {
		h.address = srv.engine.ClientAddr(r)
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

// same returns the last asked that was equal to a: most clients ask for the same, and
// so share it.
func (srv *Server) same(a asked) *asked {
	if last := srv.lastAsked.Load(); last != nil && *last == a {
		return last
	}
	srv.lastAsked.Store(&a)
	return &a
}

// headers are those of Options.KeepHeaders.
func (o *origin) headers() http.Header {
	if o.asked.more == nil {
		return nil
	}
	return o.asked.more.kept
}

// once is nil unless the client repeats its sends.
func (c *connection) once() *onceClient {
	if c.origin.asked.more == nil {
		return nil
	}
	return c.origin.asked.more.once
}

// Handshake returns what is known from the first request of the connection. It is put
// together at each call.
func (s *Socket) Handshake() *Handshake {
	c := s.conn
	h := &Handshake{
		Address:     c.sess.RemoteAddr(),
		Time:        c.srv.started.Add(c.origin.after),
		Secure:      c.origin.asked.secure,
		CrossOrigin: c.origin.asked.crossOrigin,
		URL:         c.origin.asked.url,
		kept:        c.origin.headers(),
	}
	if more := c.origin.asked.more; more != nil {
		h.Address = more.address
	}
	return h
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
	if values, ok := s.conn.origin.headers()[name]; ok {
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
	return s.conn.look().request
}
