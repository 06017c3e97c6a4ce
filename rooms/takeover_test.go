package rooms_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter"
	adaptercluster "github.com/sockeye-go/socketio/adapter/cluster"
	"github.com/sockeye-go/socketio/internal/lab"
	"github.com/sockeye-go/socketio/rooms"
)

// A split is a hub that a partition can go through. Nodes of one side hear each
// other.
type split struct {
	*adaptercluster.Hub
	mu    sync.Mutex
	sides map[string]int // by uid
}

func (s *split) Open(nsp, uid string, r adaptercluster.Receiver) (adaptercluster.Channel, error) {
	return s.Hub.Open(nsp, uid, &oneSide{r, s, uid})
}

func (s *split) side(uid string, side int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sides[uid] = side
}

type oneSide struct {
	adaptercluster.Receiver
	split *split
	uid   string
}

func (o *oneSide) Receive(m *adaptercluster.Message) {
	o.split.mu.Lock()
	hears := o.split.sides[m.UID] == o.split.sides[o.uid]
	o.split.mu.Unlock()
	if hears {
		o.Receiver.Receive(m)
	}
}

// A member is a node of a cluster on a hub, as the tests of takeovers want it.
type member struct {
	*lab.Lab
	*rooms.Manager
	end    func()
	cut    func() // ends its part in the cluster
	uid    string
	events func() []string
}

// socket connects a client and returns its socket.
func (m *member) socket() *socketio.Socket {
	s, _ := m.Lab.Socket(m.Lab.Join("/", "").ID)
	return s
}

// startNode starts one of them. It must be ended.
func startNode(t *testing.T, uid string, factory adapter.Factory) *member {
	n := &member{uid: uid}
	n.Lab, n.end = lab.Start(t, &socketio.Options{Adapter: factory})
	var mu sync.Mutex
	var events []string
	n.Manager = rooms.New(n.Lab.Namespace, &rooms.Options{OnEvent: func(e rooms.Event) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, fmt.Sprintf("%s %s %d", e.Kind, e.Room.ID, e.Room.Users))
	}})
	n.events = func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(events) }
	return n
}

func onHub(t *testing.T, count int, f func(t *testing.T, bus *split, nodes []*member)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		bus := &split{Hub: adaptercluster.NewHub(), sides: make(map[string]int)}
		var nodes []*member
		for i := range count {
			uid := fmt.Sprint("node", i)
			n := startNode(t, uid, adaptercluster.NewFactory(bus, &adaptercluster.Options{
				Sequence: true, NewUID: func() string { return uid },
			}))
			defer n.end()
			nodes = append(nodes, n)
		}
		synctest.Wait()
		f(t, bus, nodes)
	})
}

func ids(members []rooms.Member) []string {
	var ids []string
	for _, m := range members {
		ids = append(ids, m.SocketID)
	}
	slices.Sort(ids)
	return ids
}

// kill ends the node's part in the cluster, and lets the others notice.
func kill(bus *split, n *member) {
	bus.Kill(n.uid)
	bus.side(n.uid, 1)
	lab.Wait(15 * time.Second)
}

func join(t *testing.T, n *member, s *socketio.Socket, id string, ticket rooms.Ticket) []rooms.Member {
	t.Helper()
	members, err := n.Manager.Join(t.Context(), s, id, ticket)
	if err != nil {
		t.Fatalf("join on %s: %v", n.uid, err)
	}
	return members
}

// A room lives on after its home was killed, with its members on other nodes, its
// limit, its password and its invitations.
func TestHomeKilled(t *testing.T) {
	onHub(t, 3, func(t *testing.T, bus *split, nodes []*member) {
		ctx := t.Context()
		c := rooms.Config{ID: "den", MaxUsers: 4, Private: true, Password: "s3cret", Metadata: []byte(`{"level":3}`)}
		if err := nodes[0].Create(ctx, c); err != nil {
			t.Fatal(err)
		}
		if err := nodes[0].Create(ctx, rooms.Config{ID: "empty"}); err != nil {
			t.Fatal(err)
		}
		key := rooms.Ticket{Password: "s3cret"}
		join(t, nodes[0], nodes[0].socket(), "den", key)
		one, two, three := nodes[1].socket(), nodes[2].socket(), nodes[2].socket()
		join(t, nodes[1], one, "den", key)
		spent, err := nodes[2].Invite(ctx, "den")
		if err != nil {
			t.Fatal(err)
		}
		open, err := nodes[1].Invite(ctx, "den")
		if err != nil {
			t.Fatal(err)
		}
		join(t, nodes[2], two, "den", rooms.Ticket{Invite: spent})

		bus.Kill(nodes[0].uid)
		bus.side(nodes[0].uid, 1)
		if _, err := nodes[1].Manager.Join(ctx, nodes[1].socket(), "den", key); !errors.Is(err, rooms.ErrUnavailable) {
			t.Errorf("while the home is silent: %v; it may still decide", err)
		}
		lab.Wait(15 * time.Second)
		for _, n := range nodes[1:] {
			room, members, err := n.Get(ctx, "den")
			want := []string{one.ID(), two.ID()}
			slices.Sort(want)
			if err != nil || room.Users != 2 || room.MaxUsers != 4 || string(room.Metadata) != `{"level":3}` || !slices.Equal(ids(members), want) {
				t.Fatalf("%s: %+v %v %v; want %v", n.uid, room, members, err, want)
			}
			if _, _, err := n.Get(ctx, "empty"); !errors.Is(err, rooms.ErrNotExist) {
				t.Errorf("a room without members elsewhere: %v", err)
			}
		}
		for _, bad := range []rooms.Ticket{{}, {Password: "guess"}, {Invite: spent}} {
			if _, err := nodes[2].Manager.Join(ctx, three, "den", bad); !errors.Is(err, rooms.ErrPrivate) {
				t.Errorf("join with %+v: %v", bad, err)
			}
		}
		join(t, nodes[2], three, "den", rooms.Ticket{Invite: open})
		if err := nodes[1].Create(ctx, rooms.Config{ID: "den"}); !errors.Is(err, rooms.ErrExists) {
			t.Errorf("the name is taken: %v", err)
		}
		moved := slices.Concat(nodes[1].events(), nodes[2].events())
		if !slices.Equal(moved, []string{"moved den 2", "joined den 3"}) {
			t.Errorf("events %q", moved)
		}
		// Its new home ends, too: the last who has it takes it, and lets it go.
		home := 1
		if len(nodes[2].events()) > 0 {
			home = 2
		}
		kill(bus, nodes[home])
		left := nodes[3-home]
		room, _, err := left.Get(ctx, "den")
		if want := map[int]int{1: 2, 2: 1}[home]; err != nil || room.Users != want {
			t.Fatalf("after another end: %+v %v; want %d members", room, err, want)
		}
		if err := left.Manager.Close(ctx, "den"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := left.Get(ctx, "den"); !errors.Is(err, rooms.ErrNotExist) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// Shutdown hands over: a room that nobody is in, too, at once.
func TestHandOver(t *testing.T) {
	onHub(t, 3, func(t *testing.T, bus *split, nodes []*member) {
		ctx := t.Context()
		for i := range 40 {
			if err := nodes[0].Create(ctx, rooms.Config{ID: fmt.Sprint("room", i), MaxUsers: 1 + i, Password: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		far := nodes[1].socket()
		join(t, nodes[1], far, "room7", rooms.Ticket{Password: "x"})
		join(t, nodes[0], nodes[0].socket(), "room8", rooms.Ticket{Password: "x"})
		token, err := nodes[0].Invite(ctx, "room9")
		if err != nil {
			t.Fatal(err)
		}
		if err := nodes[0].Shutdown(ctx); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := nodes[0].Create(ctx, rooms.Config{ID: "late"}); !errors.Is(err, rooms.ErrUnavailable) {
			t.Errorf("create on a node that ends: %v", err)
		}
		for i := range 40 {
			id := fmt.Sprint("room", i)
			room, members, err := nodes[1+i%2].Get(ctx, id)
			users := 0
			if i == 7 {
				users = 1
			}
			if err != nil || room.MaxUsers != 1+i || len(members) != users {
				t.Errorf("%s: %+v %v %v", id, room, members, err)
			}
		}
		moved := 0
		for _, n := range nodes[1:] {
			if len(n.events()) == 0 {
				t.Errorf("%s got none of the rooms", n.uid)
			}
			for _, e := range n.events() {
				if e[:5] == "moved" {
					moved++
				}
			}
		}
		if moved != 40 {
			t.Errorf("%d rooms moved", moved)
		}
		join(t, nodes[2], nodes[2].socket(), "room9", rooms.Ticket{Invite: token})
		lab.Wait(time.Minute)
		list, err := nodes[1].List(ctx)
		var names []string
		for _, r := range list {
			names = append(names, r.ID)
		}
		if slices.Sort(names); err != nil || !slices.Equal(names, []string{"room7", "room9"}) {
			t.Errorf("a minute later: %v %v; those without members have ended", names, err)
		}
	})
}

// For the last place two nodes run while the home goes away, by its own will or
// not; never both get it.
func TestLastPlaceInTakeover(t *testing.T) {
	for _, graceful := range []bool{false, true} {
		for round := range 12 {
			t.Run(fmt.Sprint(graceful, round), func(t *testing.T) {
				onHub(t, 3, func(t *testing.T, bus *split, nodes []*member) {
					ctx := t.Context()
					if err := nodes[0].Create(ctx, rooms.Config{ID: "pair", MaxUsers: 3}); err != nil {
						t.Fatal(err)
					}
					join(t, nodes[1], nodes[1].socket(), "pair", rooms.Ticket{})
					join(t, nodes[2], nodes[2].socket(), "pair", rooms.Ticket{})
					var wg sync.WaitGroup
					var mu sync.Mutex
					counts := make(map[string]int)
					if !graceful && round%2 == 0 {
						kill(bus, nodes[0]) // both find it gone
					}
					for i := range 8 {
						n := nodes[1+i%2]
						s := n.socket()
						wg.Go(func() {
							_, err := n.Manager.Join(context.WithoutCancel(ctx), s, "pair", rooms.Ticket{})
							mu.Lock()
							defer mu.Unlock()
							switch {
							case err == nil:
								counts["in"]++
							case errors.Is(err, rooms.ErrFull):
								counts["full"]++
							case errors.Is(err, rooms.ErrUnavailable):
								counts["unavailable"]++
							default:
								counts[err.Error()]++
							}
						})
					}
					switch {
					case graceful:
						wg.Go(func() { _ = nodes[0].Shutdown(ctx) })
					case round%2 == 1:
						bus.Kill(nodes[0].uid)
						bus.side(nodes[0].uid, 1)
					}
					wg.Wait()
					if counts["in"] > 1 || counts["in"]+counts["full"]+counts["unavailable"] != 8 {
						t.Fatalf("%v", counts)
					}
					lab.Wait(15 * time.Second)
					after := nodes[1].socket()
					_, err := nodes[1].Manager.Join(ctx, after, "pair", rooms.Ticket{})
					if counts["in"] == 1 && !errors.Is(err, rooms.ErrFull) || counts["in"] == 0 && err != nil {
						t.Errorf("%v, and then: %v", counts, err)
					}
					if room, members, err := nodes[2].Get(ctx, "pair"); err != nil || room.Users != 3 || len(members) != 3 {
						t.Errorf("%+v %v %v; want the three", room, members, err)
					}
				})
			})
		}
	}
}

// On both sides of a partition a room goes on; the side that took it over keeps it,
// and whoever came in on either stays.
func TestPartition(t *testing.T) {
	onHub(t, 3, func(t *testing.T, bus *split, nodes []*member) {
		ctx := t.Context()
		if err := nodes[0].Create(ctx, rooms.Config{ID: "den", MaxUsers: 4}); err != nil {
			t.Fatal(err)
		}
		var want []string
		add := func(n *member) {
			t.Helper()
			s := n.socket()
			join(t, n, s, "den", rooms.Ticket{})
			want = append(want, s.ID())
		}
		add(nodes[0])
		add(nodes[1])
		bus.side(nodes[0].uid, 1)
		lab.Wait(15 * time.Second)
		add(nodes[0])
		add(nodes[0])
		add(nodes[1])
		add(nodes[2])
		bus.side(nodes[0].uid, 0)
		lab.Wait(25 * time.Second)
		slices.Sort(want)
		for _, n := range nodes {
			room, members, err := n.Get(ctx, "den")
			if err != nil || room.Users != 6 || !slices.Equal(ids(members), want) {
				t.Errorf("%s: %+v %v %v; want %v", n.uid, room, ids(members), err, want)
			}
			if _, err := n.Manager.Join(ctx, n.socket(), "den", rooms.Ticket{}); !errors.Is(err, rooms.ErrFull) {
				t.Errorf("%s: join: %v", n.uid, err)
			}
		}
	})
}
