package engineio

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/sockeye-go/socketio/internal/ws"
)

// query is what the protocol reads from a URL. Of a name that is repeated the
// last value counts.
type query struct {
	eio, transport, sid string

	b64   bool   // bytes as base64, please
	jsonp bool   // there is a j, even if it is empty
	j     string // the index of the function to call
}

// form is what a client asks for by its query.
func (q query) form() form {
	var f form
	if q.eio != "4" {
		f |= revision3
	}
	if q.b64 {
		f |= textOnly
	}
	return f
}

// parseQuery looks at the raw query without building a map: every poll and
// every POST comes through here.
func parseQuery(raw string) (q query) {
	for raw != "" {
		var pair string
		pair, raw = cutByte(raw, '&')
		name, value := cutByte(pair, '=')
		name = unescaped(name)
		var field *string
		var b64 string
		switch name {
		case "EIO":
			field = &q.eio
		case "transport":
			field = &q.transport
		case "sid":
			field = &q.sid
		case "b64":
			field = &b64
		case "j":
			field, q.jsonp = &q.j, true
		default:
			continue
		}
		*field = unescaped(value)
		if field == &b64 {
			q.b64 = b64 != ""
		}
	}
	return q
}

// cutByte is strings.Cut for one byte, which it finds sooner.
func cutByte(s string, sep byte) (before, after string) {
	if i := strings.IndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// unescaped returns what s stands for, or s itself if that is nothing.
func unescaped(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	if v, err := url.QueryUnescape(s); err == nil {
		return v
	}
	return s
}

// verify checks a request in the order of the original, which decides about
// the code a client sees when several things are wrong.
func (s *Server) verify(r *http.Request, q query, upgrade bool) (*Session, *ConnectionError) {
	if !s.opts.allows(q.transport) || q.transport == WebTransport { // which is not for requests like this one
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
		case q.form().protocol() != sess.Protocol():
			return nil, &ConnectionError{Code: BadRequest, Context: map[string]any{"name": "PROTOCOL_MISMATCH", "protocol": q.form().protocol(), "previousProtocol": sess.Protocol()}}
		}
		return sess, nil
	}
	switch {
	case r.Method != http.MethodGet:
		return nil, &ConnectionError{Code: BadHandshakeMethod, Context: map[string]any{"method": r.Method}}
	case q.transport == WebSocket && !upgrade:
		return nil, &ConnectionError{Code: BadRequest, Context: map[string]any{"name": "TRANSPORT_HANDSHAKE_ERROR"}}
	}
	if q.jsonp && !upgrade && !s.jsonpAllowed(r) {
		return nil, &ConnectionError{Code: Forbidden, Context: map[string]any{"name": "FORBIDDEN_ORIGIN", "origin": origin}}
	}
	if s.opts.AllowRequest != nil {
		if err := s.opts.AllowRequest(r); err != nil {
			return nil, refusal(err)
		}
	}
	if q.form().protocol() == 3 && !s.opts.AllowEIO3 {
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
func (s *Server) newSession(r *http.Request, q query, at place) *Session {
	sess := &Session{srv: s, wsFirst: q.transport != Polling, form: q.form()}
	sess.name(at.sid, r.RemoteAddr)
	if at.address != "" {
		sess.address = new(at.address)
	}
	if q.transport == WebTransport {
		sess.form |= streamed
	}
	sess.polling = &polling{form: sess.form}
	if q.jsonp && q.transport == Polling {
		sess.polling.jsonp = jsonpCall(q.j)
		sess.polling.form |= textOnly // a script cannot carry bytes
	}
	first := Prepare(Message{Data: appendOpen(make([]byte, 0, 128), at.sid, s.opts.upgradesFrom(q.transport), s.opts)})
	first.kind = packetOpen
	sess.polling.queue = []*Prepared{first}
	if m := s.opts.InitialPacket; m != nil {
		sess.polling.queue = append(sess.polling.queue, Prepare(*m))
	}

	sess.recvMu.Lock() // nothing is delivered, no end told, before there is a receiver
	defer sess.recvMu.Unlock()
	s.table.put(sess)
	if sess.Protocol() == 3 {
		s.heart.awaitCall(sess)
	} else {
		s.heart.awaitPing(sess)
	}
	defer func() {
		if sess.recv == nil { // OnSession panicked
			s.heart.leave(sess)
			s.release(at)
		}
	}()
	sess.recv = s.opts.OnSession(sess, r)
	if sess.recv == nil {
		panic("engineio: Options.OnSession returned no Receiver")
	}
	s.counts.opened.Add(1)
	s.log.Debug("session open", "connection", sess, "transport", q.transport, "protocol", sess.Protocol(), "remote", sess.RemoteAddr())
	return sess
}

// A place is what a new session takes: its id, and the address it is counted for.
type place struct{ sid, address string }

// reserve admits a new session and finds the id for it. The place is the
// caller's to use or to release.
func (s *Server) reserve(r *http.Request) (at place, refusal *ConnectionError) {
	at.address, refusal = s.admit(r)
	if refusal != nil {
		return at, refusal
	}
	defer func() {
		if at.sid == "" { // refused, or GenerateID panicked
			s.leave(at.address)
		}
	}()
	sid, err := s.newSID(r)
	if err != nil {
		return at, &ConnectionError{Code: BadRequest, Context: map[string]any{"name": "ID_GENERATION_ERROR"}, Err: err}
	}
	at.sid = sid
	return at, nil
}

func (s *Server) release(at place) {
	s.table.remove(at.sid)
	s.leave(at.address)
}

// handshake serves a polling client's first request.
func (s *Server) handshake(w http.ResponseWriter, r *http.Request, q query) {
	at, refusal := s.reserve(r)
	if refusal != nil {
		s.refuse(w, r, refusal)
		return
	}
	s.opts.Cookie.set(w.Header(), r, at.sid)
	s.newSession(r, q, at).servePoll(w, r, true)
}

// serveUpgrade serves a request for a WebSocket: a handshake, or the probe of
// an upgrade.
func (s *Server) serveUpgrade(w http.ResponseWriter, r *http.Request, q query, sess *Session) {
	var at place
	fresh := sess == nil && q.transport == WebSocket
	if fresh {
		var refusal *ConnectionError
		if at, refusal = s.reserve(r); refusal != nil {
			s.refuse(w, r, refusal)
			return
		}
		defer func() {
			if fresh { // not opened: refused, or a hook panicked
				s.release(at)
			}
		}()
	}
	s.hookHeaders(w.Header(), r, fresh)
	deflate := s.acceptDeflate(w.Header(), r)
	var nc net.Conn
	var leftover, answer []byte
	var err error
	if fresh { // the answer leaves together with the open packet
		nc, leftover, answer, err = ws.TakeOver(w, r, w.Header())
	} else {
		nc, leftover, err = ws.Upgrade(w, r, w.Header())
	}
	if err != nil {
		w.Header().Del("Sec-WebSocket-Extensions")
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
		orphan := &Session{srv: s, state: closed}
		orphan.name(q.sid, "")
		t := orphan.newWebSocket(nc, 0, deflate, false)
		t.close(closeFrame)
		t.conn.Start(nil)
	case sess != nil:
		sess.startProbe(nc, q.form(), deflate, leftover)
	default:
		fresh = false
		s.startWebSocket(s.sessionOn(nc, r, q, at), nc, deflate, answer, leftover)
	}
}

// sessionOn is newSession that closes the connection when OnSession panics.
func (s *Server) sessionOn(nc net.Conn, r *http.Request, q query, at place) (sess *Session) {
	defer func() {
		if sess == nil {
			nc.Close()
		}
	}()
	return s.newSession(r, q, at)
}

// hookHeaders lets the application change the headers of a response.
func (s *Server) hookHeaders(h http.Header, r *http.Request, first bool) {
	if first && s.opts.InitialHeaders != nil {
		s.opts.InitialHeaders(h, r)
	}
	if s.opts.Headers != nil {
		s.opts.Headers(h, r)
	}
}
