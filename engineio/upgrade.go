package engineio

import (
	"net"
	"time"

	"github.com/sockeye-go/socketio/internal/ws"
)

// An upgrade moves a session from polling to WebSocket ("Upgrade"):
//
//	client → WebSocket  2probe
//	server → WebSocket  3probe, and a noop to the poll that waits
//	client              lets its poll and its POST end
//	client → WebSocket  5
//	server              switches and sends over the WebSocket what has queued up
//
// Order holds because the queue moves as a whole, under the session's lock.

// noopInterval is how often a waiting poll is released while an upgrade is
// under way: the client may have opened it in the meantime.
const noopInterval = 100 * time.Millisecond

// startProbe takes an accepted WebSocket as the probe of an upgrade. A session
// has one at most, and none once it has upgraded.
func (s *Session) startProbe(nc net.Conn, f form, d ws.Deflate, leftover []byte) {
	t := s.newWebSocket(nc, f, d, true)
	s.mu.Lock()
	p := s.polling
	if s.state == closed || p == nil || p.probe != nil || s.srv.opts.DisableUpgrades {
		s.mu.Unlock()
		t.probing.Store(false)
		t.close(closeFrame)
		t.conn.Start(leftover)
		return
	}
	p.probe = t
	p.probeTimer = time.AfterFunc(s.srv.opts.UpgradeTimeout, func() { s.upgradeOverdue(t) })
	s.mu.Unlock()
	t.conn.Start(leftover)
}

// probePacket handles a text message of a probe.
func (s *Session) probePacket(t *wsTransport, packet string) {
	switch packet {
	case string(packetPing) + probe:
		_ = t.conn.Write(pongOfProbe.wsFrames(t.form), true)
		s.releasePoll(t)
	case string(packetUpgrade):
		s.switchTo(t)
	default:
		s.probeFailed(t)
	}
}

// releasePoll answers the waiting poll, now and again until the upgrade ends.
func (s *Session) releasePoll(t *wsTransport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.polling
	if p == nil || p.probe != t || s.state == closed {
		return
	}
	p.probed = true
	if p.wait != nil {
		p.wait.release()
	}
	if p.noopTimer == nil {
		p.noopTimer = time.AfterFunc(noopInterval, func() { s.releasePoll(t) })
	} else {
		p.noopTimer.Reset(noopInterval)
	}
}

// upgradeOverdue is called when the time for an upgrade is over.
func (s *Session) upgradeOverdue(t *wsTransport) {
	s.srv.hit("UpgradeTimeout")
	s.probeFailed(t)
}

// probeFailed gives up the upgrade; the session stays on polling.
func (s *Session) probeFailed(t *wsTransport) {
	s.mu.Lock()
	if p := s.polling; p != nil && p.probe == t {
		p.stopProbe()
	}
	s.mu.Unlock()
	t.close(closeFrame)
}

// switchTo makes t the transport of the session.
func (s *Session) switchTo(t *wsTransport) {
	s.mu.Lock()
	p := s.polling
	if p == nil || p.probe != t || !p.probed || s.state == closed {
		s.mu.Unlock()
		s.probeFailed(t)
		return
	}
	p.stopProbe()
	t.probing.Store(false)
	var err error
	var flags Flags
	if !p.compress {
		flags = NoCompress
	}
	for _, m := range p.queue {
		if err = t.conn.Write(t.framesIn(m, flags), true); err != nil {
			break
		}
	}
	if p.wait != nil {
		p.wait.release()
	}
	p.resume()
	s.ws.Store(t)
	p.room()
	s.polling = nil
	s.srv.counts.upgraded.Add(1)
	s.srv.counts.connections(t.form.transport()).Add(1)
	if s.paused {
		t.conn.Pause()
	}
	closeNow := s.state == closing
	if p.closeTimer != nil {
		p.closeTimer.Stop()
	}
	s.mu.Unlock()

	_ = s.sendError(err)
	if closeNow {
		s.end(ForcedClose, nil)
		return
	}
	// A pong that was owed on polling may have been lost there.
	s.srv.heart.rearm(s)
}
