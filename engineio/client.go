package engineio

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// A ClientSession is the client's end of a session, from its handshake to its
// end, across the upgrade of its transport. Its methods are safe for concurrent
// use, and none but Wait blocks. Over WebSocket on plain TCP under Linux it has
// no goroutine while nothing happens.
type ClientSession struct {
	d         *dialer
	recv      Receiver
	sid       string
	transport string        // of the handshake
	interval  time.Duration // of pings
	timeout   time.Duration
	maxSend   int64 // the server's limit of a message; 0 = unknown

	link atomic.Pointer[clientLink] // set once; nil while on polling
	beat clientBeat

	// recvMu is held for each batch of Receive calls and for Closed.
	recvMu sync.Mutex
	told   bool
	fresh  atomic.Bool // Receive was called and Flush was not yet

	running sync.WaitGroup // what has to end before Wait returns

	mu      sync.Mutex
	state   state
	paused  bool
	polling *clientPolling // nil once on a link
}

// newClient makes the session of an open packet. Nothing runs yet.
func (d *dialer) newClient(o *opened, transport string, onSession func(*ClientSession) Receiver) *ClientSession {
	s := &ClientSession{
		d: d, sid: o.SID, transport: transport, maxSend: o.MaxPayload,
		interval: time.Duration(o.PingInterval) * time.Millisecond,
		timeout:  time.Duration(o.PingTimeout) * time.Millisecond,
	}
	s.running.Add(1) // until Closed has been called
	s.recv = onSession(s)
	return s
}

// ID returns the sid.
func (s *ClientSession) ID() string { return s.sid }

// Protocol returns the revision of the protocol.
func (s *ClientSession) Protocol() int { return s.d.opts.Protocol }

// Transport returns the name of the current transport.
func (s *ClientSession) Transport() string {
	if t := s.link.Load(); t != nil {
		return t.name
	}
	return s.transport
}

// ErrTooLarge reports a message above the limit that the server announced. It
// would have ended the session.
var ErrTooLarge = errors.New("engineio: message exceeds the server's limit")

// Send sends messages, back to back, after everything sent before. The data may
// be changed when it returns. The error is nil when they are on their way,
// which is no promise that they arrive; otherwise [ErrClosed], [ErrTooLarge],
// [ErrSlowConsumer] if the queue is full, which the session survives, or for
// [Volatile] messages [ErrDropped].
func (s *ClientSession) Send(f Flags, messages ...Message) error {
	if s.maxSend > 0 {
		for _, m := range messages {
			if int64(len(m.Data)) >= s.maxSend {
				return ErrTooLarge
			}
		}
	}
	if t := s.link.Load(); t != nil {
		return t.send(f, packetMessage, messages)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.link.Load(); t != nil { // upgraded meanwhile
		return t.send(f, packetMessage, messages)
	}
	if s.state != open {
		return ErrClosed
	}
	return s.polling.push(s, f, messages)
}

// Writable reports whether a message would leave at once.
func (s *ClientSession) Writable() bool {
	if t := s.link.Load(); t != nil {
		_, n := t.conn.Buffered()
		return n == 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == open && s.polling != nil && s.polling.writable()
}

// Buffered returns the bytes and packets that wait to be written.
func (s *ClientSession) Buffered() (bytes, packets int) {
	if t := s.link.Load(); t != nil {
		return t.conn.Buffered()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.polling == nil {
		return 0, 0
	}
	return s.polling.bytes, len(s.polling.queue)
}

// Pause stops reading from the server, who is held back by TCP or by the poll
// that does not come. Messages that were already read may still be delivered.
// While paused, a missing heartbeat does not end the session, and the server is told
// now and again that the client lives.
func (s *ClientSession) Pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paused {
		return
	}
	s.paused = true
	s.beat.paused(s)
	if t := s.link.Load(); t != nil {
		t.conn.Pause()
	}
}

// Resume undoes Pause.
func (s *ClientSession) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.paused {
		return
	}
	s.paused = false
	s.beat.resumed(s)
	if t := s.link.Load(); t != nil {
		t.conn.Resume()
	}
	if s.polling != nil {
		s.polling.wake()
	}
}

// Close ends the session with [ForcedClose] after what is queued has been
// handed over; what the server does not take within seconds is lost.
func (s *ClientSession) Close() {
	s.mu.Lock()
	p := s.polling
	if s.state != open || p == nil {
		s.mu.Unlock()
		s.end(ForcedClose, nil)
		return
	}
	s.state = closing
	p.close(s)
	s.mu.Unlock()
}

// Abort ends the session at once; what is queued is lost.
func (s *ClientSession) Abort(reason Reason) {
	s.end(reason, nil)
	if t := s.link.Load(); t != nil {
		t.abort()
	}
}

// Wait returns when nothing of the session runs any more, its connection and
// the call of Closed included. It must not be called by the receiver.
func (s *ClientSession) Wait() { s.running.Wait() }

// end closes the session, once, and has the receiver told on another goroutine.
func (s *ClientSession) end(reason Reason, err error) {
	s.mu.Lock()
	if s.state == closed {
		s.mu.Unlock()
		return
	}
	if s.state == closing { // whatever the server makes of it
		reason, err = ForcedClose, nil
	}
	s.state = closed
	s.beat.stop()
	if p := s.polling; p != nil {
		p.end()
	}
	t := s.link.Load()
	s.mu.Unlock()
	if t != nil {
		if reason == PingTimeout { // nobody there to say goodbye to
			t.abort()
		} else {
			t.close()
		}
	}
	go func() {
		defer s.running.Done()
		s.recvMu.Lock()
		s.told = true
		s.recv.Closed(reason, err)
		s.recvMu.Unlock()
		s.recv.Flush(true)
	}()
}

// receive handles one packet; s.recvMu is held. It reports whether more may
// follow.
func (s *ClientSession) receive(kind packetType, m Message) bool {
	switch kind {
	case packetMessage:
		if s.told {
			return false
		}
		s.recv.Receive(m)
		s.fresh.Store(true)
	case packetPing:
		if s.d.opts.Protocol == 3 {
			s.end(TransportError, errDirection)
			return false
		}
		s.control(packetPong, m.Data)
	case packetPong:
		if s.d.opts.Protocol != 3 {
			s.end(TransportError, errDirection)
			return false
		}
		s.beat.pong(s)
	case packetClose:
		s.end(TransportClose, nil)
		return false
	case packetOpen, packetUpgrade, packetNoop:
		// Without a meaning here, and without harm.
	default:
		s.end(TransportError, errors.New("unknown packet type"))
		return false
	}
	return true
}

var errDirection = errors.New("invalid heartbeat direction")

// survive ends the session after a panic of the receiver, which is a bug, but
// no reason for the process to end: what came is the server's choice.
func (s *ClientSession) survive() {
	if v := recover(); v != nil {
		s.end(ParseError, fmt.Errorf("panic while receiving: %v\n%s", v, debug.Stack()))
	}
}

// control sends a packet that is no message.
func (s *ClientSession) control(kind packetType, data []byte) {
	messages := [1]Message{{Data: data}}
	if t := s.link.Load(); t != nil {
		_ = t.send(0, kind, messages[:]) // a session that is gone needs no pong
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.link.Load(); t != nil {
		_ = t.send(0, kind, messages[:])
	} else if s.state == open {
		s.polling.pushControl(s, kind, data)
	}
}

// flush ends a batch of receive calls.
func (s *ClientSession) flush(mayBlock bool) {
	if s.fresh.Swap(false) {
		s.recv.Flush(mayBlock)
	}
}
