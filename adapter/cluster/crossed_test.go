package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// A heldStore keeps back its answer to the next record that a node writes, which it
// has taken.
type heldStore struct {
	*cluster.Shelf
	hold chan chan struct{} // a node that finds one in it waits until that is closed
	slow func()             // before each answer
}

type heldLog struct {
	cluster.Log
	s *heldStore
}

func (s *heldStore) Open(nsp, uid string, recovery *adapter.Recovery, r cluster.LogReader) (cluster.Log, error) {
	l, err := s.Shelf.Open(nsp, uid, recovery, r)
	return heldLog{l, s}, err
}

func (l heldLog) Save(ctx context.Context, rs []*cluster.Record) error {
	err := l.Log.Save(ctx, rs)
	select {
	case c := <-l.s.hold:
		<-c
	default:
	}
	if l.s.slow != nil {
		l.s.slow()
	}
	return err
}

func (l heldLog) Load(ctx context.Context, key string) ([]byte, string, error) {
	if l.s.slow != nil {
		l.s.slow()
	}
	return l.Log.Load(ctx, key)
}

// A crossing is three nodes, of which the second can be made to wait when it has
// put its name into the record of a session of the first.
type crossing struct {
	hub   *cluster.Hub
	store *heldStore
	as    []adapter.Adapter
	c     *adaptertest.Client
}

// newCrossing makes so many nodes over a store whose calls can be held.
func newCrossing(t *testing.T, nodes int) *crossing {
	t.Helper()
	x := &crossing{hub: cluster.NewHub(), store: &heldStore{Shelf: cluster.NewShelf(), hold: make(chan chan struct{}, 1)}}
	for _, h := range adaptertest.NewRecoveringHosts(nodes) {
		a, err := cluster.NewOrderedFactory(x.hub, x.store, nil)(h)
		if err != nil {
			t.Fatal(err)
		}
		x.as = append(x.as, a)
	}
	return x
}

func cross(t *testing.T, f func(*testing.T, *crossing)) {
	synctest.Test(t, func(t *testing.T) {
		x := newCrossing(t, 3)
		defer closeAll(x.as)
		x.c = adaptertest.NewClient(t, x.as[0], "x")
		emit(t, x.as[0], "first")
		x.c.Want(t, "first")
		x.c.Cut()
		synctest.Wait()
		emit(t, x.as[2], "missed")
		f(t, x)
	})
}

// A claiming is a claim under way.
type claiming struct {
	claim *adapter.Claim
	err   error
	done  chan struct{}
}

func (x *crossing) begin(node int) *claiming {
	c := &claiming{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.claim, c.err = x.c.Claim(x.as[node])
	}()
	synctest.Wait()
	return c
}

// held begins a claim on the second node, which waits until the channel is closed.
func (x *crossing) held() (*claiming, chan struct{}) {
	return x.heldOn(1)
}

func (x *crossing) heldOn(node int) (*claiming, chan struct{}) {
	synctest.Wait()
	c := make(chan struct{})
	x.store.hold <- c
	return x.begin(node), c
}

// refused checks that a claim came to nothing, and that its client may ask again.
func (c *claiming) refused(t *testing.T) {
	t.Helper()
	<-c.done
	refused, ok := errors.AsType[*adapter.RefusedError](c.err)
	if !ok || refused.Reason != adapter.SessionClaimed || !refused.Again {
		t.Errorf("the overtaken claim = %v, %v; want it refused, for now", c.claim, c.err)
	}
}

// goesOn checks that a client that came back to a node has everything once, and
// can come back to each of them.
func (x *crossing) goesOn(t *testing.T, nodes ...int) {
	t.Helper()
	x.c.Want(t, "missed")
	for _, i := range nodes {
		x.c.Cut()
		synctest.Wait()
		emit(t, x.as[0], fmt.Sprint("again", i))
		x.c.Back(t, x.as[i])
		x.c.Want(t, fmt.Sprint("again", i))
		if rooms := x.c.Rooms(); len(rooms) != 1 || rooms[0] != "x" {
			t.Errorf("rooms %q", rooms)
		}
	}
	x.c.Cut()
	time.Sleep(time.Second)
	for i, a := range x.as {
		want := 0
		if i == nodes[len(nodes)-1] {
			want = 1
		}
		if n := a.(adapter.Recoverer).Stats().Sessions; n != want {
			t.Errorf("node %d has %d sessions of clients that are away; want %d", i, n, want)
		}
	}
}

// TestCrossedHome: a client that gave up another node's claim comes back to the
// node that still has its session, and wins, whoever of the two is asked first.
func TestCrossedHome(t *testing.T) {
	cross(t, func(t *testing.T, x *crossing) {
		first, release := x.held()
		second := x.begin(0)
		close(release)
		first.refused(t)
		if <-second.done; second.err != nil {
			t.Fatal(second.err)
		}
		if !x.c.Resume(second.claim, x.as[0]) {
			t.Fatal("Resume = false")
		}
		x.goesOn(t, 1, 2, 0)
	})
}

// TestCrossedChain: the third node finds the name of the second in the record, which
// has the session not yet.
func TestCrossedChain(t *testing.T) {
	cross(t, func(t *testing.T, x *crossing) {
		first, release := x.held()
		second := x.begin(2)
		close(release)
		first.refused(t)
		if <-second.done; second.err != nil {
			t.Fatal(second.err)
		}
		if !x.c.Resume(second.claim, x.as[2]) {
			t.Fatal("Resume = false")
		}
		x.goesOn(t, 0, 1)
	})
}

// TestTakerDies: the name in the record is of a node that was killed before it had
// asked; the one that has the session is asked all the same.
func TestTakerDies(t *testing.T) {
	cross(t, func(t *testing.T, x *crossing) {
		x.as[0].(adapter.Recoverer).SocketsJoin(adapter.Target{Rooms: []string{x.c.Member().ID()}}, "late")
		_, release := x.held()
		uid := x.as[1].(*cluster.Ordered).UID()
		x.store.Kill(uid)
		x.hub.Kill(uid)
		for _, a := range x.as { // they notice
			if n := count(t, a); n != 3 {
				t.Errorf("%d nodes", n)
			}
		}
		time.Sleep(15 * time.Second)
		x.c.Back(t, x.as[2])
		x.c.Want(t, "missed")
		close(release)
		if n := x.as[0].(adapter.Recoverer).Stats().Sessions; n != 0 {
			t.Errorf("the first node still has %d sessions", n)
		}
	})
}

// TestAnswerLost: the session is on its way to who asked, and does not arrive; a
// third node asks meanwhile.
func TestAnswerLost(t *testing.T) {
	cross(t, func(t *testing.T, x *crossing) {
		answers := 0
		x.hub.Drop(func(m *cluster.Message) bool {
			if !cluster.LetsGo(m) {
				return false
			}
			answers++
			return answers == 1
		})
		first := x.begin(1)
		x.begin(2).refused(t)
		if <-first.done; first.err != nil {
			t.Fatal(first.err)
		}
		first.claim.Release()
		x.c.Back(t, x.as[2])
		x.goesOn(t, 0, 1)
	})
}

// TestAskerDies: what a node let go that was killed before it had it, is not lost:
// not the rooms that only that node knew of.
func TestAskerDies(t *testing.T) {
	cross(t, func(t *testing.T, x *crossing) {
		x.c.Back(t, x.as[0])
		x.c.Want(t, "missed")
		uid := x.as[1].(*cluster.Ordered).UID()
		c, release := x.held()
		x.store.Kill(x.as[0].(*cluster.Ordered).UID()) // saves nothing more
		x.as[0].Join(x.c.Member(), "late")
		x.hub.Drop(cluster.LetsGo)
		close(release)
		synctest.Wait()
		x.store.Kill(uid)
		x.hub.Drop(nil)
		x.hub.Kill(uid)
		<-c.done
		time.Sleep(15 * time.Second)
		x.c.Back(t, x.as[2])
		if rooms := x.c.Rooms(); len(rooms) != 2 || rooms[1] != "late" {
			t.Errorf("rooms %q; want x and late", rooms)
		}
	})
}

// TestEndedMeanwhile: a session that its node ended while another was about to take
// it is not taken, whoever remembers it.
func TestEndedMeanwhile(t *testing.T) {
	cross(t, func(t *testing.T, x *crossing) {
		x.c.Back(t, x.as[1]) // the first node knows what it was
		_, release := x.heldOn(2)
		x.c.Member().Disconnect(false)
		synctest.Wait()
		close(release)
		for i := range x.as {
			synctest.Wait()
			x.c.Refused(t, x.as[i], adapter.UnknownSession)
		}
	})
}

// TestStuckClaim: a client is not asked to come again for ever where a claim does
// not end.
func TestStuckClaim(t *testing.T) {
	cross(t, func(t *testing.T, x *crossing) {
		stuck := x.begin(1)
		if <-stuck.done; stuck.err != nil {
			t.Fatal(stuck.err)
		}
		for _, node := range []int{0, 1, 2} {
			again := x.begin(node)
			again.refused(t)
		}
		time.Sleep(time.Minute)
		for _, node := range []int{0, 1, 2} {
			again := x.begin(node)
			<-again.done
			if refused, ok := errors.AsType[*adapter.RefusedError](again.err); !ok || refused.Again {
				t.Errorf("node %d: %v; want a refusal that stands", node, again.err)
			}
		}
		if !x.c.Resume(stuck.claim, x.as[1]) {
			t.Fatal("Resume = false")
		}
		x.goesOn(t, 0, 1)
	})
}

// TestCrossedAnyhow has clients give up claims and make others, while nodes and the
// store take their time, in many orders: in the end each has its session, and
// everything once.
func TestCrossedAnyhow(t *testing.T) {
	for seed := range uint64(60) {
		cross(t, func(t *testing.T, x *crossing) {
			var mu sync.Mutex
			rng := rand.New(rand.NewPCG(seed, 0))
			intn := func(n int) int {
				mu.Lock()
				defer mu.Unlock()
				return rng.IntN(n)
			}
			x.store.slow = func() { time.Sleep(time.Duration(intn(10)) * time.Millisecond) }
			var wg sync.WaitGroup
			for range 2 + intn(6) {
				wg.Go(func() {
					time.Sleep(time.Duration(intn(30)) * time.Millisecond)
					claim, err := x.c.Claim(x.as[intn(3)])
					if err == nil {
						time.Sleep(time.Duration(intn(10)) * time.Millisecond)
						claim.Release()
						return
					}
					if refused, ok := errors.AsType[*adapter.RefusedError](err); !ok || !refused.Again {
						t.Errorf("seed %d: %v", seed, err)
					}
				})
			}
			if intn(2) == 0 { // the last one crosses others, too
				time.Sleep(time.Duration(intn(30)) * time.Millisecond)
			} else {
				wg.Wait()
			}
			node := intn(3)
			claim, err := x.c.Claim(x.as[node])
			for tries := 0; err != nil; claim, err = x.c.Claim(x.as[node]) {
				if refused, ok := errors.AsType[*adapter.RefusedError](err); !ok || !refused.Again || tries == 20 {
					t.Fatalf("seed %d: %v", seed, err)
				}
				tries++
				time.Sleep(20 * time.Millisecond)
				node = intn(3)
			}
			if !x.c.Resume(claim, x.as[node]) {
				t.Fatalf("seed %d: Resume = false", seed)
			}
			wg.Wait()
			x.c.Want(t, "missed")
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		})
	}
}
