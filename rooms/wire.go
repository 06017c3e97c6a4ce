package rooms

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/sockeye-go/socketio"
)

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
