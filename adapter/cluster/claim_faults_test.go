package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

func uidOf(a adapter.Adapter) string { return a.(*cluster.Ordered).UID() }

// kill ends a node as kill -9 does, and has the others notice if they are given the
// time.
func (x *crossing) kill(node int) {
	x.store.Kill(uidOf(x.as[node]))
	x.hub.Kill(uidOf(x.as[node]))
}

// later checks that a claim came to nothing for a reason that says nothing of the
// session.
func (c *claiming) later(t *testing.T) {
	t.Helper()
	<-c.done
	if refused, ok := errors.AsType[*adapter.RefusedError](c.err); !ok || !refused.Again {
		t.Errorf("claim = %v, %v; want it refused, for now", c.claim, c.err)
	}
}

func (x *crossing) resume(t *testing.T, c *claiming, node int) {
	t.Helper()
	if <-c.done; c.err != nil {
		t.Fatal(c.err)
	}
	if !x.c.Resume(c.claim, x.as[node]) {
		t.Fatal("Resume = false")
	}
}

func (x *crossing) rooms(t *testing.T, want ...string) {
	t.Helper()
	if rooms := x.c.Rooms(); !slices.Equal(rooms, want) {
		t.Errorf("rooms %q; want %q", rooms, want)
	}
}

// TestOlderRemembered: what a node let go of does not replace what became of it since
// on the node that has it, when a third was killed that was about to ask.
func TestOlderRemembered(t *testing.T) {
	cross(t, func(t *testing.T, x *crossing) {
		first := x.begin(1)
		_, release := x.heldOn(2) // before the second has saved it
		defer close(release)
		x.kill(2)
		x.resume(t, first, 1)
		x.c.Want(t, "missed")
		x.as[1].Join(x.c.Member(), "late")
		x.c.Cut()
		time.Sleep(15 * time.Second)
		x.c.Back(t, x.as[1])
		x.rooms(t, "x", "late")
	})
}

// TestOwnerDiesAsked: the node that has the session is killed while it is asked. The
// client waits for it no longer than for an answer.
func TestOwnerDiesAsked(t *testing.T) {
	cross(t, func(t *testing.T, x *crossing) {
		c, release := x.held()
		x.kill(0)
		start := time.Now()
		close(release)
		x.resume(t, c, 1)
		if d := time.Since(start); d > 6*time.Second {
			t.Errorf("it took %v", d)
		}
		x.c.Want(t, "missed")
		x.rooms(t, "x")
	})
}

// TestClosedInClaim: a node that is shut down while it takes a session loses nothing,
// and leaves nobody waiting.
func TestClosedInClaim(t *testing.T) {
	cross(t, func(t *testing.T, x *crossing) {
		c, release := x.held()
		if err := x.as[1].Close(); err != nil {
			t.Error(err)
		}
		close(release)
		if <-c.done; c.err == nil {
			c.claim.Release()
		}
		x.c.Back(t, x.as[2])
		x.c.Want(t, "missed")
		x.rooms(t, "x")
	})
}

// TestClosedAsking: a node that is shut down while it waits for the answer of another
// does not go on waiting, and its client comes again.
func TestClosedAsking(t *testing.T) {
	cross(t, func(t *testing.T, x *crossing) {
		x.hub.Drop(cluster.LetsGo)
		c := x.begin(1)
		start := time.Now()
		if err := x.as[1].Close(); err != nil {
			t.Error(err)
		}
		c.later(t)
		if d := time.Since(start); d != 0 {
			t.Errorf("it went on for %v", d)
		}
		x.hub.Drop(nil)
		x.c.Back(t, x.as[2])
		x.c.Want(t, "missed")
	})
}

// A busyMember has handlers that do not end.
type busyMember struct {
	adapter.Member
	on adapter.Recoverer
}

func (m *busyMember) Supersede(ctx context.Context) error {
	m.on.Suspend(m)
	<-ctx.Done()
	return context.Cause(ctx)
}

// TestClosedAsked: the node that has the session is shut down while its handlers are
// waited for. The client comes again, and finds what was saved.
func TestClosedAsked(t *testing.T) {
	cross(t, func(t *testing.T, x *crossing) {
		m := &busyMember{adaptertest.NewMember(x.as[0], "busy"), x.as[0].(adapter.Recoverer)}
		if !m.on.Open(m, "busy's", func() bool { return true }) {
			t.Fatal("Open = false")
		}
		m.on.Join(m, "room")
		synctest.Wait()
		claim := func(node int) *claiming {
			c := &claiming{done: make(chan struct{})}
			go func() {
				defer close(c.done)
				c.claim, c.err = x.as[node].(adapter.Recoverer).Claim(t.Context(), "busy's", "", adapter.ReplayLimits{Packets: 100, Bytes: 1 << 20})
			}()
			synctest.Wait()
			return c
		}
		c := claim(1)
		if err := x.as[0].Close(); err != nil {
			t.Error(err)
		}
		c.later(t)
		synctest.Wait()
		c = claim(2)
		if <-c.done; c.err != nil {
			t.Fatal(c.err)
		}
		if !slices.Equal(c.claim.Rooms, []string{"room"}) {
			t.Errorf("rooms %q", c.claim.Rooms)
		}
		c.claim.Release()
	})
}

// TestTimeRunsOut: a claim whose time goes by with nodes that do not answer does not
// take from the record what the last of them has.
func TestTimeRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newCrossing(t, 6)
		defer closeAll(x.as)
		x.c = adaptertest.NewClient(t, x.as[0])
		var silent []string
		var releases []chan struct{}
		for node := 1; node < 5; node++ {
			_, release := x.heldOn(node)
			releases = append(releases, release)
			silent = append(silent, uidOf(x.as[node]))
		}
		x.as[0].Join(x.c.Member(), "late") // the record is not its any more
		x.hub.Drop(func(m *cluster.Message) bool { return cluster.LetsGo(m) && slices.Contains(silent, m.UID) })
		last := x.begin(5)
		last.later(t)
		x.hub.Drop(nil)
		for _, release := range releases {
			close(release)
		}
		synctest.Wait()
		x.c.Back(t, x.as[0])
		x.rooms(t, "late")
	})
}

// A fullBus takes nothing while it is stuck.
type fullBus struct {
	*cluster.Hub
	stuck chan struct{}
}

type fullChannel struct {
	cluster.Channel
	stuck chan struct{}
}

func (b fullBus) Open(nsp, uid string, r cluster.Receiver) (cluster.Channel, error) {
	c, err := b.Hub.Open(nsp, uid, r)
	return fullChannel{c, b.stuck}, err
}

func (c fullChannel) Publish(ctx context.Context, ms []*cluster.Message) error {
	<-c.stuck
	return c.Channel.Publish(ctx, ms)
}

// TestCannotAsk: a node whose own queue is full does not take for gone whom it cannot
// ask.
func TestCannotAsk(t *testing.T) {
	cross(t, func(t *testing.T, x *crossing) {
		bus := fullBus{x.hub, make(chan struct{})}
		h := adaptertest.NewRecoveringHosts(1)[0]
		a, err := cluster.NewOrderedFactory(bus, x.store, &cluster.Options{MaxQueued: 2})(h)
		if err != nil {
			t.Fatal(err)
		}
		x.as = append(x.as, a)
		synctest.Wait() // its first words are under way
		// It hears of the others all the same.
		for _, other := range x.as[:3] {
			if err := other.ServerSideEmit("there", nil); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		for !errors.Is(err, cluster.ErrSlow) {
			err = a.ServerSideEmit("fill", nil)
		}
		x.c.Back(t, x.as[0])
		x.c.Want(t, "missed")
		c := x.begin(3)
		close(bus.stuck)
		c.later(t)
		synctest.Wait()
		x.c.Back(t, a)
		if n, _ := x.as[0].(*cluster.Ordered).Kept(); n != 0 {
			t.Errorf("the first node still has %d sessions", n)
		}
	})
}

// TestEmptyAnswer: an answer without anything in it is none.
func TestEmptyAnswer(t *testing.T) {
	cross(t, func(t *testing.T, x *crossing) {
		uid := uidOf(x.as[0])
		x.kill(0)
		node := &emptyNode{uid: uid}
		ch, err := x.hub.Open("/test", uid, node)
		if err != nil {
			t.Fatal(err)
		}
		node.ch = ch
		x.hub.Drop(nil)
		x.c.Back(t, x.as[1])
		x.c.Want(t, "missed")
		if !node.asked {
			t.Error("it was not asked")
		}
	})
}

// An emptyNode answers with nothing.
type emptyNode struct {
	deaf
	uid   string
	ch    cluster.Channel
	asked bool
}

func (n *emptyNode) Receive(m *cluster.Message) {
	if cluster.Asks(m) {
		n.asked = true
		_ = n.ch.Respond(context.Background(), m.UID, cluster.EmptyAnswer(m, n.uid))
	}
}

// TestUnknownPids: pids that nobody has leave nothing behind, whether the store says
// so or cannot be reached.
func TestUnknownPids(t *testing.T) {
	cross(t, func(t *testing.T, x *crossing) {
		a := x.as[1].(*cluster.Ordered)
		ask := func() {
			for i := range 100 {
				if c, err := a.Claim(t.Context(), fmt.Sprint("guess", i), "", adapter.ReplayLimits{}); err == nil {
					t.Errorf("Claim = %v", c)
				}
			}
			if sessions, handed := a.Kept(); sessions != 0 || handed != 0 {
				t.Errorf("%d sessions, %d handed over; want none", sessions, handed)
			}
		}
		ask()
		x.store.Away(true)
		ask()
		x.store.Away(false)
	})
}

// A namedHost is of another namespace.
type namedHost struct {
	*adaptertest.Host
	name string
}

func (h namedHost) Name() string { return h.name }

// TestOtherNamespace: who was let into a namespace, and has a session there, does not
// come into another with it, for which no middleware has seen him.
func TestOtherNamespace(t *testing.T) {
	cross(t, func(t *testing.T, x *crossing) {
		admin, err := cluster.NewOrderedFactory(x.hub, x.store, nil)(namedHost{adaptertest.NewRecoveringHosts(1)[0], "/admin"})
		if err != nil {
			t.Fatal(err)
		}
		x.as = append(x.as, admin)
		x.c.Refused(t, admin, adapter.UnknownSession)
		x.c.Back(t, x.as[1])
		x.c.Want(t, "missed")
		x.c.Refused(t, admin, adapter.UnknownSession)
		x.c.Cut()
		synctest.Wait()
		x.c.Refused(t, admin, adapter.UnknownSession)
		x.c.Back(t, x.as[2])
	})
}
