// Package basics is what every tutorial of Socket.IO begins with, by the names of
// events that their pages use: a welcome, who comes and goes, messages to all and to a
// room, and namespaces of their own.
package basics

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sockeye-go/socketio"
)

const (
	maxText  = 500 // characters
	maxName  = 64  // characters, of rooms and users
	maxRooms = 20  // of one socket
)

// A Welcome is for who has just come.
type Welcome struct {
	Message string `json:"message"`
	ID      string `json:"id"`
}

// A Chat is a message to all. Its timestamp is the server's.
type Chat struct {
	User      string `json:"user"`
	Message   string `json:"message"`
	Timestamp int64  `json:"timestamp"` // milliseconds since 1970
}

// A ToRoom is a message to a room, and a FromRoom what the others there get.
type (
	ToRoom struct {
		Room    string `json:"room"`
		Message string `json:"message"`
	}
	FromRoom struct {
		From    string `json:"from"`
		Message string `json:"message"`
	}
)

// A Moved says where a player is.
type Moved struct {
	Player   string          `json:"player"`
	Position json.RawMessage `json:"position"`
}

// A Trouble is what a client did wrong: the event "error", which is a name like any other.
type Trouble struct {
	Message string `json:"message"`
	Code    string `json:"code"`
}

func (t Trouble) Error() string { return t.Message }

var (
	welcome     = socketio.NewEvent[Welcome]("welcome")
	came        = socketio.NewEvent[string]("user connected") // the id of a socket
	gone        = socketio.NewEvent[string]("user disconnected")
	chat        = socketio.NewEvent[Chat]("chat message")
	joinRoom    = socketio.NewEvent[string]("join room") // a name
	leaveRoom   = socketio.NewEvent[string]("leave room")
	joined      = socketio.NewEvent[string]("user joined") // the id of a socket
	left        = socketio.NewEvent[string]("user left")
	roomMessage = socketio.NewEvent[ToRoom]("room message")
	roomSaid    = socketio.NewEvent[FromRoom]("room message")
	message     = socketio.NewEvent[json.RawMessage]("message")
	move        = socketio.NewEvent[json.RawMessage]("player move")
	moved       = socketio.NewEvent[Moved]("player moved")
	trouble     = socketio.NewEvent[Trouble]("error")
)

// New registers all of it on a server. Who says token is let into /admin; nobody is if
// it is "".
func New(srv *socketio.Server, token string) {
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		return errors.Join(welcome.Emit(s, Welcome{"Welcome!", s.ID()}), came.Emit(s.Broadcast(), s.ID()))
	})
	srv.OnDisconnect(func(_ context.Context, s *socketio.Socket, _ socketio.DisconnectReason) {
		_ = gone.Emit(s.Broadcast(), s.ID()) // of others there may be none
	})
	chat.Handle(srv.Of("/"), func(_ context.Context, s *socketio.Socket, in Chat) error {
		if err := check(in.Message); err != nil {
			return err
		}
		if utf8.RuneCountInString(in.User) > maxName {
			return Trouble{"User name too long", "bad_user"}
		}
		in.Timestamp = time.Now().UnixMilli()
		return chat.Emit(srv.Of("/"), in)
	})
	joinRoom.Handle(srv.Of("/"), func(_ context.Context, s *socketio.Socket, name string) error {
		switch n := utf8.RuneCountInString(name); {
		case n == 0 || n > maxName:
			return Trouble{"Invalid room name", "bad_room"}
		case s.InRoom(room(name)):
			return nil
		case len(s.Rooms()) > maxRooms: // its own is among them
			return Trouble{"Too many rooms", "too_many"}
		}
		return errors.Join(s.Join(room(name)), joined.Emit(s.To(room(name)), s.ID()))
	})
	leaveRoom.Handle(srv.Of("/"), func(_ context.Context, s *socketio.Socket, name string) error {
		if !s.InRoom(room(name)) {
			return nil
		}
		s.Leave(room(name))
		return left.Emit(s.To(room(name)), s.ID())
	})
	roomMessage.Handle(srv.Of("/"), func(_ context.Context, s *socketio.Socket, in ToRoom) error {
		if !s.InRoom(room(in.Room)) {
			return Trouble{"Join the room first", "not_in_room"}
		}
		if err := check(in.Message); err != nil {
			return err
		}
		return roomSaid.Emit(s.To(room(in.Room)), FromRoom{s.ID(), in.Message})
	})
	srv.OnError(func(_ context.Context, s *socketio.Socket, err error) {
		t, known := errors.AsType[Trouble](err)
		if !known {
			t = Trouble{"Invalid message format", "bad_arguments"}
		}
		_ = trouble.Emit(s, t)
	})

	message.Handle(srv.Of("/chat"), func(_ context.Context, s *socketio.Socket, in json.RawMessage) error {
		return message.Emit(s.Namespace(), in)
	})
	move.Handle(srv.Of("/game"), func(_ context.Context, s *socketio.Socket, to json.RawMessage) error {
		return moved.Emit(s.Broadcast(), Moved{s.ID(), position(to)})
	})
	srv.Of("/admin").Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct {
			Token string `json:"token"`
		}
		err := s.DecodeAuth(&auth)
		if err != nil || token == "" || subtle.ConstantTimeCompare([]byte(auth.Token), []byte(token)) != 1 {
			return &socketio.ConnectError{Message: "Authentication error", Err: err}
		}
		return nil
	})
}

// room keeps the names that clients choose apart from the ids of sockets, which are
// rooms too: nobody joins the room of somebody else.
func room(name string) string { return "room:" + name }

func check(text string) error {
	if strings.TrimSpace(text) == "" {
		return Trouble{"Invalid message format", "bad_message"}
	}
	if utf8.RuneCountInString(text) > maxText {
		return Trouble{"Message too long", "bad_message"}
	}
	return nil
}

// position takes a position as it is, or out of {position}.
func position(to json.RawMessage) json.RawMessage {
	var in struct {
		Position json.RawMessage `json:"position"`
	}
	if bytes.HasPrefix(to, []byte("{")) && json.Unmarshal(to, &in) == nil && in.Position != nil {
		return in.Position
	}
	return to
}
