package engineio

import (
	"cmp"
	"errors"
	"io"
	"math"
	"net"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio/internal/poll"
	"github.com/sockeye-go/socketio/internal/ws"
)

// A wsTransport is the WebSocket of one session, or one that tries to become
// it. It is the handler of its connection. A stream of WebTransport is one too, in
// the form streamed: it has other frames, and no frame to say goodbye with.
type wsTransport struct {
	// What a broadcast looks at comes first, as in Session: it is one line of the cache.
	unusual *unusual // nil for most
	form    form
	deflate ws.Deflate   // zero: nothing is compressed
	held    atomic.Int32 // bytes of an incomplete message, at most what an int32 can say
	conn    poll.Conn

	s       *Session
	parser  ws.Parser   // dropped when the peer has violated the protocol; guarded by s.recvMu
	probing atomic.Bool // not the session's transport yet
	closing atomic.Bool // the close frame is on its way; what still comes is ignored
	linger  atomic.Pointer[time.Timer]
	meter   *meter // nil until there is something to count; guarded by s.recvMu
}

// An unusual is what few WebSockets have, and from their beginning on.
type unusual struct {
	context *takeover     // nil: each message is compressed by itself
	stream  *streamParser // in place of parser, in the form streamed
}

// context is nil without context takeover.
func (t *wsTransport) context() *takeover {
	if t.unusual == nil {
		return nil
	}
	return t.unusual.context
}

// stream is nil but in the form streamed.
func (t *wsTransport) stream() *streamParser {
	if t.unusual == nil {
		return nil
	}
	return t.unusual.stream
}

// lingerTimeout is how long a closing connection waits for the peer's side of
// the close: closing earlier could reset the connection and destroy data that
// the peer has not read yet.
const lingerTimeout = 3 * time.Second

// maxLate is how many bytes may come after closing, or MaxPayload if that is more.
const maxLate = 1 << 20

var closeFrame = ws.AppendFrame(nil, ws.Close, nil)

func (s *Session) newWebSocket(nc net.Conn, f form, d ws.Deflate, probing bool) *wsTransport {
	t := &wsTransport{s: s, form: f, deflate: d}
	if context := newTakeover(d); context != nil || f&streamed != 0 {
		t.unusual = &unusual{context: context}
	}
	t.parser.Follow(s.srv.frames)
	if d.WindowBits != 0 {
		t.parser.AllowDeflate(d)
	}
	if f&streamed != 0 {
		t.unusual.stream = &streamParser{max: s.srv.opts.MaxPayload}
	}
	t.probing.Store(probing)
	t.conn.Init(nc, t)
	return t
}

func (t *wsTransport) sendPrepared(p *Prepared, f Flags) error {
	if t.context() != nil {
		return t.sendIn(p.kind, p.msgs, f)
	}
	return t.send(t.frames(p, f), true, f)
}

// send writes frames. If shared, they never change; otherwise they are copied
// when they have to wait.
func (t *wsTransport) send(frames []byte, shared bool, f Flags) error {
	switch {
	case f&Volatile != 0:
	case f&Lossy != 0:
		return t.s.sendError(t.conn.WriteLossy(frames, shared))
	default:
		if err := t.conn.Write(frames, shared); err != nil { // s is in another line
			return t.s.sendError(err)
		}
		return nil
	}
	ok, err := t.conn.WriteIfIdle(frames, shared)
	switch {
	case errors.Is(err, poll.ErrFull): // larger than the queue itself
		return t.s.srv.volatileDropped()
	case err != nil:
		return t.s.sendError(err)
	case !ok:
		return t.s.srv.volatileDropped()
	}
	return nil
}

// close says goodbye with frame and leaves the connection to the peer for a
// moment. Only the first call has an effect.
func (t *wsTransport) close(frame []byte) {
	if t.closing.Swap(true) {
		return
	}
	if t.stream() != nil {
		t.conn.CloseWrite()
	} else {
		t.conn.WriteLast(frame)
	}
	t.linger.Store(time.AfterFunc(lingerTimeout, t.conn.Close))
}

// Limits implements poll.Handler.
func (t *wsTransport) Limits() *poll.Limits { return &t.s.srv.limits }

// Data implements poll.Handler.
func (t *wsTransport) Data(p []byte) {
	defer t.s.survive() // after the lock is free
	t.s.recvMu.Lock()
	defer t.s.recvMu.Unlock()
	if t.closing.Load() {
		// What was on its way is let in, so that the peer sees the close frame
		// and no reset; a peer that just goes on is not waited for.
		m := t.metered()
		if m.late += int64(len(p)); m.late > max(t.s.srv.opts.MaxPayload, maxLate) {
			t.conn.Close()
			return
		}
	}
	defer t.parser.Release()
	var turns poll.Turns // of many small messages, each of which has its answer
	for len(p) > 0 && !t.parser.Dropped() {
		m, n, ok, err := t.next(p)
		if err != nil {
			t.violation(err)
			return
		}
		if !ok {
			t.noteHeld()
			return
		}
		p = p[n:]
		t.message(m)
		turns.Next(1)
	}
	if t.held.Load() != 0 || t.deflate.PeerKeep != 0 {
		t.noteHeld()
	}
}

// noteHeld says, to those who look for memory, what is kept of a message that is
// incomplete.
func (t *wsTransport) noteHeld() {
	n := t.parser.Held()
	if s := t.stream(); s != nil {
		n = cap(s.part)
	}
	t.held.Store(int32(min(n, math.MaxInt32)))
}

func (t *wsTransport) next(p []byte) (ws.Message, int, bool, error) {
	if s := t.stream(); s != nil {
		return s.next(p)
	}
	return t.parser.Next(p)
}

// Batch implements poll.Handler.
func (t *wsTransport) Batch(mayBlock bool) { t.s.flush(mayBlock) }

// Ended implements poll.Handler.
func (t *wsTransport) Ended(err error) {
	if timer := t.linger.Load(); timer != nil {
		timer.Stop()
	}
	t.conn.Close()
	t.parser.Drop()
	if s := t.stream(); s != nil {
		s.drop()
	}
	if t.closing.Swap(true) {
		return // we closed; the session knows
	}
	if t.probing.Load() {
		t.s.probeFailed(t)
		return
	}
	switch {
	case errors.Is(err, poll.ErrFull): // in the middle of a frame
		t.s.tooSlow()
		return
	case errors.Is(err, io.EOF):
		err = nil
	}
	t.s.end(TransportClose, err)
}

// message handles one WebSocket message.
func (t *wsTransport) message(m ws.Message) {
	if t.closing.Load() {
		if m.Op == ws.Close {
			t.conn.CloseWrite()
		}
		return
	}
	switch m.Op {
	case ws.Ping:
		if !t.pingAllowed() {
			t.violation(errTooManyPings)
			return
		}
		// A peer that pings and does not read fills the queue and is cut.
		if err := t.conn.Write(ws.AppendFrame(nil, ws.Pong, m.Data), true); err != nil {
			_ = t.s.sendError(err)
		}
	case ws.Pong:
	case ws.Close:
		t.peerClosed(m.Code)
	case ws.Binary:
		if t.probing.Load() {
			t.s.probeFailed(t)
			return
		}
		t.s.receiveBinary(t.form, m.Data)
	case ws.Text:
		if t.probing.Load() {
			t.s.probePacket(t, string(m.Data))
			return
		}
		// Bytes come as base64 from a client that is told to (forceBase64).
		t.s.receivePacket(t.form, m.Data)
	}
}

// peerClosed answers the peer's close frame and ends the session.
func (t *wsTransport) peerClosed(code ws.CloseCode) {
	answer := closeFrame
	if code != ws.CloseNoStatus {
		answer = ws.AppendClose(nil, code, "")
	}
	t.close(answer)
	t.conn.CloseWrite()
	if t.probing.Load() {
		t.s.probeFailed(t)
		return
	}
	t.s.end(TransportClose, nil)
}

// violation ends a connection whose peer does not keep to RFC 6455, or sent a
// message beyond the limit, with the close code that says so.
func (t *wsTransport) violation(err error) {
	t.parser.Drop()
	if t.closing.Load() {
		t.conn.Close()
		return
	}
	var wsErr *ws.Error
	if errors.As(err, &wsErr) {
		t.s.srv.hitBy(wsErr)
		reason := wsErr.Reason
		if wsErr.Code == ws.CloseTooBig {
			reason = tooLarge(cmp.Or(wsErr.Size, -1), t.s.srv.opts.MaxPayload, wsErr.Start)
			t.s.srv.log.Warn(reason, "connection", t.s, "remote", t.s.RemoteAddr())
		}
		t.close(ws.AppendClose(nil, wsErr.Code, reason))
	} else {
		t.close(closeFrame)
	}
	// Nothing after the violation makes sense: do not read it, but do not
	// reset the connection under the close frame either.
	t.conn.CloseWrite()
	if t.probing.Load() {
		t.s.probeFailed(t)
		return
	}
	t.s.end(TransportError, err)
}
