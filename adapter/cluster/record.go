package cluster

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/internal/msgpack"
)

// A wireSession is a session as the official adapter for Redis Streams saves it,
// with what that does not know in one more field.
type wireSession struct {
	SID   string          `json:"sid"`
	PID   string          `json:"pid"`
	Rooms RoomNames       `json:"rooms"` // its own id is among them
	Data  json.RawMessage `json:"data"`
	State *wireState      `json:"state,omitempty"`
}

type wireState struct {
	Node    string    `json:"node"`           // uid of the one that saved it
	NSP     string    `json:"nsp,omitempty"`  // whose session it is: stores know pids alone
	Turn    uint64    `json:"turn,omitempty"` // how often it has gone from node to node
	From    []string  `json:"from,omitempty"` // nodes that may still have it: Node is asking them
	Gone    int64     `json:"gone"`           // ms since 1970; 0 while the socket is connected
	Start   Position  `json:"start"`
	Last    Position  `json:"last"`
	Settled Position  `json:"settled"`
	Doubt   *Position `json:"doubt,omitempty"`
	Rooms   []stay    `json:"rooms"`
}

// wire describes the session. s.mu is held, and data is of its socket.
func (s *session) wire(data json.RawMessage) *wireSession {
	if len(data) == 0 {
		data = json.RawMessage("{}")
	}
	st := &wireState{
		Node: s.a.uid, Start: s.start, Last: s.last, Settled: s.settled, Rooms: slices.Clone(s.rooms),
		NSP: s.a.nsp, Turn: s.turn, From: s.from,
	}
	if s.m == nil {
		st.Gone = s.goneAt.UnixMilli()
	} else {
		st.Settled = later(s.base, s.a.tail.settled())
	}
	if s.laid = s.lying; s.laid {
		st.Node = ""
	}
	if s.doubted {
		doubt := s.doubt
		st.Doubt = &doubt
	}
	return &wireSession{SID: s.id, PID: s.pid, Rooms: append(RoomNames{s.id}, s.roomNames()...), Data: data, State: st}
}

func (w *wireSession) encode() ([]byte, error) { return msgpack.Append(nil, w) }

// decodeSession reads what encode wrote, or Node.
func decodeSession(b []byte) (*wireSession, error) {
	if msgpack.Skip(b, maxDepth) != len(b) {
		return nil, errNotMessage
	}
	text, err := msgpack.AppendJSON(nil, b)
	if err != nil {
		return nil, fmt.Errorf("cluster: session: %w", err)
	}
	return parseSession(text)
}

func parseSession(text []byte) (*wireSession, error) {
	var w wireSession
	if err := json.Unmarshal(text, &w); err != nil {
		return nil, fmt.Errorf("cluster: session: %w", err)
	}
	if w.SID == "" || w.PID == "" {
		return nil, fmt.Errorf("cluster: a session without sid or pid")
	}
	return &w, nil
}

// withState adds to what Node saved, which says nothing of positions, that the
// rooms have been as they are for all that a client misses that has what is up to
// has.
func (w *wireSession) withState(has Position) *wireSession {
	if w.State != nil {
		return w
	}
	s := session{id: w.SID}
	s.joinLocked(Position{}, w.Rooms)
	c := *w
	c.State = &wireState{Start: has, Last: has, Settled: has, Rooms: s.rooms}
	return &c
}

// fillLocked sets what a record says. s.mu is held.
func (s *session) fillLocked(w *wireSession) {
	st := w.State
	s.id, s.data, s.prev = w.SID, w.Data, nil
	s.start, s.last, s.settled, s.rooms = st.Start, st.Last, st.Settled, slices.Clone(st.Rooms)
	if s.doubted = st.Doubt != nil; s.doubted {
		s.doubt = *st.Doubt
	}
	s.goneAt = time.Now()
	// The clock of that node may be ahead.
	if gone := time.UnixMilli(st.Gone); st.Gone != 0 && gone.Before(s.goneAt) {
		s.goneAt = gone
	}
}

// elsewhere reports whether the session is of another namespace. Whoever was let into
// one has not been let into all.
func (w *wireSession) elsewhere(nsp string) bool {
	return w.State != nil && w.State.NSP != "" && w.State.NSP != nsp
}

// describe returns what is saved of the data of a socket.
func describe(m adapter.Member) json.RawMessage {
	_, data := m.Describe()
	return data
}
