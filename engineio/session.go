package engineio

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"math"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio/internal/poll"
)

// A Session is one client, from its handshake to its end, across the upgrade
// of its transport. Its methods are safe for concurrent use, and none blocks.
type Session struct {
	srv *Server
	// ws is set once, with everything older already written to it, and never
	// unset: a Send that sees it needs no lock of the session's.
	ws atomic.Pointer[wsTransport]

	recv    Receiver
	names   string  // the sid, and behind it the address: one string is smaller than two
	address *string // what admit returned; nil stands for ""
	beat    beat

	// recvMu is held for each batch of Receive calls and for Closed: during an
	// upgrade a POST and a WebSocket can deliver at the same time.
	recvMu  sync.Mutex
	fresh   atomic.Bool // Receive was called and Flush was not yet
	cutting atomic.Bool // the session is being cut, and what waits is counted
	sidLen  uint16      // in names
	told    bool        // Closed was called; guarded by recvMu
	// The first transport: whether it was a WebSocket, and its form; that of a
	// later one may differ in textOnly.
	wsFirst bool
	form    form

	state   state // guarded by mu, as paused is
	paused  bool
	mu      sync.Mutex
	polling *polling // nil once on WebSocket
}

// name gives the session its sid and its address.
func (s *Session) name(sid, remote string) {
	s.names, s.sidLen = sid+remote, uint16(min(len(sid), math.MaxUint16))
}

type state uint8

const (
	open    state = iota
	closing       // Close was called; what is queued still goes out
	closed
)

// ID returns the sid, which only this client knows: 20 characters, unless GenerateID
// or a Forwarder makes others.
func (s *Session) ID() string { return s.names[:s.sidLen] }

// ConnectionID names the session where others may read it, as in logs: 12 characters.
// Unlike the sid, from which they are derived, they let nobody take part in it.
func (s *Session) ConnectionID() string { return connectionID(s.ID()) }

func connectionID(sid string) string {
	sum := sha256.Sum256([]byte(sid))
	return hex.EncodeToString(sum[:6])
}

// String returns the ConnectionID.
func (s *Session) String() string { return s.ConnectionID() }

// LogValue is the ConnectionID: log.Info("late", "connection", session).
func (s *Session) LogValue() slog.Value { return slog.StringValue(s.ConnectionID()) }

// RemoteAddr returns the address that made the handshake, as http.Request has it.
func (s *Session) RemoteAddr() string { return s.names[s.sidLen:] }

// Receiver returns what Options.OnSession returned, once it has.
func (s *Session) Receiver() Receiver {
	s.recvMu.Lock()
	defer s.recvMu.Unlock()
	return s.recv
}

// Protocol returns the revision of the protocol that the client speaks.
func (s *Session) Protocol() int { return s.form.protocol() }

// Transport returns the name of the current transport.
func (s *Session) Transport() string {
	if t := s.ws.Load(); t != nil {
		return t.form.transport()
	}
	if s.wsFirst { // not started yet
		return s.form.transport()
	}
	return Polling
}

// Send sends p after everything sent before. It returns nil when p is on its
// way, which is not a promise that it arrives; otherwise [ErrClosed],
// [ErrSlowConsumer], or, for [Volatile] messages, [ErrDropped].
func (s *Session) Send(p *Prepared, f Flags) error {
	if s.srv.tracing() {
		for _, m := range p.msgs {
			s.trace("out", p.kind, m)
		}
	}
	if t := s.ws.Load(); t != nil {
		return t.sendPrepared(p, f)
	}
	s.mu.Lock()
	if t := s.ws.Load(); t != nil { // upgraded meanwhile
		s.mu.Unlock()
		return t.sendPrepared(p, f)
	}
	defer s.mu.Unlock()
	if s.state != open {
		return ErrClosed
	}
	return s.polling.push(s, p, f)
}

// SendMessage is Send for a message to this session alone. m.Data may be
// changed when it returns.
func (s *Session) SendMessage(m Message, f Flags) error { return s.SendMessages(f, m) }

// SendMessages is SendMessage for several that are sent back to back.
func (s *Session) SendMessages(f Flags, msgs ...Message) error {
	t := s.ws.Load()
	if t == nil {
		return s.Send(prepareCopy(msgs), f)
	}
	size := 0
	for _, m := range msgs {
		if s.srv.tracing() {
			s.trace("out", packetMessage, m)
		}
		size += len(m.Data) + maxFrameHeader
	}
	if t.context() != nil {
		return t.sendIn(packetMessage, msgs, f)
	}
	last := msgs[len(msgs)-1]
	large := t.form == 0 && f&(Volatile|Lossy) == 0 && len(last.Data) >= largeMessage && !t.deflates(len(last.Data)+1, f)
	if large {
		size -= len(last.Data)
		msgs = msgs[:len(msgs)-1]
	}
	buf := scratch.Get().(*[]byte)
	b := slices.Grow((*buf)[:0], size)
	for _, m := range msgs {
		b = t.appendFrame(b, packetMessage, m, f)
	}
	var err error
	if large {
		b = appendMessageHeader(b, packetMessage, last)
		err = s.sendError(t.conn.WriteLarge(b, last.Data))
	} else {
		err = t.send(b, false, f)
	}
	if cap(b) <= maxScratch {
		*buf = b
		scratch.Put(buf)
	}
	return err
}

// largeMessage is the size from which on a message is handed to the kernel from
// where it is, and not copied behind its frame's header first.
const largeMessage = 16 << 10

// scratch holds frames while they are written.
var scratch = sync.Pool{New: func() any { b := make([]byte, 0, 512); return &b }}

const maxScratch = 64 << 10

// Writable reports whether a message would leave at once.
func (s *Session) Writable() bool {
	if t := s.ws.Load(); t != nil {
		_, n := t.conn.Buffered()
		return n == 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == open && s.polling.writable()
}

// Buffered returns the bytes and the Sends that wait for the client.
func (s *Session) Buffered() (bytes, packets int) {
	if t := s.ws.Load(); t != nil {
		return t.conn.Buffered()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.polling == nil {
		return 0, 0
	}
	return s.polling.bytes, len(s.polling.queue)
}

// Pause stops reading from the client, who is held back by TCP. Messages that
// were already read may still be delivered. While paused, a missing pong does
// not end the session.
func (s *Session) Pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = true
	if t := s.ws.Load(); t != nil {
		t.conn.Pause()
	} else if s.polling != nil {
		s.polling.pause()
	}
}

// Resume undoes Pause.
func (s *Session) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.paused {
		return
	}
	s.paused = false
	if t := s.ws.Load(); t != nil {
		t.conn.Resume()
	}
	if s.polling != nil {
		s.polling.resume()
	}
	s.srv.heart.rearm(s)
}

func (s *Session) isPaused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paused
}

// Close ends the session with [ForcedClose] after what is queued has been
// handed over. A polling client that does not come for it within 30 s loses it.
func (s *Session) Close() {
	s.mu.Lock()
	if s.state != open {
		s.mu.Unlock()
		return
	}
	if p := s.polling; s.ws.Load() == nil && !p.idle() {
		s.state = closing
		p.room()
		p.closeTimer = time.AfterFunc(closeTimeout, func() { s.end(ForcedClose, nil) })
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	s.end(ForcedClose, nil)
}

// closeTimeout is how long the end of a polling session waits for a poll.
const closeTimeout = 30 * time.Second

// Abort ends the session at once; what waits for a poll is dropped.
func (s *Session) Abort(reason Reason) { s.end(reason, nil) }

// end closes the session, once, and has the receiver told on another
// goroutine: callers may hold the receiver's own locks.
func (s *Session) end(reason Reason, err error) {
	s.mu.Lock()
	ended := s.endLocked(packetClose)
	s.mu.Unlock()
	if ended {
		s.afterEnd(reason, err)
	}
}

// endLocked reports whether this call ended the session. A poll that waits is
// answered with last.
func (s *Session) endLocked(last packetType) bool {
	if s.state == closed {
		return false
	}
	s.state = closed
	s.srv.table.remove(s.ID())
	s.srv.heart.leave(s)
	if p := s.polling; p != nil {
		if !s.cutting.Load() { // those were counted
			s.srv.counts.dropped.AddN(DropClosed, p.messages())
		}
		p.end(last)
	}
	return true
}

func (s *Session) afterEnd(reason Reason, err error) {
	if t := s.ws.Load(); t != nil {
		t.close(closeFrame)
	}
	s.srv.counts.closed.Add(reason)
	if name := s.Transport(); name != Polling {
		s.srv.counts.connections(name).Add(-1)
	}
	s.srv.log.Debug("session closed", "connection", s, "reason", string(reason), "error", err)
	go func() {
		s.recvMu.Lock()
		s.told = true
		if s.recv == nil { // OnSession did not return; who called it cleans up
			s.recvMu.Unlock()
			return
		}
		s.recv.Closed(reason, err)
		s.recvMu.Unlock()
		s.recv.Flush(true)
		address := ""
		if s.address != nil {
			address = *s.address
		}
		s.srv.leave(address)
	}()
}

// tooSlow is called when a queue is full. It never runs on the path of the
// sender, who may be in the middle of a broadcast.
func (s *Session) tooSlow() {
	if s.cutting.Swap(true) {
		return
	}
	go func() {
		bytes, packets := s.Buffered()
		limit := "MaxQueuedBytes"
		if packets >= s.srv.opts.MaxQueuedPackets {
			limit = "MaxQueuedPackets"
		}
		s.srv.hit(limit)
		s.srv.log.Warn("slow consumer: session is cut", "connection", s, "remote", s.RemoteAddr(), "limit", limit, "bytes", bytes, "packets", packets)
		s.cut(DropSlow, packets+1, ErrSlowConsumer)
	}()
}

// cut ends the session without waiting for the client to take what waits.
// s.cutting has been set by the caller, who has counted what that is.
func (s *Session) cut(reason DropReason, dropped int, err error) {
	s.srv.counts.dropped.AddN(reason, dropped)
	if t := s.ws.Load(); t != nil {
		t.closing.Store(true) // the end of the connection is not the peer's doing
		t.conn.Close()        // a close frame would wait behind what is not read
	}
	s.abortPost()
	s.end(TransportError, err)
}

// isClosed reports whether anything still may be received.
func (s *Session) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == closed
}

// receive handles one packet; s.recvMu is held. It reports whether more may
// follow. On a probe it is not called.
func (s *Session) receive(kind packetType, m Message) bool {
	if s.srv.tracing() {
		s.trace("in", kind, m)
	}
	switch kind {
	case packetMessage:
		if s.told {
			return false
		}
		s.recv.Receive(m)
		// Not before: the WebSocket of an upgrade flushes while a POST delivers,
		// and would take the mark and leave the message.
		s.fresh.Store(true)
	case s.form.heartbeat():
		s.beatReceived()
		return true
	case packetPing, packetPong:
		s.end(TransportError, errors.New("invalid heartbeat direction"))
		return false
	case packetClose:
		s.clientClosed()
		return false
	case packetOpen, packetUpgrade, packetNoop:
		// Without a meaning here, and without harm.
	default:
		s.end(ParseError, errors.New("unknown packet type"))
		return false
	}
	s.srv.heart.alive(s)
	return true
}

// clientClosed is the end by a close packet. A poll that still waits has
// nothing to be told and gets a noop.
func (s *Session) clientClosed() {
	s.mu.Lock()
	ended := s.endLocked(packetNoop)
	s.mu.Unlock()
	if ended {
		s.afterEnd(TransportClose, nil)
	}
}

// flush ends a batch of receive calls.
func (s *Session) flush(mayBlock bool) {
	if s.fresh.Swap(false) {
		s.recv.Flush(mayBlock)
	}
}

// sendError turns what a connection says into what Send promises.
func (s *Session) sendError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, poll.ErrFull):
		s.tooSlow()
		return ErrSlowConsumer
	case errors.Is(err, net.ErrClosed):
		return ErrClosed
	}
	return err
}
