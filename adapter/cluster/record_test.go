package cluster

import (
	"reflect"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/internal/msgpack"
)

// TestNodeSession: what the official adapter for Redis Streams saves is read: its
// own id is among the rooms, and there are no positions.
func TestNodeSession(t *testing.T) {
	b, err := msgpack.Append(nil, map[string]any{
		"sid": "id", "pid": "pid", "rooms": []string{"id", "x"}, "data": map[string]any{"name": "ann"},
	})
	if err != nil {
		t.Fatal(err)
	}
	w, err := decodeSession(b)
	if err != nil || w.SID != "id" || w.PID != "pid" || string(w.Data) != `{"name":"ann"}` || w.State != nil {
		t.Fatalf("read %+v, %v", w, err)
	}
	var s session
	s.fillLocked(w.withState(Position{5, 1}))
	if got := s.roomNames(); !reflect.DeepEqual(got, []string{"x"}) || s.start != (Position{5, 1}) || s.id != "id" {
		t.Errorf("session %s from %v with rooms %q", s.id, s.start, got)
	}
}

// FuzzSession: no record of whoever wrote into the store does harm, and what is
// read is written as what is read the same.
func FuzzSession(f *testing.F) {
	w := &wireSession{SID: "id", PID: "pid", Rooms: RoomNames{"id", "x"}, Data: []byte("{}"), State: &wireState{
		Node: "uid", Turn: 3, From: []string{"before"}, Gone: 7, Start: Position{1, 2}, Doubt: &Position{3, 4},
		Rooms: []stay{{Room: "x", From: Position{1, 2}, To: ongoing}, {Room: "uid", To: Position{2, 3}, Node: true}},
	}}
	b, err := w.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := decodeSession(b)
		if err != nil {
			return
		}
		again, err := w.encode()
		if err != nil {
			return // data that nests too deep to be written
		}
		w2, err := decodeSession(again)
		if err != nil || w2.SID != w.SID || !reflect.DeepEqual(w2.State, w.State) || len(w2.Rooms) != len(w.Rooms) {
			t.Errorf("%+v is read again as %+v, %v", w, w2, err)
		}
		var s session
		s.fillLocked(w.withState(Position{}))
		s.roomNames()
	})
}

// TestOlderRecord: what a version saved that knew no turns and namespaces is read.
func TestOlderRecord(t *testing.T) {
	b, err := msgpack.Append(nil, map[string]any{
		"sid": "id", "pid": "pid", "rooms": []string{"id", "x"}, "data": map[string]any{},
		"state": map[string]any{
			"node": "uid", "gone": 7, "start": "1-2", "last": "1-3", "settled": "1-3",
			"rooms": []map[string]any{{"room": "x", "from": "1-2", "to": ongoing.String()}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w, err := decodeSession(b)
	if err != nil || w.State == nil || w.State.Node != "uid" || w.State.Turn != 0 || w.State.Settled != (Position{1, 3}) || w.elsewhere("/") {
		t.Fatalf("read %+v, %v", w, err)
	}
}

// TestClockAhead: nobody left in the future, whatever the clock of his node says.
func TestClockAhead(t *testing.T) {
	var s session
	s.fillLocked(&wireSession{SID: "id", State: &wireState{Gone: time.Now().Add(time.Hour).UnixMilli()}})
	if away := time.Since(s.goneAt); away < 0 {
		t.Errorf("away for %v", away)
	}
	then := time.Now().Add(-time.Minute)
	s.fillLocked(&wireSession{SID: "id", State: &wireState{Gone: then.UnixMilli()}})
	if !s.goneAt.Equal(time.UnixMilli(then.UnixMilli())) {
		t.Errorf("gone at %v; want %v", s.goneAt, then)
	}
}
