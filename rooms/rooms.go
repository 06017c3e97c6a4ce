package rooms

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sockeye-go/socketio"
)

// The errors of a Manager. Their texts are those of the tutorials.
var (
	ErrNotExist    = errors.New("Room does not exist")
	ErrFull        = errors.New("Room is full")
	ErrExists      = errors.New("Room exists already")
	ErrPrivate     = errors.New("Room is private") // the password or the invitation is wrong
	ErrNotMember   = errors.New("Not in the room")
	ErrTooMany     = errors.New("Too many rooms")
	ErrBadRoom     = errors.New("Bad room")              // a name or options that make no sense
	ErrUnavailable = errors.New("Rooms are unavailable") // a node did not answer
)

// A Config is what a room is made with.
type Config struct {
	ID string `json:"id"`
	// MaxUsers is how many may be in it. Default Options.MaxUsers.
	MaxUsers int `json:"maxUsers"`
	// Private keeps it out of lists, and lets in only who has the Password or an
	// invitation ([Manager.Invite]). With neither set nobody gets in uninvited.
	Private  bool   `json:"private"`
	Password string `json:"password"`
	// Metadata is the application's, as JSON, and for all to see.
	Metadata json.RawMessage `json:"metadata,omitempty"`
}

// A Room is what is known of a room.
type Room struct {
	ID        string          `json:"id"`
	Users     int             `json:"users"`
	MaxUsers  int             `json:"maxUsers"`
	Private   bool            `json:"isPrivate"`
	Metadata  json.RawMessage `json:"metadata,omitempty"`
	CreatedAt time.Time       `json:"createdAt"`
}

// A Member is a socket in a room and the user it is for.
type Member struct {
	ID       string    `json:"id"`
	Username string    `json:"username"`
	SocketID string    `json:"socketId"`
	JoinedAt time.Time `json:"joinedAt"`
}

// A User is what Options.User says of a socket.
type User struct{ ID, Username string }

// A Ticket is what a private room wants to see.
type Ticket struct {
	Password string `json:"password,omitempty"`
	Invite   string `json:"invite,omitempty"`
}

// An EventKind says what happened to a room.
type EventKind string

// The kinds.
const (
	Created EventKind = "created"
	Joined  EventKind = "joined"
	Left    EventKind = "left"
	Closed  EventKind = "closed"
	Moved   EventKind = "moved" // this node is its home now; told there
)

// An Event is something that happened to a room.
type Event struct {
	Kind   EventKind
	Room   Room
	Member Member // of Joined and Left
}

// Options configure a [Manager]. Zero fields stand for their defaults.
type Options struct {
	// MaxUsers of a room that does not say. Default 100.
	MaxUsers int
	// MaxRooms that live on this node; it takes over none beyond that. Default 10,000.
	MaxRooms int
	// KeepEmpty is how long a room without members stays. Default 1 minute.
	KeepEmpty time.Duration
	// Timeout is how long other nodes may take to answer. Default 5 s.
	Timeout time.Duration
	// User says who a socket is. Default: its id.
	User func(*socketio.Socket) User
	// OnEvent is told, on the room's home, of what happens there, in order. It
	// must not block, nor call the Manager.
	OnEvent func(Event)
}

// A Manager keeps the rooms of a namespace. There is one per namespace and node.
// It is safe for concurrent use.
type Manager struct {
	n      *socketio.Namespace
	o      Options
	inside socketio.LocalKey[*inside]
	home   home
	ask    socketio.EventWithAck[request, answer]
}

// inside are the rooms of one socket.
type inside struct {
	mu    sync.Mutex
	rooms map[string]bool
}

// New makes the Manager of n, and panics with the field's name on bad options.
func New(n *socketio.Namespace, o *Options) *Manager {
	m := &Manager{n: n, inside: socketio.NewLocalKey[*inside](), ask: socketio.NewEventWithAck[request, answer]("rooms:ask")}
	if o != nil {
		m.o = *o
	}
	for field, value := range map[string]*int{"MaxUsers": &m.o.MaxUsers, "MaxRooms": &m.o.MaxRooms} {
		if *value < 0 {
			panic(fmt.Sprintf("rooms: Options.%s: %d is negative", field, *value))
		}
	}
	for field, value := range map[string]*time.Duration{"KeepEmpty": &m.o.KeepEmpty, "Timeout": &m.o.Timeout} {
		if *value < 0 {
			panic(fmt.Sprintf("rooms: Options.%s: %v is negative", field, *value))
		}
	}
	defaults(&m.o.MaxUsers, 100)
	defaults(&m.o.MaxRooms, 10_000)
	defaults(&m.o.KeepEmpty, time.Minute)
	defaults(&m.o.Timeout, 5*time.Second)
	if m.o.User == nil {
		m.o.User = func(s *socketio.Socket) User { return User{ID: s.ID(), Username: s.ID()} }
	}
	m.home = home{
		o: &m.o, node: rand.Text(), present: m.present, heal: m.heal,
		notify: func(r request) { _ = m.n.ServerSideEmit(m.ask.Name(), r) },
		rooms:  make(map[string]*room), claims: make(map[string]string), copies: make(map[string]*copied),
	}
	m.ask.OnServerSide(n, func(ctx context.Context, r request) (answer, error) { return m.serve(ctx, r), nil })
	n.OnShutdown(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, 2*m.o.Timeout)
		defer cancel()
		_ = m.HandOver(ctx) // what is left ends with this node
	})
	n.OnDisconnect(func(_ context.Context, s *socketio.Socket, _ socketio.DisconnectReason) { m.leaveAll(s) })
	return m
}

func defaults[T int | time.Duration](v *T, to T) {
	if *v == 0 {
		*v = to
	}
}

// room names the adapter's room. The application's own rooms have other names.
func name(id string) string { return "rooms:" + id }

// To selects the members of rooms, on all nodes. For all but one, ask the socket:
// m.Others(s, id).
func (m *Manager) To(ids ...string) *socketio.BroadcastOperator {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = name(id)
	}
	return m.n.To(names...)
}

// Others selects the members of a room without s.
func (m *Manager) Others(s *socketio.Socket, id string) *socketio.BroadcastOperator {
	return m.To(id).Except(s.ID())
}

// maxMetadata limits, in bytes, what a room carries along.
const maxMetadata = 16 << 10

// Create makes a room whose home is this node. The error is ErrExists, ErrTooMany,
// ErrBadRoom or ErrUnavailable.
func (m *Manager) Create(ctx context.Context, c Config) error {
	if c.MaxUsers == 0 {
		c.MaxUsers = m.o.MaxUsers
	}
	if c.ID == "" || len(c.ID) > 256 || c.MaxUsers < 0 || len(c.Metadata) > maxMetadata ||
		len(c.Metadata) > 0 && !json.Valid(c.Metadata) {
		return ErrBadRoom
	}
	// Each who creates claims the name at all others first. Of two who do so at
	// once the smaller claim wins, and both learn it.
	claim := rand.Text()
	if err := m.home.claim(c.ID, claim); err != nil {
		return err
	}
	_, _, err := m.elsewhere(ctx, request{Op: opClaim, Room: c.ID, Claim: claim})
	return m.home.settle(c, claim, err)
}

// Join lets s into a room and returns who is in it, s too. The error is
// ErrNotExist, ErrFull, ErrPrivate, ErrUnavailable, or that of Socket.Join. To join
// a room that s is in already changes nothing.
func (m *Manager) Join(ctx context.Context, s *socketio.Socket, id string, t Ticket) ([]Member, error) {
	u := m.o.User(s)
	member := Member{ID: u.ID, Username: u.Username, SocketID: s.ID(), JoinedAt: time.Now()}
	in := m.insideOf(s)
	in.mu.Lock()
	defer in.mu.Unlock()
	a, err := m.join(ctx, request{Op: opJoin, Room: id, Member: member, Ticket: t})
	if err != nil {
		if errors.Is(err, ErrUnavailable) && !in.rooms[id] { // a home may have let it in
			m.depart(request{Op: opLeave, Room: id, Member: member})
		}
		return nil, err
	}
	if err := s.Join(name(id)); err != nil {
		m.depart(request{Op: opLeave, Room: id, Member: member})
		return nil, err
	}
	if in.rooms == nil {
		in.rooms = make(map[string]bool)
	}
	in.rooms[id] = true
	if !s.Connected() && s.Context().Err() != nil { // it left while we asked
		delete(in.rooms, id)
		m.depart(request{Op: opLeave, Room: id, Member: member})
	}
	return a.Members, nil
}

// join asks until a home that is one still has let the member in.
func (m *Manager) join(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, m.o.Timeout)
	defer cancel()
	m.home.reserve(r.Room)
	defer m.home.release(r.Room)
	for range takeovers {
		a, err := m.do(ctx, r)
		if err != nil {
			return a, err
		}
		switch err := m.home.accept(r.Room, a); {
		case err == nil:
			if a.Seat != nil && a.Seat.Invite != "" {
				m.home.notify(request{Op: opSpent, Room: r.Room, Ticket: Ticket{Invite: a.Seat.Invite}, Record: &record{Made: a.Record.Made}})
			}
			return a, nil
		case err != errStale:
			return a, err
		}
	}
	return answer{}, ErrUnavailable
}

// Leave takes s out of a room. The error is ErrNotMember or ErrUnavailable.
func (m *Manager) Leave(ctx context.Context, s *socketio.Socket, id string) error {
	in := m.insideOf(s)
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.rooms[id] {
		return ErrNotMember
	}
	delete(in.rooms, id)
	s.Leave(name(id))
	_, err := m.do(ctx, request{Op: opLeave, Room: id, Member: Member{SocketID: s.ID()}})
	if errors.Is(err, ErrNotExist) || errors.Is(err, ErrNotMember) { // its home is gone, or has noticed
		return nil
	}
	return err
}

// leaveAll is for a socket that is gone. The home hears of it without an answer; if
// it does not, it finds out when the place is wanted.
func (m *Manager) leaveAll(s *socketio.Socket) {
	in, ok := m.inside.Get(s)
	if !ok {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for id := range in.rooms {
		m.depart(request{Op: opLeave, Room: id, Member: Member{SocketID: s.ID()}})
	}
	in.rooms = nil
}

func (m *Manager) depart(r request) {
	if a := m.home.serve(context.Background(), r); !a.Mine {
		m.home.notify(r)
	}
}

func (m *Manager) insideOf(s *socketio.Socket) *inside {
	in, ok := m.inside.Get(s)
	if !ok {
		in = new(inside)
		m.inside.Set(s, in) // handlers of a socket run one at a time
	}
	return in
}

// In returns the rooms that s is in.
func (m *Manager) In(s *socketio.Socket) []string {
	in := m.insideOf(s)
	in.mu.Lock()
	defer in.mu.Unlock()
	ids := make([]string, 0, len(in.rooms))
	for id := range in.rooms {
		ids = append(ids, id)
	}
	return ids
}

// Get returns what is known of a room, and who is in it.
func (m *Manager) Get(ctx context.Context, id string) (Room, []Member, error) {
	a, err := m.do(ctx, request{Op: opGet, Room: id})
	if err != nil {
		return Room{}, nil, err
	}
	return *a.Room, a.Members, nil
}

// Invite makes an invitation to a private room, which is good for one.
func (m *Manager) Invite(ctx context.Context, id string) (string, error) {
	a, err := m.do(ctx, request{Op: opInvite, Room: id})
	if err == nil && a.Record != nil {
		told := request{Op: opInvited, Room: id, Ticket: Ticket{Invite: a.Invite}, Record: a.Record}
		m.home.serve(ctx, told)
		m.home.notify(told)
	}
	return a.Invite, err
}

// Close ends a room: its members are out of it.
func (m *Manager) Close(ctx context.Context, id string) error {
	a, err := m.do(ctx, request{Op: opClose, Room: id})
	if err != nil {
		return err
	}
	if a.Record != nil {
		// Those with copies are waited for: who is not told may take it for one that
		// has lost its home.
		ended := request{Op: opEnded, Room: id, Record: a.Record}
		m.home.serve(ctx, ended)
		_, _, _ = m.elsewhere(ctx, ended)
	}
	return m.To(id).SocketsLeave(name(id))
}

// List returns the rooms of all nodes that are not private, and the error of those
// nodes that did not answer. A room whose home was killed is in it again once
// somebody has asked for it.
func (m *Manager) List(ctx context.Context) ([]Room, error) {
	ctx, cancel := context.WithTimeout(ctx, m.o.Timeout)
	defer cancel()
	r := request{Op: opList}
	list := m.home.serve(ctx, r).Rooms
	for a, err := range m.ask.ServerSideEmit(ctx, m.n, r) {
		if err != nil {
			return list, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		list = append(list, a.Rooms...)
	}
	return list, nil
}

// do carries out a request on the home of its room, which it replaces if it is gone.
func (m *Manager) do(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, m.o.Timeout)
	defer cancel()
	r.Node = m.home.node
	for range takeovers {
		r.Epoch = m.home.latest(r.Room)
		here := m.home.serve(ctx, r)
		if here.Mine {
			return here, here.err()
		}
		a, rest, err := m.elsewhere(ctx, r)
		if a.Mine || err != ErrNotExist {
			return a, err
		}
		here.Node = m.home.node
		err = m.replace(ctx, r.Room, append(rest, here))
		if err == ErrNotExist {
			return answer{}, err
		}
		if err != nil {
			select {
			case <-time.After(pauseBetween):
			case <-ctx.Done():
				return answer{}, ErrUnavailable
			}
		}
	}
	return answer{}, ErrUnavailable
}

// elsewhere asks the other nodes, until one of them says that the room is its own.
// Otherwise the error is ErrNotExist, and rest what all of them answered.
func (m *Manager) elsewhere(ctx context.Context, r request) (a answer, rest []answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, m.o.Timeout)
	defer cancel()
	for a, err := range m.ask.ServerSideEmit(ctx, m.n, r) {
		if err != nil {
			return answer{}, rest, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if a.Mine && a.Epoch.compare(r.Epoch) < 0 {
			continue // it was the home before a partition
		}
		if a.Mine {
			return a, nil, a.err()
		}
		rest = append(rest, a)
	}
	return answer{}, rest, ErrNotExist
}

// present returns the sockets that are in a room by the adapter's account.
func (m *Manager) present(ctx context.Context, id string) (map[string]bool, error) {
	sockets, err := m.To(id).FetchSockets(ctx)
	if err != nil {
		return nil, err
	}
	ids := make(map[string]bool, len(sockets))
	for _, s := range sockets {
		ids[s.ID()] = true
	}
	return ids, nil
}
