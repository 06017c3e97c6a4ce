package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio"
)

// A HandshakeError is a connection that the server, or the network, refused.
// Its Status is that of the HTTP answer.
type HandshakeError = engineio.HandshakeError

// A ConnectError is the server's refusal of a namespace.
type ConnectError struct {
	Message string
	Data    json.RawMessage // what else the server says, in JSON; nil if nothing
}

func (e *ConnectError) Error() string { return "client: refused: " + e.Message }

// An AuthError is an AuthFunc that failed.
type AuthError struct{ Err error }

func (e *AuthError) Error() string { return fmt.Sprintf("client: auth: %v", e.Err) }

func (e *AuthError) Unwrap() error { return e.Err }

// Errors of the methods of a Socket.
var (
	// ErrClosed reports that the Manager was closed.
	ErrClosed = errors.New("client: manager is closed")

	// ErrBufferFull reports an event that could be neither sent nor kept: the
	// limits of the offline buffer, or of the queue to the network, are reached.
	ErrBufferFull = errors.New("client: buffer of outgoing events is full")

	// ErrAckTimeout reports that no ack came within AckTimeout. It is a
	// context.DeadlineExceeded.
	ErrAckTimeout = fmt.Errorf("client: no ack in time: %w", context.DeadlineExceeded)

	// ErrConnectTimeout reports that the server did not answer CONNECT.
	ErrConnectTimeout = fmt.Errorf("client: no answer to CONNECT: %w", context.DeadlineExceeded)

	// ErrReconnectFailed reports that the ReconnectionAttempts are used up.
	ErrReconnectFailed = errors.New("client: no more attempts to reconnect")
)

// The reasons that only a client has; the others are those of package socketio.
const (
	ClientDisconnect socketio.DisconnectReason = "io client disconnect" // Disconnect was called
	ServerDisconnect socketio.DisconnectReason = "io server disconnect" // the server threw the socket out
)

// sendError is what the caller of an emit can know.
func sendError(err error) error {
	switch {
	case err == nil, errors.Is(err, engineio.ErrDropped):
		return nil
	case errors.Is(err, engineio.ErrClosed):
		return socketio.ErrDisconnected
	case errors.Is(err, engineio.ErrSlowConsumer):
		return ErrBufferFull
	}
	return err
}
