package cluster

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sockeye-go/socketio/adapter"
)

// A letGo is the answer of a node that was asked for a session: there it is, or it
// is refused, or there is none.
type letGo struct {
	Session *wireSession `json:"session,omitempty"`
	Refused string       `json:"refused,omitempty"`
	Again   bool         `json:"again,omitempty"` // which says nothing of the session
	Ended   bool         `json:"ended,omitempty"` // whatever others may still have
	// Had is the turn of the claim for which the node let go of the session: as it
	// was then, if nobody has it who was given it.
	Had uint64 `json:"had,omitempty"`
}

// A handover is a session that was let go, of which the answer may not have arrived,
// or one that was ended while another node had put its name into the record.
type handover struct {
	w     *wireSession // nil if it was ended
	turn  uint64       // of the claim that got it
	asked uint64       // of the last one that asked for it
	at    time.Time
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
	var of []wanted
	if err := json.Unmarshal(m.Values.JSON, &of); err != nil || len(of) != 1 {
		return letGo{}
	}
	pid, turn := of[0].PID, of[0].Turn
	ctx, cancel := context.WithTimeout(a.life, askTimeout-time.Second)
	defer cancel()
	for {
		a.sessionsMu.Lock()
		s := a.sessions[pid]
		a.sessionsMu.Unlock()
		if s == nil {
			return a.handedOver(pid, turn)
		}
		answer, wait := a.surrenderOf(ctx, s, turn)
		if wait == nil {
			return answer
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return s.refuse(turn)
		}
	}
}

// surrenderOf lets a session go if it can be, or says what to wait for.
func (a *Ordered) surrenderOf(ctx context.Context, s *session, turn uint64) (answer letGo, wait <-chan struct{}) {
	s.mu.Lock()
	switch {
	case s.moved: // since it was looked up
		defer s.mu.Unlock()
		return letGo{}, closed
	case s.ended:
		defer s.mu.Unlock()
		return letGo{Ended: true}, nil
	case turn <= s.turn: // a newer claim has been here
		defer s.mu.Unlock()
		return letGo{Refused: adapter.SessionClaimed, Again: true}, nil
	case s.taking: // it has it before long, or not, or turns out to be the newer one
		defer s.mu.Unlock()
		s.wanted = max(s.wanted, turn)
		if s.told == nil {
			s.told = make(chan struct{})
		}
		return letGo{}, s.told
	case s.claimed: // a client is about to have it
		s.mu.Unlock()
		return s.refuse(turn), nil
	case len(s.from) > 0: // it never had it; the record says who may
		s.mu.Unlock()
		a.dropIf(s, func() bool { return !s.claimed }) // or it claims it at this moment
		return letGo{}, closed
	}
	s.claimLocked()
	old := s.m
	if old == nil {
		old = s.prev
	}
	s.mu.Unlock()
	if old != nil {
		if err := old.Supersede(ctx); err != nil {
			s.refuse(turn) // it stays here
			a.release(s)
			return letGo{Refused: err.Error(), Again: a.life.Err() != nil}, nil
		}
	}
	data := json.RawMessage(s.data)
	if old != nil {
		data = describe(old)
	}
	s.mu.Lock()
	if s.ended || s.m != nil { // its client or a handler has ended it
		s.claimed, s.taking = false, false
		s.tell()
		s.mu.Unlock()
		return letGo{Ended: true}, nil
	}
	w := s.wire(data)
	s.mu.Unlock()
	a.remember(s, w, turn)
	a.drop(s)
	return letGo{Session: w}, nil
}

// refuse says that the session stays here. When it is written again, that is over
// the name of the one that was refused.
func (s *session) refuse(turn uint64) letGo {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = false
	s.turn = max(s.turn, turn)
	err := s.claimedError()
	return letGo{Refused: err.Reason, Again: err.Again}
}

// rememberFor is how long a node knows what became of a session that it let go.
const rememberFor = time.Minute

// remember keeps what a session was that is about to be dropped.
func (a *Ordered) remember(s *session, w *wireSession, turn uint64) {
	a.sessionsMu.Lock()
	defer a.sessionsMu.Unlock()
	if len(a.handed) >= a.max.MaxSessions {
		for pid := range a.handed {
			delete(a.handed, pid) // any: it is rarely needed
			break
		}
	}
	a.handed[s.pid] = handover{w, turn, turn, time.Now()}
}

// handedOver is the answer to who asks for a session that was let go. Whoever let
// itself be overtaken meanwhile gets it no more.
func (a *Ordered) handedOver(pid string, turn uint64) letGo {
	a.sessionsMu.Lock()
	defer a.sessionsMu.Unlock()
	h, ok := a.handed[pid]
	switch {
	case !ok:
		return letGo{}
	case h.w == nil:
		return letGo{Ended: true}
	case turn <= h.asked:
		return letGo{Refused: adapter.SessionClaimed, Again: true}
	}
	h.asked = turn
	a.handed[pid] = h
	return letGo{Session: h.w, Had: h.turn}
}

// forgetHandedOver is for when nobody asks any more. sessionsMu is held.
func (a *Ordered) forgetHandedOver(now time.Time) {
	for pid, h := range a.handed {
		if now.Sub(h.at) > rememberFor {
			delete(a.handed, pid)
		}
	}
}

// tell wakes those who wait for what becomes of the session. Its mutex is held.
func (s *session) tell() {
	if s.told != nil {
		close(s.told)
		s.told = nil
	}
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
