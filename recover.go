package socketio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// A keptSocket is what a socket has besides with Options.Recovery.
type keptSocket struct {
	pid   string         // by which its client can have the session again
	left  chan struct{}  // closed when the handlers have heard of the disconnect
	back  bool           // it takes over a session
	claim *adapter.Claim // of that session, until it has it: a claim leads to the socket before
}

// Recovered reports whether the client has come back, with the id, rooms and
// data of the socket that it had before.
func (s *Socket) Recovered() bool {
	kept := s.kept()
	return kept != nil && kept.back
}

func (s *Socket) pid() string {
	if kept := s.kept(); kept != nil {
		return kept.pid
	}
	return ""
}

// recoverable reports whether a client may come back that left for this reason:
// not one that said so, nor one that was sent away.
func (r DisconnectReason) recoverable() bool {
	switch r {
	case TransportError, TransportClose, ForcedClose, PingTimeout, ServerShuttingDown, ForcedServerClose:
		return true
	}
	return false
}

// enterAdapter makes the socket known and sends its CONNECT. A client that has it
// is reached by whatever is emitted from then on: the adapter knows the socket
// before, and Deliver waits for the lock, so that CONNECT is the first that the
// client gets. It reports false if the client is gone.
func (s *Socket) enterAdapter(reply *engineio.Prepared) bool {
	connect := func(add func()) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.state.Load() != connecting {
			return false
		}
		s.state.Store(admitted)
		s.nsp.srv.counts.joined() // before the client knows
		add()
		s.conn.send(reply, 0)
		s.state.Store(connected)
		return true
	}
	known := func() bool { return connect(func() {}) }
	kept := s.kept()
	switch {
	case kept == nil:
		return connect(func() { s.nsp.adapter.Add(s) })
	case kept.claim == nil:
		return s.nsp.recoverer.Open(s, kept.pid, known)
	}
	claim := kept.claim
	if claim.Resume(s, known) {
		kept.claim = nil
		s.recovered(claim)
		return true
	}
	claim.Release()
	if s.state.Load() != disconnected {
		// It expired at the last moment: the client comes back as a new one.
		s.nsp.srv.opts.Logger.Info("recovery ended early: connection is closed", "socket", s)
		s.conn.close()
	}
	return false
}

func (s *Socket) recovered(claim *adapter.Claim) {
	s.nsp.recovery.recovered.Add(1)
	s.nsp.srv.opts.Logger.Debug("connection recovered", "socket", s, "missed", claim.Missed, "away", claim.Away)
	if f := s.nsp.srv.opts.Recovery.OnAttempt; f != nil {
		s.nsp.guard("OnAttempt", func() {
			f(RecoveryAttempt{Namespace: s.nsp.name, Recovered: true, ID: s.id, Missed: claim.Missed, Away: claim.Away})
		})
	}
}

// leaveAdapter is the opposite. It returns the rooms that the socket was in.
func (s *Socket) leaveAdapter(reason DisconnectReason) []string {
	if s.kept() != nil && reason.recoverable() {
		return s.nsp.recoverer.Suspend(s)
	}
	return s.nsp.adapter.Remove(s)
}

// endSession disconnects a client that is away, or has come back since s was its
// socket.
func (s *Socket) endSession() {
	if s.kept() != nil && s.state.Load() == disconnected {
		_ = s.nsp.adapter.DisconnectSockets(adapter.Target{Rooms: []string{s.id}}, false)
	}
}

// discardClaim ends the session of a client that the middleware refused.
func (s *Socket) discardClaim() {
	if kept := s.kept(); kept != nil && kept.claim != nil {
		kept.claim.Discard()
	}
}

// handedOver lets a client that asks for its session have it: the socket that
// was made for its CONNECT is replaced by one with the id it had before. It
// reports false if s is the socket to go on with.
func (s *Socket) handedOver() bool {
	if s.kept() == nil || s.Recovered() {
		return false
	}
	pid, offset := s.asksFor()
	if pid == "" {
		return false
	}
	claim, err := s.claim(pid, offset)
	if s.state.Load() == disconnected { // the client did not wait for the answer
		if claim != nil {
			claim.Release()
		}
		return true
	}
	if err != nil {
		s.refusedRecovery(err)
		if refused, ok := errors.AsType[*adapter.RefusedError](err); ok && refused.Again {
			s.conn.close() // the client comes again, with what it has
			return true
		}
		return false
	}
	next := newSocket(s.nsp, s.conn, parser.Packet{})
	next.id, next.brought.auth = claim.ID, s.auth()
	kept := next.kept()
	kept.pid, kept.back, kept.claim = pid, true, claim
	if old, ok := claim.Previous.(*Socket); ok {
		old.mu.Lock()
		was, rare := old.look(), next.need() // nobody else knows next
		rare.data, rare.local = maps.Clone(was.data), maps.Clone(was.local)
		delete(rare.local, userKey{}) // it counts anew
		old.mu.Unlock()
	} else {
		next.need().data = decodeData(claim.Data)
	}
	if !s.conn.replace(s, next) { // the client has left again
		claim.Release()
		return true
	}
	next.schedule()
	return true
}

// asksFor returns pid and offset of the client's CONNECT. Whatever else they
// are, they may be the program's own auth, and are no request.
func (s *Socket) asksFor() (pid, offset string) {
	var auth struct {
		PID    any `json:"pid"`
		Offset any `json:"offset"`
	}
	if s.DecodeAuth(&auth) != nil {
		return "", ""
	}
	pid, _ = auth.PID.(string)
	offset, _ = auth.Offset.(string)
	return pid, offset
}

// handoverTimeout is how long a client that has come back waits for handlers
// that still run for the socket it had.
const handoverTimeout = 5 * time.Second

var errHandlersRun = errors.New("handlers of the old socket still run")

// claim takes the session. Where the server has not noticed yet that the old
// connection broke, it is cut; and handlers of the old socket, those of its
// disconnect too, are done before those of the new one begin.
func (s *Socket) claim(pid, offset string) (*adapter.Claim, error) {
	o := s.nsp.srv.opts
	lim := adapter.ReplayLimits{Packets: o.MaxQueuedPackets, Bytes: o.MaxQueuedBytes}
	if lim.Packets == 0 {
		lim.Packets = 1 << 14
	}
	if lim.Bytes == 0 {
		lim.Bytes = 1 << 20
	}
	claim, err := s.nsp.recoverer.Claim(s.Context(), pid, offset, lim)
	for range 3 { // the client may have been let in on an older connection meanwhile
		busy, ok := errors.AsType[*adapter.BusyError](err)
		if !ok {
			break
		}
		old := busy.Member.(*Socket)
		if old.conn == s.conn {
			return nil, err
		}
		old.conn.supersede()
		claim, err = s.nsp.recoverer.Claim(s.Context(), pid, offset, lim)
	}
	if err != nil {
		return nil, err
	}
	if old, ok := claim.Previous.(*Socket); ok {
		if err := old.awaitHandlers(s.Context()); err != nil {
			claim.Release()
			return nil, err
		}
	}
	return claim, nil
}

// awaitHandlers waits until the handlers of a socket that left have heard of it.
func (s *Socket) awaitHandlers(ctx context.Context) error {
	timeout := time.NewTimer(handoverTimeout)
	defer timeout.Stop()
	select {
	case <-s.kept().left:
		return nil
	case <-timeout.C:
		return errHandlersRun
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Supersede implements [adapter.Member].
func (s *Socket) Supersede(ctx context.Context) error {
	if s.state.Load() != disconnected {
		s.conn.supersede()
	}
	return s.awaitHandlers(ctx)
}

// decodeData reads what a socket on another node had under its keys: a value is
// decoded when it is asked for.
func decodeData(b json.RawMessage) map[string]any {
	var raw map[string]json.RawMessage
	if json.Unmarshal(b, &raw) != nil || len(raw) == 0 {
		return nil
	}
	data := make(map[string]any, len(raw))
	for name, v := range raw {
		data[name] = v
	}
	return data
}

// supersede ends a connection whose client has made another.
func (c *connection) supersede() {
	c.closeSockets(TransportClose)
	c.Flush(false)
	c.sess.Abort(engineio.TransportClose)
}

// replace puts one socket in the place of another, unless that has been closed.
func (c *connection) replace(s, next *Socket) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.look().closed { // whoever closes it has seen s, and would never see next
		return false
	}
	at := c.sockets.place(s)
	if at == nil || s.state.Load() != connecting {
		return false
	}
	*at = next
	next.inbox.push(&item{kind: itemConnect})
	return true
}

func (s *Socket) refusedRecovery(err error) {
	reason := err.Error()
	if refused, ok := errors.AsType[*adapter.RefusedError](err); ok {
		reason = refused.Reason
	}
	s.nsp.recovery.refused.Add(1)
	s.nsp.srv.opts.Logger.Info("recovery refused", "socket", s, "reason", reason)
	if f := s.nsp.srv.opts.Recovery.OnAttempt; f != nil {
		s.nsp.guard("OnAttempt", func() { f(RecoveryAttempt{Namespace: s.nsp.name, Reason: reason}) })
	}
}

func contains(b []byte, s string) bool { return bytes.Contains(b, []byte(s)) }
