package admin

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/sockeye-go/socketio"
)

// A socket may be on another node than the one through which somebody looks. That
// node asks the others to listen, again and again while there is somebody; the one
// that has the socket sends what it hears, and stops soon after it is not asked
// any more.
const (
	eventTap    = "sockeye:dashboard:tap"
	eventTapped = "sockeye:dashboard:tapped"

	askEvery   = 2 * time.Second
	tapLease   = 5 * time.Second
	tellPacket = 200 * time.Millisecond
)

// A tapRequest asks for the packets of a socket, under a number of the asker's.
type tapRequest struct {
	Tap       string `json:"tap"`
	Namespace string `json:"ns"`
	ID        string `json:"id"`
}

// A tapped is some of them. The first one may be empty: there is the socket.
type tapped struct {
	Tap     string    `json:"tap"`
	Packets []tapView `json:"packets,omitempty"`
	Left    string    `json:"left,omitempty"` // why the socket did
}

// taps are those that cross nodes: asked for here, or listened to here.
type taps struct {
	d *Dashboard

	mu    sync.Mutex
	asked map[string]chan tapped // by number
	lent  map[string]chan struct{}
}

func newTaps(d *Dashboard) *taps {
	t := &taps{d: d, asked: make(map[string]chan tapped), lent: make(map[string]chan struct{})}
	d.srv.OnServerSide(eventTap, func(_ context.Context, m *socketio.Message) error {
		var r tapRequest
		if err := m.Decode(&r); err != nil {
			return err
		}
		t.lend(r)
		return nil
	})
	d.srv.OnServerSide(eventTapped, func(_ context.Context, m *socketio.Message) error {
		var p tapped
		if err := m.Decode(&p); err != nil {
			return err
		}
		t.mu.Lock()
		to := t.asked[p.Tap]
		t.mu.Unlock()
		select {
		case to <- p: // nil if nobody asked here
		default:
		}
		return nil
	})
	return t
}

// ask has another node listen, until stop is called.
func (t *taps) ask(namespace, id string) (heard <-chan tapped, stop func()) {
	r := tapRequest{rand.Text(), namespace, id}
	packets := make(chan tapped, 64)
	t.mu.Lock()
	t.asked[r.Tap] = packets
	t.mu.Unlock()
	ctx, cancel := context.WithCancel(t.d.ending)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(askEvery)
		defer tick.Stop()
		for {
			_ = t.d.srv.ServerSideEmit(eventTap, r) // if it cannot, nothing is heard
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return packets, func() {
		cancel()
		<-ended
		t.mu.Lock()
		delete(t.asked, r.Tap)
		t.mu.Unlock()
	}
}

// lend listens to a socket for another node, if it is here.
func (t *taps) lend(r tapRequest) {
	n, err := t.d.namespace(r.Namespace)
	if err != nil {
		return
	}
	s, ok := n.Socket(r.ID)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if again, lent := t.lent[r.Tap]; lent {
		select {
		case again <- struct{}{}:
		default: // it has been told already
		}
		return
	}
	if len(t.lent) >= t.d.opts.MaxViewers || t.d.ending.Err() != nil {
		return
	}
	again := make(chan struct{}, 1)
	t.lent[r.Tap] = again
	go func() {
		t.listen(r.Tap, s, again)
		t.mu.Lock()
		delete(t.lent, r.Tap)
		t.mu.Unlock()
	}()
}

// listen tells the others what it hears, a few times a second.
func (t *taps) listen(tap string, s *socketio.Socket, again <-chan struct{}) {
	packets := make(chan socketio.TappedPacket, 4*tapRate)
	defer t.d.srv.Tap(s, tapRate, func(p socketio.TappedPacket) {
		select {
		case packets <- p:
		default:
		}
	})()
	t.d.opts.Logger.Info("dashboard: tap for another node", "socket", s)
	tell := func(left string) {
		p := tapped{Tap: tap, Left: left}
		for len(packets) > 0 {
			p.Packets = append(p.Packets, viewOf(<-packets))
		}
		_ = t.d.srv.ServerSideEmit(eventTapped, p)
	}
	tell("")
	lease := time.NewTimer(tapLease)
	defer lease.Stop()
	tick := time.NewTicker(tellPacket)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if len(packets) > 0 {
				tell("")
			}
		case <-again:
			lease.Reset(tapLease)
		case <-s.Context().Done():
			tell(leftReason(s))
			return
		case <-lease.C:
			return
		case <-t.d.ending.Done():
			return
		}
	}
}
