package socketio

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// Errors of the emitting methods.
var (
	// ErrDisconnected reports that the socket is not connected (any more). An
	// EmitWithAck that was waiting returns it together with the reason.
	ErrDisconnected = errors.New("socketio: socket is disconnected")

	// ErrSlowConsumer reports that the client takes its packets too slowly, so
	// that Options.MaxQueuedBytes or MaxQueuedPackets are full. It is being cut.
	ErrSlowConsumer = errors.New("socketio: slow consumer: outgoing queue is full")

	// ErrTooManyAcks reports that Options.MaxPendingAcks of the socket are open.
	ErrTooManyAcks = errors.New("socketio: too many pending acks")

	// ErrTooManyRooms reports that the socket is in Options.MaxRooms already.
	ErrTooManyRooms = errors.New("socketio: too many rooms")

	// ErrRoomNameTooLong reports a room name longer than Options.MaxRoomName.
	ErrRoomNameTooLong = errors.New("socketio: room name is too long")

	// ErrNoAck reports an acknowledgement that nobody asked for.
	ErrNoAck = errors.New("socketio: the sender wants no ack")

	// ErrAcked reports a second acknowledgement of one message.
	ErrAcked = errors.New("socketio: acknowledged already")

	// ErrHandled, returned by a handler or by event middleware, ends an event as
	// any error does, and is not reported: whoever returned it has done what there
	// is to do. Wrap it in an error that a client is to see in its ack.
	ErrHandled = errors.New("socketio: handled")
)

// A ConnectError refuses a socket. The client sees it as connect_error; the
// text of any other error stays on the server.
type ConnectError struct {
	Message string
	Data    any   // becomes err.data in the browser; must encode as JSON; nil is left out
	Err     error // for the log alone; may be nil
}

func (e *ConnectError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("socketio: refused: %s: %v", e.Message, e.Err)
	}
	return "socketio: refused: " + e.Message
}

func (e *ConnectError) Unwrap() error { return e.Err }

// An AckError is what a handler returns to have its caller told: it is sent in
// place of the acknowledgement, as {"error":{"code":…,"message":…}}. How errors
// look in an ack is our convention, Socket.IO has none; a namespace may have
// another ([Namespace.AckErrors]).
type AckError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"` // what else the caller should know; must encode as JSON
}

func (e *AckError) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }

// An ArgumentError reports that what a client sent does not fit the type of
// the event.
type ArgumentError struct {
	Event string
	Index int // of the argument, from 0
	Err   error
}

func (e *ArgumentError) Error() string {
	return fmt.Sprintf("socketio: argument %d of %q: %v", e.Index, e.Event, e.Err)
}

func (e *ArgumentError) Unwrap() error { return e.Err }

// Field returns the path to the field that does not fit, in the names of the
// wire, "" for the argument itself.
func (e *ArgumentError) Field() string {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](e.Err); ok {
		return t.Field
	}
	if b, ok := errors.AsType[*parser.BinaryError](e.Err); ok {
		return b.Field
	}
	return ""
}

// A PartialAckError ends the answers to a broadcast that not all sockets
// answered.
type PartialAckError struct {
	Missing int // how many did not answer, as far as is known
	// Nodes are those that did not say how many sockets they had asked.
	Nodes []string
	Err   error // why nobody waits any longer, the error of the context; nil if they all left
}

func (e *PartialAckError) Error() string {
	missing := adapter.MissingError(*e)
	return "socketio: " + missing.Error()
}

func (e *PartialAckError) Unwrap() error { return e.Err }

func ackSequenceError(err error) error {
	if missing, ok := errors.AsType[*adapter.MissingError](err); ok {
		return (*PartialAckError)(missing)
	}
	return err
}

// A PartialError says that some nodes of the cluster did not answer. What the
// others answered is there all the same.
type PartialError struct {
	Missing int // how many nodes did not answer
	// Nodes are their ids, where the adapter knows them.
	Nodes []string
	Err   error // why nobody waits any longer, such as the error of the context
}

func (e *PartialError) Error() string {
	partial := adapter.PartialError(*e)
	return "socketio: " + partial.Error()
}

func (e *PartialError) Unwrap() error { return e.Err }

func clusterError(err error) error {
	if partial, ok := errors.AsType[*adapter.PartialError](err); ok {
		return (*PartialError)(partial)
	}
	return err
}

// A PanicError is a panic of a handler: the socket was disconnected, and it was logged
// with its stack. Of more than ten in one second the others are counted alone
// (Stats.Panics, and "unlogged" of the next that is logged).
type PanicError struct {
	Event string // or "connection", "middleware", "disconnect"
	Value any
	Stack []byte // empty if it was not logged
}

func (e *PanicError) Error() string { return fmt.Sprintf("socketio: %s: panic: %v", e.Event, e.Value) }

// sendError is what the caller of an emit can know. A volatile packet that was
// dropped is no error: that is what the caller asked for.
func sendError(err error) error {
	switch {
	case err == nil, errors.Is(err, engineio.ErrDropped):
		return nil
	case errors.Is(err, engineio.ErrClosed):
		return ErrDisconnected
	case errors.Is(err, engineio.ErrSlowConsumer):
		return ErrSlowConsumer
	}
	return err
}

// reserved are the names that no event can have ("Protocol", reserved names).
func reserved(event string) bool {
	switch event {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}

func checkEvent(event string) error {
	if reserved(event) {
		return fmt.Errorf("socketio: %q is a reserved event name", event)
	}
	return nil
}
