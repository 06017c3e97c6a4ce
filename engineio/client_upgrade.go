package engineio

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/sockeye-go/socketio/internal/ws"
)

// probeTimeout is how long the upgrade of a client may take.
const probeTimeout = 10 * time.Second

// webTransportLead is the start that WebTransport has before WebSocket, as in the
// original.
const webTransportLead = 200 * time.Millisecond

func (d *dialer) uses(transport string) bool { return slices.Contains(d.opts.Transports, transport) }

// upgrades returns what the session is to move to, the better one first.
func (d *dialer) upgrades(o *opened) (to []string) {
	if d.opts.DisableUpgrades {
		return nil
	}
	for _, t := range []string{WebTransport, WebSocket} {
		if d.uses(t) && o.upgradesTo(t) {
			to = append(to, t)
		}
	}
	return to
}

// A probed is a connection on which the server has answered the probe.
type probed struct {
	link *clientLink
	nc   net.Conn
	in   []byte // what came behind the answer
}

// upgrade moves the session to another transport, if one can be had; see [Session]
// for the server's side.
func (s *ClientSession) upgrade(ctx context.Context, to []string) {
	first := make(chan *probed) // nobody buffers a connection that nobody takes
	left := make(chan struct{}, len(to))
	race, stop := context.WithCancel(ctx)
	for i, transport := range to {
		s.running.Go(func() {
			defer func() { left <- struct{}{} }()
			if i > 0 && !pause(race, webTransportLead) {
				return
			}
			p, err := s.probe(race, transport)
			if err != nil {
				return
			}
			select {
			case first <- p:
			case <-race.Done():
				p.link.drop(p.nc)
			}
		})
	}
	for range to {
		select {
		case p := <-first:
			stop() // the others
			s.switchTo(p)
			return
		case <-left: // without success
		}
	}
	stop() // the session stays on polling
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// probe opens a connection and sees whether packets get through.
func (s *ClientSession) probe(ctx context.Context, transport string) (p *probed, err error) {
	p = new(probed)
	if transport == WebTransport {
		p.link, p.nc, err = s.d.openStream(ctx, s.sid)
	} else {
		p.link, p.nc, p.in, err = s.d.openWebSocket(ctx, s.d.address(WebSocket, s.sid))
	}
	if err != nil {
		return nil, err
	}
	p.link.s = s
	p.nc.SetWriteDeadline(time.Now().Add(probeTimeout)) // a few bytes; not every connection has deadlines
	_, err = p.nc.Write(p.link.appendFrames(nil, packetPing, []Message{{Data: []byte(probe)}}, NoCompress))
	if err == nil {
		p.in, err = p.link.await(ctx, p.nc, p.in, func(m ws.Message) error {
			if string(m.Data) != string(packetPong)+probe {
				return fmt.Errorf("answer to the probe: %q", m.Data)
			}
			return nil
		})
	}
	p.nc.SetWriteDeadline(time.Time{})
	if err != nil {
		p.link.drop(p.nc)
		return nil, err
	}
	return p, nil
}

// switchTo makes what was probed the transport of the session. It lets the GET and
// the POST end that are under way, so that nothing overtakes them.
func (s *ClientSession) switchTo(to *probed) {
	t := to.link
	s.mu.Lock()
	p := s.polling
	if s.state == open {
		p.stop = true
		p.wake()
	}
	for s.state == open && (p.getting || p.posting) {
		p.wait(&s.mu)
	}
	if s.state != open {
		s.mu.Unlock()
		t.drop(to.nc)
		return
	}
	t.takes(to.nc)
	frames := t.appendFrames(nil, packetUpgrade, []Message{{}}, NoCompress)
	for _, packet := range p.queue {
		frames = t.appendFrames(frames, packet.kind, []Message{packet.m}, 0)
	}
	p.queue, p.bytes = nil, 0
	_ = t.conn.Write(frames, false) // what fails here ends the connection, and Ended follows
	s.running.Add(1)
	s.link.Store(t)
	s.polling = nil
	if s.paused {
		t.conn.Pause()
	}
	s.mu.Unlock()
	p.cancel()
	p.closeIdle()
	t.conn.Start(to.in)
}
