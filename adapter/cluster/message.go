package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/jsontext"
	"github.com/sockeye-go/socketio/parser"
)

// A Type is the kind of a message.
type Type uint8

// The types, with their numbers on the wire.
const (
	InitialHeartbeat       Type = 1 + iota // asks all others for theirs
	Heartbeat                              //
	Broadcast                              // Values, Target, RequestID if answers are wanted
	SocketsJoin                            // Target, Rooms
	SocketsLeave                           // Target, Rooms
	DisconnectSockets                      // Target, CloseConnection
	FetchSockets                           // Target, RequestID
	FetchSocketsResponse                   // RequestID, Sockets
	ServerSideEmit                         // Values, RequestID if answers are wanted
	ServerSideEmitResponse                 // RequestID, Values: one
	BroadcastClientCount                   // RequestID, ClientCount
	BroadcastAck                           // RequestID, Values: one
	AdapterClose                           // a node leaves

	// These are ours; Node nodes do not know them, and ignore them.
	broadcastLeft   // RequestID: a client that was asked will not answer any more
	broadcastHere   // in a log: a Broadcast for the sockets of the sender alone
	sessionRequest  // RequestID, Values: pid and turn; asks a node to let a session go
	sessionResponse // RequestID, Values: the session, or null
	lastType
)

// A Message is what nodes send to each other. Which fields count follows from
// its type.
type Message struct {
	UID  string // of the sender
	NSP  string
	Type Type

	Target  adapter.Target
	Flags   engineio.Flags
	Timeout time.Duration // of a request, for nodes that clean up by it; 0 if not given

	RequestID string
	// Values are the event and its arguments, or the one value of an answer.
	Values          Values
	Rooms           []string
	CloseConnection bool
	Sockets         []adapter.SocketInfo
	ClientCount     int

	// Position is where the message stands in a [Log]. It is not encoded.
	Position Position
	// Seq numbers the messages of a sender from 1, those in a [Log] by
	// themselves, and others where Options.Sequence says so; 0 otherwise.
	Seq uint64

	asks bool // a Node node sent it to one client of its own, and waits for an ack
}

// Values are encoded once, whichever way they go: a JSON array, with
// placeholders for the binary attachments.
type Values struct {
	JSON        json.RawMessage
	Attachments [][]byte
}

// NewValues encodes values as an emit does: []byte anywhere in them becomes an
// attachment.
func NewValues(values ...any) (Values, error) {
	e, err := parser.JSON.Encode(parser.Header{Type: parser.Ack, ID: parser.NoID}, values...)
	if err != nil {
		return Values{}, err
	}
	return Values{JSON: e.Head[slices.Index(e.Head, '['):], Attachments: e.Attachments}, nil
}

var errNotValues = errors.New("the values are not a list")

// Split returns the values one by one. They are parts of v.
func (v Values) Split() ([][]byte, error) {
	b := v.JSON
	i := jsontext.SkipSpace(b, 0)
	if i >= len(b) || b[i] != '[' {
		return nil, errNotValues
	}
	values := make([][]byte, 0, 4)
	if i = jsontext.SkipSpace(b, i+1); i < len(b) && b[i] == ']' {
		return values, nil
	}
	for {
		end := jsontext.Skip(b, i, maxDepth)
		if end < 0 {
			return nil, errNotValues
		}
		values = append(values, b[i:end:end])
		switch i = jsontext.SkipSpace(b, end); {
		case i < len(b) && b[i] == ',':
			i = jsontext.SkipSpace(b, i+1)
		case i < len(b) && b[i] == ']':
			return values, nil
		default:
			return nil, errNotValues
		}
	}
}

// Event returns the name of an event and its arguments, one by one.
func (v Values) Event() (name string, args [][]byte, err error) {
	values, err := v.Split()
	if err != nil {
		return "", nil, err
	}
	if len(values) == 0 {
		return "", nil, fmt.Errorf("an event without a name")
	}
	if values[0][0] == '"' {
		return string(jsontext.Unquote(values[0])), values[1:], nil
	}
	n := string(values[0])
	if _, err := strconv.ParseFloat(n, 64); err != nil { // JavaScript's may be a number
		return "", nil, fmt.Errorf("the name of an event is %s", n)
	}
	return n, values[1:], nil
}

func one(a adapter.Answer) Values {
	v := Values{JSON: json.RawMessage("[null]"), Attachments: a.Attachments}
	if len(a.Args) > 0 {
		v.JSON = slices.Concat([]byte("["), a.Args[0], []byte("]"))
	}
	return v
}

func (v Values) answer() adapter.Answer {
	args, err := v.Split()
	if err != nil {
		return adapter.Answer{Err: err}
	}
	return adapter.Answer{Args: args, Attachments: v.Attachments}
}
