package engineio

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sockeye-go/socketio/internal/poll"
	"github.com/sockeye-go/socketio/internal/ws"
)

// probeTimeout is how long the upgrade of a client may take.
const probeTimeout = 10 * time.Second

func (d *dialer) uses(transport string) bool { return slices.Contains(d.opts.Transports, transport) }

// upgrade moves the session to WebSocket, if that can be had; see [Session] for
// the server's side. It lets the GET and the POST end that are under way, so
// that nothing overtakes them.
func (s *ClientSession) upgrade(ctx context.Context) {
	nc, in, err := s.d.openWebSocket(ctx, s.d.address(WebSocket, s.sid))
	if err != nil {
		return // the session stays on polling
	}
	t := &clientLink{s: s, name: WebSocket}
	t.parser.Init(ws.Client, s.d.opts.MaxPayload)
	nc.SetWriteDeadline(time.Now().Add(probeTimeout)) // a few bytes; not every connection has deadlines
	_, err = nc.Write(ws.AppendClient(nil, ws.Text, []byte{byte(packetPing)}, []byte(probe)))
	if err == nil {
		in, err = t.await(ctx, nc, in, func(m ws.Message) error {
			if string(m.Data) != string(packetPong)+probe {
				return fmt.Errorf("answer to the probe: %q", m.Data)
			}
			return nil
		})
	}
	nc.SetWriteDeadline(time.Time{})
	if err != nil {
		nc.Close()
		return
	}

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
		nc.Close()
		return
	}
	t.conn = poll.New(nc, t, s.d.limits())
	frames := t.appendFrames(nil, packetUpgrade, []Message{{}})
	for _, packet := range p.queue {
		frames = t.appendFrames(frames, packet.kind, []Message{packet.m})
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
	t.conn.Start(in)
}
