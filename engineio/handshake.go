package engineio

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/sockeye-go/socketio/internal/ws"
)

// query is what the protocol reads from a URL. Of a name that is repeated the
// last value counts.
type query struct {
	eio, transport, sid string
}

// parseQuery looks at the raw query without building a map: every poll and
// every POST comes through here.
func parseQuery(raw string) (q query) {
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		name, value, _ := strings.Cut(pair, "=")
		if strings.Contains(name, "%") {
			if n, err := url.QueryUnescape(name); err == nil {
				name = n
			}
		}
		var field *string
		switch name {
		case "EIO":
			field = &q.eio
		case "transport":
			field = &q.transport
		case "sid":
			field = &q.sid
		default:
			continue
		}
		if v, err := url.QueryUnescape(value); err == nil {
			*field = v
		} else {
			*field = value
		}
	}
	return q
}

// verify checks a request in the order of the original, which decides about
// the code a client sees when several things are wrong.
func (s *Server) verify(r *http.Request, q query, upgrade bool) (*Session, *ConnectionError) {
	if !s.opts.allows(q.transport) {
		return nil, &ConnectionError{Code: UnknownTransport, Context: map[string]any{"transport": q.transport}}
	}
	origin := r.Header.Get("Origin")
	if !validOrigin(origin) {
		return nil, &ConnectionError{Code: BadRequest, Context: map[string]any{"name": "INVALID_ORIGIN", "origin": origin}}
	}
	if upgrade && !s.originAllowed(r) {
		return nil, &ConnectionError{Code: Forbidden, Context: map[string]any{"name": "FORBIDDEN_ORIGIN", "origin": origin}, status: http.StatusForbidden}
	}
	if q.sid != "" {
		sess := s.table.get(q.sid)
		switch {
		case sess == nil:
			return nil, &ConnectionError{Code: UnknownSID, Context: map[string]any{"sid": q.sid}}
		case !upgrade && q.transport != sess.Transport():
			return nil, transportMismatch(q.transport, sess.Transport())
		case q.eio != "4":
			return nil, &ConnectionError{Code: BadRequest, Context: map[string]any{"name": "PROTOCOL_MISMATCH", "protocol": 3, "previousProtocol": 4}}
		}
		return sess, nil
	}
	switch {
	case r.Method != http.MethodGet:
		return nil, &ConnectionError{Code: BadHandshakeMethod, Context: map[string]any{"method": r.Method}}
	case q.transport == WebSocket && !upgrade:
		return nil, &ConnectionError{Code: BadRequest, Context: map[string]any{"name": "TRANSPORT_HANDSHAKE_ERROR"}}
	}
	if s.opts.AllowRequest != nil {
		if err := s.opts.AllowRequest(r); err != nil {
			return nil, refusal(err)
		}
	}
	if q.eio != "4" {
		return nil, &ConnectionError{Code: UnsupportedProtocolVersion, Context: map[string]any{"protocol": 3}}
	}
	return nil, nil
}

func transportMismatch(transport, previous string) *ConnectionError {
	return &ConnectionError{Code: BadRequest, Context: map[string]any{"name": "TRANSPORT_MISMATCH", "transport": transport, "previousTransport": previous}}
}

// refusal is what AllowRequest's error becomes. The text of an error that was
// not written for clients stays here.
func refusal(err error) *ConnectionError {
	e := &ConnectionError{Code: Forbidden, Err: err, Context: map[string]any{}}
	var refuse *RefuseError
	if errors.As(err, &refuse) {
		e.status, e.message, e.body = refuse.Status, refuse.Message, refuse.Body
	}
	e.Context["message"] = e.Message()
	return e
}

// newSession makes the session of a handshake and asks for its receiver. Its
// queue begins with the open packet; the caller sends it. The session counts
// as live from admit on.
func (s *Server) newSession(r *http.Request, transport, address string) *Session {
	sess := &Session{srv: s, id: newSID(), remote: r.RemoteAddr, address: address, wsFirst: transport == WebSocket, polling: new(polling)}
	data := appendOpen(nil, sess.id, s.opts.upgradesFrom(transport), s.opts)
	sess.polling.queue = []*Prepared{prepareControl(packetOpen, string(data))}

	sess.recvMu.Lock() // nothing is delivered, no end told, before there is a receiver
	defer sess.recvMu.Unlock()
	s.table.add(sess)
	s.heart.awaitPing(sess)
	defer func() {
		if sess.recv == nil { // OnSession panicked
			s.table.remove(sess)
			s.heart.leave(sess)
			s.leave(address)
		}
	}()
	sess.recv = s.opts.OnSession(sess, r)
	if sess.recv == nil {
		panic("engineio: Options.OnSession returned no Receiver")
	}
	s.counts.opened.Add(1)
	s.opts.Logger.Debug("session open", "sid", sess.id, "transport", transport, "remote", sess.remote)
	return sess
}

// handshake serves a polling client's first request.
func (s *Server) handshake(w http.ResponseWriter, r *http.Request) {
	address, refusal := s.admit(r)
	if refusal != nil {
		s.refuse(w, r, refusal)
		return
	}
	s.newSession(r, Polling, address).servePoll(w, r)
}

// serveUpgrade serves a request for a WebSocket: a handshake, or the probe of
// an upgrade.
func (s *Server) serveUpgrade(w http.ResponseWriter, r *http.Request, q query, sess *Session) {
	fresh := sess == nil && q.transport == WebSocket
	var address string
	if fresh {
		var refusal *ConnectionError
		if address, refusal = s.admit(r); refusal != nil {
			s.refuse(w, r, refusal)
			return
		}
	}
	nc, leftover, err := ws.Upgrade(w, r, w.Header())
	if err != nil {
		if fresh {
			s.leave(address)
		}
		e := &ConnectionError{Code: BadRequest, Context: map[string]any{"name": "TRANSPORT_HANDSHAKE_ERROR"}, Err: err}
		var bad *ws.HandshakeError
		if !errors.As(err, &bad) { // the client has gone: nobody to answer
			s.report(r, e)
			return
		}
		e.status, e.message = bad.Status, bad.Message
		s.refuse(w, r, e)
		return
	}
	switch {
	case q.transport != WebSocket: // as the original: accepted, and closed
		orphan := &Session{srv: s, id: q.sid, state: closed}
		t := orphan.newWebSocket(nc, false)
		t.close(closeFrame)
		t.conn.Start(nil)
	case sess != nil:
		sess.startProbe(nc, leftover)
	default:
		s.startWebSocket(r, nc, leftover, address)
	}
}
