package engineio

import (
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// polling is what a session needs while it has no WebSocket: the packets that
// wait for a GET, the GET that waits for packets, and the probe of an upgrade.
// Session.mu guards it.
type polling struct {
	form     form
	jsonp    string // the call that responses are wrapped in, without JSONP ""
	queue    []*Prepared
	bytes    int
	compress bool          // there is something in the queue that may be compressed
	lossy    []int         // places in the queue of what may be dropped, oldest first
	drained  chan struct{} // closed when the queue is taken; nil unless somebody wants to know

	wait    *waitingPoll        // the GET that waits
	posting http.ResponseWriter // of the POST that is being handled, or nil
	body    atomic.Int64        // bytes of it that have come
	warned  bool                // of a POST that was too large
	resumed chan struct{}       // closed by resume; nil unless paused
	last    packetType          // how the session ended

	probe      *wsTransport
	probed     bool
	probeTimer *time.Timer
	noopTimer  *time.Timer
	closeTimer *time.Timer
}

// A waitingPoll is a GET request that waits for something to send.
type waitingPoll struct {
	wake     chan struct{}
	released bool
}

// release has the poll answered with what there is, if only a noop.
func (p *waitingPoll) release() {
	if !p.released {
		p.released = true
		close(p.wake)
	}
}

func (p *polling) writable() bool { return p.wait != nil && !p.wait.released && len(p.queue) == 0 }

// idle reports whether a poll waits and nothing is queued for it.
func (p *polling) idle() bool { return p.wait != nil && len(p.queue) == 0 }

func (p *polling) push(s *Session, m *Prepared, f Flags) error {
	if f&Volatile != 0 && !p.writable() {
		return s.srv.volatileDropped()
	}
	size := m.Size()
	for p.bytes+size > s.srv.opts.MaxQueuedBytes || len(p.queue) >= s.srv.opts.MaxQueuedPackets {
		switch {
		case f&Volatile != 0:
			return s.srv.volatileDropped()
		case p.dropOldest():
			s.srv.limits.Dropped.Add(1)
		case f&Lossy != 0:
			s.srv.limits.Dropped.Add(1)
			return nil
		default:
			s.tooSlow()
			return ErrSlowConsumer
		}
	}
	if f&Lossy != 0 {
		p.lossy = append(p.lossy, len(p.queue))
	}
	p.queue = append(p.queue, m)
	p.bytes += size
	p.compress = p.compress || f&NoCompress == 0
	if p.wait != nil {
		p.wait.release()
	}
	return nil
}

// dropOldest drops the oldest lossy message that waits.
func (p *polling) dropOldest() bool {
	if len(p.lossy) == 0 {
		return false
	}
	i := p.lossy[0]
	p.bytes -= p.queue[i].Size()
	p.queue = slices.Delete(p.queue, i, i+1)
	p.lossy = p.lossy[1:]
	for j := range p.lossy {
		p.lossy[j]--
	}
	return true
}

// room wakes who waits for room in the queue.
func (p *polling) room() {
	if p.drained != nil {
		close(p.drained)
		p.drained = nil
	}
}

// messages returns how many messages wait, without pings and their kin.
func (p *polling) messages() (n int) {
	for _, m := range p.queue {
		if m.kind == packetMessage {
			n++
		}
	}
	return n
}

// take empties the queue into one payload.
func (p *polling) take() payload {
	queue := p.queue
	if len(queue) == 0 {
		return p.encode(noop)
	}
	p.queue, p.bytes, p.compress, p.lossy = nil, 0, false, nil
	p.room()
	return p.encode(queue...)
}

// encode puts packets into one payload for this client.
func (p *polling) encode(packets ...*Prepared) payload {
	b := payload{kind: textPayload}
	if p.form&revision3 != 0 {
		var binary bool
		if b.data, binary = encodePayload3(packets, p.form); binary {
			b.kind = binaryPayload
		}
	} else {
		b.data = joinPackets(packets)
	}
	if p.jsonp != "" {
		return b.asCall(p.jsonp)
	}
	return b
}

// joinPackets returns what must not be changed: it may be the packet's own.
func joinPackets(packets []*Prepared) []byte {
	if len(packets) == 1 {
		return packets[0].pollPackets()
	}
	n := len(packets)
	for _, m := range packets {
		n += len(m.pollPackets())
	}
	b := make([]byte, 0, n)
	for i, m := range packets {
		if i > 0 {
			b = append(b, separator)
		}
		b = append(b, m.pollPackets()...)
	}
	return b
}

func (p *polling) pause() {
	if p.resumed == nil {
		p.resumed = make(chan struct{})
	}
}

func (p *polling) resume() {
	if p.resumed != nil {
		close(p.resumed)
		p.resumed = nil
	}
}

func (p *polling) stopProbe() {
	p.probe, p.probed = nil, false
	p.probeTimer.Stop()
	if p.noopTimer != nil {
		p.noopTimer.Stop()
		p.noopTimer = nil
	}
}

// end drops what waits and answers the waiting poll with last.
func (p *polling) end(last packetType) {
	p.queue, p.bytes, p.compress = nil, 0, false
	p.lossy = nil
	p.room()
	p.last = last
	if t := p.probe; t != nil {
		p.stopProbe()
		t.close(closeFrame)
	}
	if p.closeTimer != nil {
		p.closeTimer.Stop()
	}
	if p.wait != nil {
		p.wait.release()
	}
	p.resume()
}

// writeTimeout is how long a client may take to read a response that is ready.
const writeTimeout = 30 * time.Second

// servePoll answers a GET ("Transports", HTTP long-polling).
func (s *Session) servePoll(w http.ResponseWriter, r *http.Request, first bool) {
	s.mu.Lock()
	p := s.polling
	if p == nil || s.state == closed { // upgraded or ended since the request was checked
		s.mu.Unlock()
		s.srv.refuse(w, r, s.goneError())
		return
	}
	if p.wait != nil {
		s.mu.Unlock()
		s.end(TransportError, errOverlap)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if len(p.queue) == 0 && s.state == open {
		wait := &waitingPoll{wake: make(chan struct{})}
		p.wait = wait
		s.mu.Unlock()
		// Deadlines that the http.Server has set are meant for requests that
		// have something to say at once.
		rc := http.NewResponseController(w)
		_ = rc.SetWriteDeadline(time.Time{})
		_ = rc.SetReadDeadline(time.Time{})
		select {
		case <-wait.wake:
		case <-r.Context().Done():
			s.mu.Lock()
			p.wait = nil
			// A poll that has been released by an upgrade brings nothing any more:
			// some clients drop it.
			upgraded := s.polling == nil
			s.mu.Unlock()
			if !upgraded {
				s.end(TransportError, errPollClosed)
			}
			return
		}
		s.mu.Lock()
		p.wait = nil
	}
	// From here on the client may open its next poll: it can have all of the
	// response before this handler returns.
	compress := p.compress
	upgraded := s.polling == nil
	payload, end := s.takeLocked(p)
	if end {
		s.endLocked(packetClose)
	}
	s.mu.Unlock()

	var err error
	if r.Context().Err() != nil {
		err = errPollClosed
	} else {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
		err = s.srv.writePayload(w, r, payload, first, compress)
		// A connection that ends from here on says nothing: the client may have
		// read all of it.
	}
	switch {
	case end:
		s.afterEnd(ForcedClose, nil)
	case err != nil && !upgraded:
		s.end(TransportError, err)
	}
}

// takeLocked returns what to answer to a poll, and whether that is the last.
func (s *Session) takeLocked(p *polling) (b payload, end bool) {
	switch {
	case s.state == closed:
		return p.encode(prepareControl(p.last, "")), false
	case s.polling == nil: // upgraded; the queue went there
		return p.encode(noop), false
	case s.state == closing && len(p.queue) == 0:
		return p.encode(noop, goodbye), true
	}
	// The end never comes with messages: the official client handles a close
	// packet at once and messages a moment later, too late for a DISCONNECT.
	return p.take(), false
}

// goneError is the answer to a request that lost a race against the end or the
// upgrade of its session.
func (s *Session) goneError() *ConnectionError {
	if s.isClosed() {
		return &ConnectionError{Code: UnknownSID, Context: map[string]any{"sid": s.ID()}}
	}
	return transportMismatch(Polling, s.Transport())
}
