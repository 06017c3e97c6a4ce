package socketio

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// A TappedPacket is a packet of a socket that is listened to, decoded.
type TappedPacket struct {
	Time time.Time
	Out  bool   // sent by the server
	Type string // as parser.Type prints it
	// Event is the name of the event, "" for another type of packet.
	Event string
	// ID is that of the ack, or parser.NoID.
	ID int64
	// Args are the arguments as text, JSON unless the parser is another, cut where
	// they are long. Those of a CONNECT are not shown: they are secrets.
	Args string
	// Bytes are all of the packet's, those of Attachments among them.
	Bytes, Attachments int
	// Skipped is how many packets went by unseen since the last one.
	Skipped int
}

// A tap is one who listens to a socket.
type tap struct {
	socket *Socket
	rate   int
	show   func(TappedPacket)

	second, spent, skipped atomic.Int64
}

// Tap calls f for the packets of s in both directions, perSecond of them at the
// most; others are skipped without being decoded. f is called by whoever sends or
// reads, perhaps with locks held: it must not block and must not call s. It is
// not called any more when stop has returned, but for calls that had begun. Who
// listens to one socket costs the others a look at a list.
func (srv *Server) Tap(s *Socket, perSecond int, f func(TappedPacket)) (stop func()) {
	t := &tap{socket: s, rate: perSecond, show: f}
	srv.rewatch(func(w *watch) { w.taps = extend(w.taps, t) })
	return sync.OnceFunc(func() {
		srv.rewatch(func(w *watch) { w.taps = without(w.taps, t) })
	})
}

// take reports whether one more packet may be shown this second. Two at the turn
// of a second may both begin it: a packet too many does no harm.
func (t *tap) take() bool {
	now := time.Now().Unix()
	if t.second.Load() != now {
		t.second.Store(now)
		t.spent.Store(0)
	}
	if t.spent.Add(1) > int64(t.rate) {
		t.skipped.Add(1)
		return false
	}
	return true
}

// listens reports whether anybody listens to a socket of c.
func (w *watch) listens(c *connection) bool {
	return slices.ContainsFunc(w.taps, func(t *tap) bool { return t.socket.conn == c })
}

// tapped shows a packet to those who listen to its socket.
func (w *watch) tapped(c *connection, out bool, p *parser.Packet, bytes int) {
	for _, t := range w.taps {
		if t.socket.conn != c || t.socket.nsp.name != string(p.Namespace) || !t.take() {
			continue
		}
		shown := TappedPacket{
			Time: time.Now(), Out: out, Type: p.Type.String(), ID: p.ID, Bytes: bytes,
			Attachments: len(p.Attachments), Skipped: int(t.skipped.Swap(0)),
		}
		if p.Type == parser.Event {
			shown.Event = string(p.Event)
		}
		if p.Type != parser.Connect {
			shown.Args = c.srv.readable(p, maxTapped)
		}
		t.show(shown)
	}
}

// maxTapped is how much of a packet's arguments is shown, in bytes.
const maxTapped = 4 << 10

// out tells of a packet that is sent.
func (w *watch) out(c *connection, msgs []engineio.Message) {
	bytes := 0
	for _, m := range msgs {
		bytes += len(m.Data)
	}
	c.srv.counts.traffic.out(c.sess.ID(), bytes)
	if len(w.taps) > 0 && w.listens(c) {
		if p, err := c.decodeSent(msgs); err == nil {
			w.tapped(c, true, &p, bytes)
		}
	}
}

// in tells of a packet that came; head is its length without attachments.
func (w *watch) in(c *connection, p *parser.Packet, head int) {
	bytes := head + attachmentBytes(*p)
	c.srv.counts.traffic.in(c.sess.ID(), bytes)
	if len(w.taps) > 0 {
		w.tapped(c, false, p, bytes)
	}
}
