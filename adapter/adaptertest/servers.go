package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/adapter"
)

func testDescription(t *testing.T, as []adapter.Adapter) {
	_, b, _ := three(as)
	infos, err := as[0].Fetch(t.Context(), adapter.Target{Rooms: []string{b.id}})
	if err != nil || len(infos) != 1 {
		t.Fatalf("Fetch = %v, %v; want b alone", infos, err)
	}
	info := infos[0]
	if b.on == as[0] {
		if info.Member != adapter.Member(b) {
			t.Errorf("Member = %v; want the socket, which is on this node", info.Member)
		}
		return
	}
	if info.Member != nil || string(info.Handshake) != `{"url":"/`+b.id+`"}` || string(info.Data) != `{"name":"`+b.id+`"}` {
		t.Errorf("Fetch = %+v; want what b says of itself", info)
	}
	infos, err = as[0].Fetch(t.Context(), adapter.Target{Local: true})
	if err != nil || len(infos) != 1 || infos[0].ID != long("a") {
		t.Errorf("Fetch of this node = %v, %v; want a alone", infos, err)
	}
}

func testRoomEvents(t *testing.T, as []adapter.Adapter) {
	on := as[0]
	var events []string
	on.Observe(func(e adapter.RoomEvent) {
		kind := [...]string{"created", "joined", "left", "deleted"}[e.Kind]
		events = append(events, strings.TrimSpace(fmt.Sprint(kind, " ", e.Room, " ", e.ID)))
		if e.Kind == adapter.RoomCreated {
			on.RoomSize(e.Room) // no lock is held
		}
	})
	want := func(lines ...string) {
		t.Helper()
		settle()
		if !slices.Equal(events, lines) {
			t.Errorf("events %q; want %q", events, lines)
		}
		events = nil
	}
	a, b := NewSocket(on, "a", "x"), NewSocket(on, "b", "x", "y")
	want("created x", "joined x a", "joined x b", "created y", "joined y b")
	on.Join(a, "x", "a")
	on.Leave(a, "z")
	want()
	on.Leave(a, "x")
	want("left x a")
	on.Remove(b)
	want("left x b", "deleted x", "left y b", "deleted y")
	on.Observe(nil)
	on.Join(a, "x")
	on.Leave(a, "x")
	want()
}

func testServerSide(t *testing.T, as []adapter.Adapter, hosts []*Host) {
	if n, err := as[0].ServerCount(t.Context()); n != len(as) || err != nil {
		t.Errorf("ServerCount = %d, %v; want %d", n, err, len(as))
	}
	if err := as[0].ServerSideEmit("hello", []any{1, map[string]any{"a": "b"}}); err != nil {
		t.Fatal(err)
	}
	settle()
	for i, h := range hosts {
		var want []string
		if i > 0 {
			want = []string{`hello 1 {"a":"b"}`}
		}
		if got := h.take(); !slices.Equal(got, want) {
			t.Errorf("node %d got %q; want %q", i, got, want)
		}
	}
}

func testServerSideAcks(t *testing.T, as []adapter.Adapter, hosts []*Host) {
	var answers []string
	for answer, err := range as[0].ServerSideEmitWithAck(t.Context(), "ask", nil) {
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, string(answer.Args[0]))
	}
	if len(answers) != len(as)-1 || strings.Trim(strings.Join(answers, ""), `"ask`) != "" {
		t.Errorf("answers = %q; want one of each of the %d others", answers, len(as)-1)
	}
}

func testServerSideMissing(t *testing.T, as []adapter.Adapter, hosts []*Host) {
	if len(as) == 1 {
		return
	}
	hosts[len(hosts)-1].silent = true
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	answers := 0
	var last error
	start := time.Now()
	for _, err := range as[0].ServerSideEmitWithAck(ctx, "ask", nil) {
		if err == nil {
			answers++
		} else {
			last = err
		}
	}
	partial, ok := errors.AsType[*adapter.PartialError](last)
	if answers != len(as)-2 || !ok || partial.Missing != 1 || !errors.Is(last, context.DeadlineExceeded) || time.Since(start).Round(time.Second) != 2*time.Second {
		t.Errorf("%d answers, then %v after %v; want %d, then one missing for the deadline", answers, last, time.Since(start), len(as)-2)
	}
	for range as[0].ServerSideEmitWithAck(ctx, "ask", nil) {
		break // must neither hang nor leave anything behind
	}
}

// testOrder: what one node sends reaches a socket of another in that order.
func testOrder(t *testing.T, as []adapter.Adapter) {
	far := NewSocket(as[len(as)-1], long("far"), "x", "y")
	settle()
	var want []string
	for i := range 100 {
		target := []adapter.Target{{}, {Rooms: []string{"x"}}, {Rooms: []string{"y", "x"}}, {Rooms: []string{far.id}}}[i%4]
		want = append(want, fmt.Sprint(i))
		if err := as[0].Broadcast(target, packet(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if got := far.Take(); !slices.Equal(got, want) {
		t.Errorf("got %q; want them in order", got)
	}
}
