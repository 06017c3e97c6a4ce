package engineio

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

var (
	errOverlap     = errors.New("overlap from client")
	errPostOverlap = errors.New("data request overlap from client")
	errPollClosed  = errors.New("poll connection closed prematurely")
	errPostClosed  = errors.New("data request connection closed prematurely")
	errPostSlow    = errors.New("data request took too long")
	errContent     = errors.New("invalid content")
)

// servePost handles a POST: a payload of packets from the client.
func (s *Session) servePost(w http.ResponseWriter, r *http.Request) {
	binary := isBinary(r.Header.Get("Content-Type"))
	if binary && s.form&revision3 == 0 {
		s.end(TransportError, errContent)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	p := s.polling
	switch {
	case p == nil || s.state == closed:
		s.mu.Unlock()
		s.srv.refuse(w, r, s.goneError())
		return
	case p.posting != nil:
		s.mu.Unlock()
		s.end(TransportError, errPostOverlap)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p.posting = w
	resumed := p.resumed
	s.mu.Unlock()
	over := false
	end := func() { // the client may send its next one as soon as it has the answer
		if over {
			return
		}
		over = true
		s.mu.Lock()
		p.posting = nil
		s.mu.Unlock()
		p.body.Store(0)
	}
	defer end()
	failed := func(err error) {
		s.mu.Lock()
		upgraded := s.polling != p && s.state != closed
		s.mu.Unlock()
		if !upgraded { // else it lives on without this request
			s.end(TransportError, err)
		}
	}

	if resumed != nil { // paused: leave the body to TCP until there is room
		select {
		case <-resumed:
		case <-r.Context().Done():
			failed(errPostClosed)
			return
		}
	}

	buf := bodies.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= maxScratch {
			buf.Reset()
			bodies.Put(buf)
		}
	}()
	switch err := s.srv.readBody(buf, w, r, &p.body); {
	case errors.Is(err, errTooLarge):
		s.srv.hit("MaxPayload")
		end()
		s.refuseLarge(w, r, buf.Bytes())
		return
	case errors.Is(err, errEncoding):
		end()
		s.srv.refuse(w, r, &ConnectionError{Code: BadRequest, Context: map[string]any{"name": "CONTENT_ENCODING"}, Err: err, status: http.StatusUnsupportedMediaType, message: err.Error()})
		return
	case errors.Is(err, errNotEncoded):
		failed(err)
		w.WriteHeader(http.StatusBadRequest)
		return
	case s.cutting.Load():
		return
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.srv.hit("BodyTimeout")
		failed(errPostSlow)
		return
	case err != nil:
		failed(errPostClosed)
		return
	}

	body := buf.Bytes()
	if p.jsonp != "" { // set once, before the first request
		body = formPayload(body)
	}
	s.receivePayload(p.form, body, binary && p.jsonp == "")
	end()
	defer s.flush(false) // also if a hook panics; this goroutine still owes the response
	h := w.Header()
	h["Content-Type"] = htmlType
	s.srv.hookHeaders(h, r, false)
	_, _ = io.WriteString(w, "ok")
}

// isBinary spares the usual text the parsing of its type.
func isBinary(contentType string) bool {
	if strings.HasPrefix(contentType, "text/plain") {
		return false
	}
	kind, _, _ := mime.ParseMediaType(contentType)
	return kind == binaryPayload[0]
}

// refuseLarge answers a POST beyond MaxPayload; the session stays, as in the
// original. start is what has been read of it.
func (s *Session) refuseLarge(w http.ResponseWriter, r *http.Request, start []byte) {
	size := r.ContentLength
	if len(start) == 0 { // nothing, as the header had told: look at what is there
		start = make([]byte, maxPeek)
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(peekTimeout))
		n, _ := r.Body.Read(start)
		start = start[:n]
	}
	text := tooLarge(size, s.srv.opts.MaxPayload, start)
	s.mu.Lock()
	warned := s.polling == nil || s.polling.warned
	if s.polling != nil {
		s.polling.warned = true
	}
	s.mu.Unlock()
	if !warned { // once: the client may do it again and again
		s.srv.log.Warn(text, "connection", s, "remote", s.RemoteAddr())
	}
	h := w.Header()
	h.Set("Connection", "close") // the rest of the body is not read
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(http.StatusRequestEntityTooLarge)
	_, _ = io.WriteString(w, text)
}

// peekTimeout is how long the beginning of a body that is refused may take.
const peekTimeout = 100 * time.Millisecond

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

var errTooLarge = errors.New("payload too large")

// readBody reads what r brings, at most MaxPayload, and no faster than it comes:
// nothing is allocated because a header promises it.
// What has come is counted in came.
func (s *Server) readBody(buf *bytes.Buffer, w http.ResponseWriter, r *http.Request, came *atomic.Int64) error {
	limit := s.opts.MaxPayload
	if r.ContentLength > limit {
		return errTooLarge
	}
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(s.opts.BodyTimeout))
	if r.ProtoMajor == 1 { // over HTTP/2 it is the stream's, which ends with the response
		defer func() { _ = rc.SetReadDeadline(time.Time{}) }()
	}
	body, encoded, err := s.opts.HTTPCompression.bodyReader(r, limit)
	if err != nil {
		return err
	}
	n, err := buf.ReadFrom(io.LimitReader(countedReader{body, came}, limit+1))
	if err != nil && encoded && !errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("%w: %w", errNotEncoded, err)
	}
	if n > limit {
		return errTooLarge
	}
	return err
}

type countedReader struct {
	io.Reader
	n *atomic.Int64
}

func (c countedReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// receivePayload handles the packets of a POST up to the first bad one.
func (s *Session) receivePayload(f form, body []byte, binary bool) {
	if !binary && !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	}
	defer s.survive() // after the lock is free
	s.recvMu.Lock()
	defer s.recvMu.Unlock()
	for n := 1; ; n++ {
		if n > s.srv.opts.MaxPayloadPackets {
			s.srv.hit("MaxPayloadPackets")
			s.end(ParseError, fmt.Errorf("more than %d packets in one payload", s.srv.opts.MaxPayloadPackets))
			return
		}
		var goOn bool
		switch {
		case f&revision3 == 0:
			packet, rest, more := bytes.Cut(body, []byte{separator})
			goOn = s.receivePacket(f, packet) && more
			body = rest
		case binary:
			body, goOn = s.receiveBinary3(f, body)
		default:
			body, goOn = s.receiveText3(f, body)
		}
		if !goOn || s.told || s.isClosed() {
			return
		}
	}
}

// receivePacket handles a packet of text.
func (s *Session) receivePacket(f form, packet []byte) bool {
	if len(packet) == 0 {
		return s.receive(0, Message{})
	}
	if packet[0] != 'b' {
		return s.receive(packetType(packet[0]), Message{Data: packet[1:]})
	}
	kind, packet := packetMessage, packet[1:]
	if f&revision3 != 0 {
		if len(packet) == 0 {
			return s.receive(0, Message{})
		}
		kind, packet = packetType(packet[0]), packet[1:]
	}
	data, err := decodeBase64(packet)
	if err != nil {
		s.end(ParseError, err)
		return false
	}
	return s.receive(kind, Message{Binary: true, Data: data})
}

// receiveBinary handles a packet of bytes.
func (s *Session) receiveBinary(f form, packet []byte) bool {
	kind := packetMessage
	if f&revision3 != 0 {
		if len(packet) == 0 || packet[0] > byte(packetNoop-packetOpen) {
			return s.receive(0, Message{})
		}
		kind, packet = packetOpen+packetType(packet[0]), packet[1:]
	}
	return s.receive(kind, Message{Binary: true, Data: packet})
}

// decodeBase64 decodes in place. Padding may be missing.
func decodeBase64(b []byte) ([]byte, error) {
	b = bytes.TrimRight(b, "=")
	n, err := base64.RawStdEncoding.Decode(b, b)
	return b[:n], err
}

// A payload is the body of the response to a poll.
type payload struct {
	data []byte
	kind []string // Content-Type
}

// Values of headers that are the same in many responses, which share them. Whoever
// adds to one gets a copy.
var (
	textPayload   = []string{"text/plain; charset=UTF-8"}
	binaryPayload = []string{"application/octet-stream"}
	scriptPayload = []string{"text/javascript; charset=UTF-8"}

	htmlType = []string{"text/html"}
	noStore  = []string{"no-store"}
	nosniff  = []string{"nosniff"}
)

// lengthKnown is the size in bytes below which net/http sets Content-Length by
// itself, for less than the handler's look at its headers costs.
const lengthKnown = 2 << 10

// writePayload writes the response to a poll, compressed if it may be.
func (s *Server) writePayload(w http.ResponseWriter, r *http.Request, p payload, first, compress bool) error {
	h := w.Header()
	if c := s.opts.HTTPCompression; compress && len(p.data) >= c.Threshold {
		p.data = c.compress(h, r, p.data)
	}
	h["Content-Type"] = p.kind
	if len(p.data) >= lengthKnown {
		h.Set("Content-Length", strconv.Itoa(len(p.data)))
	}
	h["Cache-Control"] = noStore
	if ua := r.UserAgent(); strings.Contains(ua, ";MSIE") || strings.Contains(ua, "Trident/") {
		h.Set("X-XSS-Protection", "0")
	}
	s.hookHeaders(h, r, first)
	_, err := w.Write(p.data)
	return err
}
