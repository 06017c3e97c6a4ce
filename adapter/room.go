package adapter

import "slices"

// A room is a set of sockets that is walked without a lock and without a copy.
// Whoever walks borrows the array; a removal that comes meanwhile leaves it
// alone and goes on with a copy, so that one broadcast causes one copy at most,
// and none when nobody leaves. Everything here is guarded by the room's shard.
type room struct {
	name    string
	shard   *shard
	members []*entry

	lent  int    // walks over the present array
	array uint32 // counts arrays, to know whether a walk was over the present one
}

func (r *room) add(e *entry) {
	e.room, e.pos = r, len(r.members)
	// A walk sees the length it began with: what is appended behind is not its.
	r.members = append(r.members, e)
}

func (r *room) remove(e *entry) {
	if e.pos < 0 {
		return
	}
	if r.lent > 0 {
		r.members = slices.Clone(r.members)
		r.lent = 0
		r.array++
	}
	last := len(r.members) - 1
	moved := r.members[last]
	moved.pos = e.pos
	r.members[e.pos] = moved
	r.members[last] = nil
	r.members = r.members[:last]
	e.pos = -1
	// A hall that emptied should not keep the memory of a full one.
	if c := cap(r.members); c > 64 && last < c/4 {
		r.members = append(make([]*entry, 0, c/2), r.members...)
		r.array++
	}
}

// borrow returns the members, for as long as it takes. The shard is locked.
func (r *room) borrow() (members []*entry, array uint32) {
	r.lent++
	return r.members, r.array
}

// giveBack ends a walk. The shard is locked.
func (r *room) giveBack(array uint32) {
	if r.array == array {
		r.lent--
	}
}
