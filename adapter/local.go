package adapter

import (
	"iter"
	"slices"
	"sync"
)

// Local implements [Adapter]. It walks over what was there when it began, and
// holds no lock while the loop's body runs.
func (a *Memory) Local(t Target) iter.Seq[Member] {
	return func(yield func(Member) bool) {
		except := a.exclusion(t.Except)
		switch len(t.Rooms) {
		case 0:
			a.walk(&a.all, func(m Member) bool { return except.has(m) || yield(m) })
		case 1:
			a.walkRoom(t.Rooms[0], func(m Member) bool { return except.has(m) || yield(m) })
		default:
			seen := sets.Get().(map[Member]struct{})
			defer freeSet(seen)
			for _, name := range t.Rooms {
				more := a.walkRoom(name, func(m Member) bool {
					if _, twice := seen[m]; twice || except.has(m) {
						return true
					}
					seen[m] = struct{}{}
					return yield(m)
				})
				if !more {
					return
				}
			}
		}
	}
}

// sets are for who was seen already, of targets with several rooms.
var sets = sync.Pool{New: func() any { return make(map[Member]struct{}) }}

// freeSet gives a set back. A large one is not worth keeping: to clear it takes as
// long as it is large, however few are in it the next time.
func freeSet(seen map[Member]struct{}) {
	if len(seen) <= 1024 {
		clear(seen)
		sets.Put(seen)
	}
}

// walkRoom visits the members of a room and the socket whose id it is. It
// reports whether the visitor wants more.
func (a *Memory) walkRoom(name string, visit func(Member) bool) bool {
	if m, ok := a.Member(name); ok && !visit(m) {
		return false
	}
	s := a.shard(name)
	s.mu.RLock()
	r := s.rooms[name]
	s.mu.RUnlock()
	return r == nil || a.walk(r, visit)
}

func (a *Memory) walk(r *room, visit func(Member) bool) bool {
	r.shard.mu.Lock()
	members, array := r.borrow()
	r.shard.mu.Unlock()
	defer func() {
		r.shard.mu.Lock()
		r.giveBack(array)
		if len(r.members) == 0 && r.lent == 0 && r.shard.rooms[r.name] == r {
			delete(r.shard.rooms, r.name) // the last one left during the walk
		}
		r.shard.mu.Unlock()
	}()
	for _, e := range members {
		if !visit(e.m) {
			return false
		}
	}
	return true
}

// An exclusion is Target.Except, sorted out once per broadcast: of most names
// (those of sockets) no room exists, and comparing ids needs no lock.
type exclusion struct {
	ids, rooms []string
}

func (a *Memory) exclusion(except []string) exclusion {
	x := exclusion{ids: except}
	for _, name := range except {
		s := a.shard(name)
		s.mu.RLock()
		_, isRoom := s.rooms[name]
		s.mu.RUnlock()
		if isRoom {
			x.rooms = append(x.rooms, name)
		}
	}
	return x
}

func (x *exclusion) has(m Member) bool {
	return len(x.ids) > 0 && slices.Contains(x.ids, m.ID()) ||
		len(x.rooms) > 0 && m.Membership().hasAny(x.rooms)
}
