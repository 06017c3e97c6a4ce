package engineio

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

var (
	errDraining      = errors.New("server is shutting down")
	errConnections   = errors.New("too many connections")
	errPerAddress    = errors.New("too many connections from this address")
	errHandshakes    = errors.New("too many handshakes at the same time")
	retryAfterBusy   = 5 * time.Second
	retryAfterMoment = time.Second
)

// unavailable is the answer to a client that may try again later.
func unavailable(name string, err error, status int, after time.Duration) *ConnectionError {
	return &ConnectionError{
		Code: BadRequest, Context: map[string]any{"name": name}, Err: err,
		status: status, message: http.StatusText(status), retryAfter: after,
	}
}

// beginHandshake counts a handshake that is being answered, which may take as
// long as AllowRequest.
func (s *Server) beginHandshake() *ConnectionError {
	if int(s.handshakes.Add(1)) <= s.opts.MaxHandshakes {
		return nil
	}
	s.handshakes.Add(-1)
	s.hit("MaxHandshakes")
	return unavailable("TOO_MANY_HANDSHAKES", errHandshakes, http.StatusServiceUnavailable, retryAfterMoment)
}

func (s *Server) endHandshake() { s.handshakes.Add(-1) }

// admit counts a new session, or says why there can be none. It returns what
// leave wants to know at the end of the session.
func (s *Server) admit(r *http.Request) (address string, refusal *ConnectionError) {
	if s.opts.MaxConnectionsPerAddress > 0 {
		address = addressKey(s.ClientAddr(r))
		if !s.addresses.Enter(address, s.opts.MaxConnectionsPerAddress) {
			s.hit("MaxConnectionsPerAddress")
			return "", unavailable("TOO_MANY_CONNECTIONS", errPerAddress, http.StatusTooManyRequests, retryAfterBusy)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.draining:
		refusal = unavailable("SHUTTING_DOWN", errDraining, http.StatusServiceUnavailable, retryAfterMoment)
	case s.tight.Load():
		s.hit("MaxMemory")
		refusal = unavailable("SHORT_OF_MEMORY", ErrMemory, http.StatusServiceUnavailable, retryAfterBusy)
	case int(s.live.Load()) >= s.opts.MaxConnections:
		s.hit("MaxConnections")
		refusal = unavailable("TOO_MANY_CONNECTIONS", fmt.Errorf("%w: %d", errConnections, s.opts.MaxConnections),
			http.StatusServiceUnavailable, retryAfterBusy)
	default:
		s.live.Add(1)
		return address, nil
	}
	if address != "" {
		s.addresses.Leave(address)
	}
	return "", refusal
}

// leave is the opposite of admit.
func (s *Server) leave(address string) {
	if address != "" {
		s.addresses.Leave(address)
	}
	if s.live.Add(-1) > 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining && s.live.Load() == 0 {
		select {
		case <-s.empty:
		default:
			close(s.empty)
		}
	}
}

func setRetryAfter(h http.Header, after time.Duration) {
	if after > 0 {
		h.Set("Retry-After", strconv.Itoa(int(after.Seconds())))
	}
}
