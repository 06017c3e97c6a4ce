// Package adaptertest is the contract of [adapter.Adapter] as a test suite.
package adaptertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/parser"
)

// A contractTest is one part of the contract.
type contractTest struct {
	name string
	test func(*testing.T, []adapter.Adapter, []*Host)
}

var contract = []contractTest{
	{"everybody", alone(testEverybody)},
	{"rooms", alone(testRooms)},
	{"once per socket", alone(testOnce)},
	{"except", alone(testExcept)},
	{"id as room", alone(testOwnID)},
	{"before Add", alone(testBeforeAdd)},
	{"Remove", alone(testRemove)},
	{"look-ups", alone(testLookups)},
	{"leaving during a broadcast", alone(testLeavingDuring)},
	{"acks", alone(testAcks)},
	{"acks missing", alone(testAcksMissing)},
	{"fetch", alone(testFetch)},
	{"remote operations", alone(testRemote)},
	{"description", alone(testDescription)},
	{"room events", alone(testRoomEvents)},
	{"server-side emit", testServerSide},
	{"server-side acks", testServerSideAcks},
	{"server-side acks missing", testServerSideMissing},
	{"order", alone(testOrder)},
	{"concurrency", alone(testConcurrency)},
}

// settle waits until everything has arrived that was sent.
var settle = synctest.Wait

// Run checks the adapters that build returns: one for each host, which are the
// same namespace on different nodes. It is called in a synctest bubble. What
// goes between nodes may take as long as it likes, if the bubble is idle then.
func Run(t *testing.T, nodes int, build func(t *testing.T, hosts []*Host) []adapter.Adapter) {
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.run(t, nodes, build) })
		})
	}
}

// RunReal is Run over a real broker, in real time. Two nodes have received what
// a third had sent when they have received what it sent then: that is what it
// waits by. subscribed waits, if it is not nil, until interest in rooms that
// were joined is known to the broker.
func RunReal(t *testing.T, nodes int, build func(t *testing.T, hosts []*Host) []adapter.Adapter, subscribed func()) {
	defer func() { settle = synctest.Wait }()
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			c.run(t, nodes, func(t *testing.T, hosts []*Host) []adapter.Adapter {
				as := build(t, hosts)
				settle = func() {
					if subscribed != nil {
						subscribed()
					}
					for range 2 { // what was sent, and what was answered
						barrier(t, as, hosts)
					}
				}
				return as
			})
		})
	}
}

func (c contractTest) run(t *testing.T, nodes int, build func(t *testing.T, hosts []*Host) []adapter.Adapter) {
	hosts := NewHosts(nodes)
	as := build(t, hosts)
	settle()
	c.test(t, as, hosts)
	for _, a := range as {
		if err := a.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := a.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
	}
}

// alone makes a test of one that has no use for the hosts.
func alone(test func(*testing.T, []adapter.Adapter)) func(*testing.T, []adapter.Adapter, []*Host) {
	return func(t *testing.T, as []adapter.Adapter, _ []*Host) { test(t, as) }
}

// A Socket is a member that records what it is given.
type Socket struct {
	id         string
	membership adapter.Membership
	on         adapter.Adapter

	mu     sync.Mutex
	got    []string
	asked  map[int64]func(adapter.Answer)
	askedN chan struct{} // one for each time it was asked
	closed []bool        // arguments of Disconnect
	during func()
}

// NewSocket returns a socket that is known to a.
func NewSocket(a adapter.Adapter, id string, rooms ...string) *Socket {
	s := newSocket(a, id)
	a.Add(s)
	a.Join(s, rooms...)
	return s
}

func newSocket(a adapter.Adapter, id string) *Socket {
	return &Socket{id: id, on: a, askedN: make(chan struct{}, 64)}
}

// long makes an id as long as those of sockets are: some adapters tell them from
// rooms by that.
func long(id string) string { return id + strings.Repeat("-", 20-len(id)) }

// ID implements [adapter.Member].
func (s *Socket) ID() string { return s.id }

// Membership implements [adapter.Member].
func (s *Socket) Membership() *adapter.Membership { return &s.membership }

// Deliver implements [adapter.Member].
func (s *Socket) Deliver(p *adapter.Packet) {
	s.mu.Lock()
	s.got = append(s.got, p.Event)
	during := s.during
	s.mu.Unlock()
	if during != nil {
		during()
	}
}

// DeliverWithAck implements [adapter.Member].
func (s *Socket) DeliverWithAck(p *adapter.Packet, answer func(adapter.Answer)) bool {
	s.Deliver(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == nil {
		s.asked = map[int64]func(adapter.Answer){}
	}
	s.asked[p.ID] = answer
	s.askedN <- struct{}{}
	return true
}

// Announce implements [adapter.Member].
func (s *Socket) Announce(*adapter.Packet) {}

// CancelAck implements [adapter.Member].
func (s *Socket) CancelAck(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.asked, id)
}

// Disconnect implements [adapter.Member].
func (s *Socket) Disconnect(closeConnection bool) {
	s.mu.Lock()
	s.closed = append(s.closed, closeConnection)
	s.mu.Unlock()
	s.on.Remove(s)
}

// Supersede implements [adapter.Member].
func (s *Socket) Supersede(context.Context) error {
	if r, ok := s.on.(adapter.Recoverer); ok {
		r.Suspend(s)
	}
	return nil
}

// Describe implements [adapter.Member].
func (s *Socket) Describe() (handshake, data json.RawMessage) {
	return json.RawMessage(`{"url":"/` + s.id + `"}`), json.RawMessage(`{"name":"` + s.id + `"}`)
}

// Answer answers all that the socket was asked; on other nodes than the one that
// asks, packets have other ids.
func (s *Socket) Answer(a adapter.Answer) {
	s.mu.Lock()
	asked := s.asked
	s.asked = nil
	s.mu.Unlock()
	for _, f := range asked {
		f(a)
	}
}

// answerNext answers the next question.
func (s *Socket) answerNext(a adapter.Answer) {
	<-s.askedN
	s.Answer(a)
}

func (s *Socket) pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// Take returns the events that have come since the last call, once everything
// that was sent has arrived.
func (s *Socket) Take() []string {
	settle()
	return s.Got()
}

// Got returns the events that have come so far since the last call.
func (s *Socket) Got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

func packet(event string) *adapter.Packet { return &adapter.Packet{Event: event, ID: parser.NoID} }

// send broadcasts from the first node.
func send(t *testing.T, as []adapter.Adapter, target adapter.Target, event string) {
	t.Helper()
	settle()
	if err := as[0].Broadcast(target, packet(event)); err != nil {
		t.Fatalf("Broadcast: %v", err)
	}
}

// wantTaken checks who got event since the last check.
func wantTaken(t *testing.T, event string, got, not []*Socket) {
	t.Helper()
	for _, s := range got {
		if events := s.Take(); !slices.Equal(events, []string{event}) {
			t.Errorf("%s got %q; want [%q]", s.id, events, event)
		}
	}
	for _, s := range not {
		if events := s.Take(); events != nil {
			t.Errorf("%s got %q; want nothing", s.id, events)
		}
	}
}

// three returns sockets a (rooms x y), b (rooms y), c (no room), on different
// nodes if there are several.
func three(as []adapter.Adapter) (a, b, c *Socket) {
	return NewSocket(as[0], long("a"), "x", "y"), NewSocket(as[1%len(as)], long("b"), "y"), NewSocket(as[2%len(as)], long("c"))
}

func testEverybody(t *testing.T, as []adapter.Adapter) {
	a, b, c := three(as)
	send(t, as, adapter.Target{}, "all")
	wantTaken(t, "all", []*Socket{a, b, c}, nil)
}

func testRooms(t *testing.T, as []adapter.Adapter) {
	a, b, c := three(as)
	send(t, as, adapter.Target{Rooms: []string{"x"}}, "x")
	wantTaken(t, "x", []*Socket{a}, []*Socket{b, c})
	send(t, as, adapter.Target{Rooms: []string{"y"}}, "y")
	wantTaken(t, "y", []*Socket{a, b}, []*Socket{c})
	send(t, as, adapter.Target{Rooms: []string{"nobody"}}, "z")
	wantTaken(t, "z", nil, []*Socket{a, b, c})
	a.on.Leave(a, "y", "never joined")
	send(t, as, adapter.Target{Rooms: []string{"y"}}, "y")
	wantTaken(t, "y", []*Socket{b}, []*Socket{a, c})
}

func testOnce(t *testing.T, as []adapter.Adapter) {
	a, b, c := three(as)
	a.on.Join(a, "x", "x")
	send(t, as, adapter.Target{Rooms: []string{"x", "y", "x", a.id}}, "xy")
	wantTaken(t, "xy", []*Socket{a, b}, []*Socket{c})
}

func testExcept(t *testing.T, as []adapter.Adapter) {
	a, b, c := three(as)
	send(t, as, adapter.Target{Except: []string{"x"}}, "not x")
	wantTaken(t, "not x", []*Socket{b, c}, []*Socket{a})
	send(t, as, adapter.Target{Rooms: []string{"y"}, Except: []string{b.id}}, "not b")
	wantTaken(t, "not b", []*Socket{a}, []*Socket{b, c})
	send(t, as, adapter.Target{Rooms: []string{"x", "y"}, Except: []string{"y"}}, "none")
	wantTaken(t, "none", nil, []*Socket{a, b, c})
}

// testOwnID: ids have the 20 characters that they have in a server, by which some
// adapters tell them from the names of rooms.
func testOwnID(t *testing.T, as []adapter.Adapter) {
	a, b, c := three(as)
	send(t, as, adapter.Target{Rooms: []string{b.id}}, "to b")
	wantTaken(t, "to b", []*Socket{b}, []*Socket{a, c})
	a.on.Join(a, b.id) // somebody else's id is a room like any other
	send(t, as, adapter.Target{Rooms: []string{b.id}}, "to b")
	wantTaken(t, "to b", []*Socket{a, b}, []*Socket{c})
	b.on.Join(b, b.id)
	b.on.Leave(b, b.id) // nobody can leave his own
	send(t, as, adapter.Target{Rooms: []string{b.id}}, "to b")
	wantTaken(t, "to b", []*Socket{a, b}, []*Socket{c})
	if rooms := b.membership.Rooms(); !slices.Equal(rooms, []string{"y"}) {
		t.Errorf("rooms of b = %q; want y alone", rooms)
	}
}

func testBeforeAdd(t *testing.T, as []adapter.Adapter) {
	s := newSocket(as[0], "s")
	as[0].Join(s, "x")
	send(t, as, adapter.Target{}, "all")
	wantTaken(t, "all", nil, []*Socket{s})
	if _, ok := as[0].Member("s"); ok {
		t.Error("Member found a socket before Add")
	}
	as[0].Add(s)
	as[0].Add(s)
	send(t, as, adapter.Target{Rooms: []string{"x"}}, "x")
	wantTaken(t, "x", []*Socket{s}, nil)
	send(t, as, adapter.Target{}, "all")
	wantTaken(t, "all", []*Socket{s}, nil)
}

func testRemove(t *testing.T, as []adapter.Adapter) {
	a, b, c := three(as)
	if rooms := a.on.Remove(a); !slices.Equal(rooms, []string{"x", "y"}) {
		t.Errorf("Remove = %q; want [x y]", rooms)
	}
	if rooms := a.on.Remove(a); rooms != nil {
		t.Errorf("second Remove = %q; want none", rooms)
	}
	a.on.Join(a, "y")
	a.on.Add(a)
	send(t, as, adapter.Target{Rooms: []string{"y"}}, "y")
	wantTaken(t, "y", []*Socket{b}, []*Socket{a, c})
	send(t, as, adapter.Target{}, "all")
	wantTaken(t, "all", []*Socket{b, c}, []*Socket{a})
	send(t, as, adapter.Target{Rooms: []string{a.id}}, "a")
	wantTaken(t, "a", nil, []*Socket{a, b, c})
}

func testLookups(t *testing.T, as []adapter.Adapter) {
	on := as[0]
	a, b := NewSocket(on, "a", "x", "y"), NewSocket(on, "b", "y")
	if m, ok := on.Member("a"); !ok || m != adapter.Member(a) {
		t.Errorf("Member(a) = %v, %v", m, ok)
	}
	for room, want := range map[string]int{"x": 1, "y": 2, "z": 0, "b": 1} {
		if got := on.RoomSize(room); got != want {
			t.Errorf("RoomSize(%s) = %d; want %d", room, got, want)
		}
	}
	if n := on.Size(); n != 2 {
		t.Errorf("Size = %d; want 2", n)
	}
	rooms := map[string]int{}
	for name, n := range on.Rooms() {
		rooms[name] = n
	}
	if fmt.Sprint(rooms) != "map[x:1 y:2]" {
		t.Errorf("Rooms = %v", rooms)
	}
	on.Leave(a, "x")
	on.Remove(b)
	on.Remove(a)
	for name := range on.Rooms() {
		t.Errorf("room %q is left behind", name)
	}
	if n := on.Size(); n != 0 {
		t.Errorf("Size = %d when all have left", n)
	}
	if n := on.RoomSize("b"); n != 0 {
		t.Errorf("RoomSize of the id of a socket that left = %d", n)
	}
}

func testLeavingDuring(t *testing.T, as []adapter.Adapter) {
	on := as[0]
	var all []*Socket
	for i := range 100 {
		all = append(all, NewSocket(on, fmt.Sprint("s", i), "x"))
	}
	// Whoever gets it first removes ten others, and one comes: those who stay
	// get it all the same, once.
	var once sync.Once
	for _, s := range all {
		s.during = func() {
			once.Do(func() {
				for _, other := range all[40:50] {
					on.Remove(other)
				}
				NewSocket(on, "new", "x")
			})
		}
	}
	send(t, as, adapter.Target{Rooms: []string{"x"}}, "x")
	wantTaken(t, "x", append(slices.Clone(all[:40]), all[50:]...), nil)
	for _, s := range all[40:50] {
		s.Take() // may have got it or not
	}
	if n := on.RoomSize("x"); n != 91 {
		t.Errorf("RoomSize = %d; want 91", n)
	}
	send(t, as, adapter.Target{Rooms: []string{"x"}}, "again")
	wantTaken(t, "again", append(slices.Clone(all[:40]), all[50:]...), all[40:50])
	for _, s := range all {
		on.Remove(s)
	}
	m, _ := on.Member("new")
	on.Remove(m)
	for name := range on.Rooms() {
		t.Errorf("room %q is left behind", name)
	}
}

func asking(id int64) *adapter.Packet { return &adapter.Packet{Event: "ask", ID: id} }

func testAcks(t *testing.T, as []adapter.Adapter) {
	a, b, c := three(as)
	go func() {
		time.Sleep(time.Second)
		b.Answer(adapter.Answer{Args: [][]byte{[]byte(`"b"`)}})
		time.Sleep(time.Second)
		a.Answer(adapter.Answer{Args: [][]byte{[]byte(`"a"`)}})
	}()
	start := time.Now()
	var got []string
	for answer, err := range as[0].BroadcastWithAck(t.Context(), adapter.Target{Rooms: []string{"y"}}, asking(7)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s after %v", answer.Args[0], time.Since(start).Round(time.Second)))
	}
	if want := []string{`"b" after 1s`, `"a" after 2s`}; !slices.Equal(got, want) {
		t.Errorf("answers = %q; want %q", got, want)
	}
	wantTaken(t, "ask", []*Socket{a, b}, []*Socket{c})
	for range as[0].BroadcastWithAck(t.Context(), adapter.Target{Rooms: []string{"nobody"}}, asking(8)) {
		t.Error("an answer out of an empty room")
	}
}

func testAcksMissing(t *testing.T, as []adapter.Adapter) {
	a, b, c := three(as)
	all := []*Socket{a, b, c}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	go func() {
		a.answerNext(adapter.Answer{Args: [][]byte{[]byte("1")}})
		b.answerNext(adapter.Answer{Err: errors.New("left")})
	}()
	answers := 0
	var missing *adapter.MissingError
	for _, err := range as[0].BroadcastWithAck(ctx, adapter.Target{}, asking(1)) {
		if err == nil {
			answers++
		} else if !errors.As(err, &missing) {
			t.Fatalf("error = %v; want a MissingError", err)
		}
	}
	if answers != 1 || missing == nil || missing.Missing != 2 || !errors.Is(missing, context.DeadlineExceeded) {
		t.Errorf("%d answers, then %v; want 1, then 2 missing for the deadline", answers, missing)
	}
	time.Sleep(time.Second) // other nodes give up by clocks of their own
	for _, s := range all {
		if n := s.pending(); n != 0 {
			t.Errorf("%s still keeps %d acks", s.id, n)
		}
	}

	go func() {
		for _, s := range all {
			s.answerNext(adapter.Answer{})
		}
	}()
	for range as[0].BroadcastWithAck(t.Context(), adapter.Target{}, asking(2)) {
		break // must neither hang nor leave anything behind
	}
	settle()
}

func testFetch(t *testing.T, as []adapter.Adapter) {
	three(as)
	infos, err := as[0].Fetch(t.Context(), adapter.Target{Rooms: []string{"y"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, info := range infos {
		got = append(got, fmt.Sprint(info.ID, info.Rooms))
	}
	slices.Sort(got)
	if want := []string{long("a") + "[x y]", long("b") + "[y]"}; !slices.Equal(got, want) {
		t.Errorf("Fetch = %q; want %q", got, want)
	}
}

func testRemote(t *testing.T, as []adapter.Adapter) {
	a, b, c := three(as)
	if err := as[0].SocketsJoin(adapter.Target{Rooms: []string{b.id, c.id}}, "z", "zz"); err != nil {
		t.Fatal(err)
	}
	settle()
	send(t, as, adapter.Target{Rooms: []string{"z"}}, "z")
	wantTaken(t, "z", []*Socket{b, c}, []*Socket{a})
	if err := as[0].SocketsLeave(adapter.Target{}, "z"); err != nil {
		t.Fatal(err)
	}
	settle()
	send(t, as, adapter.Target{Rooms: []string{"z"}}, "z")
	wantTaken(t, "z", nil, []*Socket{a, b, c})
	if err := as[0].DisconnectSockets(adapter.Target{Rooms: []string{"zz"}}, true); err != nil {
		t.Fatal(err)
	}
	settle()
	if len(a.closed) != 0 || !slices.Equal(b.closed, []bool{true}) || !slices.Equal(c.closed, []bool{true}) {
		t.Errorf("Disconnect calls: %v %v %v; want one of b and c each", a.closed, b.closed, c.closed)
	}
}

// testConcurrency is for the race detector, and for what a crowd leaves behind.
func testConcurrency(t *testing.T, as []adapter.Adapter) {
	on := as[0]
	stays := NewSocket(on, "stays", "x")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				s := NewSocket(on, fmt.Sprint(i, "-", j), "x", fmt.Sprint("room", j%5))
				on.Broadcast(adapter.Target{Rooms: []string{"x"}, Except: []string{s.id, "room1"}}, packet("x"))
				on.Leave(s, "x")
				on.Broadcast(adapter.Target{}, packet("all"))
				on.Remove(s)
			}
		})
	}
	wg.Wait()
	if n := len(stays.Take()); n != 8*50*2 {
		t.Errorf("the one who stayed got %d; want %d", n, 8*50*2)
	}
	on.Remove(stays)
	for name, n := range on.Rooms() {
		t.Errorf("room %q is left behind with %d", name, n)
	}
}
