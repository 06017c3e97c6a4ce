package editor

import (
	"encoding/json"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/examples/editor/ot"
)

// What clients send.
var (
	joinDocument = socketio.NewEvent[Join]("join document")
	operation    = socketio.NewEvent[Operation]("operation")
	cursor       = socketio.NewEvent[Cursor]("cursor position")
)

// What the server sends.
var (
	state       = socketio.NewEvent[State]("document state")
	done        = socketio.NewEvent[ot.Done]("operation")
	applied     = socketio.NewEvent[Applied]("operation applied")
	failed      = socketio.NewEvent[string]("operation error")
	syncNeeded  = socketio.NewEvent[Sync]("sync required")
	cursorMoved = socketio.NewEvent[CursorUpdate]("cursor update")
	arrived     = socketio.NewEvent[string]("participant joined") // the id of a socket
	left        = socketio.NewEvent[string]("participant left")
)

// A Join is a client that wants to see a document. A bare string is its id.
type Join struct {
	DocID string `json:"docId"`
	Name  string `json:"name"`
	// Client is the client's own name for itself, the same for each connection,
	// and Since the version that it has: it then gets what it missed, if that is
	// still known, and keeps what it has not sent.
	Client string `json:"client"`
	Since  *int   `json:"since"`
}

// UnmarshalJSON takes a string for the id of a document.
func (j *Join) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &j.DocID)
	}
	type plain Join
	return json.Unmarshal(b, (*plain)(j))
}

// An Operation is an edit. Seq is the client's own number for it, from 1.
type Operation struct {
	DocID         string `json:"docId"`
	Operation     ot.Op  `json:"operation"`
	ClientVersion int    `json:"clientVersion"`
	Seq           int    `json:"seq"`
}

// A State is a document as it is, or what a client has missed of it.
type State struct {
	ID           string        `json:"id"`
	Content      string        `json:"content"`
	Version      int           `json:"version"`
	Participants []Participant `json:"participants"`
	// Missed is what was done since the version that the client has. Content is
	// empty then.
	Missed []ot.Done `json:"missed,omitempty"`
	Resume bool      `json:"resume"`
}

// A Participant is somebody who has the document open.
type Participant struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// An Applied tells the author that an operation has been done.
type Applied struct {
	Seq     int `json:"seq"`
	Version int `json:"version"`
}

// A Sync tells a client that it is too far behind, and what there is.
type Sync struct {
	CurrentVersion int    `json:"currentVersion"`
	Content        string `json:"content"`
}

// A Cursor is where somebody is, and the other end of what they have selected.
type Cursor struct {
	DocID    string `json:"docId"`
	Position int    `json:"position"`
	Anchor   *int   `json:"anchor"`
}

// A CursorUpdate is a Cursor for the others.
type CursorUpdate struct {
	UserID   string `json:"userId"`
	Name     string `json:"name"`
	Position int    `json:"position"`
	Anchor   int    `json:"anchor"`
}
