package chat

import (
	"errors"

	"github.com/sockeye-go/socketio"
)

// What clients send.
var (
	join       = socketio.NewEvent[Join]("user join")
	say        = socketio.NewEvent[Say]("chat message")
	edit       = socketio.NewEvent[Edit]("edit message")
	remove     = socketio.NewEvent[string]("delete message") // the id of a message
	whisper    = socketio.NewEvent[Whisper]("private message")
	typing     = socketio.NewEvent[bool]("typing")
	enter      = socketio.NewEventWithAck[string, []Message]("join room")
	serverTime = socketio.NewEventWithAck[socketio.None, int64]("server time")
)

// What the server sends.
var (
	history   = socketio.NewEvent[[]Message]("message history")
	said      = socketio.NewEvent[Message]("chat message")
	edited    = socketio.NewEvent[Message]("message edited")
	removed   = socketio.NewEvent[Removed]("message deleted")
	whispered = socketio.NewEvent[Whispered]("private message")
	users     = socketio.NewEvent[[]User]("user list")
	joined    = socketio.NewEvent[Presence]("user joined")
	left      = socketio.NewEvent[Presence]("user left")
	typingNow = socketio.NewEvent[Typing]("user typing")
	trouble   = socketio.NewEvent[Trouble]("error")
)

// A Join is how a client says who it is.
type Join struct {
	Username string `json:"username"`
}

// A Say is a message on its way in.
type Say struct {
	Message string `json:"message"`
}

// An Edit is another text for one's own message.
type Edit struct {
	ID      string `json:"id"`
	Message string `json:"message"`
}

// A Whisper is a message for one, by the id of a user.
type Whisper struct {
	To      string `json:"to"`
	Message string `json:"message"`
}

// A Whispered is one as both sides get it.
type Whispered struct {
	From      User   `json:"from"`
	To        User   `json:"to"`
	Message   string `json:"message"`
	Timestamp int64  `json:"timestamp"`
}

// A Message is one that was said.
type Message struct {
	ID        string `json:"id"`
	Username  string `json:"username"`
	UserID    string `json:"userId"`
	Message   string `json:"message"`
	Timestamp int64  `json:"timestamp"` // milliseconds since 1970
	Edited    bool   `json:"edited"`
	Room      string `json:"room"`
}

// A Removed tells that a message is gone.
type Removed struct {
	ID string `json:"id"`
}

// A User is somebody who is there.
type User struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	JoinTime int64  `json:"joinTime"` // milliseconds since 1970
	IsTyping bool   `json:"isTyping"`
	Room     string `json:"room"`
}

// A Presence tells of somebody who came or went.
type Presence struct {
	Username string `json:"username"`
	ID       string `json:"id"`
}

// A Typing tells that somebody began or ceased to type.
type Typing struct {
	Username string `json:"username"`
	IsTyping bool   `json:"isTyping"`
}

// A Trouble is an error in the form in which its cause is told.
type Trouble struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (t Trouble) Error() string { return t.Message }

var (
	errStranger = Trouble{"not_joined", "say who you are first: user join"}
	errNotYours = Trouble{"not_yours", "there is no such message of yours"}
	errNobody   = Trouble{"nobody", "nobody of that id is here"}
)

// describe makes a Trouble of any error. The text of those that were not
// written for clients stays here.
func describe(err error) Trouble {
	if t, ok := errors.AsType[Trouble](err); ok {
		return t
	}
	if _, ok := errors.AsType[*socketio.ArgumentError](err); ok {
		return Trouble{"bad_arguments", "Invalid message format"}
	}
	return Trouble{"internal", "something went wrong"}
}

// Events is all of that, for clients: sockeye gen writes events.ts from it.
var Events = socketio.Contract{
	ClientToServer: []socketio.AnyEvent{join, say, edit, remove, whisper, typing, enter, serverTime},
	ServerToClient: []socketio.AnyEvent{history, said, edited, removed, whispered, users, joined, left, typingNow, trouble},
}
