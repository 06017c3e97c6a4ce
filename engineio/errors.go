package engineio

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Errors of [Session.Send].
var (
	// ErrClosed reports that the session is closing or closed.
	ErrClosed = errors.New("engineio: session closed")

	// ErrSlowConsumer reports that the client did not take its messages fast
	// enough and the queue is full. The session is being closed.
	ErrSlowConsumer = errors.New("engineio: slow consumer: outgoing queue is full")

	// ErrMemory is why a session ended that held much when the process was short
	// of memory (Options.MaxMemory).
	ErrMemory = errors.New("engineio: server is short of memory")

	// ErrDropped reports that a volatile message was dropped, because older
	// data still waits or no poll is open.
	ErrDropped = errors.New("engineio: volatile message dropped")
)

// A Code is the number that an error response carries ("Handshake").
type Code int

// The codes of the protocol.
const (
	UnknownTransport           Code = 0
	UnknownSID                 Code = 1
	BadHandshakeMethod         Code = 2
	BadRequest                 Code = 3
	Forbidden                  Code = 4
	UnsupportedProtocolVersion Code = 5
)

func (c Code) String() string {
	switch c {
	case UnknownTransport:
		return "Transport unknown"
	case UnknownSID:
		return "Session ID unknown"
	case BadHandshakeMethod:
		return "Bad handshake method"
	case BadRequest:
		return "Bad request"
	case Forbidden:
		return "Forbidden"
	case UnsupportedProtocolVersion:
		return "Unsupported protocol version"
	}
	return fmt.Sprintf("Code(%d)", int(c))
}

// A ConnectionError is a request that was refused; Options.OnConnectionError
// gets it. Context says what was wrong, with the keys of the original where it
// has them: name, sid, transport, method, protocol, origin, message.
type ConnectionError struct {
	Code    Code
	Context map[string]any
	Request *http.Request
	Err     error // what AllowRequest returned, or the cause of a bad request; may be nil

	status     int
	message    string // replaces the code's own
	body       []byte // replaces the JSON
	retryAfter time.Duration
}

func (e *ConnectionError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("engineio: %s: %v", e.Message(), e.Err)
	}
	return fmt.Sprintf("engineio: %s %v", e.Message(), e.Context)
}

func (e *ConnectionError) Unwrap() error { return e.Err }

// Message returns the text that the client sees.
func (e *ConnectionError) Message() string {
	if e.message != "" {
		return e.message
	}
	return e.Code.String()
}

// A RefuseError is how Options.AllowRequest chooses what a refused client sees.
// Status is sent on every transport, so that it reaches the client's
// connect_error as its description (in browsers on polling only: they hide the
// status of a failed WebSocket).
type RefuseError struct {
	Status  int    // 0 = 403
	Message string // in the JSON of the protocol; "" = "Forbidden"
	Body    []byte // if not nil, sent instead of the JSON
}

func (e *RefuseError) Error() string {
	if e.Message != "" {
		return e.Message
	}
	return Forbidden.String()
}
