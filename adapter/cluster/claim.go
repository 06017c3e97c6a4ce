package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
)

// claimTimeout bounds what a client that came back waits for the store, whose
// servers may have to elect another leader after the one that died with the
// client's node, and for the node that has its session; askTimeout what it waits
// for that node alone, which waits for handlers.
const (
	claimTimeout = 20 * time.Second
	askTimeout   = 6 * time.Second
)

// Claim implements [adapter.Recoverer]. Whoever puts his name into the record has
// the session; then the node that was in it is asked what it knows better.
func (a *Ordered) Claim(ctx context.Context, pid, offset string, lim adapter.ReplayLimits) (*adapter.Claim, error) {
	// A client that leaves meanwhile gives the claim back when it is made.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTimeout)
	defer cancel()
	here, err := a.claimHere(pid)
	if err != nil {
		return nil, err
	}
	s, has, err := a.take(ctx, here, pid, offset)
	if err != nil {
		return nil, err
	}
	r, err := a.ready(ctx, s, has, lim)
	if _, later := errors.AsType[*notNowError](err); later {
		a.release(s)
		return nil, err
	}
	if err != nil {
		a.end(s)
		return nil, err
	}
	a.patience.restore()
	return a.claimed(s, r), nil
}

// A notNowError is a refusal that says nothing about the session.
type notNowError struct{ refused *adapter.RefusedError }

func (a *Ordered) notNow(format string, err error) error {
	return &notNowError{&adapter.RefusedError{Reason: fmt.Sprintf(format, err), Again: a.lost.Load() == nil && a.patience.lasts()}}
}

// claimPatience is how long clients are asked to come again while claims fail of
// which the store is the cause. Its servers elect within that; beyond it a new
// session is better than none.
const claimPatience = time.Minute

// A patience ends when it was needed for too long without a break.
type patience struct {
	mu          sync.Mutex
	first, last time.Time
}

func (p *patience) lasts() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.last) > claimPatience {
		p.first = now
	}
	p.last = now
	return now.Sub(p.first) < claimPatience
}

// restore is for when the store has answered.
func (p *patience) restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = time.Time{}
}

func (e *notNowError) Error() string { return e.refused.Error() }
func (e *notNowError) Unwrap() error { return e.refused }

const unreachable = "the store cannot be reached: %v"

// claimHere marks the session of a client that is away, if it is on this node.
func (a *Ordered) claimHere(pid string) (*session, error) {
	a.sessionsMu.Lock()
	s := a.sessions[pid]
	a.sessionsMu.Unlock()
	if s == nil {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.moved:
		return nil, nil
	case s.ended: // the store may not know it yet
		return nil, errUnknown
	case s.m != nil:
		return nil, &adapter.BusyError{Member: s.m}
	case s.claimed:
		return nil, &adapter.RefusedError{Reason: adapter.SessionClaimed, Again: true}
	}
	s.claimed, s.lying, s.laid = true, false, false
	return s, nil
}

// take returns the session in the hands of this node. here is the one that it
// has.
func (a *Ordered) take(ctx context.Context, here *session, pid, offset string) (s *session, has Position, err error) {
	has, known := ParsePosition(offset)
	for range 10 { // the node that has it may be writing
		b, version, err := a.log.Load(ctx, pid)
		if err != nil && (here == nil || here.elsewhere()) {
			if here != nil {
				a.release(here)
			}
			return nil, has, a.notNow(unreachable, err)
		}
		// While the store is away nobody else can take it.
		if err != nil || b == nil && here != nil && here.unsaved() {
			return here, later(has, here.start), nil
		}
		w, err := decodeSession(b)
		if err == nil && w.State != nil && w.State.Node == a.uid && here != nil {
			return here, later(has, here.start), nil
		}
		if here != nil {
			a.drop(here) // another has it, or had it since
			here = nil
		}
		if err != nil || w.PID != pid || w.State == nil && !known || w.State != nil && w.State.Node == a.uid {
			return nil, has, errUnknown
		}
		if s, err = a.takeOver(ctx, w, version, has); err != nil {
			return nil, has, err
		}
		if s != nil {
			return s, later(has, s.start), nil
		}
	}
	return nil, has, &adapter.RefusedError{Reason: adapter.SessionClaimed, Again: true}
}

// takeOver takes a session from another node. It returns nil if the record is not
// what it was.
func (a *Ordered) takeOver(ctx context.Context, w *wireSession, version string, has Position) (*session, error) {
	s := w.session(a, has)
	s.claimed = true
	b, err := s.wire(s.data).encode()
	if err != nil {
		return nil, err
	}
	r := &Record{Key: w.PID, Value: b, Version: version, TTL: a.max.MaxDuration}
	switch err := a.log.Save(ctx, []*Record{r}); {
	case err != nil:
		return nil, a.notNow(unreachable, err)
	case r.Conflict:
		return nil, nil
	}
	s.version = r.Version
	a.sessionsMu.Lock()
	a.sessions[w.PID] = s
	a.sessionsMu.Unlock()
	if w.State == nil { // of a Node server
		return s, nil
	}
	was, err := w.encode()
	if err != nil {
		return nil, err
	}
	latest, err := a.latest(ctx, w)
	if err != nil {
		if errors.Is(err, errUnknown) {
			a.end(s)
		} else { // it stays where it was
			a.putBack(s, w, &Record{Key: w.PID, Value: was, Version: r.Version, TTL: r.TTL})
		}
		return nil, err
	}
	s.update(latest)
	return s, nil
}

// putBack puts another node's name into a record again. If the store does not take
// that, this node has the session: it is the one that will be asked for it.
func (a *Ordered) putBack(s *session, w *wireSession, r *Record) {
	ctx, cancel := context.WithTimeout(context.Background(), a.o.PublishTimeout)
	defer cancel()
	if err := a.log.Save(ctx, []*Record{r}); err == nil {
		a.drop(s)
		return
	}
	s.update(w)
	a.release(s)
}

// errUnknown is what the node says that has a session no more.
var errUnknown error = &adapter.RefusedError{Reason: adapter.UnknownSession}

// unsaved reports whether the store has never had the session.
func (s *session) unsaved() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version == "" && !s.taken && !s.ended
}

// elsewhere reports whether another node may have taken the session.
func (s *session) elsewhere() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken
}

// latest asks the node that saved a session to let it go. If that is gone, what
// it saved is the latest.
func (a *Ordered) latest(ctx context.Context, w *wireSession) (*wireSession, error) {
	uid := w.State.Node
	if uid == "" { // it had too many
		return w, nil
	}
	there, err := a.reaches(ctx, uid)
	if err != nil {
		return nil, a.notNow(unreachable, err)
	}
	if there {
		answer, err := a.askFor(ctx, uid, w.PID)
		switch {
		case err != nil:
			a.host.Logger().Warn("node does not answer for a session", "nsp", a.nsp, "node", uid, "error", err)
		case answer.Refused != "":
			// A claim there is of a connection that the client had before this one.
			return nil, &adapter.RefusedError{Reason: answer.Refused, Again: answer.Refused == adapter.SessionClaimed}
		case answer.Session == nil:
			return nil, errUnknown
		default:
			return answer.Session, nil
		}
	}
	if w.State.Gone == 0 { // it was killed, or does not know
		if w.State.Gone, err = a.lastSeen(ctx, uid); err != nil {
			return nil, errUnknown
		}
	}
	return w, nil
}

func (a *Ordered) reaches(ctx context.Context, uid string) (bool, error) {
	if r, ok := a.ch.(Reacher); ok {
		return r.Reaches(ctx, uid)
	}
	if p, ok := a.ch.(Presence); ok {
		present, err := p.Present(ctx)
		return err == nil && present(uid), err
	}
	return slices.Contains(a.nodes.ids(), uid), nil
}

// A letGo is the answer of a node that was asked for a session.
type letGo struct {
	Session *wireSession `json:"session,omitempty"`
	Refused string       `json:"refused,omitempty"`
}

// askFor asks a node for a session.
func (a *Ordered) askFor(ctx context.Context, uid, pid string) (*letGo, error) {
	v, err := NewValues(pid)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	r := a.requests.add([]string{uid}, 1)
	defer a.requests.remove(r)
	m := &Message{Type: sessionRequest, UID: a.uid, NSP: a.nsp, RequestID: r.id, Values: v}
	if err := a.out.push(outgoing{to: uid, m: m}); err != nil {
		return nil, err
	}
	if _, _, err := r.wait(ctx); err != nil {
		return nil, err
	}
	answers, _ := r.next(canceled)
	if len(answers) == 0 {
		return nil, errors.New("it has left")
	}
	var l letGo
	if answers[0].Err != nil {
		return nil, answers[0].Err
	}
	if err := json.Unmarshal(answers[0].Args[0], &l); err != nil {
		return nil, err
	}
	if l.Session != nil && (l.Session.PID != pid || l.Session.SID == "" || l.Session.State == nil) {
		return nil, errors.New("it answers with another session")
	}
	return &l, nil
}

// letGo lets another node have a session, whose client is there: the connection
// is ended if there still is one, and its handlers are done before the answer.
func (a *Ordered) letGo(m *Message) {
	answer := a.surrender(m)
	v, err := NewValues(answer)
	if err != nil {
		a.host.Logger().Error("session cannot be sent", "nsp", a.nsp, "error", err)
		return
	}
	a.respond(m.UID, &Message{Type: sessionResponse, RequestID: m.RequestID, Values: v})
}

func (a *Ordered) surrender(m *Message) letGo {
	var pids []string
	if err := json.Unmarshal(m.Values.JSON, &pids); err != nil || len(pids) != 1 {
		return letGo{}
	}
	a.sessionsMu.Lock()
	s := a.sessions[pids[0]]
	a.sessionsMu.Unlock()
	if s == nil {
		return letGo{}
	}
	s.mu.Lock()
	old := s.m
	if old == nil {
		old = s.prev
	}
	if s.ended && !s.moved {
		s.mu.Unlock()
		return letGo{}
	}
	if s.ended || s.claimed {
		s.always, s.taken = true, false // the other has put its name into the record
		s.mu.Unlock()
		return letGo{Refused: adapter.SessionClaimed}
	}
	s.claimed = true
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	if old != nil {
		if err := old.Supersede(ctx); err != nil {
			s.anew() // it stays here
			a.release(s)
			return letGo{Refused: err.Error()}
		}
	}
	data := json.RawMessage(s.data)
	if old != nil {
		data = describe(old)
	}
	s.mu.Lock()
	if s.ended || s.m != nil { // its client or a handler has ended it
		s.mu.Unlock()
		return letGo{}
	}
	w := s.wire(data)
	s.mu.Unlock()
	a.drop(s)
	return letGo{Session: w}
}

// A replay is what a client missed, in order, and the rooms that its socket has
// been put into and taken out of meanwhile.
type replay struct {
	has, to Position
	packets []*missed
	bytes   int
	rooms   []stay
	ended   bool
}

type missed struct {
	p   *adapter.Packet
	pos Position
}

// ready finds out what the client of a session misses that has what is up to a
// position.
func (a *Ordered) ready(ctx context.Context, s *session, has Position, lim adapter.ReplayLimits) (*replay, error) {
	if time.Since(s.goneAt) > a.max.MaxDuration {
		return nil, &adapter.RefusedError{Reason: adapter.UnknownSession}
	}
	if s.doubts(has) {
		return nil, &adapter.RefusedError{Reason: adapter.LogTooShort}
	}
	if has.After(a.tail.begun()) {
		head, err := a.log.Head(ctx)
		if err != nil {
			return nil, a.notNow(unreachable, err)
		}
		if has.After(head) {
			return nil, &adapter.RefusedError{Reason: adapter.UnknownOffset}
		}
	}
	// This node may not have read yet what the session knows of.
	if err := a.tail.wait(ctx, later(has, s.settled)); err != nil {
		return nil, a.notNow("this node is behind the log: %v", err)
	}
	s.mu.Lock()
	from := s.behindOf(has)
	r := &replay{has: has, to: from, rooms: slices.Clone(s.rooms)}
	s.mu.Unlock()
	entries, to, ok := a.tail.after(from)
	if !ok {
		reaches, err := a.log.Reaches(ctx, from)
		if err != nil {
			return nil, a.notNow(unreachable, err)
		}
		if !reaches {
			return nil, &adapter.RefusedError{Reason: adapter.LogTooShort}
		}
	}
	for !ok {
		ms, err := a.log.After(ctx, r.to)
		if err != nil {
			return nil, a.notNow(unreachable, err)
		}
		if len(ms) == 0 { // all that this node has read is older
			return nil, &adapter.RefusedError{Reason: adapter.LogTooShort}
		}
		for _, m := range ms {
			if replayed(m) {
				s.replay(r, &logged{m: m}, lim)
			}
			r.to = m.Position
		}
		if r.over(lim) {
			return nil, &adapter.RefusedError{Reason: adapter.TooMuchMissed}
		}
		entries, to, ok = a.tail.after(r.to)
	}
	for _, e := range entries {
		s.replay(r, e, lim)
	}
	r.to = later(r.to, to)
	switch {
	case r.ended:
		return nil, &adapter.RefusedError{Reason: adapter.UnknownSession}
	case r.over(lim):
		return nil, &adapter.RefusedError{Reason: adapter.TooMuchMissed}
	}
	return r, nil
}

// behindOf returns the position behind which a client may have missed something
// that has what is up to has. Whoever has what was delivered to it last has
// missed nothing of what had been delivered when it left, however long ago that
// last one was.
func (s *session) behindOf(has Position) Position {
	from := later(has, s.start)
	if has.Compare(s.last) >= 0 {
		from = later(from, s.settled)
	}
	return from
}

func (r *replay) over(lim adapter.ReplayLimits) bool {
	return len(r.packets) > lim.Packets || r.bytes > lim.Bytes
}

// replay adds what a message means to the session. Beyond the limits nothing is
// added.
func (s *session) replay(r *replay, e *logged, lim adapter.ReplayLimits) {
	m, now := e.m, session{id: s.id, rooms: r.rooms}
	switch {
	case r.over(lim) || !now.selected(m.Target, m.Position):
		return
	case m.Type == broadcastHere && !now.onNode(m.UID, m.Position):
		return
	case m.Type == Broadcast || m.Type == broadcastHere:
		if m.Flags&engineio.Volatile != 0 {
			return
		}
		p, err := s.a.packetOf(e)
		if err != nil {
			return // it was delivered to nobody
		}
		r.packets = append(r.packets, &missed{p, m.Position})
		r.bytes += p.Prepared.Size()
	case s.foreign || !m.Position.After(s.settled): // the rooms know of it
		return
	case m.Type == SocketsJoin:
		if s.fits(r.rooms, m.Rooms) {
			now.joinLocked(m.Position, m.Rooms)
		}
	case m.Type == SocketsLeave:
		now.leaveLocked(m.Position, m.Rooms)
	case m.Type == DisconnectSockets:
		r.ended = true
	}
	r.rooms = now.rooms
}

// fits reports whether the socket of the session may be in more rooms.
func (s *session) fits(rooms []stay, more []string) bool {
	if s.prev == nil {
		return len(rooms)+len(more) <= maxStays+1024
	}
	n := 0
	for _, r := range rooms {
		if r.To == ongoing && !r.Node {
			n++
		}
	}
	limit := s.prev.Membership().Limited()
	return limit == 0 || n+len(more) <= limit
}

// claimed is the claim of a session that is ready.
func (a *Ordered) claimed(s *session, r *replay) *adapter.Claim {
	c := &adapter.Claim{
		ID: s.id, Previous: s.prev, Data: s.data,
		Away: time.Since(s.goneAt), Missed: len(r.packets),
		Resume:  func(m adapter.Member, connect func() bool) bool { return a.resume(s, m, r, connect) },
		Release: func() { a.release(s) },
		Discard: func() { a.end(s) },
	}
	for _, stay := range r.rooms {
		if stay.To == ongoing && !stay.Node {
			c.Rooms = append(c.Rooms, stay.Room)
		}
	}
	return c
}

// resume gives the session to m, and sends it what was missed behind the CONNECT.
func (a *Ordered) resume(s *session, m adapter.Member, r *replay, connect func() bool) bool {
	m.Membership().Keep(s)
	var rooms []string
	for _, stay := range r.rooms {
		if stay.To == ongoing && !stay.Node {
			rooms = append(rooms, stay.Room)
		}
	}
	a.Memory.Join(m, rooms...)
	a.Memory.Add(m)
	if !s.resume(m, r, connect) {
		return false
	}
	// They may have been changed meanwhile.
	s.mu.Lock()
	now := s.roomNames()
	s.mu.Unlock()
	a.Memory.Join(m, now...)
	for _, room := range rooms {
		if !slices.Contains(now, room) {
			a.Memory.Leave(m, room)
		}
	}
	a.uncount(s)
	a.save.add(s)
	return true
}

func (s *session) resume(m adapter.Member, r *replay, connect func() bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.m != nil {
		return false
	}
	// What was read since is in memory, unless that is very much.
	entries, to, ok := s.a.tail.after(r.to)
	if !ok {
		return false
	}
	all := adapter.ReplayLimits{Packets: len(r.packets) + len(entries), Bytes: 1 << 62}
	for _, e := range entries {
		s.replay(r, e, all)
	}
	if r.ended || s.doubted && !r.has.After(s.doubt) || !connect() {
		return false
	}
	s.m, s.prev, s.data, s.claimed, s.doubted = m, nil, nil, false, false
	s.absent = time.Time{}
	s.base = later(r.to, to)
	s.rooms = r.rooms
	s.goes(s.settled)
	s.comes(s.base)
	s.trimStays()
	for _, missed := range r.packets {
		s.last = missed.pos
		m.Deliver(missed.p)
	}
	return true
}
