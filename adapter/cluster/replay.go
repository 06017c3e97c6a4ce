package cluster

import (
	"context"
	"slices"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
)

// A replay is what a client missed, in order, and the rooms that its socket has
// been put into and taken out of meanwhile.
type replay struct {
	has, to Position
	packets []*missed
	bytes   int
	rooms   []stay
	ended   bool
	// doubt is set if rooms of the past have been forgotten: who is cut before it has
	// what was for them cannot be sent that again.
	doubt   Position
	doubted bool
}

type missed struct {
	p   *adapter.Packet
	pos Position
}

// ready finds out what the client of a session misses that has what is up to a
// position.
func (a *Ordered) ready(ctx context.Context, s *session, has Position, lim adapter.ReplayLimits) (*replay, error) {
	if time.Since(s.goneAt) > a.max.MaxDuration {
		return nil, &adapter.RefusedError{Reason: adapter.UnknownSession}
	}
	if s.doubts(has) {
		return nil, &adapter.RefusedError{Reason: adapter.LogTooShort}
	}
	if has.After(a.tail.begun()) {
		head, err := a.log.Head(ctx)
		if err != nil {
			return nil, a.notNow(unreachable, err)
		}
		if has.After(head) {
			return nil, &adapter.RefusedError{Reason: adapter.UnknownOffset}
		}
	}
	// This node may not have read yet what the session knows of.
	if err := a.tail.wait(ctx, later(has, s.settled)); err != nil {
		return nil, a.notNow("this node is behind the log: %v", err)
	}
	s.mu.Lock()
	from := s.behindOf(has)
	r := &replay{has: has, to: from, rooms: slices.Clone(s.rooms)}
	s.mu.Unlock()
	entries, to, ok := a.tail.after(from)
	if !ok {
		reaches, err := a.log.Reaches(ctx, from)
		if err != nil {
			return nil, a.notNow(unreachable, err)
		}
		if !reaches {
			return nil, &adapter.RefusedError{Reason: adapter.LogTooShort}
		}
	}
	for !ok {
		ms, err := a.log.After(ctx, r.to)
		if err != nil {
			return nil, a.notNow(unreachable, err)
		}
		if len(ms) == 0 { // all that this node has read is older
			return nil, &adapter.RefusedError{Reason: adapter.LogTooShort}
		}
		for _, m := range ms {
			if replayed(m) {
				s.replay(r, &logged{m: m}, lim)
			}
			r.to = m.Position
		}
		if r.over(lim) {
			return nil, &adapter.RefusedError{Reason: adapter.TooMuchMissed}
		}
		entries, to, ok = a.tail.after(r.to)
	}
	for _, e := range entries {
		s.replay(r, e, lim)
	}
	r.to = later(r.to, to)
	switch {
	case r.ended:
		return nil, &adapter.RefusedError{Reason: adapter.UnknownSession}
	case r.over(lim):
		return nil, &adapter.RefusedError{Reason: adapter.TooMuchMissed}
	}
	return r, nil
}

// behindOf returns the position behind which a client may have missed something
// that has what is up to has. Whoever has what was delivered to it last has
// missed nothing of what had been delivered when it left, however long ago that
// last one was.
func (s *session) behindOf(has Position) Position {
	from := later(has, s.start)
	if has.Compare(s.last) >= 0 {
		from = later(from, s.settled)
	}
	return from
}

func (r *replay) over(lim adapter.ReplayLimits) bool {
	return len(r.packets) > lim.Packets || r.bytes > lim.Bytes
}

// replay adds what a message means to the session. Beyond the limits nothing is
// added.
func (s *session) replay(r *replay, e *logged, lim adapter.ReplayLimits) {
	m, now := e.m, session{id: s.id, rooms: r.rooms}
	switch {
	case r.over(lim) || !now.selected(m.Target, m.Position):
		return
	case m.Type == broadcastHere && !now.onNode(m.UID, m.Position):
		return
	case m.Type == Broadcast || m.Type == broadcastHere:
		if m.Flags&engineio.Volatile != 0 {
			return
		}
		p, err := s.a.packetOf(e)
		if err != nil {
			return // it was delivered to nobody
		}
		r.packets = append(r.packets, &missed{p, m.Position})
		r.bytes += p.Prepared.Size()
	case s.foreign || !m.Position.After(s.settled): // the rooms know of it
		return
	case m.Type == SocketsJoin:
		if s.fits(r.rooms, m.Rooms) {
			now.joinLocked(m.Position, m.Rooms)
		}
	case m.Type == SocketsLeave:
		now.leaveLocked(m.Position, m.Rooms)
	case m.Type == DisconnectSockets:
		r.ended = true
	}
	r.rooms = now.rooms
	if now.doubted {
		r.doubt, r.doubted = later(r.doubt, now.doubt), true
	}
}

// fits reports whether the socket of the session may be in more rooms.
func (s *session) fits(rooms []stay, more []string) bool {
	if s.prev == nil {
		return len(rooms)+len(more) <= maxStays+1024
	}
	n := 0
	for _, r := range rooms {
		if r.To == ongoing && !r.Node {
			n++
		}
	}
	limit := s.prev.Membership().Limited()
	return limit == 0 || n+len(more) <= limit
}
