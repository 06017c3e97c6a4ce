package adapter

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/engineio"
)

// A session is what outlives a socket whose connection broke. All deliveries to
// the socket go through it, so that they are in the order of the log.
type session struct {
	a   *Recovering
	pid string
	id  string // of its sockets, all the same

	mu    sync.Mutex // held while its socket is sent something; taken before log.mu
	m     Member     // nil while the client is away
	prev  Member     // whom it had before that
	ended bool
	// claimed: a client that came back is being connected.
	claimed   bool
	claimedAt time.Time
	goneAt    time.Time

	start uint64 // where it began: what is up to there was never its
	base  uint64 // what is up to there, m has from the replay if at all
	from  uint64 // where the replay to m began: the client has what is up to there

	// sent are the positions that were delivered last, in order: all of them
	// behind sentSince, and all that are behind a broadcast under way.
	sent      []uint64
	sentSince uint64
	// settled is up to where no broadcast was under way when the client left.
	settled uint64

	rooms []stay
}

// A stay is the time that a socket spent in a room, in positions: what is behind
// from, up to to, was for it.
type stay struct {
	room     string
	from, to uint64
}

const ongoing = math.MaxUint64

// someSent is how many positions of what a session was sent are kept. A client
// that is behind by more than that needs the log to reach back to what it has.
const someSent = 64

// last is the position that was delivered last.
func (s *session) last() uint64 {
	if n := len(s.sent); n > 0 {
		return s.sent[n-1]
	}
	return max(s.sentSince, s.start)
}

func (s *session) delivered(pos uint64) {
	if n := len(s.sent); n >= someSent && n == cap(s.sent) {
		i, _ := slices.BinarySearch(s.sent, s.a.log.settled()+1)
		if i = min(i, n-someSent/2); i > 0 {
			s.sentSince = s.sent[i-1]
			s.sent = append(s.sent[:0], s.sent[i:]...)
		}
	}
	s.sent = append(s.sent, pos)
}

// deliver is where a broadcast meets m, which has the session, or had it, or
// will have it. What is not for m now is in the replay to the next socket of
// the session, since the broadcast was under way when the last one left.
func (s *session) deliver(m Member, p *Packet, pos uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.m != m || pos <= s.base:
	case pos > s.last():
		s.send(p, pos)
	default:
		s.sendLate(p, pos)
	}
}

func (s *session) send(p *Packet, pos uint64) {
	s.delivered(pos)
	s.m.Deliver(p)
}

// sendLate delivers a packet that others have overtaken. Under its own offset
// the client would seem to have less than it has; so it gets another place.
func (s *session) sendLate(p *Packet, pos uint64) {
	if p.Flags&engineio.Volatile != 0 {
		return
	}
	p = p.restamped(p.Offset)
	s.send(p, s.a.log.add(s, pos, p))
}

// join and leave note where in the log the rooms of the socket changed. from is
// a position of before the change.
func (s *session) join(from uint64, rooms ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.joinLocked(from, rooms)
}

// joinAbsent is for a session whose client is away, within the limit that its
// socket had.
func (s *session) joinAbsent(from uint64, rooms []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.prev == nil {
		return
	}
	if limit := s.prev.Membership().max; limit == 0 || len(s.roomNames())+len(rooms) <= int(limit) {
		s.joinLocked(from, rooms)
	}
}

func (s *session) joinLocked(from uint64, rooms []string) {
	for _, room := range rooms {
		if room != s.id && !slices.ContainsFunc(s.rooms, func(r stay) bool { return r.room == room && r.to == ongoing }) {
			s.rooms = append(s.rooms, stay{room, from, ongoing})
		}
	}
}

func (s *session) leave(rooms []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaveLocked(rooms)
}

func (s *session) leaveLocked(rooms []string) {
	to := s.a.log.now()
	for i := range s.rooms {
		if r := &s.rooms[i]; r.to == ongoing && slices.Contains(rooms, r.room) {
			r.to = to
		}
	}
	if len(s.rooms) > 16 { // who goes from room to room must not grow
		oldest := s.a.log.oldest()
		s.rooms = slices.DeleteFunc(s.rooms, func(r stay) bool { return r.to < oldest })
	}
}

// roomNames are the rooms that the socket is in, or will be in again.
func (s *session) roomNames() []string {
	var names []string
	for _, r := range s.rooms {
		if r.to == ongoing {
			names = append(names, r.room)
		}
	}
	return names
}

// in reports whether the socket was in one of rooms at a position.
func (s *session) in(rooms []string, pos uint64) bool {
	for _, name := range rooms {
		if name == s.id {
			return true
		}
		for i := range s.rooms {
			if r := &s.rooms[i]; r.from < pos && pos <= r.to && r.room == name {
				return true
			}
		}
	}
	return false
}

// wants reports whether the entry at a position was for this socket.
func (s *session) wants(e *logEntry, pos uint64) bool {
	switch {
	case e.p == nil:
		return false
	case e.only != nil:
		return e.only == s
	}
	return (len(e.rooms) == 0 || s.in(e.rooms, pos)) && !s.in(e.exc, pos)
}

// A replay is what a client missed, in order.
type replay struct {
	from, head uint64
	packets    []missed
	bytes      int
}

type missed struct {
	p   *Packet
	pos uint64
}

// missed finds what the client misses that has what is up to offset.
func (s *session) missed(offset uint64) (*replay, error) {
	from := min(offset, s.settled)
	if offset >= s.sentSince {
		// Nothing was under way to it between what it has and what it was sent
		// next, so that a client to which nothing was sent for long needs no long
		// log.
		from = s.settled
		if i, _ := slices.BinarySearch(s.sent, offset+1); i < len(s.sent) {
			from = min(from, s.sent[i]-1)
		}
	}
	from = max(from, s.from)
	entries, first, head, ok := s.a.log.since(from)
	if !ok {
		return nil, &RefusedError{Reason: LogTooShort}
	}
	r := &replay{from: from, head: head}
	skip := map[uint64]bool{}
	for i := range entries {
		if e := &entries[i]; e.only == s && e.alias != 0 {
			skip[e.alias] = true
		}
	}
	for _, pos := range s.sent {
		if pos <= offset {
			skip[pos] = true
		}
	}
	for i := range entries {
		e, pos := &entries[i], first+uint64(i)
		if skip[pos] || !s.wants(e, pos) {
			continue
		}
		r.packets = append(r.packets, missed{&Packet{
			ID: -1, Quiet: true, Offset: s.a.log.offset(pos), Prepared: e.p,
		}, pos})
		r.bytes += e.p.Size()
	}
	return r, nil
}
