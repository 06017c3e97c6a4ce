package adapter

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Recovering is a [Memory] that keeps what it broadcasts, and the sessions of
// clients that are away, for a while and within bounds.
type Recovering struct {
	*Memory
	max Recovery
	log *packetLog

	mu       sync.Mutex // taken before a session's
	sessions map[string]*session
	away     []absence // in order of leaving
	closed   bool

	nAway atomic.Int64
	sweep sweeper
}

// An absence is of a session whose socket left at a time. It is over when the
// session has a socket again, or another absence.
type absence struct {
	s     *session
	since time.Time
}

var _ Recoverer = (*Recovering)(nil)

// NewRecovering returns an empty Recovering.
func NewRecovering(max Recovery) *Recovering {
	return &Recovering{Memory: New(), max: max, log: newLog(max), sessions: make(map[string]*session)}
}

// Open implements [Recoverer].
func (a *Recovering) Open(m Member, pid string, connect func() bool) bool {
	s := &session{a: a, pid: pid, id: m.ID()}
	a.mu.Lock()
	a.sessions[pid] = s
	a.mu.Unlock()
	m.Membership().Keep(s)
	a.Memory.Add(m) // broadcasts that meet m find that s has no socket yet
	if s.open(m, connect) {
		return true
	}
	a.end(s)
	return false
}

func (s *session) open(m Member, connect func() bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start = s.a.log.now()
	s.base, s.from, s.sentSince = s.start, s.start, s.start
	s.joinLocked(s.start, m.Membership().Rooms())
	if s.ended || !connect() {
		return false
	}
	s.m = m
	return true
}

// sessionOf returns the session of m, nil if it has none.
func sessionOf(m Member) *session {
	s, _ := m.Membership().Kept().(*session)
	return s
}

// Suspend implements [Recoverer].
func (a *Recovering) Suspend(m Member) []string {
	if s := sessionOf(m); s != nil {
		a.suspend(s, m)
	}
	return a.Memory.Remove(m)
}

func (a *Recovering) suspend(s *session, m Member) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || !s.leaves(m) {
		return
	}
	a.away = append(a.away, absence{s, s.goneAt})
	a.nAway.Add(1)
	for a.nAway.Load() > int64(a.max.MaxSessions) {
		oldest := a.away[0]
		a.away = a.away[1:]
		a.expire(oldest)
	}
	if len(a.away) > 64 && int64(len(a.away)) > 2*a.nAway.Load() {
		a.away = slices.DeleteFunc(a.away, func(x absence) bool { return !x.lasts() })
	}
	a.arm()
}

// leaves reports whether m had the session, which has no socket any more then.
// It comes before m is taken out of its rooms: what is broadcast behind settled
// was perhaps not delivered.
func (s *session) leaves(m Member) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m != m || s.ended {
		return false
	}
	s.m, s.prev, s.goneAt = nil, m, time.Now()
	s.settled = s.a.log.settled()
	return true
}

func (x absence) lasts() bool {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	return x.s.m == nil && !x.s.ended && x.s.goneAt.Equal(x.since)
}

// expire ends the session of an absence that lasts. a.mu is held.
func (a *Recovering) expire(x absence) {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if x.s.m == nil && x.s.goneAt.Equal(x.since) {
		a.endLocked(x.s)
	}
}

// end ends a session for good.
func (a *Recovering) end(s *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	a.endLocked(s)
}

func (a *Recovering) endLocked(s *session) {
	if s.ended {
		return
	}
	if s.m == nil && s.prev != nil {
		a.nAway.Add(-1)
	}
	s.ended, s.prev, s.sent, s.rooms = true, nil, nil, nil
	delete(a.sessions, s.pid)
}

// Remove implements [Adapter]: the session of m, if m has it, ends.
func (a *Recovering) Remove(m Member) []string {
	if s := sessionOf(m); s != nil {
		a.mu.Lock()
		s.mu.Lock()
		if s.m == m {
			a.endLocked(s)
		}
		s.mu.Unlock()
		a.mu.Unlock()
	}
	return a.Memory.Remove(m)
}

// claimPatience is how long a client is asked to come again while another connection of
// its is being connected, which it may have given up: that may never end.
const claimPatience = time.Minute

// Claim implements [Recoverer].
func (a *Recovering) Claim(_ context.Context, pid, offset string, lim ReplayLimits) (*Claim, error) {
	a.mu.Lock()
	s := a.sessions[pid]
	a.mu.Unlock()
	if s == nil {
		return nil, &RefusedError{Reason: UnknownSession}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.m != nil:
		return nil, &BusyError{s.m}
	case s.ended, s.prev == nil, time.Since(s.goneAt) > a.max.MaxDuration:
		return nil, &RefusedError{Reason: UnknownSession}
	case s.claimed:
		return nil, &RefusedError{Reason: SessionClaimed, Again: time.Since(s.claimedAt) < claimPatience}
	}
	// What is no offset of this log is from before this session: all that the
	// client received since has one.
	has, _ := a.log.position(offset)
	has = max(has, s.start)
	if has > s.last() {
		return nil, &RefusedError{Reason: UnknownOffset}
	}
	r, err := s.missed(has)
	if err != nil {
		return nil, err
	}
	if len(r.packets) > lim.Packets || r.bytes > lim.Bytes {
		return nil, &RefusedError{Reason: TooMuchMissed}
	}
	s.claimed, s.claimedAt = true, time.Now()
	return &Claim{
		ID: s.id, Rooms: s.roomNames(), Previous: s.prev,
		Away: time.Since(s.goneAt), Missed: len(r.packets),
		Resume:  func(m Member, connect func() bool) bool { return a.resume(s, m, has, connect) },
		Release: func() { s.mu.Lock(); s.claimed = false; s.mu.Unlock() },
		Discard: func() { a.end(s) },
	}, nil
}

func (a *Recovering) resume(s *session, m Member, has uint64, connect func() bool) bool {
	s.mu.Lock()
	rooms := s.roomNames()
	s.mu.Unlock()
	m.Membership().Keep(s)
	a.Memory.Join(m, rooms...)
	a.Memory.Add(m)
	if !s.resume(m, has, connect) {
		return false
	}
	// They may have been changed meanwhile, by SocketsJoin and SocketsLeave.
	s.mu.Lock()
	now := s.roomNames()
	s.mu.Unlock()
	a.Memory.Join(m, now...)
	for _, room := range m.Membership().Rooms() {
		if slices.Contains(rooms, room) && !slices.Contains(now, room) {
			a.Memory.Leave(m, room)
		}
	}
	return true
}

// resume gives the session to m, which has joined its rooms already, and sends
// m what was missed behind the CONNECT: a client that is cut while it receives
// knows then how far it came.
func (s *session) resume(m Member, has uint64, connect func() bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.m != nil {
		return false
	}
	r, err := s.missed(has)
	if err != nil || !connect() {
		return false
	}
	s.a.nAway.Add(-1)
	s.m, s.prev, s.claimed = m, nil, false
	s.base, s.from = r.head, r.from
	// What it was sent behind what it has, it has not received.
	i, _ := slices.BinarySearch(s.sent, has+1)
	s.sent = s.sent[:i]
	if has < s.sentSince {
		s.sent, s.sentSince = s.sent[:0], has
	}
	for _, missed := range r.packets {
		if missed.pos > s.last() {
			s.send(missed.p, missed.pos)
		} else {
			s.sendLate(missed.p, missed.pos)
		}
	}
	return true
}

// Emit implements [Recoverer].
func (a *Recovering) Emit(m Member, p *Packet, send func(Member) error) (bool, error) {
	s := sessionOf(m)
	if s == nil {
		return false, nil
	}
	defer a.arm()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false, nil
	}
	if p.Offset != "" {
		pos := a.log.add(s, 0, p)
		if s.m != nil {
			s.delivered(pos)
		}
	}
	if s.m == nil {
		return true, nil
	}
	return true, send(s.m)
}

// Broadcast implements [Adapter].
func (a *Recovering) Broadcast(t Target, p *Packet) error {
	if p.Offset == "" { // a volatile one: nobody can tell that it is missing
		return a.Memory.Broadcast(t, p)
	}
	p.Quiet = true
	w := a.log.begin(t, p)
	defer a.log.end(w)
	a.arm()
	for m := range a.Local(t) {
		if s := sessionOf(m); s != nil {
			m.Announce(p)
			s.deliver(m, p, w.pos)
		}
		w.next()
	}
	return nil
}

// Join implements [Adapter].
func (a *Recovering) Join(m Member, rooms ...string) {
	from := a.log.now()
	a.Memory.Join(m, rooms...)
	// Open reads the rooms after it has stored the session: one of the two sees
	// the other.
	if s := sessionOf(m); s != nil {
		for _, room := range rooms {
			if m.Membership().Has(room) { // there may be too many
				s.join(from, room)
			}
		}
	}
}

// Leave implements [Adapter].
func (a *Recovering) Leave(m Member, rooms ...string) {
	a.Memory.Leave(m, rooms...)
	if s := sessionOf(m); s != nil {
		s.leave(rooms)
	}
}

// absent returns the sessions that t selects and whose clients are away: what
// is done to their sockets must be so when they come back.
func (a *Recovering) absent(t Target) []*session {
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []*session
	for _, x := range a.away {
		x.s.mu.Lock()
		s := x.s
		if s.m == nil && !s.ended && s.goneAt.Equal(x.since) &&
			(len(t.Rooms) == 0 || s.in(t.Rooms, ongoing)) && !s.in(t.Except, ongoing) {
			found = append(found, s)
		}
		x.s.mu.Unlock()
	}
	return found
}

// SocketsJoin implements [Adapter].
func (a *Recovering) SocketsJoin(t Target, rooms ...string) error {
	from := a.log.now()
	for _, s := range a.absent(t) {
		s.joinAbsent(from, rooms)
	}
	for m := range a.Local(t) {
		a.Join(m, rooms...)
	}
	return nil
}

// SocketsLeave implements [Adapter].
func (a *Recovering) SocketsLeave(t Target, rooms ...string) error {
	for _, s := range a.absent(t) {
		s.leave(rooms)
	}
	for m := range a.Local(t) {
		a.Leave(m, rooms...)
	}
	return nil
}

// DisconnectSockets implements [Adapter].
func (a *Recovering) DisconnectSockets(t Target, closeConnection bool) error {
	for _, s := range a.absent(t) {
		a.end(s)
	}
	return a.Memory.DisconnectSockets(t, closeConnection)
}

// Changed implements [Recoverer].
func (a *Recovering) Changed(Member) {}

// Stats implements [Recoverer].
func (a *Recovering) Stats() RecoveryStats {
	packets, bytes := a.log.stats()
	return RecoveryStats{Sessions: int(a.nAway.Load()), Packets: packets, Bytes: bytes}
}

// Close implements [Adapter].
func (a *Recovering) Close() error {
	a.sweep.stop()
	a.mu.Lock()
	a.closed, a.away = true, nil
	clear(a.sessions)
	a.mu.Unlock()
	return a.Memory.Close()
}
