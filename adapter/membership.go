package adapter

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// A Membership is the list of rooms of one socket, kept inside of the socket by
// its adapter. The zero value is a socket in no room. Few rooms are expected:
// look-ups walk the list.
type Membership struct {
	mu   sync.Mutex // taken before a shard's
	gone bool       // removed: it can join nothing any more
	max  int32      // rooms; 0 is no limit
	all  entry      // the place among all sockets
	in   *[]*entry  // nil for none: most of those that are idle

	kept atomic.Pointer[any]
}

// Keep has v kept with the socket, for its adapter. There is one place: Recovering keeps
// its session there, so that an adapter around it has to keep its own elsewhere.
func (m *Membership) Keep(v any) { m.kept.Store(&v) }

// Kept returns what is kept, nil if nothing is.
func (m *Membership) Kept() any {
	if v := m.kept.Load(); v != nil {
		return *v
	}
	return nil
}

// Limited returns how many rooms the socket may be in; 0 is no limit.
func (m *Membership) Limited() int { return int(m.max) }

// An entry is the place of a socket in a room.
type entry struct {
	m    Member
	room *room
	pos  int // in room.members; -1 if it is not there
}

// Rooms returns the rooms that the socket is in, in order of joining, without
// the one of its own id.
func (m *Membership) Rooms() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.names()
}

// entries are the places in rooms; m.mu is held.
func (m *Membership) entries() []*entry {
	if m.in == nil {
		return nil
	}
	return *m.in
}

// enter adds a place in a room; m.mu is held.
func (m *Membership) enter(e *entry) {
	if m.in == nil {
		m.in = new([]*entry)
	}
	*m.in = append(*m.in, e)
}

// exit takes the i-th place away; m.mu is held.
func (m *Membership) exit(i int) {
	*m.in = append((*m.in)[:i], (*m.in)[i+1:]...)
	if len(*m.in) == 0 {
		m.in = nil
	}
}

func (m *Membership) names() []string {
	in := m.entries()
	if len(in) == 0 {
		return nil
	}
	rooms := make([]string, len(in))
	for i, e := range in {
		rooms[i] = e.room.name
	}
	return rooms
}

// Limit sets how many rooms the socket may be in. A join that would exceed it
// does nothing. It is called before the socket joins any.
func (m *Membership) Limit(rooms int) { m.max = int32(min(rooms, math.MaxInt32)) }

// Fits reports whether the socket may join these rooms beside those it is in.
func (m *Membership) Fits(rooms ...string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fits(rooms)
}

func (m *Membership) fits(rooms []string) bool {
	if m.max == 0 || len(m.entries())+len(rooms) <= int(m.max) {
		return true
	}
	fresh := 0
	for i, name := range rooms {
		if m.find(name) < 0 && !slices.Contains(rooms[:i], name) {
			fresh++
		}
	}
	return len(m.entries())+fresh <= int(m.max)
}

// Len returns the number of rooms.
func (m *Membership) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.entries())
}

// Has reports whether the socket is in room.
func (m *Membership) Has(room string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.find(room) >= 0
}

func (m *Membership) find(room string) int {
	return slices.IndexFunc(m.entries(), func(e *entry) bool { return e.room.name == room })
}

// hasAny reports whether the socket is in one of rooms.
func (m *Membership) hasAny(rooms []string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.entries(), func(e *entry) bool { return slices.Contains(rooms, e.room.name) })
}
