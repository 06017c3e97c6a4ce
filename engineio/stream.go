package engineio

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/sockeye-go/socketio/internal/ws"
)

// A StreamAccepter answers a request with a stream of bytes in place of a response:
// it is all that the engine knows of WebTransport. The deadline is that of the whole
// handshake. The connection may have a method CloseWithError(code uint32, message
// string) error, by which a refused client is told why, and CloseWrite.
type StreamAccepter func(deadline time.Time) (net.Conn, error)

type streamKey struct{}

// WithStream marks a request whose client wants a stream, for package
// engineio/webtransport: such a request goes the way of every other one, through the
// program's own handlers and middleware, and the engine calls accept if it agrees.
func WithStream(ctx context.Context, accept StreamAccepter) context.Context {
	return context.WithValue(ctx, streamKey{}, accept)
}

// maxOpening limits, in bytes, the first packet of a stream: that with the sid.
const maxOpening = 4096

// serveStream serves a request for a stream: a handshake or an upgrade, which the
// first packet tells ("WebTransport").
func (s *Server) serveStream(w http.ResponseWriter, r *http.Request, accept StreamAccepter) {
	origin := r.Header.Get("Origin")
	var e *ConnectionError
	switch {
	case !s.opts.allows(WebTransport):
		e = &ConnectionError{Code: UnknownTransport, Context: map[string]any{"transport": WebTransport}}
	case !validOrigin(origin):
		e = &ConnectionError{Code: BadRequest, Context: map[string]any{"name": "INVALID_ORIGIN", "origin": origin}}
	case !s.originAllowed(r):
		e = &ConnectionError{Code: Forbidden, Context: map[string]any{"name": "FORBIDDEN_ORIGIN", "origin": origin}}
	case int(s.opening.Add(1)) > s.opts.MaxHandshakes:
		// Counted by themselves: these handshakes take a client's time, and must
		// not keep others out.
		s.opening.Add(-1)
		s.hit("MaxHandshakes")
		e = unavailable("TOO_MANY_HANDSHAKES", errHandshakes, http.StatusServiceUnavailable, retryAfterMoment)
	}
	if e != nil {
		s.refuse(w, r, e)
		return
	}
	defer s.opening.Add(-1)
	s.hookHeaders(w.Header(), r, true)
	deadline := time.Now().Add(s.opts.UpgradeTimeout)
	failed := func(err error) {
		if errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
			s.hit("UpgradeTimeout")
		}
		s.report(r, &ConnectionError{Code: BadRequest, Context: map[string]any{"name": "TRANSPORT_HANDSHAKE_ERROR"}, Err: err})
	}
	nc, err := accept(deadline)
	if err != nil {
		failed(err)
		return
	}
	opened := false
	defer func() {
		if !opened { // refused, or a hook panicked
			_ = nc.Close()
		}
	}()
	packet, leftover, err := readOpening(nc, deadline)
	if err != nil {
		failed(err)
		return
	}
	sess, fresh, e := s.openStream(r, packet)
	if e != nil {
		s.report(r, e)
		if c, ok := nc.(interface {
			CloseWithError(code uint32, message string) error
		}); ok {
			_ = c.CloseWithError(uint32(e.Code), e.Message())
		}
		return
	}
	opened = true
	if fresh {
		s.startWebSocket(sess, nc, ws.Deflate{}, nil, leftover)
		return
	}
	sess.startProbe(nc, streamed, ws.Deflate{}, leftover)
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

// readOpening reads the first packet, and perhaps more.
func readOpening(nc net.Conn, deadline time.Time) (packet string, leftover []byte, err error) {
	if err := nc.SetReadDeadline(deadline); err != nil {
		return "", nil, err
	}
	p := streamParser{max: maxOpening}
	buf := make([]byte, 512)
	for {
		n, err := nc.Read(buf)
		m, used, ok, bad := p.next(buf[:n])
		switch {
		case bad != nil:
			return "", nil, bad
		case ok && m.Op != ws.Text:
			return "", nil, errors.New("the first packet is binary")
		case ok:
			return string(m.Data), append([]byte(nil), buf[used:n]...), nc.SetReadDeadline(time.Time{})
		case err != nil:
			return "", nil, err
		}
	}
}

// openStream finds the session that a client's first packet asks for, or makes a
// fresh one.
func (s *Server) openStream(r *http.Request, packet string) (sess *Session, fresh bool, e *ConnectionError) {
	if packet != string(packetOpen) {
		var open struct{ SID string }
		if packet[0] != byte(packetOpen) || json.Unmarshal([]byte(packet[1:]), &open) != nil || open.SID == "" {
			return nil, false, &ConnectionError{
				Code: BadRequest, Context: map[string]any{"name": "TRANSPORT_HANDSHAKE_ERROR"},
				Err: errors.New("the first packet opens nothing"),
			}
		}
		sess := s.table.get(open.SID)
		if sess == nil {
			return nil, false, &ConnectionError{Code: UnknownSID, Context: map[string]any{"sid": open.SID}}
		}
		if sess.Protocol() != 4 || sess.Transport() != Polling {
			return nil, false, transportMismatch(WebTransport, sess.Transport())
		}
		return sess, false, nil
	}
	if s.opts.AllowRequest != nil {
		if err := s.opts.AllowRequest(r); err != nil {
			return nil, false, refusal(err)
		}
	}
	at, e := s.reserve(r)
	if e != nil {
		return nil, false, e
	}
	return s.newSession(r, query{eio: "4", transport: WebTransport}, at), true, nil
}
