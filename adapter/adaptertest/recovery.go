package adaptertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
)

// A Cluster is some nodes from which clients can recover.
type Cluster struct {
	Hosts    []*Host
	Adapters []adapter.Adapter
	// Kill ends a node as kill -9 does. It is closed later.
	Kill func(node int)
	// Settle waits until all nodes have received what was sent. It may be nil in
	// a synctest bubble.
	Settle func()
}

var recovery = []struct {
	name string
	test func(*testing.T, *Cluster)
}{
	{"on another node", testElsewhere},
	{"nothing received", testNothingReceived},
	{"before its node notices", testUnnoticed},
	{"cut in a replay", testCutInReplay},
	{"node killed", testKilled},
	{"once", testClaimOnce},
	{"given back", testGivenBack},
	{"left for good", testLeft},
	{"changed while away", testChangedAway},
	{"of this node alone", testLocalKept},
	{"what is not kept", testNotKept},
	{"order", testKeptOrder},
	{"everything once", testEverythingOnce},
}

// RunRecovery checks that clients can come back to any of three nodes, as package
// adapter promises. build is called in a synctest bubble, with hosts of
// [NewRecoveringHosts].
func RunRecovery(t *testing.T, build func(t *testing.T, hosts []*Host) *Cluster) {
	for _, r := range recovery {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runRecovery(t, build, r.test) })
		})
	}
}

// RunRecoveryReal is RunRecovery over real parts, in real time.
func RunRecoveryReal(t *testing.T, build func(t *testing.T, hosts []*Host) *Cluster) {
	defer func() { settle = synctest.Wait }()
	for _, r := range recovery {
		t.Run(r.name, func(t *testing.T) { runRecovery(t, build, r.test) })
	}
}

// SettleBy has f wait until everything has arrived that was sent, in a test over
// real parts that uses [Client] and [Socket] by itself.
func SettleBy(t *testing.T, f func()) {
	settle = f
	t.Cleanup(func() { settle = synctest.Wait })
}

func runRecovery(t *testing.T, build func(t *testing.T, hosts []*Host) *Cluster, test func(*testing.T, *Cluster)) {
	c := build(t, NewRecoveringHosts(3))
	if c.Settle != nil {
		settle = c.Settle
	}
	settle()
	test(t, c)
	for _, a := range c.Adapters {
		a.Close()
	}
}

func (c *Cluster) broadcast(t *testing.T, node int, target adapter.Target, event string) {
	t.Helper()
	if err := c.Adapters[node].Broadcast(target, Kept(event)); err != nil {
		t.Fatalf("Broadcast %s: %v", event, err)
	}
}

func (c *Cluster) flush(t *testing.T, node int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := c.Adapters[node].(adapter.Flusher).Flush(ctx); err != nil {
		t.Fatalf("Flush: %v", err)
	}
}

func testElsewhere(t *testing.T, c *Cluster) {
	a := c.Adapters
	cl := NewClient(t, a[0], "x", "y")
	a[0].Leave(cl.link, "y")
	settle()
	c.broadcast(t, 1, adapter.Target{}, "before")
	cl.Want(t, "before")
	cl.Cut()
	settle()
	for i, e := range []struct {
		target adapter.Target
		event  string
	}{
		{adapter.Target{}, "all"}, {adapter.Target{Rooms: []string{"x"}}, "x"}, {adapter.Target{Rooms: []string{"y"}}, "y"},
		{adapter.Target{Rooms: []string{cl.id}}, "me"}, {adapter.Target{Except: []string{"x"}}, "not-x"},
		{adapter.Target{Rooms: []string{"x"}, Except: []string{cl.id}}, "not-me"},
	} {
		c.broadcast(t, i%3, e.target, e.event)
		settle() // what different nodes send has no order of its own
	}
	claim, err := cl.Claim(a[1])
	if err != nil {
		t.Fatal(err)
	}
	if claim.ID != cl.id || !slices.Equal(claim.Rooms, []string{"x"}) || string(claim.Data) != `{"name":"`+cl.id+`"}` || claim.Missed != 3 {
		t.Errorf("claim of %s in %q with %s, %d missed", claim.ID, claim.Rooms, claim.Data, claim.Missed)
	}
	if !cl.Resume(claim, a[1]) {
		t.Fatal("Resume = false")
	}
	c.broadcast(t, 2, adapter.Target{Rooms: []string{"x"}}, "again")
	cl.Want(t, "all x me again")
	cl.Cut()
	c.broadcast(t, 0, adapter.Target{Rooms: []string{"x"}}, "third")
	settle()
	cl.Back(t, a[0])
	cl.Want(t, "third")
	if _, ok := a[0].Member(cl.id); !ok {
		t.Error("the socket is not where it came back to")
	}
}

func testNothingReceived(t *testing.T, c *Cluster) {
	c.broadcast(t, 0, adapter.Target{}, "before")
	settle()
	cl := NewClient(t, c.Adapters[0])
	settle()
	cl.Cut()
	c.broadcast(t, 1, adapter.Target{}, "missed")
	settle()
	cl.Back(t, c.Adapters[2])
	cl.Want(t, "missed")
}

func testUnnoticed(t *testing.T, c *Cluster) {
	a := c.Adapters
	cl := NewClient(t, a[0], "x")
	settle()
	c.broadcast(t, 0, adapter.Target{}, "one")
	c.broadcast(t, 0, adapter.Target{}, "two")
	settle()
	cl.Read(1) // the second is lost on its way
	old := cl.link
	a[0].Join(old, "late") // which is not saved yet, perhaps
	cl.Back(t, a[1])
	if rooms := cl.Rooms(); !slices.Equal(rooms, []string{"x", "late"}) {
		t.Errorf("rooms = %q; want x and late", rooms)
	}
	if _, ok := a[0].Member(cl.id); ok {
		t.Error("the old socket is still there")
	}
	a[0].(adapter.Recoverer).Suspend(old) // notices late, which changes nothing
	c.broadcast(t, 0, adapter.Target{Rooms: []string{"x"}}, "three")
	cl.Want(t, "one two three")
	cl.Back(t, a[2]) // and again
	c.broadcast(t, 1, adapter.Target{Rooms: []string{"x"}}, "four")
	cl.Want(t, "four")
}

func testCutInReplay(t *testing.T, c *Cluster) {
	cl := NewClient(t, c.Adapters[0])
	settle()
	cl.Cut()
	want := ""
	for i := range 10 {
		c.broadcast(t, 0, adapter.Target{}, fmt.Sprint(i))
		want += fmt.Sprint(i, " ")
	}
	settle()
	for i := range 4 {
		cl.Back(t, c.Adapters[(i+1)%3])
		cl.Read(2)
		cl.Cut()
		settle()
	}
	cl.Back(t, c.Adapters[1])
	c.broadcast(t, 2, adapter.Target{}, "end")
	cl.Want(t, want+"end")
}

func testKilled(t *testing.T, c *Cluster) {
	a := c.Adapters
	cl, idle := NewClient(t, a[0], "x"), NewClient(t, a[0], "y")
	c.broadcast(t, 1, adapter.Target{Rooms: []string{"x"}}, "lost-on-its-way")
	c.broadcast(t, 0, adapter.Target{Rooms: []string{"x"}}, "confirmed")
	a[0].Join(cl.link, "late")
	c.flush(t, 0)
	c.flush(t, 1)
	c.Kill(0)
	c.broadcast(t, 1, adapter.Target{Rooms: []string{"late"}}, "after")
	c.flush(t, 1)
	cl.Back(t, a[1])
	got := cl.Events()
	if got != "lost-on-its-way confirmed after" && got != "confirmed lost-on-its-way after" {
		t.Errorf("got %q", got)
	}
	idle.Back(t, a[2])
	c.broadcast(t, 1, adapter.Target{Rooms: []string{"y"}}, "y")
	idle.Want(t, "y")
}

func testClaimOnce(t *testing.T, c *Cluster) {
	for range 10 {
		cl := NewClient(t, c.Adapters[0])
		settle()
		cl.Cut()
		settle()
		var mu sync.Mutex
		var claims []*adapter.Claim
		var wg sync.WaitGroup
		for _, a := range c.Adapters {
			wg.Go(func() {
				if claim, err := cl.Claim(a); err == nil {
					mu.Lock()
					defer mu.Unlock()
					claims = append(claims, claim)
				}
			})
		}
		wg.Wait()
		if len(claims) != 1 {
			t.Fatalf("%d nodes have the session; want one", len(claims))
		}
		claims[0].Discard()
		cl.Refused(t, c.Adapters[1], adapter.UnknownSession)
	}
}

func testGivenBack(t *testing.T, c *Cluster) {
	cl := NewClient(t, c.Adapters[0], "x")
	settle()
	cl.Cut()
	settle()
	claim, err := cl.Claim(c.Adapters[1])
	if err != nil {
		t.Fatal(err)
	}
	cl.Refused(t, c.Adapters[2], "")
	c.broadcast(t, 0, adapter.Target{Rooms: []string{"x"}}, "x")
	claim.Release()
	settle()
	cl.Back(t, c.Adapters[2])
	cl.Want(t, "x")
}

func testLeft(t *testing.T, c *Cluster) {
	cl := NewClient(t, c.Adapters[0])
	settle()
	cl.link.on.Remove(cl.link)
	settle()
	cl.Refused(t, c.Adapters[1], adapter.UnknownSession)
	cl.Refused(t, c.Adapters[0], adapter.UnknownSession)

	cl = NewClient(t, c.Adapters[0], "x")
	settle()
	cl.offset = "99999999999999-0"
	cl.Refused(t, c.Adapters[1], adapter.UnknownOffset)
}

func testChangedAway(t *testing.T, c *Cluster) {
	a := c.Adapters
	cl, sent := NewClient(t, a[0], "x", "y"), NewClient(t, a[0], "x", "z")
	settle()
	cl.Cut()
	sent.Cut()
	settle()
	a[1].SocketsJoin(adapter.Target{Rooms: []string{"y"}}, "new")
	a[1].SocketsLeave(adapter.Target{Rooms: []string{"y"}}, "x")
	settle()
	c.broadcast(t, 2, adapter.Target{Rooms: []string{"x"}}, "x")
	c.broadcast(t, 2, adapter.Target{Rooms: []string{"new"}}, "new")
	c.broadcast(t, 2, adapter.Target{Rooms: []string{"y"}, Except: []string{"new"}}, "old")
	a[2].DisconnectSockets(adapter.Target{Rooms: []string{"z"}}, false)
	settle()
	cl.Back(t, a[2])
	cl.Want(t, "new")
	if rooms := cl.link.membership.Rooms(); !slices.Equal(rooms, []string{"y", "new"}) {
		t.Errorf("rooms = %q; want y and new", rooms)
	}
	sent.Refused(t, a[2], adapter.UnknownSession)
}

func testLocalKept(t *testing.T, c *Cluster) {
	cl, other := NewClient(t, c.Adapters[0]), NewClient(t, c.Adapters[1])
	settle()
	cl.Cut()
	other.Cut()
	settle()
	c.broadcast(t, 0, adapter.Target{Local: true}, "away")
	settle()
	cl.Back(t, c.Adapters[0])
	other.Back(t, c.Adapters[0])
	cl.Want(t, "away")
	other.Want(t, "")
	c.broadcast(t, 0, adapter.Target{Local: true}, "here")
	c.broadcast(t, 1, adapter.Target{Local: true}, "there")
	settle()
	// It is lost on its way, and found on another node.
	cl.Lose()
	cl.Back(t, c.Adapters[2])
	cl.Want(t, "here")
	other.Want(t, "here")
}

func testNotKept(t *testing.T, c *Cluster) {
	cl := NewClient(t, c.Adapters[0])
	settle()
	send := func(event string, f engineio.Flags, offset string) {
		p := Kept(event, 1)
		p.Flags, p.Offset = f, offset
		if err := c.Adapters[1].Broadcast(adapter.Target{}, p); err != nil {
			t.Fatal(err)
		}
		settle()
	}
	send("kept", 0, adapter.OffsetPlaceholder)
	send("volatile", engineio.Volatile, "")
	cl.Want(t, "kept/1 volatile/1")
	cl.Cut()
	send("kept", 0, adapter.OffsetPlaceholder)
	send("volatile", engineio.Volatile, "")
	cl.Back(t, c.Adapters[2])
	cl.Want(t, "kept/1")
}

// testKeptOrder: what is emitted to a socket and to its room by one node arrives
// in that order, and what is not kept behind what was emitted before.
func testKeptOrder(t *testing.T, c *Cluster) {
	cl := NewClient(t, c.Adapters[0], "x")
	settle()
	want := ""
	for i := range 60 {
		event := fmt.Sprint(i)
		want += event + " "
		switch i % 3 {
		case 0:
			c.broadcast(t, 0, adapter.Target{Rooms: []string{"x"}}, event)
		case 1:
			if err := cl.Emit(c.Hosts[0], event); err != nil {
				t.Fatal(err)
			}
		case 2:
			p := &adapter.Packet{Event: event, ID: 7}
			if err := c.Hosts[0].Prepare(p); err != nil {
				t.Fatal(err)
			}
			cl.link.on.Emit(cl.link, p, func(m adapter.Member) error { m.Deliver(p); return nil })
		}
	}
	if got := cl.Events() + " "; got != want {
		t.Errorf("got %q; want %q", got, want)
	}
}

// testEverythingOnce has all nodes emit to clients that are cut all the time, and
// lose the end of what they were sent, and come back to any node: told or not,
// twice at once. What they have in the end is everything, once, in the order of
// each sender.
func testEverythingOnce(t *testing.T, c *Cluster) {
	const clients, senders, each = 4, 6, 60
	var all []*Client
	for i := range clients {
		all = append(all, NewClient(t, c.Adapters[i%3], "room"))
	}
	settle()
	var sending, cutting sync.WaitGroup
	for i := range senders {
		sending.Go(func() {
			for j := range each {
				target := adapter.Target{}
				if j%2 == 0 {
					target.Rooms = []string{"room"}
				}
				if err := c.Adapters[i%3].Broadcast(target, Kept(fmt.Sprint(i, "-", j))); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	ended := make(chan struct{})
	for i, cl := range all {
		rng := rand.New(rand.NewPCG(1, uint64(i)))
		cutting.Go(func() {
			for {
				select {
				case <-ended:
					return
				case <-time.After(time.Duration(rng.IntN(5)) * time.Millisecond):
				}
				cl.Read(rng.IntN(30))
				if rng.IntN(2) == 0 {
					cl.Cut()
				}
				on := c.Adapters[rng.IntN(3)]
				claim, err := cl.Claim(on)
				if err != nil {
					t.Errorf("Claim: %v", err)
					return
				}
				if rng.IntN(4) == 0 {
					claim.Release()
					on = c.Adapters[rng.IntN(3)]
					for claim, err = cl.Claim(on); err != nil; claim, err = cl.Claim(on) {
						if time.Sleep(time.Millisecond); t.Failed() {
							return
						}
					}
				}
				if !cl.Resume(claim, on) {
					t.Error("Resume = false")
				}
			}
		})
	}
	sending.Wait()
	close(ended)
	cutting.Wait()
	settle()
	for i, cl := range all {
		cl.Read(-1)
		next := make([]int, senders)
		for _, e := range cl.got {
			var from, n int
			fmt.Sscanf(e, "%d-%d", &from, &n)
			if n != next[from] {
				t.Fatalf("client %d got %s of sender %d; want %d", i, e, from, next[from])
			}
			next[from]++
		}
		for from, n := range next {
			if n != each {
				t.Errorf("client %d got %d of sender %d; want %d", i, n, from, each)
			}
		}
	}
}
