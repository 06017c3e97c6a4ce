package cluster

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/sockeye-go/socketio/adapter"
)

// An absence is of a session whose socket left at a time. It is over when the
// session has a socket again, or another absence.
type absence struct {
	s     *session
	since time.Time
}

// Open implements [adapter.Recoverer].
func (a *Ordered) Open(m adapter.Member, pid string, connect func() bool) bool {
	s := &session{a: a, pid: pid, id: m.ID()}
	a.sessionsMu.Lock()
	a.sessions[pid] = s
	a.sessionsMu.Unlock()
	m.Membership().Keep(s)
	a.Memory.Add(m) // broadcasts that meet m find that s has no socket yet
	if s.opens(m, connect) {
		a.save.add(s)
		return true
	}
	a.end(s)
	return false
}

func (s *session) opens(m adapter.Member, connect func() bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start = s.a.tail.begun()
	s.base, s.last = s.start, s.start
	s.comes(s.start)
	s.joinLocked(s.start, m.Membership().Rooms())
	if s.ended || !connect() {
		return false
	}
	s.m = m
	return true
}

// Suspend implements [adapter.Recoverer].
func (a *Ordered) Suspend(m adapter.Member) []string {
	s := sessionOf(m)
	if s == nil || !s.leaves(m) {
		a.forget(s, m)
		return a.Memory.Remove(m)
	}
	a.sessionsMu.Lock()
	a.absentLocked(s)
	a.sessionsMu.Unlock()
	rooms := a.Memory.Remove(m)
	a.save.add(s)
	return rooms
}

// leaves reports whether m had the session, which has no socket any more then.
func (s *session) leaves(m adapter.Member) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m != m || s.ended {
		return false
	}
	s.m, s.prev, s.goneAt = nil, m, time.Now()
	s.settled = later(s.base, s.a.tail.settled())
	return true
}

// absentLocked notes that the client of a session is away. sessionsMu is held.
func (a *Ordered) absentLocked(s *session) {
	s.mu.Lock()
	if s.ended { // another node has it already
		s.mu.Unlock()
		return
	}
	since := s.goneAt
	known := s.absent.Equal(since) // a client may give a claim back as often as it likes
	s.absent = since
	if !s.counted {
		s.counted = true
		a.away.Add(1)
	}
	s.mu.Unlock()
	if !known {
		a.absences = append(a.absences, absence{s, since})
	}
	for a.max != nil && a.away.Load() > int64(a.max.MaxSessions) && len(a.absences) > 0 {
		oldest := a.absences[0]
		a.absences = a.absences[1:]
		a.letLie(oldest, true)
	}
	if len(a.absences) > 64 && int64(len(a.absences)) > 2*a.away.Load() {
		a.absences = slices.DeleteFunc(a.absences, func(x absence) bool { return !x.lasts() })
	}
}

func (x absence) lasts() bool {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	return x.s.m == nil && !x.s.ended && x.s.goneAt.Equal(x.since)
}

// letLie forgets the session of an absence that lasts. The store may still have
// it, for any node to take. sessionsMu is held.
func (a *Ordered) letLie(x absence, forAny bool) {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if x.s.absent.Equal(x.since) {
		x.s.absent = time.Time{}
	}
	if x.s.m != nil || x.s.ended || !x.s.goneAt.Equal(x.since) || x.s.claimed {
		return
	}
	if x.s.counted {
		x.s.counted = false
		a.away.Add(-1)
	}
	if forAny {
		x.s.lying = true
		if a.save.addLast(x.s) {
			return
		}
	}
	x.s.ended, x.s.moved, x.s.prev = true, true, nil
	a.dropLocked(x.s)
}

// dropLocked takes a session out of those of this node. sessionsMu and its mutex
// are held.
func (a *Ordered) dropLocked(s *session) {
	if a.sessions[s.pid] == s {
		delete(a.sessions, s.pid)
	}
	if s.counted {
		s.counted = false
		a.away.Add(-1)
	}
}

func (a *Ordered) uncount(s *session) {
	a.sessionsMu.Lock()
	defer a.sessionsMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counted {
		s.counted = false
		a.away.Add(-1)
	}
}

// drop is for a session that another node has.
func (a *Ordered) drop(s *session) { a.dropIf(s, func() bool { return true }) }

// dropIf drops a session of which, with its mutex held, something holds.
func (a *Ordered) dropIf(s *session, holds func() bool) {
	a.sessionsMu.Lock()
	defer a.sessionsMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !holds() {
		return
	}
	s.ended, s.moved, s.prev = true, true, nil
	s.tell()
	a.dropLocked(s)
}

// end ends a session for good. This node remembers it until the store knows.
func (a *Ordered) end(s *session) {
	s.mu.Lock()
	was := s.ended
	s.ended, s.prev = true, nil
	s.tell()
	s.mu.Unlock()
	a.uncount(s)
	if !was && !a.save.addLast(s) {
		a.drop(s)
	}
}

// release gives a session back: its client left again.
func (a *Ordered) release(s *session) {
	s.mu.Lock()
	s.claimed, s.taking = false, false
	s.tell()
	over, here := s.ended, s.m != nil
	s.mu.Unlock()
	if over {
		return
	}
	if !here { // otherwise another node asked for it in vain
		a.sessionsMu.Lock()
		a.absentLocked(s)
		a.sessionsMu.Unlock()
	}
	a.save.add(s)
}

// forget is for a socket whose session it is not any more.
func (a *Ordered) forget(s *session, m adapter.Member) {
	if s == nil {
		return
	}
	a.sessionsMu.Lock()
	defer a.sessionsMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == m {
		s.m = nil
		a.dropLocked(s)
	}
}

// Remove implements [adapter.Adapter]: the session of m, if m has it, ends.
func (a *Ordered) Remove(m adapter.Member) []string {
	if s := sessionOf(m); s != nil {
		s.mu.Lock()
		has := s.m == m
		s.mu.Unlock()
		if has {
			a.end(s)
			s.mu.Lock()
			s.m = nil
			s.mu.Unlock()
		}
	}
	return a.Memory.Remove(m)
}

// Emit implements [adapter.Recoverer]. What is kept is sent when it has come back
// from the log; what is not kept, behind it.
func (a *Ordered) Emit(m adapter.Member, p *adapter.Packet, send func(adapter.Member) error) (bool, error) {
	s := sessionOf(m)
	if s == nil {
		return false, nil
	}
	s.mu.Lock()
	if s.ended && !s.moved {
		s.mu.Unlock()
		return false, nil
	}
	if p.Offset == "" {
		defer s.mu.Unlock()
		if s.m == nil || a.own.wait(behind{a.out.lastLogged(), s, s.m, send}) {
			return true, nil
		}
		return true, send(s.m)
	}
	s.mu.Unlock()
	msg, err := newBroadcast(adapter.Target{Rooms: []string{s.id}}, p)
	if err != nil {
		return true, err
	}
	if err = a.append(msg); err == nil {
		return true, nil
	}
	pos := a.tail.begun()
	if p.Offset = pos.String(); a.host.Prepare(p) != nil {
		return true, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m != nil {
		s.doubtLocked(pos)
		err = errors.Join(err, send(s.m))
	}
	return true, err
}

// Join implements [adapter.Adapter].
func (a *Ordered) Join(m adapter.Member, rooms ...string) {
	from := a.tail.begun()
	a.Memory.Join(m, rooms...)
	// Open reads the rooms after it has kept the session: one of the two sees the
	// other.
	if s := sessionOf(m); s != nil {
		for _, room := range rooms {
			if m.Membership().Has(room) { // there may be too many
				s.join(from, room)
			}
		}
		a.save.add(s)
	}
}

// Leave implements [adapter.Adapter].
func (a *Ordered) Leave(m adapter.Member, rooms ...string) {
	a.Memory.Leave(m, rooms...)
	if s := sessionOf(m); s != nil {
		s.leave(a.tail.begun(), rooms)
		a.save.add(s)
	}
}

// Changed implements [adapter.Recoverer].
func (a *Ordered) Changed(m adapter.Member) {
	if s := sessionOf(m); s != nil {
		a.save.add(s)
	}
}

// Stats implements [adapter.Recoverer].
func (a *Ordered) Stats() adapter.RecoveryStats {
	packets, bytes := a.tail.stats()
	return adapter.RecoveryStats{Sessions: int(a.away.Load()), Packets: packets, Bytes: bytes}
}

func (a *Ordered) allSessions() []*session {
	a.sessionsMu.Lock()
	defer a.sessionsMu.Unlock()
	all := make([]*session, 0, len(a.sessions))
	for _, s := range a.sessions {
		all = append(all, s)
	}
	return all
}

// keepInterval is how often a node says that it lives, for those who want to know
// since when it does not.
const keepInterval = 5 * time.Second

// keep does what has to be done from time to time.
func (a *Ordered) keep() {
	if a.max == nil {
		a.keeper = time.AfterFunc(time.Hour, func() {})
		a.keeper.Stop()
		return
	}
	a.sessionsMu.Lock()
	defer a.sessionsMu.Unlock()
	renewed := time.Now()
	a.keeper = time.AfterFunc(0, func() {
		a.sayAlive()
		now := time.Now()
		a.tail.expire(now)
		a.expireAbsences(now)
		a.sessionsMu.Lock()
		a.forgetHandedOver(now)
		a.sessionsMu.Unlock()
		if now.Sub(renewed) >= openTTL/2 {
			renewed = now
			for _, s := range a.allSessions() {
				a.save.add(s)
			}
		}
		a.sessionsMu.Lock()
		defer a.sessionsMu.Unlock()
		if !a.closing {
			a.keeper.Reset(keepInterval)
		}
	})
}

func (a *Ordered) expireAbsences(now time.Time) {
	a.sessionsMu.Lock()
	defer a.sessionsMu.Unlock()
	for len(a.absences) > 0 && now.Sub(a.absences[0].since) > a.max.MaxDuration {
		a.letLie(a.absences[0], false)
		a.absences = a.absences[1:]
	}
}

func nodeKey(uid string) string { return "node:" + uid }

// sayAlive writes when this node was there last.
func (a *Ordered) sayAlive() {
	if a.lost.Load() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(a.life, a.o.PublishTimeout)
	defer cancel()
	r := &Record{
		Key: nodeKey(a.uid), Always: true, TTL: a.max.MaxDuration + openTTL,
		Value: strconv.AppendInt(nil, time.Now().UnixMilli(), 10),
	}
	if err := a.log.Save(ctx, []*Record{r}); err != nil {
		a.host.Logger().Warn("the store was not told that this node lives", "nsp", a.nsp, "error", err)
	}
}

// lastSeen returns when a node was there last, in ms since 1970, 0 if that is not
// known.
func (a *Ordered) lastSeen(ctx context.Context, uid string) (int64, error) {
	b, _, err := a.log.Load(ctx, nodeKey(uid))
	if err != nil {
		return 0, err
	}
	ms, _ := strconv.ParseInt(string(b), 10, 64)
	return ms, nil
}
