package rooms

import (
	"errors"
	"maps"
	"slices"
	"time"
)

// A copied is what this node has of a room that lives elsewhere: as long as
// sockets of this node are in it, or are about to be.
type copied struct {
	record *record // nil before the first join was answered
	epoch  epoch   // the latest that was heard of
	seats  map[string]seat
	ended  string // record.Made of a room that ended while this node was joining
	joins  int    // that are under way
	repeat int    // how often merges are still answered: an answer may have been lost
	trusts int    // hand-overs that are under way: the record is kept without members

	// While this node bids for the room.
	taking chan struct{}
	left   map[string]bool // sockets of any node that have left since
}

// repeats is how many merges a node answers with the seats that it has.
const repeats = 3

// errStale says that a home has answered that is none any more.
var errStale = errors.New("rooms: the room has another home")

// copyOf returns the copy of a room, making it if need be. h.mu is held, as in what
// follows unless it is said.
func (h *home) copyOf(id string) *copied {
	c := h.copies[id]
	if c == nil {
		c = &copied{seats: make(map[string]seat)}
		h.copies[id] = c
	}
	return c
}

// trim forgets the copy of a room that concerns nobody here.
func (h *home) trim(id string) {
	if c := h.copies[id]; c != nil && len(c.seats) == 0 && c.joins == 0 && c.trusts == 0 && c.taking == nil {
		delete(h.copies, id)
	}
}

// known reports whether a room lives here, or somewhere else with members here.
func (h *home) known(id string) bool {
	c := h.copies[id]
	return h.rooms[id] != nil || c != nil && c.record != nil
}

// about says what this node has of a room that does not live here.
func (h *home) about(id string) answer {
	a := answer{Able: !h.leaving && len(h.rooms)+len(h.claims) < h.o.MaxRooms}
	if c := h.copies[id]; c != nil {
		a.Epoch, a.Copy = c.epoch, c.record != nil
	}
	return a
}

// latest returns the latest epoch of a room that this node knows. It locks h.mu.
func (h *home) latest(id string) (e epoch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.copies[id]; c != nil {
		e = c.epoch
	}
	if rm := h.rooms[id]; rm != nil && rm.epoch.compare(e) > 0 {
		e = rm.epoch
	}
	return e
}

// reserve keeps a place for what a home will answer to a join: bids that come
// meanwhile are noted there. It locks h.mu, as accept and release do.
func (h *home) reserve(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.copyOf(id).joins++
}

func (h *home) release(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.copies[id]; c != nil {
		c.joins--
		h.trim(id)
	}
}

// accept notes that a home has let in a socket of this node. The error is errStale
// if another node has taken over since: it knows nothing of this member.
func (h *home) accept(id string, a answer) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a.Record == nil || a.Seat == nil || a.Room == nil { // of a node that knows no copies
		return nil
	}
	if rm := h.rooms[id]; rm != nil {
		if _, is := rm.members[a.Seat.Member.SocketID]; !is || rm.made != a.Record.Made {
			return errStale
		}
		return nil
	}
	c := h.copyOf(id)
	switch {
	case c.ended == a.Record.Made:
		return ErrNotExist
	case a.Epoch.compare(c.epoch) < 0 || a.Epoch.Home == h.node:
		return errStale
	}
	c.epoch, c.record = a.Epoch, a.Record
	c.record.Room, c.record.Room.Users = *a.Room, 0
	c.seats[a.Seat.Member.SocketID] = *a.Seat
	return nil
}

// unseat notes that a socket has left a room that does not live here.
func (h *home) unseat(id, socket string) {
	c := h.copies[id]
	if c == nil {
		return
	}
	if c.taking != nil {
		c.left[socket] = true
	}
	delete(c.seats, socket)
	h.drop(id, c)
}

// drop lets go of the record when the last socket of this node has left: the room
// goes on without this node.
func (h *home) drop(id string, c *copied) {
	if len(c.seats) == 0 && c.trusts == 0 && c.taking == nil {
		c.record = nil
	}
	h.trim(id)
}

// note takes in what a home tells those with copies.
func (h *home) note(r request) {
	c := h.copies[r.Room]
	if c == nil || r.Record == nil {
		return
	}
	if c.record == nil {
		if r.Op == opEnded {
			c.ended = r.Record.Made
		}
		return
	}
	if c.record.Made != r.Record.Made {
		return
	}
	switch r.Op {
	case opInvited:
		if len(c.record.Invites) < maxInvites && !slices.Contains(c.record.Invites, r.Ticket.Invite) {
			c.record.Invites = append(c.record.Invites, r.Ticket.Invite)
		}
	case opSpent:
		c.record.Invites = slices.DeleteFunc(c.record.Invites, func(i string) bool { return i == r.Ticket.Invite })
	case opEnded:
		c.ended, c.record, c.epoch = c.record.Made, nil, epoch{}
		clear(c.seats)
		h.trim(r.Room)
	}
}

// bids answers one who wants to be the home of rooms, or is.
func (h *home) bids(r request) map[string]held {
	all := make(map[string]held)
	for id, bid := range r.Bids {
		if rm := h.rooms[id]; rm != nil {
			if bid.compare(rm.epoch) < 0 {
				all[id] = held{Epoch: rm.epoch}
				continue
			}
			h.stepDown(rm, bid)
		}
		c := h.copies[id]
		if c == nil {
			continue
		}
		switch order := bid.compare(c.epoch); {
		case order < 0:
			all[id] = held{Epoch: c.epoch}
			continue
		case order > 0:
			c.epoch, c.repeat = bid, repeats
		}
		if r.Merge {
			if c.repeat == 0 {
				continue
			}
			c.repeat--
		}
		x := held{Epoch: bid, Seats: slices.Collect(maps.Values(c.seats))}
		if c.record != nil {
			x.Invites = slices.Clone(c.record.Invites)
		}
		all[id] = x
	}
	return all
}

// stepDown makes a room of this node a copy: there is a later home.
func (h *home) stepDown(rm *room, later epoch) {
	if rm.empty != nil {
		rm.empty.Stop()
	}
	delete(h.rooms, rm.ID)
	c := h.copyOf(rm.ID)
	c.epoch, c.record, c.repeat = later, rm.record(), repeats
	for id, s := range rm.members {
		if s.Node == h.node {
			c.seats[id] = s
		}
	}
	h.drop(rm.ID, c)
}

// record returns what another home would need to know.
func (rm *room) record() *record {
	r := &record{Room: rm.Room, Made: rm.made, Epoch: rm.epoch, Password: rm.password}
	if len(rm.invites) > 0 {
		r.Invites = slices.Sorted(maps.Keys(rm.invites))
	}
	return r
}

// begin starts to take over a room. Of several that do so here at once one does it,
// and the others wait for what it closes. h.mu is locked, as in finish.
func (h *home) begin(id string) (bid epoch, wait chan struct{}, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.copies[id]
	switch {
	case h.rooms[id] != nil:
		return bid, nil, errStale // it is here
	case c != nil && c.taking != nil:
		return bid, c.taking, nil
	case c == nil || c.record == nil:
		return bid, nil, ErrNotExist
	case !h.about(id).Able:
		return bid, nil, ErrUnavailable
	}
	c.taking, c.left = make(chan struct{}), make(map[string]bool)
	c.epoch = epoch{c.epoch.Term + 1, h.node}
	return c.epoch, nil, nil
}

// finish makes this node the home, with the seats that the others have told, unless
// somebody has bid more, or err says that not all have answered.
func (h *home) finish(id string, bid epoch, others []held, err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.copies[id]
	left := c.left
	close(c.taking)
	c.taking, c.left = nil, nil
	for _, x := range others {
		if x.Epoch.compare(c.epoch) > 0 {
			c.epoch = x.Epoch
		}
	}
	switch {
	case err != nil:
	case c.record == nil:
		err = ErrNotExist // it ended
	case c.epoch != bid || h.rooms[id] != nil || !h.about(id).Able:
		err = errStale
	}
	if err != nil {
		h.drop(id, c)
		return err
	}
	rm := &room{
		Room: c.record.Room, made: c.record.Made, epoch: bid, taken: true, password: c.record.Password,
		members: c.seats, invites: make(map[string]bool),
	}
	for _, i := range c.record.Invites {
		rm.invites[i] = true
	}
	c.record, c.seats = nil, make(map[string]seat)
	h.trim(id)
	for _, x := range others {
		for _, i := range x.Invites {
			rm.invites[i] = true
		}
		for _, s := range x.Seats {
			if !left[s.Member.SocketID] {
				rm.members[s.Member.SocketID] = s
			}
		}
	}
	for _, s := range rm.members {
		delete(rm.invites, s.Invite)
		rm.joins = max(rm.joins, s.Number)
	}
	h.rooms[id] = rm
	h.tell(Moved, rm, Member{})
	if len(rm.members) == 0 {
		h.expire(rm)
	}
	if h.healing == nil {
		h.healing = time.AfterFunc(healInterval, h.heal)
	}
	return nil
}
