package engineio

import (
	"context"
	"errors"
	"net/http"
)

// A Forwarder takes requests to the node of a cluster that has their session, so
// that a load balancer may send each wherever it likes. Package forward has one.
// Its methods are safe for concurrent use.
type Forwarder interface {
	// SID returns the sid of a new session of this node. id is what it would be
	// without a Forwarder: unique, and impossible to guess.
	SID(id string) string
	// Arrive is given every request first. It returns one that another node has
	// forwarded as it came to that node, and any other as it is.
	Arrive(r *http.Request) *http.Request
	// Forward answers a request for a session that this node does not have, by
	// the node that has it. On an error, which says why it could not, nothing
	// has been written: [ErrNodeAway], [ErrForwardLimit], or any other if no
	// other node has it.
	Forward(w http.ResponseWriter, r *http.Request, sid string) error
	// Shutdown ends what is being forwarded, at a pace that ends with ctx. It
	// may be called several times.
	Shutdown(ctx context.Context)
}

// Errors of a [Forwarder].
var (
	ErrNodeAway     = errors.New("engineio: the node that has the session cannot be reached")
	ErrForwardLimit = errors.New("engineio: too many requests are being forwarded")
)

// foreign serves a request whose session this node does not have. It returns what
// to answer if no other node did.
func (s *Server) foreign(w http.ResponseWriter, r *http.Request, q query, unknown *ConnectionError) *ConnectionError {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return unknown
	}
	switch err := s.opts.Forwarder.Forward(w, r, q.sid); {
	case err == nil:
		return nil
	case errors.Is(err, ErrForwardLimit):
		s.hit("MaxForwarded")
		return unavailable("TOO_MANY_FORWARDED", err, http.StatusServiceUnavailable, retryAfterMoment)
	default:
		unknown.Err = err
		return unknown
	}
}
