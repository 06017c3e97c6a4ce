package cluster

import (
	"errors"
	"fmt"
	"time"
)

// Errors of emits that reached this node alone.
var (
	// ErrSlow reports that the broker takes messages too slowly, so that
	// Options.MaxQueued wait for it.
	ErrSlow = errors.New("cluster: too many messages wait for the broker")
	// ErrClosed reports that the node has left the cluster.
	ErrClosed = errors.New("cluster: closed")
)

// A DegradedError says that the broker cannot be reached. Sockets of this node
// are served; those of others get nothing of what is emitted meanwhile.
type DegradedError struct {
	Since time.Time
	Err   error
}

func (e *DegradedError) Error() string {
	return fmt.Sprintf("cluster: degraded since %s: %v", e.Since.Format(time.RFC3339), e.Err)
}

func (e *DegradedError) Unwrap() error { return e.Err }

// An EncodeError says that a message could not be written in the form in which it
// goes to other nodes. Others that were sent with it are not concerned.
type EncodeError struct{ Err error }

func (e *EncodeError) Error() string { return "cluster: message does not encode: " + e.Err.Error() }

func (e *EncodeError) Unwrap() error { return e.Err }
