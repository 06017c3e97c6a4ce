package webtransport

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	wt "github.com/quic-go/webtransport-go"

	"github.com/sockeye-go/socketio/engineio"
)

// Options configure a [Server]. The zero value of each field but TLSConfig stands
// for its default.
type Options struct {
	// TLSConfig has the certificate. It must be set: QUIC is always encrypted.
	TLSConfig *tls.Config
	// HandshakeTimeout is how long the handshake of QUIC may take, and then how long
	// a connection may go without a whole request or a session. Default 5 s. The
	// timeouts of the engine are those of sessions.
	HandshakeTimeout time.Duration
	// IdleTimeout ends connections on which nothing arrives, not even the answer to
	// a keep-alive. Default 45 s, as PingInterval and PingTimeout together.
	IdleTimeout time.Duration
	// MaxConnections limits the connections that there are, with those whose
	// handshake is not over. Default 10,000, which take about 1 GB.
	MaxConnections int
	// MaxStreams limits the streams that a client has open at the same time, which
	// are HTTP requests as well. Default 16.
	MaxStreams int64
	// MaxWindow is how many bytes of one client may have arrived without having
	// been read. Default 512 KiB.
	MaxWindow uint64
	// MaxHeaderBytes limits the header of a request. Default 64 KiB.
	MaxHeaderBytes int
	// Logger gets what HTTP/3 has to say. Default slog.Default().
	Logger *slog.Logger
}

// The smallest windows, which is what a connection begins with.
const firstWindow = 64 << 10

// maxUniStreams limits the one-way streams of a client: HTTP/3 has three, and
// WebTransport here none.
const maxUniStreams = 8

func (o *Options) withDefaults() *Options {
	if o == nil || o.TLSConfig == nil {
		panic("webtransport: Options.TLSConfig: must be set")
	}
	c := *o
	positive(&c.HandshakeTimeout, 5*time.Second, "HandshakeTimeout")
	positive(&c.IdleTimeout, 45*time.Second, "IdleTimeout")
	positive(&c.MaxConnections, 10_000, "MaxConnections")
	positive(&c.MaxStreams, 16, "MaxStreams")
	positive(&c.MaxHeaderBytes, 64<<10, "MaxHeaderBytes")
	if c.MaxWindow == 0 {
		c.MaxWindow = 512 << 10
	}
	if c.MaxWindow < firstWindow {
		panic(fmt.Sprintf("webtransport: Options.MaxWindow: %d is less than 64 KiB", c.MaxWindow))
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return &c
}

func positive[T int | int64 | time.Duration](n *T, def T, name string) {
	if *n == 0 {
		*n = def
	}
	if *n < 0 {
		panic(fmt.Sprintf("webtransport: Options.%s: %v is negative", name, *n))
	}
}

// A Server serves a handler over HTTP/3, and lets the engine behind it accept
// WebTransport. Its methods are safe for concurrent use.
type Server struct {
	opts *Options
	wt   wt.Server
	gate gate

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
}

// NewServer returns a server for h: a socketio.Server, an [engineio.Server], or
// whatever leads to one. It panics if an option makes no sense.
func NewServer(h http.Handler, opts *Options) *Server {
	o := opts.withDefaults()
	s := &Server{opts: o}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.wt.H3 = &http3.Server{
		Handler:        s.mark(h),
		MaxHeaderBytes: o.MaxHeaderBytes,
		Logger:         o.Logger,
	}
	s.gate.opts, s.gate.began = o, time.Now()
	wt.ConfigureHTTP3Server(s.wt.H3)
	// The engine decides, by its own rules.
	s.wt.CheckOrigin = func(*http.Request) bool { return true }
	return s
}

// ListenAndServe serves the UDP address until Close.
func (s *Server) ListenAndServe(addr string) error {
	conn, err := net.ListenPacket("udp", addr)
	if err != nil {
		return fmt.Errorf("webtransport: %w", err)
	}
	defer conn.Close()
	return s.Serve(conn)
}

// Serve serves what arrives at conn until Close, after which it returns
// [http.ErrServerClosed].
func (s *Server) Serve(conn net.PacketConn) error {
	o := s.opts
	tr := quic.Transport{Conn: conn, ConnContext: s.gate.admit, VerifySourceAddress: s.gate.doubts}
	defer tr.Close()
	ln, err := tr.ListenEarly(http3.ConfigureTLSConfig(o.TLSConfig), &quic.Config{
		HandshakeIdleTimeout:             o.HandshakeTimeout,
		MaxIdleTimeout:                   o.IdleTimeout,
		KeepAlivePeriod:                  o.IdleTimeout / 2,
		MaxIncomingStreams:               o.MaxStreams,
		MaxIncomingUniStreams:            maxUniStreams,
		InitialStreamReceiveWindow:       firstWindow,
		MaxStreamReceiveWindow:           o.MaxWindow,
		InitialConnectionReceiveWindow:   firstWindow,
		MaxConnectionReceiveWindow:       o.MaxWindow + o.MaxWindow/2,
		EnableDatagrams:                  true, // WebTransport wants both
		EnableStreamResetPartialDelivery: true,
	})
	if err != nil {
		return fmt.Errorf("webtransport: %w", err)
	}
	defer ln.Close()
	for {
		c, err := ln.Accept(s.ctx)
		switch {
		case s.ctx.Err() != nil:
			return http.ErrServerClosed
		case err != nil:
			return fmt.Errorf("webtransport: %w", err)
		}
		guestOf(c.Context()).arrived(c)
		go func() {
			if err := s.wt.ServeQUICConn(c); err != nil {
				o.Logger.Debug("QUIC connection ended", "remote", c.RemoteAddr().String(), "error", err)
			}
		}()
	}
}

// Close ends all connections at once. Shut the engine down first.
func (s *Server) Close() error {
	err := s.wt.Close() // tells clients; then the socket is let go
	s.cancel()
	return err
}

// Stats returns what there is and has been.
func (s *Server) Stats() Stats { return s.gate.stats() }

// mark is the handler: it marks what asks for WebTransport.
func (s *Server) mark(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := guestOf(r.Context())
		g.begin()
		defer g.end()
		if r.Method != http.MethodConnect {
			next.ServeHTTP(w, r)
			return
		}
		if r.Proto != "webtransport" && r.Proto != "webtransport-h3" {
			http.Error(w, "CONNECT is for WebTransport", http.StatusNotImplemented)
			return
		}
		request := r
		accept := func(deadline time.Time) (net.Conn, error) { return s.accept(w, request, deadline) }
		r = r.WithContext(engineio.WithStream(r.Context(), accept))
		// What it is called has done its work: a mux and middleware know GET.
		r.Method = http.MethodGet
		next.ServeHTTP(w, r)
	})
}

// accept makes the session and waits for the client's one stream.
func (s *Server) accept(w http.ResponseWriter, r *http.Request, deadline time.Time) (net.Conn, error) {
	sess, err := s.wt.Upgrade(w, r)
	if err != nil {
		return nil, fmt.Errorf("webtransport: %w", err)
	}
	g := guestOf(r.Context())
	g.begin()
	context.AfterFunc(sess.Context(), g.end)
	ctx, cancel := context.WithDeadline(sess.Context(), deadline)
	defer cancel()
	stream, err := sess.AcceptStream(ctx)
	if err != nil {
		_ = sess.CloseWithError(0, "")
		return nil, fmt.Errorf("webtransport: no stream: %w", err)
	}
	return &conn{Stream: stream, sess: sess}, nil
}
