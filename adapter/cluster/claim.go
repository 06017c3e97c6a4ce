package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/adapter"
)

// claimTimeout bounds what a client that came back waits for the store, whose
// servers may have to elect another leader after the one that died with the
// client's node, and for the node that has its session; askTimeout what it waits
// for that node alone, which waits for handlers.
const (
	claimTimeout = 20 * time.Second
	askTimeout   = 6 * time.Second
)

// Claim implements [adapter.Recoverer]. Whoever puts his name into the record last
// has the session; then the nodes that were in it are asked what they know better.
func (a *Ordered) Claim(ctx context.Context, pid, offset string, lim adapter.ReplayLimits) (*adapter.Claim, error) {
	// A client that leaves meanwhile gives the claim back when it is made.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTimeout)
	defer cancel()
	defer context.AfterFunc(a.life, cancel)()
	s, err := a.claimHere(pid)
	if err != nil {
		return nil, err
	}
	has, err := a.take(ctx, s, offset)
	if err == nil && !a.settle(s) {
		err = a.claimedElsewhere()
	}
	if err != nil {
		a.giveUp(s, err)
		return nil, err
	}
	r, err := a.ready(ctx, s, has, lim)
	if _, later := errors.AsType[*notNowError](err); later {
		a.release(s)
		return nil, err
	}
	if err != nil {
		a.end(s)
		return nil, err
	}
	a.patience.restore()
	return a.claimed(s, r), nil
}

// A notNowError is a refusal that says nothing about the session.
type notNowError struct{ refused *adapter.RefusedError }

func (a *Ordered) notNow(format string, err error) error {
	return &notNowError{&adapter.RefusedError{Reason: fmt.Sprintf(format, err), Again: a.lost.Load() == nil && a.patience.lasts()}}
}

// claimPatience is how long clients are asked to come again while claims fail of
// which the store is the cause. Its servers elect within that; beyond it a new
// session is better than none.
const claimPatience = time.Minute

// A patience ends when it was needed for too long without a break.
type patience struct {
	mu          sync.Mutex
	first, last time.Time
}

func (p *patience) lasts() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.last) > claimPatience {
		p.first = now
	}
	p.last = now
	return now.Sub(p.first) < claimPatience
}

// restore is for when the store has answered.
func (p *patience) restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = time.Time{}
}

func (e *notNowError) Error() string { return e.refused.Error() }
func (e *notNowError) Unwrap() error { return e.refused }

const unreachable = "the store cannot be reached: %v"

// claimHere marks the session of a client that is away. One that is not on this
// node begins blank, so that whoever asks for it meanwhile waits for what becomes
// of it.
func (a *Ordered) claimHere(pid string) (*session, error) {
	a.sessionsMu.Lock()
	defer a.sessionsMu.Unlock()
	s := a.sessions[pid]
	if s == nil {
		s = &session{a: a, pid: pid, blank: true}
		a.sessions[pid] = s
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended: // the store may not know it yet
		return nil, errUnknown
	case s.m != nil:
		return nil, &adapter.BusyError{Member: s.m}
	case s.claimed:
		return nil, s.claimedError()
	}
	s.claimLocked()
	return s, nil
}

// claimLocked marks that the session is being taken, by a client that came back to
// this node, or from this node.
func (s *session) claimLocked() {
	s.claimed, s.taking, s.claimedAt = true, true, time.Now()
	s.lying, s.laid = false, false
}

// claimedError is for who asks while another claim is at work. It is bounded: what
// a claim waits for may never end.
func (s *session) claimedError() *adapter.RefusedError {
	return &adapter.RefusedError{Reason: adapter.SessionClaimed, Again: time.Since(s.claimedAt) < claimPatience}
}

// claimedElsewhere is for a claim that another overtook.
func (a *Ordered) claimedElsewhere() error {
	return &adapter.RefusedError{Reason: adapter.SessionClaimed, Again: a.patience.lasts()}
}

// settle ends the taking: this node has the session, and needs to ask nobody any
// more. It reports false if a newer claim waits for it.
func (a *Ordered) settle(s *session) bool {
	a.sessionsMu.Lock()
	delete(a.handed, s.pid)
	a.sessionsMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.from = nil
	if s.wanted > s.turn {
		return false // which gets it when it is released
	}
	s.taking = false
	s.tell()
	return true
}

// giveUp is for a claim that failed.
func (a *Ordered) giveUp(s *session, err error) {
	s.mu.Lock()
	ended, blank := s.ended, s.blank
	s.mu.Unlock()
	switch {
	case ended:
	case blank, errors.Is(err, errUnknown): // another has it, or had it since
		a.drop(s)
	default:
		a.release(s)
	}
}

// claimed is the claim of a session that is ready.
func (a *Ordered) claimed(s *session, r *replay) *adapter.Claim {
	c := &adapter.Claim{
		ID: s.id, Previous: s.prev, Data: s.data,
		Away: time.Since(s.goneAt), Missed: len(r.packets),
		Resume:  func(m adapter.Member, connect func() bool) bool { return a.resume(s, m, r, connect) },
		Release: func() { a.release(s) },
		Discard: func() { a.end(s) },
	}
	for _, stay := range r.rooms {
		if stay.To == ongoing && !stay.Node {
			c.Rooms = append(c.Rooms, stay.Room)
		}
	}
	return c
}

// resume gives the session to m, and sends it what was missed behind the CONNECT.
func (a *Ordered) resume(s *session, m adapter.Member, r *replay, connect func() bool) bool {
	m.Membership().Keep(s)
	var rooms []string
	for _, stay := range r.rooms {
		if stay.To == ongoing && !stay.Node {
			rooms = append(rooms, stay.Room)
		}
	}
	a.Memory.Join(m, rooms...)
	a.Memory.Add(m)
	if !s.resume(m, r, connect) {
		return false
	}
	// They may have been changed meanwhile.
	s.mu.Lock()
	now := s.roomNames()
	s.mu.Unlock()
	a.Memory.Join(m, now...)
	for _, room := range rooms {
		if !slices.Contains(now, room) {
			a.Memory.Leave(m, room)
		}
	}
	a.uncount(s)
	a.save.add(s)
	return true
}

func (s *session) resume(m adapter.Member, r *replay, connect func() bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.m != nil {
		return false
	}
	// What was read since is in memory, unless that is very much.
	entries, to, ok := s.a.tail.after(r.to)
	if !ok {
		return false
	}
	all := adapter.ReplayLimits{Packets: len(r.packets) + len(entries), Bytes: 1 << 62}
	for _, e := range entries {
		s.replay(r, e, all)
	}
	if r.ended || s.doubted && !r.has.After(s.doubt) || !connect() {
		return false
	}
	s.m, s.prev, s.data, s.claimed, s.doubted = m, nil, nil, false, false
	s.tell()
	s.absent = time.Time{}
	s.base = later(r.to, to)
	s.rooms = r.rooms
	if r.doubted {
		s.doubtLocked(r.doubt)
	}
	s.goes(s.settled)
	s.comes(s.base)
	s.trimStays()
	for _, missed := range r.packets {
		s.last = missed.pos
		m.Deliver(missed.p)
	}
	return true
}
