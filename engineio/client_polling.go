package engineio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
	"unicode/utf8"
)

// clientPolling is what a client's session needs while it polls: a goroutine
// that GETs, and one that POSTs while something is queued. ClientSession.mu
// guards it.
type clientPolling struct {
	http      *http.Client
	closeIdle func()
	ctx       context.Context // of the requests; ends with the session
	cancel    context.CancelFunc

	queue []clientPacket
	bytes int

	posting  bool          // a goroutine POSTs
	getting  bool          // a goroutine GETs
	stop     bool          // an upgrade wants both to end
	changed  chan struct{} // closed, and replaced, when one of these has changed
	probing  context.CancelFunc
	closeNow *time.Timer
}

// A clientPacket waits to be sent.
type clientPacket struct {
	kind packetType
	m    Message
}

// dialPolling makes a session over polling, and starts the upgrade if there is
// one to be had.
func (d *dialer) dialPolling(ctx context.Context, onSession func(*ClientSession) Receiver) (*ClientSession, error) {
	p := &clientPolling{changed: make(chan struct{})}
	p.http, p.closeIdle = d.httpClient()
	p.ctx, p.cancel = context.WithCancel(context.Background())
	o, rest, err := d.openPolling(ctx, p)
	if err != nil {
		p.cancel()
		p.closeIdle()
		return nil, err
	}
	s := d.newClient(o, Polling, onSession)
	s.polling = p
	s.beat.begin(s)
	// What came with the open packet comes first.
	s.deliver(rest)
	s.flush(false)
	s.mu.Lock()
	if s.state == open {
		p.startGetting(s)
		if to := d.upgrades(o); len(to) > 0 {
			probe, cancel := context.WithTimeout(p.ctx, probeTimeout)
			p.probing = cancel
			s.running.Go(func() { defer cancel(); s.upgrade(probe, to) })
		}
	}
	s.mu.Unlock()
	return s, nil
}

func (d *dialer) openPolling(ctx context.Context, p *clientPolling) (*opened, []byte, error) {
	body, err := d.get(ctx, p, d.address(Polling, ""), nil)
	if err != nil {
		return nil, nil, err
	}
	first, rest, err := d.cutPacket(body)
	if err != nil || len(first) == 0 || packetType(first[0]) != packetOpen {
		return nil, nil, errNoOpen
	}
	o, err := parseOpen(first[1:])
	return o, rest, err
}

// get makes a GET and reads the answer, of which it tells as it comes.
func (d *dialer) get(ctx context.Context, p *clientPolling, address string, heard func()) ([]byte, error) {
	req, err := d.request(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := p.http.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, refused(res, nil)
	}
	defer res.Body.Close()
	var in io.Reader = io.LimitReader(res.Body, d.opts.MaxPayload+1)
	if heard != nil {
		in = &heardReader{in, heard}
	}
	body, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > d.opts.MaxPayload {
		return nil, fmt.Errorf("the server's payload exceeds %d bytes", d.opts.MaxPayload)
	}
	return body, nil
}

type heardReader struct {
	io.Reader
	heard func()
}

func (r *heardReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 {
		r.heard()
	}
	return n, err
}

// startGetting is called with mu held.
func (p *clientPolling) startGetting(s *ClientSession) {
	if !p.getting && !p.stop {
		p.getting = true
		s.running.Go(func() { s.getLoop(p) })
	}
}

// getLoop polls until the session ends or an upgrade wants it to stop.
func (s *ClientSession) getLoop(p *clientPolling) {
	defer s.survive()
	address := s.d.address(Polling, s.sid)
	for {
		s.mu.Lock()
		for s.paused && !p.stop && s.state != closed {
			p.wait(&s.mu)
		}
		if p.stop || s.state == closed {
			p.getting = false
			p.wake()
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		body, err := s.d.get(p.ctx, p, address, func() { s.beat.heard(s) })
		if err != nil {
			s.end(TransportError, err)
			continue // to the end above
		}
		s.beat.heard(s)
		if len(body) == 0 { // at once again, and again?
			s.end(TransportError, errors.New("the answer to a poll is empty"))
			continue
		}
		s.deliver(body)
		s.flush(false)
	}
}

// wait gives mu up until wake is called.
func (p *clientPolling) wait(mu interface {
	Lock()
	Unlock()
}) {
	changed := p.changed
	mu.Unlock()
	<-changed
	mu.Lock()
}

func (p *clientPolling) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// deliver handles the packets of a payload up to the first bad one.
func (s *ClientSession) deliver(payload []byte) {
	if !utf8.Valid(payload) { // as fetch decodes it
		payload = bytes.ToValidUTF8(payload, []byte("\uFFFD"))
	}
	s.recvMu.Lock()
	defer s.recvMu.Unlock()
	for n := 1; len(payload) > 0 && !s.told; n++ {
		if n > s.d.opts.MaxPayloadPackets {
			s.end(TransportError, fmt.Errorf("more than %d packets in one payload", s.d.opts.MaxPayloadPackets))
			return
		}
		packet, rest, err := s.d.cutPacket(payload)
		if err != nil {
			s.end(TransportError, err)
			return
		}
		if !s.receiveText(packet) {
			return
		}
		payload = rest
	}
}

// receiveText handles a packet in the form it has in a payload.
func (s *ClientSession) receiveText(packet []byte) bool {
	if len(packet) == 0 {
		return s.receive(0, Message{})
	}
	if packet[0] != 'b' {
		return s.receive(packetType(packet[0]), Message{Data: packet[1:]})
	}
	packet = packet[1:]
	if s.d.opts.Protocol == 3 { // "b4" and base64
		if len(packet) == 0 || packetType(packet[0]) != packetMessage {
			return s.receive(0, Message{})
		}
		packet = packet[1:]
	}
	data, err := decodeBase64(packet)
	if err != nil {
		s.end(TransportError, err)
		return false
	}
	return s.receive(packetMessage, Message{Binary: true, Data: data})
}

// cutPacket takes the first packet off a payload.
func (d *dialer) cutPacket(payload []byte) (packet, rest []byte, err error) {
	if d.opts.Protocol == 3 {
		return cutText(payload)
	}
	packet, rest, _ = bytes.Cut(payload, []byte{separator})
	return packet, rest, nil
}

func (p *clientPolling) writable() bool { return !p.posting && !p.stop && len(p.queue) == 0 }

func (p *clientPolling) push(s *ClientSession, f Flags, messages []Message) error {
	if f&Volatile != 0 && !p.writable() {
		return ErrDropped
	}
	size := 0
	for _, m := range messages {
		size += len(m.Data)
		if s.maxSend > 0 && int64(s.d.sizeInPayload(m)) > s.maxSend {
			return ErrTooLarge // for now: over WebSocket it would have passed
		}
	}
	if p.bytes+size > s.d.opts.MaxQueuedBytes || len(p.queue)+len(messages) > s.d.opts.MaxQueuedPackets {
		if f&Volatile != 0 {
			return ErrDropped
		}
		return ErrSlowConsumer
	}
	p.bytes += size
	for _, m := range messages {
		p.queue = append(p.queue, clientPacket{packetMessage, Message{Binary: m.Binary, Data: bytes.Clone(m.Data)}})
	}
	p.startPosting(s)
	return nil
}

func (p *clientPolling) pushControl(s *ClientSession, kind packetType, data []byte) {
	p.queue = append(p.queue, clientPacket{kind, Message{Data: bytes.Clone(data)}})
	p.startPosting(s)
}

// startPosting is called with mu held.
func (p *clientPolling) startPosting(s *ClientSession) {
	if !p.posting && !p.stop && len(p.queue) > 0 {
		p.posting = true
		s.running.Go(func() { s.postLoop(p) })
	}
}

// postLoop POSTs until nothing waits.
func (s *ClientSession) postLoop(p *clientPolling) {
	address := s.d.address(Polling, s.sid)
	for {
		s.mu.Lock()
		body := p.takePayload(s)
		if body == nil || p.stop || s.state == closed {
			p.posting = false
			p.wake()
			last := s.state == closing && !p.stop
			s.mu.Unlock()
			if last { // the close packet has gone
				s.end(ForcedClose, nil)
			}
			return
		}
		s.mu.Unlock()
		if err := s.post(p, address, body); err != nil {
			s.end(TransportError, err)
		}
	}
}

func (s *ClientSession) post(p *clientPolling, address string, body []byte) error {
	ctx, cancel := context.WithTimeout(p.ctx, s.interval+s.timeout)
	defer cancel()
	req, err := s.d.request(ctx, http.MethodPost, address, body)
	if err != nil {
		return err
	}
	res, err := p.http.Do(req)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return refused(res, nil)
	}
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	res.Body.Close()
	return err
}

// takePayload takes as much off the queue as one POST may hold; nil if there is
// nothing, or if an upgrade is going to take it.
func (p *clientPolling) takePayload(s *ClientSession) []byte {
	if len(p.queue) == 0 || p.stop {
		return nil
	}
	var body []byte
	n := 0
	for _, packet := range p.queue {
		before := len(body)
		body = s.d.appendPacket(body, packet)
		if s.maxSend > 0 && int64(len(body)) > s.maxSend && before > 0 {
			body = body[:before]
			break
		}
		n++
		p.bytes -= len(packet.m.Data)
		if packet.kind != packetMessage {
			p.bytes += len(packet.m.Data) // never counted
		}
	}
	clear(p.queue[:n])
	p.queue = p.queue[n:]
	if len(p.queue) == 0 {
		p.queue = nil
	}
	return body
}

// close sends what is queued and a close packet. mu is held.
func (p *clientPolling) close(s *ClientSession) {
	if p.probing != nil {
		p.probing()
	}
	p.stop = false // the upgrade has lost
	p.queue = append(p.queue, clientPacket{kind: packetClose})
	p.closeNow = time.AfterFunc(clientLinger, func() { s.end(ForcedClose, nil) })
	p.wake()
	p.startPosting(s)
}

// end aborts the requests. mu is held.
func (p *clientPolling) end() {
	p.queue, p.bytes = nil, 0
	if p.closeNow != nil {
		p.closeNow.Stop()
	}
	p.cancel()
	p.closeIdle()
	p.wake()
}
