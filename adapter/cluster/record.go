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
	Node    string    `json:"node"` // uid of the one that saved it
	Gone    int64     `json:"gone"` // ms since 1970; 0 while the socket is connected
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

// session makes the session of a record, whose client has what is up to offset.
// What Node saved says nothing of positions: rooms are taken to have been as they
// are, for all that the client misses.
func (w *wireSession) session(a *Ordered, has Position) *session {
	s := &session{a: a, pid: w.PID, id: w.SID, data: w.Data, goneAt: time.Now()}
	if w.State != nil {
		s.update(w)
		return s
	}
	s.foreign = true
	s.start, s.last, s.settled = has, has, has
	s.joinLocked(Position{}, w.Rooms)
	return s
}

// update sets what a record says.
func (s *session) update(w *wireSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := w.State
	s.data, s.start, s.last, s.settled, s.rooms = w.Data, st.Start, st.Last, st.Settled, st.Rooms
	if s.doubted = st.Doubt != nil; s.doubted {
		s.doubt = *st.Doubt
	}
	if st.Gone != 0 {
		s.goneAt = time.UnixMilli(st.Gone)
	}
}

// describe returns what is saved of the data of a socket.
func describe(m adapter.Member) json.RawMessage {
	_, data := m.Describe()
	return data
}
