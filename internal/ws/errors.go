package ws

import "fmt"

// A CloseCode is the status of a close frame ("7.4 Status Codes").
type CloseCode uint16

// The codes that this package uses.
const (
	CloseNormal        CloseCode = 1000
	CloseProtocolError CloseCode = 1002
	CloseNoStatus      CloseCode = 1005 // never on the wire: there was no status
	CloseInvalidData   CloseCode = 1007
	ClosePolicy        CloseCode = 1008
	CloseTooBig        CloseCode = 1009
)

// valid reports whether a peer may send c.
func (c CloseCode) valid() bool {
	return c >= 1000 && c <= 1003 || c >= 1007 && c <= 1014 || c >= 3000 && c <= 4999
}

// An Error is a violation of the protocol, with the code of the close frame that
// answers it.
type Error struct {
	Code   CloseCode
	Reason string

	// Of a message that is too big: its size, as far as it is known, and how it
	// begins, where that is there.
	Size  int64
	Start []byte
}

func (e *Error) Error() string { return fmt.Sprintf("websocket: %s (%d)", e.Reason, e.Code) }

func protocolError(reason string) *Error { return &Error{Code: CloseProtocolError, Reason: reason} }

// The other violations.
var (
	errTooBig       = &Error{Code: CloseTooBig, Reason: "message is too big"}
	errNotDeflate   = &Error{Code: CloseInvalidData, Reason: "message is not compressed as it says"}
	errInvalidUTF8  = &Error{Code: CloseInvalidData, Reason: "text is not UTF-8"}
	errTooFragments = &Error{Code: ClosePolicy, Reason: "too many small fragments"}
)

// A HandshakeError is a request that cannot become a WebSocket.
type HandshakeError struct {
	Status  int // for the response
	Message string
	Err     error // the cause, where there is one
}

func (e *HandshakeError) Error() string {
	if e.Err != nil {
		return "websocket: " + e.Message + ": " + e.Err.Error()
	}
	return "websocket: " + e.Message
}

func (e *HandshakeError) Unwrap() error { return e.Err }
