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
//
// Health has it as soon as the connection is lost, or a batch of messages did not reach
// the broker. An emit returns it in the first case alone: after a batch that failed the
// next is tried, since the connection may well be there, and what has become of a batch
// is not known yet when its emits return; Health is well again with the next batch that
// does. Who has to know calls Flush.
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

// leftOut takes the errors of messages that do not encode out of err.
func leftOut(err error) (left []*EncodeError, rest error) {
	switch e := err.(type) {
	case *EncodeError:
		return []*EncodeError{e}, nil
	case interface{ Unwrap() []error }:
		var others []error
		for _, err := range e.Unwrap() {
			l, r := leftOut(err)
			left, others = append(left, l...), append(others, r)
		}
		if len(left) > 0 {
			return left, errors.Join(others...)
		}
	}
	return nil, err
}
