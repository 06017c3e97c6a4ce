// Package chat is the server of the React chat: what one says, all hear.
package chat

import (
	"context"
	"time"

	"github.com/sockeye-go/socketio"
)

// A Say is a message on its way in.
type Say struct {
	User    string `json:"user"`
	Message string `json:"message"`
}

// A Said is a message on its way out.
type Said struct {
	User      string `json:"user"`
	Message   string `json:"message"`
	Timestamp int64  `json:"timestamp"` // milliseconds since 1970
}

var (
	say  = socketio.NewEvent[Say]("chat message")
	said = socketio.NewEvent[Said]("chat message")
)

// Events is what the page is typed by: sockeye gen -o src/events.ts ./chat.Events
var Events = socketio.Contract{
	ClientToServer: []socketio.AnyEvent{say},
	ServerToClient: []socketio.AnyEvent{said},
}

// New adds the chat to srv.
func New(srv *socketio.Server) {
	say.Handle(srv, func(_ context.Context, _ *socketio.Socket, in Say) error {
		return said.Emit(srv, Said{in.User, in.Message, time.Now().UnixMilli()})
	})
}
