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
	in   []*entry

	session atomic.Pointer[session] // of a Recovering adapter
	kept    atomic.Pointer[any]
}

// Keep has v kept with the socket, for an adapter that is not in this package.
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

func (m *Membership) names() []string {
	if len(m.in) == 0 {
		return nil
	}
	rooms := make([]string, len(m.in))
	for i, e := range m.in {
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
	if m.max == 0 || len(m.in)+len(rooms) <= int(m.max) {
		return true
	}
	fresh := 0
	for i, name := range rooms {
		if m.find(name) < 0 && !slices.Contains(rooms[:i], name) {
			fresh++
		}
	}
	return len(m.in)+fresh <= int(m.max)
}

// Len returns the number of rooms.
func (m *Membership) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.in)
}

// Has reports whether the socket is in room.
func (m *Membership) Has(room string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.find(room) >= 0
}

func (m *Membership) find(room string) int {
	return slices.IndexFunc(m.in, func(e *entry) bool { return e.room.name == room })
}

// hasAny reports whether the socket is in one of rooms.
func (m *Membership) hasAny(rooms []string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.in, func(e *entry) bool { return slices.Contains(rooms, e.room.name) })
}
