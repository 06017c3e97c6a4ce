package rooms

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A home keeps the rooms of this node.
type home struct {
	o       *Options
	node    string // the name of this node
	present func(ctx context.Context, id string) (map[string]bool, error)
	notify  func(request) // tells the others, who need not hear it

	mu      sync.Mutex // held while OnEvent runs, so that it hears things in order
	rooms   map[string]*room
	claims  map[string]string // names that are being made here, and the claim; "" if it is lost
	copies  map[string]*copied
	leaving bool
	healing *time.Timer // runs while there are rooms that were taken over
	heal    func()
	left    map[[2]string]bool // rooms and sockets that have left them, while others tell who is there
}

type room struct {
	Room
	made     string // names the room for good, where ID can be used again
	epoch    epoch
	taken    bool // from another home, which may still be there
	password string
	members  map[string]seat // by socket id
	joins    int             // so far
	invites  map[string]bool
	empty    *time.Timer // runs while there are no members
}

// maxInvites is how many invitations of one room may be open.
const maxInvites = 1000

// settled is how long after a join the adapter may not know of it yet.
const settled = 10 * time.Second

func (h *home) serve(ctx context.Context, r request) answer {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch r.Op {
	case opList:
		return answer{Rooms: h.list()}
	case opClaim:
		return h.claimed(r)
	case opBid:
		return answer{Held: h.bids(r)}
	case opInvited, opSpent, opEnded:
		h.note(r)
		return answer{}
	}
	rm := h.rooms[r.Room]
	if rm != nil && r.Epoch.compare(rm.epoch) > 0 {
		h.stepDown(rm, r.Epoch)
		rm = nil
	}
	if rm == nil {
		if r.Op == opLeave {
			h.unseat(r.Room, r.Member.SocketID)
		}
		return h.about(r.Room)
	}
	a := h.decide(ctx, rm, r)
	if a.Mine {
		a.Epoch = rm.epoch
	}
	return a
}

// decide carries out a request for a room of this node.
func (h *home) decide(ctx context.Context, rm *room, r request) answer {
	switch r.Op {
	case opJoin:
		return h.join(ctx, rm, r)
	case opLeave:
		return h.leave(rm, r.Member.SocketID)
	case opGet:
		return answer{Mine: true, Room: rm.info(), Members: rm.list()}
	case opInvite:
		if len(rm.invites) >= maxInvites {
			return failed(ErrTooMany)
		}
		token := rand.Text()
		rm.invites[token] = true
		return answer{Mine: true, Invite: token, Record: &record{Made: rm.made}}
	case opClose:
		h.end(rm)
		return answer{Mine: true, Record: &record{Made: rm.made}}
	}
	return failed(ErrBadRoom) // a newer node asks for what we do not know
}

// claim reserves a name on this node.
func (h *home) claim(id, claim string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.leaving {
		return ErrUnavailable
	}
	if _, pending := h.claims[id]; pending || h.known(id) {
		return ErrExists
	}
	if len(h.rooms)+len(h.claims) >= h.o.MaxRooms {
		return ErrTooMany
	}
	h.claims[id] = claim
	return nil
}

// claimed answers another node that claims a name. Of two claims under way the
// smaller wins: the node of the other is told that the name is taken, and this one
// remembers if it is its own that lost.
func (h *home) claimed(r request) answer {
	if h.known(r.Room) {
		return failed(ErrExists)
	}
	own, pending := h.claims[r.Room]
	if !pending || own == "" {
		return answer{}
	}
	if own < r.Claim {
		return failed(ErrExists)
	}
	h.claims[r.Room] = ""
	return answer{}
}

// settle makes the room, if nobody else has it: all others have said so.
func (h *home) settle(c Config, claim string, elsewhere error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	won := h.claims[c.ID] == claim
	delete(h.claims, c.ID)
	if elsewhere != ErrNotExist {
		return elsewhere
	}
	if !won {
		return ErrExists
	}
	if h.leaving {
		return ErrUnavailable
	}
	rm := &room{
		Room: Room{ID: c.ID, MaxUsers: c.MaxUsers, Private: c.Private, Metadata: c.Metadata, CreatedAt: time.Now()},
		made: claim, epoch: epoch{1, h.node}, password: hashed(c.Password),
		members: make(map[string]seat), invites: make(map[string]bool),
	}
	h.rooms[c.ID] = rm
	h.tell(Created, rm, Member{})
	h.expire(rm)
	return nil
}

func (h *home) join(ctx context.Context, rm *room, r request) answer {
	if _, is := rm.members[r.Member.SocketID]; is {
		return rm.seated(r.Member.SocketID)
	}
	if rm.Private || rm.password != "" {
		if !rm.admits(r.Ticket) {
			return failed(ErrPrivate)
		}
	}
	if len(rm.members) >= rm.MaxUsers {
		h.mu.Unlock()
		present, err := h.present(ctx, rm.ID)
		h.mu.Lock()
		if h.rooms[rm.ID] != rm { // it ended meanwhile, or is another's
			return h.about(rm.ID)
		}
		if _, is := rm.members[r.Member.SocketID]; is {
			return rm.seated(r.Member.SocketID)
		}
		if err == nil {
			h.forget(rm, present)
		}
		if len(rm.members) >= rm.MaxUsers {
			return failed(ErrFull)
		}
	}
	r.Member.JoinedAt = time.Now()
	rm.joins++
	s := seat{Member: r.Member, Number: rm.joins, Node: r.Node}
	if rm.invites[r.Ticket.Invite] {
		s.Invite = r.Ticket.Invite
		delete(rm.invites, s.Invite)
	}
	h.seat(rm, s)
	return rm.seated(r.Member.SocketID)
}

func (h *home) seat(rm *room, s seat) {
	rm.members[s.Member.SocketID] = s
	if rm.empty != nil {
		rm.empty.Stop()
		rm.empty = nil
	}
	h.tell(Joined, rm, s.Member)
}

// seated answers who has joined.
func (rm *room) seated(socket string) answer {
	s, r := rm.members[socket], rm.record()
	r.Room = Room{} // it is in the answer already
	return answer{Mine: true, Room: rm.info(), Members: rm.list(), Seat: &s, Record: r}
}

// admits reports whether a ticket is good. The comparison takes the same time
// whatever is wrong.
func (rm *room) admits(t Ticket) bool {
	if rm.invites[t.Invite] {
		return true
	}
	if rm.password == "" {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(hashed(t.Password)), []byte(rm.password)) == 1
}

// hashed is what is kept of a password.
func hashed(password string) string {
	if password == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}

// forget takes out the members whose node went away without a word.
func (h *home) forget(rm *room, present map[string]bool) {
	for id, m := range rm.members {
		if !present[id] && time.Since(m.Member.JoinedAt) > settled {
			h.leave(rm, id)
		}
	}
}

func (h *home) leave(rm *room, socket string) answer {
	if h.left != nil {
		h.left[[2]string{rm.ID, socket}] = true
	}
	m, is := rm.members[socket]
	if !is {
		return failed(ErrNotMember)
	}
	delete(rm.members, socket)
	h.tell(Left, rm, m.Member)
	if len(rm.members) == 0 {
		h.expire(rm)
	}
	return answer{Mine: true}
}

// expire ends a room in a while unless somebody comes.
func (h *home) expire(rm *room) {
	var t *time.Timer
	t = time.AfterFunc(h.o.KeepEmpty, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if rm.empty == t && h.rooms[rm.ID] == rm {
			h.end(rm)
			h.notify(request{Op: opEnded, Room: rm.ID, Record: &record{Made: rm.made}})
		}
	})
	rm.empty = t
}

func (h *home) end(rm *room) {
	if rm.empty != nil {
		rm.empty.Stop()
	}
	delete(h.rooms, rm.ID)
	h.tell(Closed, rm, Member{})
}

func (h *home) tell(kind EventKind, rm *room, m Member) {
	if h.o.OnEvent != nil {
		h.o.OnEvent(Event{Kind: kind, Room: *rm.info(), Member: m})
	}
}

func (rm *room) info() *Room {
	info := rm.Room
	info.Users = len(rm.members)
	return &info
}

// list returns the members in order of arrival.
func (rm *room) list() []Member {
	seats := slices.SortedFunc(maps.Values(rm.members), func(a, b seat) int { return a.Number - b.Number })
	list := make([]Member, len(seats))
	for i, s := range seats {
		list[i] = s.Member
	}
	return list
}

func (h *home) list() []Room {
	var list []Room
	for _, rm := range h.rooms {
		if !rm.Private {
			list = append(list, *rm.info())
		}
	}
	slices.SortFunc(list, func(a, b Room) int { return strings.Compare(a.ID, b.ID) })
	return list
}
