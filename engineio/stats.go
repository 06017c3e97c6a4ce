package engineio

import (
	"sync/atomic"

	"github.com/sockeye-go/socketio/internal/tally"
)

// Stats are the counts of a server. What is counted since the start never
// falls. Keys that have not occurred are missing.
type Stats struct {
	Sessions      int // there are now
	WebSockets    int // of these
	WebTransports int // of these
	Handshakes    int // being answered now

	Opened   uint64            // sessions since the start
	Upgraded uint64            // of these, from polling to WebSocket
	Closed   map[Reason]uint64 // sessions since the start
	Refused  map[Code]uint64   // requests since the start, by the code of the protocol

	// Limits counts how often a client ran into a limit, by the name of the
	// field of Options.
	Limits map[string]uint64
	// Dropped counts messages that were given to Send and not to the network.
	Dropped map[DropReason]uint64
	// Panics counts those that were survived: receivers', or our own.
	Panics uint64
}

// A DropReason says why a message was not sent.
type DropReason string

// The reasons.
const (
	DropVolatile DropReason = "volatile" // the client was not ready for it
	DropLossy    DropReason = "lossy"    // it made room in a full queue
	DropSlow     DropReason = "slow"     // it waited for, or was one too many for, a client that was cut as too slow
	DropMemory   DropReason = "memory"   // it waited for a client that was cut at MaxMemory
	DropClosed   DropReason = "closed"   // it waited for a polling session that ended
)

// counts is where a server keeps its [Stats]. What can happen with every
// message is an atomic; the rest is rare.
type counts struct {
	opened, upgraded, panics atomic.Uint64
	volatile                 atomic.Uint64
	webSockets               atomic.Int64
	webTransports            atomic.Int64

	closed  tally.Tally[Reason]
	refused tally.Tally[Code]
	limits  tally.Tally[string]
	dropped tally.Tally[DropReason]
}

// connections is the gauge of a transport other than polling.
func (c *counts) connections(transport string) *atomic.Int64 {
	if transport == WebTransport {
		return &c.webTransports
	}
	return &c.webSockets
}

// Stats returns the counts as they are now. They are not of one instant.
func (s *Server) Stats() Stats {
	c := &s.counts
	dropped := c.dropped.Counts()
	if n := c.volatile.Load(); n > 0 {
		dropped[DropVolatile] = n
	}
	if n := s.limits.Dropped.Load(); n > 0 {
		dropped[DropLossy] = n
	}
	return Stats{
		Sessions:      s.Sessions(),
		WebSockets:    int(c.webSockets.Load()),
		WebTransports: int(c.webTransports.Load()),
		Handshakes:    int(s.handshakes.Load()),
		Opened:        c.opened.Load(),
		Upgraded:      c.upgraded.Load(),
		Closed:        c.closed.Counts(),
		Refused:       c.refused.Counts(),
		Limits:        c.limits.Counts(),
		Dropped:       dropped,
		Panics:        c.panics.Load(),
	}
}

// hit counts that a client ran into a limit.
func (s *Server) hit(limit string) { s.counts.limits.Add(limit) }

// volatileDropped is the error of a volatile message that is not sent.
func (s *Server) volatileDropped() error {
	s.counts.volatile.Add(1)
	return ErrDropped
}
