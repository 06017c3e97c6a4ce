package socketio

import (
	"errors"
	"sync/atomic"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/tally"
	"github.com/sockeye-go/socketio/parser"
)

// Stats are the counts of a server. What is counted since the start never
// falls. Keys that have not occurred are missing.
type Stats struct {
	// Engine has the counts of connections: opened, closed, refused, messages
	// that were dropped.
	Engine engineio.Stats

	Sockets int                         // there are now, in all namespaces
	Joined  uint64                      // sockets since the start
	Left    map[DisconnectReason]uint64 // sockets since the start
	Refused uint64                      // sockets since the start, by middleware or a limit

	// Limits counts how often a client, or the program on its behalf, ran into
	// a limit, by the name of the field of Options; those of Engine too.
	Limits map[string]uint64
	// Traffic is counted while somebody observes the server ([Server.Observe]).
	Traffic Traffic
	// Panics counts those of handlers, and those that the engine survived.
	Panics uint64
}

// counts is where a server keeps its [Stats].
type counts struct {
	sockets                      atomic.Int64
	joinedTotal, panics, refused atomic.Uint64

	leftTotal tally.Tally[DisconnectReason]
	limits    tally.Tally[string]
	users     tally.Census // by namespace and user
	traffic   traffic
}

// Stats returns the counts as they are now. They are not of one instant.
func (srv *Server) Stats() Stats {
	c := &srv.counts
	st := Stats{
		Engine:  srv.engine.Stats(),
		Sockets: int(c.sockets.Load()),
		Joined:  c.joinedTotal.Load(),
		Left:    c.leftTotal.Counts(),
		Refused: c.refused.Load(),
		Limits:  c.limits.Counts(),
		Traffic: c.traffic.sum(),
		Panics:  c.panics.Load(),
	}
	for limit, n := range st.Engine.Limits {
		st.Limits[limit] += n
	}
	st.Panics += st.Engine.Panics
	return st
}

// hit counts that a client ran into a limit.
func (srv *Server) hit(limit string) { srv.counts.limits.Add(limit) }

func (c *counts) joined() {
	c.sockets.Add(1)
	c.joinedTotal.Add(1)
}

// left is called once for each socket; before is the state it was in.
func (c *counts) left(n *Namespace, before uint32, reason DisconnectReason, user string) {
	if user != "" {
		c.users.Leave(userIn(n, user))
	}
	if before != connecting {
		c.sockets.Add(-1)
		c.leftTotal.Add(reason)
	}
}

// userKey is where a socket keeps the user it was counted for.
type userKey struct{}

func userIn(n *Namespace, user string) string { return n.name + "\x00" + user }

// countUser counts the socket for its user, and reports whether there may be
// one more.
func (s *Socket) countUser() bool {
	o := s.nsp.srv.opts
	if o.MaxSocketsPerUser == 0 {
		return true
	}
	var user string
	if s.guard("User", func() error { user = o.User(s); return nil }) != nil {
		return false
	}
	if user == "" {
		return true
	}
	key := userIn(s.nsp, user)
	if !s.nsp.srv.counts.users.Enter(key, o.MaxSocketsPerUser) {
		s.nsp.srv.hit("MaxSocketsPerUser")
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() == disconnected { // it left meanwhile, and counted nobody out
		s.nsp.srv.counts.users.Leave(key)
		return true
	}
	rare := s.need()
	if rare.local == nil {
		rare.local = make(map[any]any)
	}
	rare.local[userKey{}] = user
	return true
}

// limitOf returns the name of the limit that a packet exceeded, "" if it was bad
// for another reason.
func limitOf(err error) string {
	for _, l := range parserLimits {
		if errors.Is(err, l.err) {
			return l.name
		}
	}
	return ""
}

var parserLimits = []struct {
	err  error
	name string
}{
	{parser.ErrTooManyAttachments, "MaxAttachments"},
	{parser.ErrAttachmentsTooLarge, "MaxAttachmentBytes"},
	{parser.ErrTooManyArguments, "MaxArguments"},
	{parser.ErrTooDeep, "MaxDepth"},
	{parser.ErrEventNameTooLong, "MaxEventName"},
	{parser.ErrNamespaceTooLong, "MaxNamespaceName"},
}
