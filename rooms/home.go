package rooms

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// What one node asks another.
const (
	opClaim  = "claim"
	opJoin   = "join"
	opLeave  = "leave"
	opGet    = "get"
	opInvite = "invite"
	opClose  = "close"
	opList   = "list"
)

type request struct {
	Op     string `json:"op"`
	Room   string `json:"room,omitempty"`
	Claim  string `json:"claim,omitempty"`
	Member Member `json:"member,omitzero"`
	Ticket Ticket `json:"ticket,omitzero"`
}

type answer struct {
	Mine    bool     `json:"mine"` // the room is known here
	Error   string   `json:"error,omitempty"`
	Room    *Room    `json:"room,omitempty"`
	Members []Member `json:"members,omitempty"`
	Invite  string   `json:"invite,omitempty"`
	Rooms   []Room   `json:"rooms,omitempty"`
}

func (a answer) err() error {
	if a.Error == "" {
		return nil
	}
	for _, err := range []error{ErrNotExist, ErrFull, ErrExists, ErrPrivate, ErrNotMember, ErrTooMany, ErrBadRoom} {
		if err.Error() == a.Error {
			return err
		}
	}
	return ErrUnavailable
}

func failed(err error) answer { return answer{Mine: true, Error: err.Error()} }

// A home keeps the rooms of this node.
type home struct {
	o       *Options
	present func(ctx context.Context, id string) (map[string]bool, error)

	mu     sync.Mutex // held while OnEvent runs, so that it hears things in order
	rooms  map[string]*room
	claims map[string]string // names that are being made here, and the claim; "" if it is lost
}

type room struct {
	Room
	password *[sha256.Size]byte
	members  map[string]seat // by socket id
	joins    int             // so far
	invites  map[string]bool
	empty    *time.Timer // runs while there are no members
}

// A seat is a member and when it came: two can come in one tick of the clock.
type seat struct {
	Member
	number int
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
	}
	rm := h.rooms[r.Room]
	if rm == nil {
		return answer{}
	}
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
		return answer{Mine: true, Invite: token}
	case opClose:
		h.end(rm)
		return answer{Mine: true}
	}
	return failed(ErrBadRoom) // a newer node asks for what we do not know
}

// claim reserves a name on this node.
func (h *home) claim(id, claim string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, pending := h.claims[id]; pending || h.rooms[id] != nil {
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
	if h.rooms[r.Room] != nil {
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
	rm := &room{
		Room:    Room{ID: c.ID, MaxUsers: c.MaxUsers, Private: c.Private, Metadata: c.Metadata, CreatedAt: time.Now()},
		members: make(map[string]seat), invites: make(map[string]bool),
	}
	if c.Password != "" {
		sum := sha256.Sum256([]byte(c.Password))
		rm.password = &sum
	}
	h.rooms[c.ID] = rm
	h.tell(Created, rm, Member{})
	h.expire(rm)
	return nil
}

func (h *home) join(ctx context.Context, rm *room, r request) answer {
	if _, is := rm.members[r.Member.SocketID]; is {
		return answer{Mine: true, Room: rm.info(), Members: rm.list()}
	}
	if rm.Private || rm.password != nil {
		if !rm.admits(r.Ticket) {
			return failed(ErrPrivate)
		}
	}
	if len(rm.members) >= rm.MaxUsers {
		h.mu.Unlock()
		present, err := h.present(ctx, rm.ID)
		h.mu.Lock()
		if h.rooms[rm.ID] != rm {
			return failed(ErrNotExist)
		}
		if err == nil {
			h.forget(rm, present)
		}
		if len(rm.members) >= rm.MaxUsers {
			return failed(ErrFull)
		}
	}
	delete(rm.invites, r.Ticket.Invite)
	r.Member.JoinedAt = time.Now()
	rm.joins++
	rm.members[r.Member.SocketID] = seat{r.Member, rm.joins}
	if rm.empty != nil {
		rm.empty.Stop()
		rm.empty = nil
	}
	h.tell(Joined, rm, r.Member)
	return answer{Mine: true, Room: rm.info(), Members: rm.list()}
}

// admits reports whether a ticket is good. The comparison takes the same time
// whatever is wrong.
func (rm *room) admits(t Ticket) bool {
	if rm.invites[t.Invite] {
		return true
	}
	if rm.password == nil {
		return false
	}
	sum := sha256.Sum256([]byte(t.Password))
	return subtle.ConstantTimeCompare(sum[:], rm.password[:]) == 1
}

// forget takes out the members whose node went away without a word.
func (h *home) forget(rm *room, present map[string]bool) {
	for id, m := range rm.members {
		if !present[id] && time.Since(m.JoinedAt) > settled {
			h.leave(rm, id)
		}
	}
}

func (h *home) leave(rm *room, socket string) answer {
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
	seats := slices.SortedFunc(maps.Values(rm.members), func(a, b seat) int { return a.number - b.number })
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
