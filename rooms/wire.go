package rooms

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	"github.com/sockeye-go/socketio"
)

// What nodes ask each other by the event "rooms:ask". All get each request; who is
// the home of the room answers with mine, the others say what they have of it.
const (
	opClaim  = "claim"  // I make this room: does anybody have it, or make it too?
	opJoin   = "join"   // the home lets the member in, and says who is there
	opLeave  = "leave"  // the member is out; with or without an answer
	opGet    = "get"    // what is known of the room
	opInvite = "invite" // make an invitation
	opClose  = "close"  // end the room
	opList   = "list"   // the rooms that live on the node
	opWho    = "who"    // nothing: the answer says who there is

	// From one home to the next. Whoever finds that all have answered and none is
	// the home picks the next among those with a copy, and tells it by take; so
	// does a home that ends, for each of its rooms, with their records. It bids for
	// the room with a term that is higher than that of the copies; who has one
	// notes the term, is home no longer, and answers with the seats of its sockets.
	// Only if all answer, and none with a higher term, the bidder is the home.
	opTake = "take"
	opBid  = "bid"

	// What those with copies are told.
	opInvited = "invited" // an invitation was made
	opSpent   = "spent"   // it was used
	opEnded   = "ended"   // the room is no more
)

type request struct {
	Op     string           `json:"op"`
	Node   string           `json:"node,omitempty"` // that asks
	Room   string           `json:"room,omitempty"`
	Epoch  epoch            `json:"epoch,omitzero"` // the latest that it knows: an older home is none any more
	Claim  string           `json:"claim,omitempty"`
	Member Member           `json:"member,omitzero"`
	Ticket Ticket           `json:"ticket,omitzero"`
	To     string           `json:"to,omitempty"`     // of take
	Record *record          `json:"record,omitempty"` // of take, and of what those with copies are told
	Bids   map[string]epoch `json:"bids,omitempty"`   // by room
	Merge  bool             `json:"merge,omitempty"`  // of bid: who has noted the epoch need not answer
}

type answer struct {
	Mine    bool     `json:"mine"` // the room is known here
	Error   string   `json:"error,omitempty"`
	Room    *Room    `json:"room,omitempty"`
	Members []Member `json:"members,omitempty"`
	Invite  string   `json:"invite,omitempty"`
	Rooms   []Room   `json:"rooms,omitempty"`

	Node   string          `json:"node,omitempty"`   // that answers
	Epoch  epoch           `json:"epoch,omitzero"`   // of the home, or of the copy
	Copy   bool            `json:"copy,omitempty"`   // there is one
	Able   bool            `json:"able,omitempty"`   // the node has place for one more room and is not about to end
	Seat   *seat           `json:"seat,omitempty"`   // of join
	Record *record         `json:"record,omitempty"` // of join; of invite and close only which room it was
	Held   map[string]held `json:"held,omitempty"`   // of bid
}

// held is what a node has of a room for which another bids.
type held struct {
	Epoch   epoch    `json:"epoch"` // higher than the bid, if that was too low
	Seats   []seat   `json:"seats,omitempty"`
	Invites []string `json:"invites,omitempty"`
}

// A record is what a home needs to know of a room besides its members.
type record struct {
	Room     Room     `json:"room,omitzero"`
	Made     string   `json:"made"`
	Epoch    epoch    `json:"epoch,omitzero"`
	Password string   `json:"password,omitempty"` // its SHA-256
	Invites  []string `json:"invites,omitempty"`
}

// A seat is a member, and when it came: two can come in one tick of the clock.
type seat struct {
	Member Member `json:"member"`
	Number int    `json:"number"`
	Node   string `json:"node"`
	Invite string `json:"invite,omitempty"` // that let it in
}

// An epoch says who is the home of a room: the latest.
type epoch struct {
	Term int    `json:"term"`
	Home string `json:"home"` // of two bids for one term the greater name wins
}

func (e epoch) compare(o epoch) int {
	return cmp.Or(cmp.Compare(e.Term, o.Term), cmp.Compare(e.Home, o.Home))
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

// The payloads of the events that [Manager.Handle] speaks.
type (
	// CreateRoom comes with "create room".
	CreateRoom struct {
		RoomID  string `json:"roomId"`
		Options struct {
			MaxUsers  int             `json:"maxUsers"`
			IsPrivate bool            `json:"isPrivate"`
			Password  string          `json:"password"`
			Metadata  json.RawMessage `json:"metadata"`
		} `json:"options"`
	}
	// RoomRef comes with "join room", "leave room" and "invite"; a bare string is
	// the id of the room.
	RoomRef struct {
		RoomID   string `json:"roomId"`
		Password string `json:"password"`
		Invite   string `json:"invite"`
	}
	// RoomCreated goes out with "room created".
	RoomCreated struct {
		RoomID string `json:"roomId"`
	}
	// RoomJoined goes out with "room joined".
	RoomJoined struct {
		RoomID string   `json:"roomId"`
		Users  []Member `json:"users"`
	}
	// UserMoved goes to the others with "user joined" and "user left".
	UserMoved struct {
		RoomID   string `json:"roomId"`
		UserID   string `json:"userId"`
		Username string `json:"username"`
	}
	// Invitation answers "invite".
	Invitation struct {
		RoomID string `json:"roomId"`
		Invite string `json:"invite"`
	}
	// Trouble goes out with "error".
	Trouble struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
)

// UnmarshalJSON takes a string for the id of a room.
func (r *RoomRef) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &r.RoomID)
	}
	type plain RoomRef
	return json.Unmarshal(b, (*plain)(r))
}

var (
	createRoom = socketio.NewEventWithAck[CreateRoom, RoomCreated]("create room")
	joinRoom   = socketio.NewEventWithAck[RoomRef, RoomJoined]("join room")
	leaveRoom  = socketio.NewEventWithAck[RoomRef, socketio.None]("leave room")
	invite     = socketio.NewEventWithAck[RoomRef, Invitation]("invite")
	roomList   = socketio.NewEventWithAck[socketio.None, []Room]("room list")

	roomCreated = socketio.NewEvent[RoomCreated]("room created")
	roomJoined  = socketio.NewEvent[RoomJoined]("room joined")
	userJoined  = socketio.NewEvent[UserMoved]("user joined")
	userLeft    = socketio.NewEvent[UserMoved]("user left")
	trouble     = socketio.NewEvent[Trouble]("error")
)

// Handle registers the events of the tutorials: "create room", "join room", "leave
// room", and besides "invite" and "room list". Their results come as the events
// "room created", "room joined" and "error", and in the ack of who wants one. Who
// may make rooms, and how often, is for middleware to say.
func (m *Manager) Handle() {
	createRoom.Handle(m.n, func(ctx context.Context, s *socketio.Socket, in CreateRoom) (RoomCreated, error) {
		err := m.Create(ctx, Config{
			ID: in.RoomID, MaxUsers: in.Options.MaxUsers, Private: in.Options.IsPrivate,
			Password: in.Options.Password, Metadata: in.Options.Metadata,
		})
		if err != nil {
			return RoomCreated{}, tell(s, err)
		}
		out := RoomCreated{in.RoomID}
		return out, roomCreated.Emit(s, out)
	})
	joinRoom.Handle(m.n, func(ctx context.Context, s *socketio.Socket, in RoomRef) (RoomJoined, error) {
		members, err := m.Join(ctx, s, in.RoomID, Ticket{in.Password, in.Invite})
		if err != nil {
			return RoomJoined{}, tell(s, err)
		}
		out := RoomJoined{in.RoomID, members}
		return out, errors.Join(roomJoined.Emit(s, out), userJoined.Emit(m.Others(s, in.RoomID), m.moved(s, in.RoomID)))
	})
	leaveRoom.Handle(m.n, func(ctx context.Context, s *socketio.Socket, in RoomRef) (none socketio.None, err error) {
		if err := m.Leave(ctx, s, in.RoomID); err != nil {
			return none, tell(s, err)
		}
		return none, userLeft.Emit(m.Others(s, in.RoomID), m.moved(s, in.RoomID))
	})
	invite.Handle(m.n, func(ctx context.Context, s *socketio.Socket, in RoomRef) (Invitation, error) {
		if !s.InRoom(name(in.RoomID)) {
			return Invitation{}, tell(s, ErrNotMember)
		}
		token, err := m.Invite(ctx, in.RoomID)
		if err != nil {
			return Invitation{}, tell(s, err)
		}
		return Invitation{in.RoomID, token}, nil
	})
	roomList.Handle(m.n, func(ctx context.Context, s *socketio.Socket, _ socketio.None) ([]Room, error) {
		list, err := m.List(ctx)
		if list == nil {
			list = []Room{}
		}
		if err != nil {
			return nil, tell(s, err)
		}
		return list, nil
	})
	m.n.OnDisconnecting(func(_ context.Context, s *socketio.Socket, _ socketio.DisconnectReason) {
		for _, id := range m.In(s) {
			_ = userLeft.Emit(m.Others(s, id), m.moved(s, id)) // of recipients there may be none
		}
	})
}

func (m *Manager) moved(s *socketio.Socket, id string) UserMoved {
	u := m.o.User(s)
	return UserMoved{RoomID: id, UserID: u.ID, Username: u.Username}
}

// codes are what programs go by; the messages are for people.
var codes = map[error]string{
	ErrNotExist: "not_exist", ErrFull: "full", ErrExists: "exists", ErrPrivate: "private",
	ErrNotMember: "not_member", ErrTooMany: "too_many", ErrBadRoom: "bad_room", ErrUnavailable: "unavailable",
}

// tell sends an error of this package by the event "error" and makes it that of the
// ack. Others are for the log.
func tell(s *socketio.Socket, err error) error {
	for known, code := range codes {
		if errors.Is(err, known) {
			_ = trouble.Emit(s, Trouble{code, known.Error()})
			return errors.Join(socketio.ErrHandled, &socketio.AckError{Code: code, Message: known.Error()})
		}
	}
	return err
}
