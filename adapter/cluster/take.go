package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/sockeye-go/socketio/adapter"
)

// take gets a session into the hands of this node. What it has of it stays until
// another node has said that it has more: of claims that cross, one has it then.
func (a *Ordered) take(ctx context.Context, s *session, offset string) (Position, error) {
	has, known := ParsePosition(offset)
	for range 10 { // the node that has it may be writing
		b, version, err := a.log.Load(ctx, s.pid)
		settled, unsaved, elsewhere := s.standing()
		if err != nil && (!settled || elsewhere) {
			return has, a.notNow(unreachable, err)
		}
		// While the store is away nobody else can take it.
		if err != nil || b == nil && unsaved {
			return later(has, s.start), nil
		}
		w, err := decodeSession(b)
		if err != nil || w.PID != s.pid || w.elsewhere(a.nsp) || w.State == nil && !known {
			return has, errUnknown
		}
		if settled && w.State != nil && w.State.Node == a.uid {
			s.confirm(w, version)
			return later(has, s.start), nil
		}
		switch taken, err := a.takeOver(ctx, s, w, version, has); {
		case err != nil:
			return has, err
		case taken:
			return later(has, s.start), nil
		}
	}
	return has, a.claimedElsewhere()
}

// standing reports whether the session is complete here, whether the store has
// never had it, and whether another node may have taken it.
func (s *session) standing() (settled, unsaved, elsewhere bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	settled = !s.blank && len(s.from) == 0
	return settled, settled && s.version == "" && !s.taken && !s.ended, s.taken
}

// confirm notes that the record has this node's name. Another may have put it there
// again.
func (s *session) confirm(w *wireSession, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version, s.taken = version, false
	s.turn = max(s.turn, w.State.Turn)
}

// maxFrom bounds the nodes that are asked for one session.
const maxFrom = 8

// takeOver takes a session that another node has, or may have. It reports false if
// the record is not what it was.
func (a *Ordered) takeOver(ctx context.Context, s *session, was *wireSession, version string, has Position) (bool, error) {
	w := was.withState(has)
	st := *w.State
	var from []string // who may have it, beginning with the last that said so
	for _, uid := range append([]string{st.Node}, st.From...) {
		if uid != "" && !slices.Contains(from, uid) && len(from) < maxFrom {
			from = append(from, uid)
		}
	}
	st.Node, st.NSP, st.Turn, st.From = a.uid, a.nsp, st.Turn+1, from
	mine := *w
	mine.State = &st
	b, err := mine.encode()
	if err != nil {
		return false, err
	}
	r := &Record{Key: w.PID, Value: b, Version: version, TTL: a.max.MaxDuration}
	if st.Gone == 0 { // as its node had it, which may go on with it
		r.TTL += openTTL
	}
	switch err := a.log.Save(ctx, []*Record{r}); {
	case err != nil:
		return false, a.notNow(unreachable, err)
	case r.Conflict:
		return false, nil
	}
	settled, _, _ := s.standing()
	// The others have got it from here, unless one did without.
	holds := settled && slices.Contains(from, a.uid)
	var had letGo
	s.mu.Lock()
	if holds { // what another let go for this node is older than what it has
		had = letGo{Session: w, Had: s.turn}
	}
	s.turn, s.version, s.taken = st.Turn, r.Version, false
	s.tell()
	if !holds {
		s.blank, s.from, s.foreign = false, from, was.State == nil
		s.fillLocked(w)
	}
	s.mu.Unlock()
	latest, err := a.gather(ctx, w, st.Turn, from, had)
	switch {
	case err == nil && (latest != w || !holds):
		s.mu.Lock()
		s.fillLocked(latest)
		s.mu.Unlock()
	case errors.Is(err, errUnknown):
		a.end(s)
	case holds:
	case err != nil: // it stays where it was
		a.putBack(s, was, r)
	}
	return err == nil, err
}

// putBack puts another node's name into a record again. If the store does not take
// that, this node is the one that will be asked, and says who may have it.
func (a *Ordered) putBack(s *session, was *wireSession, r *Record) {
	w := *was
	if w.State != nil { // whoever is next comes behind this claim
		st := *w.State
		st.Turn++
		w.State = &st
	}
	b, err := w.encode()
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), a.o.PublishTimeout)
	defer cancel()
	if err := a.log.Save(ctx, []*Record{{Key: r.Key, Value: b, Version: r.Version, TTL: r.TTL}}); err == nil {
		a.drop(s) // or a newer claim has it
	}
}

// errUnknown is what the node says that has a session no more.
var errUnknown error = &adapter.RefusedError{Reason: adapter.UnknownSession}

// gather asks those that may have a session to let it go, for the claim with this
// turn. If nobody has it, what was let go last is the latest, had or an answer; or else,
// if one is gone, the record.
func (a *Ordered) gather(ctx context.Context, w *wireSession, turn uint64, from []string, had letGo) (*wireSession, error) {
	gone := ""
	for _, uid := range from {
		var answer letGo
		if uid == a.uid {
			answer = a.handedOver(w.PID, turn)
		} else {
			there, err := a.reaches(ctx, uid)
			if err != nil {
				return nil, a.notNow(unreachable, err)
			}
			if there {
				answer, err = a.askFor(ctx, uid, w.PID, turn)
			}
			if _, later := errors.AsType[*notNowError](err); later {
				return nil, err
			}
			if !there || err != nil {
				gone = uid
			}
			if err != nil {
				a.host.Logger().Warn("node does not answer for a session", "nsp", a.nsp, "node", uid, "error", err)
			}
		}
		switch {
		case answer.Ended:
			return nil, errUnknown
		case answer.Refused != "":
			return nil, &adapter.RefusedError{Reason: answer.Refused, Again: answer.Again}
		case answer.Session != nil && answer.Had == 0:
			return answer.Session, nil
		case answer.Had > had.Had:
			had = answer
		}
	}
	if had.Session != nil {
		return had.Session, nil
	}
	if gone == "" && len(from) > 0 {
		return nil, errUnknown
	}
	if gone != "" && w.State.Gone == 0 { // it was killed, or does not know
		ms, err := a.lastSeen(ctx, gone)
		if err != nil {
			return nil, a.notNow(unreachable, err)
		}
		if ms == 0 {
			return nil, errUnknown
		}
		w.State.Gone = ms
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

// wanted is what a node is asked for: the session, by the claim with this turn.
type wanted struct {
	PID  string `json:"pid"`
	Turn uint64 `json:"turn"`
}

// askFor asks a node for a session.
func (a *Ordered) askFor(claim context.Context, uid, pid string, turn uint64) (l letGo, err error) {
	v, err := NewValues(wanted{pid, turn})
	if err != nil {
		return l, err
	}
	ctx, cancel := context.WithTimeout(claim, askTimeout)
	defer cancel()
	r := a.requests.add([]string{uid}, 1)
	defer a.requests.remove(r)
	m := &Message{Type: sessionRequest, UID: a.uid, NSP: a.nsp, RequestID: r.id, Values: v}
	if err := a.out.push(outgoing{to: uid, m: m}); err != nil {
		return l, a.notNow("the node that has it cannot be asked: %v", err)
	}
	if _, _, err := r.wait(ctx); err != nil {
		if claim.Err() != nil { // others took the time: this one may well have it
			err = a.notNow("the nodes that may have it do not answer: %v", err)
		}
		return l, err
	}
	answers, _ := r.next(canceled)
	if len(answers) == 0 {
		return l, errors.New("it has left")
	}
	if answers[0].Err != nil {
		return l, answers[0].Err
	}
	if len(answers[0].Args) == 0 {
		return l, errors.New("it answers with nothing")
	}
	if err := json.Unmarshal(answers[0].Args[0], &l); err != nil {
		return letGo{}, err
	}
	if l.Session != nil && (l.Session.PID != pid || l.Session.SID == "" || l.Session.State == nil) {
		return letGo{}, errors.New("it answers with another session")
	}
	return l, nil
}
