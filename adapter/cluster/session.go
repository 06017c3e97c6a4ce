package cluster

import (
	"slices"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/adapter"
)

// A session is what outlives a socket whose connection broke, while this node has
// it. What is delivered to the socket goes through it.
type session struct {
	a   *Ordered
	pid string
	id  string // of its sockets, all the same

	mu   sync.Mutex     // held while its socket is sent something
	m    adapter.Member // nil while the client is away
	prev adapter.Member // whom it had before that, if on this node
	// ended: it is over, or another node has it, which moved says.
	ended, moved bool
	claimed      bool // a client that came back is being connected, or another node gets it
	foreign      bool // a Node server saved it
	counted      bool // among the clients that are away
	lying, laid  bool // this node gives it up, when the store knows; that is being told
	goneAt       time.Time
	absent       time.Time // since when, of its place in the absences
	data         []byte    // of the socket, if prev is nil

	start Position // where it began: what is up to there was never its
	base  Position // what is up to there, m has from the replay if at all
	last  Position // of what was delivered last
	// settled is up to where everything was delivered when the client left, and
	// what rooms know of.
	settled Position
	// doubt is set if the client may have missed what was emitted at that
	// position without being in the log; it shows by what it received since.
	doubt   Position
	doubted bool

	rooms []stay

	// Of a claim.
	claimedAt time.Time
	taking    bool          // nodes, or handlers, are being waited for
	blank     bool          // and nothing is known yet
	from      []string      // who may have it, as long as not all have been asked
	turn      uint64        // of those who put their names into the record, the last
	wanted    uint64        // by the claim with that turn
	told      chan struct{} // closed when something of this has changed

	// Of the record in the store.
	version string
	taken   bool // by another node, without having asked yet
	gone    bool // it has been deleted
	always  bool // whatever is there
	queued  bool
}

// A stay is the time that a socket spent in a room, in positions: what is behind
// From, up to To, was for it.
type stay struct {
	Room string   `json:"room"`
	From Position `json:"from"`
	To   Position `json:"to"`
	Node bool     `json:"node,omitempty"` // Room is the uid of a node, whose socket it was
}

func sessionOf(m adapter.Member) *session {
	s, _ := m.Membership().Kept().(*session)
	return s
}

// has reports whether the session has what is at pos from a replay, or not at
// all.
func (s *session) has(pos Position) bool {
	if s == nil || pos == (Position{}) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !pos.After(s.base)
}

// deliver is where a message of the log meets m, which has the session, or had
// it, or will have it.
func (s *session) deliver(m adapter.Member, p *adapter.Packet, pos Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m != m || !pos.After(s.base) {
		return
	}
	if p.Offset != "" { // otherwise it cannot be told from having nothing of it
		s.last = pos
	}
	m.Deliver(p)
}

func (s *session) deliverUnlogged(m adapter.Member, p *adapter.Packet, pos Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == m {
		s.doubtLocked(pos)
		m.Deliver(p)
	}
}

// doubtLocked notes that the client may have missed something at pos.
func (s *session) doubtLocked(pos Position) {
	if !s.doubted || pos.After(s.doubt) {
		s.doubt = pos
	}
	s.doubted = true
}

// doubts reports whether a client that has what is up to a position may have missed
// what cannot be found.
func (s *session) doubts(has Position) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doubted && !has.After(s.doubt)
}

// missed notes that messages up to pos may have been lost.
func (s *session) missed(pos Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doubtLocked(pos)
}

// anew has the record written whatever there is.
func (s *session) anew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always, s.taken = true, false
}

func (s *session) join(from Position, rooms ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.joinLocked(from, rooms)
}

func (s *session) joinLocked(from Position, rooms []string) {
	for _, room := range rooms {
		if room != s.id && !slices.ContainsFunc(s.rooms, func(r stay) bool { return !r.Node && r.Room == room && r.To == ongoing }) {
			s.rooms = append(s.rooms, stay{Room: room, From: from, To: ongoing})
		}
	}
}

func (s *session) leave(to Position, rooms []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaveLocked(to, rooms)
}

// maxStays is how many rooms of the past are kept of one socket.
const maxStays = 64

func (s *session) leaveLocked(to Position, rooms []string) {
	for i := range s.rooms {
		if r := &s.rooms[i]; !r.Node && r.To == ongoing && slices.Contains(rooms, r.Room) {
			r.To = to
		}
	}
	s.trimStays()
}

// trimStays forgets rooms of the past: who goes from room to room, or from node to
// node, must not grow.
func (s *session) trimStays() {
	past := 0
	for i := range s.rooms {
		if s.rooms[i].To != ongoing {
			past++
		}
	}
	if past <= maxStays {
		return
	}
	s.rooms = slices.DeleteFunc(s.rooms, func(r stay) bool {
		if r.To == ongoing || past <= maxStays/2 {
			return false
		}
		past--
		s.doubtLocked(r.To) // what was for it in that room cannot be found any more
		return true
	})
}

// roomNames are the rooms that the socket is in, or will be in again.
func (s *session) roomNames() []string {
	var names []string
	for _, r := range s.rooms {
		if r.To == ongoing && !r.Node {
			names = append(names, r.Room)
		}
	}
	return names
}

// onNode reports whether the socket was on a node at a position.
func (s *session) onNode(uid string, pos Position) bool {
	return slices.ContainsFunc(s.rooms, func(r stay) bool {
		return r.Node && r.Room == uid && pos.After(r.From) && !pos.After(r.To)
	})
}

// comes and goes note that the socket is on this node, from a position on or up
// to it.
func (s *session) comes(from Position) {
	s.rooms = append(s.rooms, stay{Room: s.a.uid, From: from, To: ongoing, Node: true})
}

func (s *session) goes(to Position) {
	for i := range s.rooms {
		if r := &s.rooms[i]; r.Node && r.To == ongoing {
			r.To = to
		}
	}
}

// in reports whether the socket was in one of rooms at a position.
func (s *session) in(rooms []string, pos Position) bool {
	for _, name := range rooms {
		if name == s.id {
			return true
		}
		for i := range s.rooms {
			if r := &s.rooms[i]; !r.Node && pos.After(r.From) && !pos.After(r.To) && r.Room == name {
				return true
			}
		}
	}
	return false
}

// selected reports whether a target at a position selected this socket.
func (s *session) selected(t adapter.Target, pos Position) bool {
	return (len(t.Rooms) == 0 || s.in(t.Rooms, pos)) && !s.in(t.Except, pos)
}
