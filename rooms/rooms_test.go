package rooms_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/internal/lab"
	"github.com/sockeye-go/socketio/internal/leak"
	"github.com/sockeye-go/socketio/rooms"
)

func TestMain(m *testing.M) { leak.Main(m) }

// The conversation of the tutorials.
func TestWire(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		var events []string
		names := socketio.NewKey[string]("name")
		l.Use(func(_ context.Context, s *socketio.Socket) error {
			var auth struct{ Name string }
			err := s.DecodeAuth(&auth)
			names.Set(s, auth.Name)
			return err
		})
		m := rooms.New(l.Namespace, &rooms.Options{
			User: func(s *socketio.Socket) rooms.User {
				name, _ := names.Get(s)
				return rooms.User{ID: "u-" + name, Username: name}
			},
			OnEvent: func(e rooms.Event) {
				events = append(events, fmt.Sprintf("%s %s %s %d", e.Kind, e.Room.ID, e.Member.Username, e.Room.Users))
			},
		})
		m.Handle()
		ann, bob, eve := l.Join("/", `{"name":"ann"}`), l.Join("/", `{"name":"bob"}`), l.Join("/", `{"name":"eve"}`)
		ann.Emit("join room", map[string]any{"roomId": "den"})
		ann.Want(`["error",{"code":"not_exist","message":"Room does not exist"}]`)
		ann.Emit("create room", map[string]any{"roomId": "den", "options": map[string]any{"maxUsers": 2, "metadata": map[string]int{"level": 3}}})
		ann.Want(`["room created",{"roomId":"den"}]`)
		bob.Emit("create room", map[string]any{"roomId": "den"})
		bob.Want(`["error",{"code":"exists","message":"Room exists already"}]`)

		ann.Emit("join room", map[string]any{"roomId": "den"})
		if got := strings.Join(ann.Take(), ""); !strings.HasPrefix(got, `["room joined",{"roomId":"den","users":[{"id":"u-ann","username":"ann","socketId":"`+ann.ID) {
			t.Errorf("ann got %s", got)
		}
		bob.Emit("join room", "den")
		if got := strings.Join(bob.Take(), ""); strings.Index(got, "u-ann") > strings.Index(got, "u-bob") || !strings.Contains(got, "u-bob") {
			t.Errorf("bob got %s; want ann and bob in order of arrival", got)
		}
		ann.Want(`["user joined",{"roomId":"den","userId":"u-bob","username":"bob"}]`)
		if got, want := eve.Ask("join room", "den"), `[{"error":{"code":"full","message":"Room is full"}}]`; got != want {
			t.Errorf("eve: %s", got)
		}
		eve.Want(`["error",{"code":"full","message":"Room is full"}]`)
		if got := eve.Ask("room list"); !strings.HasPrefix(got, `[[{"id":"den","users":2,"maxUsers":2,"isPrivate":false,"metadata":{"level":3},`) {
			t.Errorf("room list = %s", got)
		}
		bob.Cut()
		ann.Want(`["user left",{"roomId":"den","userId":"u-bob","username":"bob"}]`)
		eve.Emit("join room", "den")
		if got := strings.Join(eve.Take(), ""); !strings.HasPrefix(got, `["room joined"`) {
			t.Errorf("eve got %s after bob had left", got)
		}
		ann.Take()
		eve.Emit("leave room", "den")
		ann.Want(`["user left",{"roomId":"den","userId":"u-eve","username":"eve"}]`)
		eve.Emit("leave room", "den")
		eve.Want(`["error",{"code":"not_member","message":"Not in the room"}]`)
		ann.Leave()
		lab.Wait(time.Minute)
		if _, _, err := m.Get(t.Context(), "den"); !errors.Is(err, rooms.ErrNotExist) {
			t.Errorf("a room that was empty for a minute: %v", err)
		}
		want := []string{"created den  0", "joined den ann 1", "joined den bob 2", "left den bob 1", "joined den eve 2", "left den eve 1", "left den ann 0", "closed den  0"}
		if !slices.Equal(events, want) {
			t.Errorf("events %q\nwant %q", events, want)
		}
	})
}

func TestPrivate(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		m := rooms.New(l.Namespace, nil)
		m.Handle()
		ctx := t.Context()
		for _, c := range []rooms.Config{{ID: "key", Password: "s3cret"}, {ID: "club", Private: true}} {
			if err := m.Create(ctx, c); err != nil {
				t.Fatal(err)
			}
		}
		socket := func() *socketio.Socket {
			s, _ := l.Socket(l.Join("/", "").ID)
			return s
		}
		for _, test := range []struct {
			room string
			t    rooms.Ticket
			want error
		}{
			{"key", rooms.Ticket{}, rooms.ErrPrivate},
			{"key", rooms.Ticket{Password: "guess"}, rooms.ErrPrivate},
			{"key", rooms.Ticket{Password: "s3cret"}, nil},
			{"club", rooms.Ticket{}, rooms.ErrPrivate},
			{"club", rooms.Ticket{Password: "s3cret", Invite: "x"}, rooms.ErrPrivate},
		} {
			if _, err := m.Join(ctx, socket(), test.room, test.t); !errors.Is(err, test.want) {
				t.Errorf("join %s with %+v: %v; want %v", test.room, test.t, err, test.want)
			}
		}
		token, err := m.Invite(ctx, "club")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Join(ctx, socket(), "club", rooms.Ticket{Invite: token}); err != nil {
			t.Errorf("with an invitation: %v", err)
		}
		if _, err := m.Join(ctx, socket(), "club", rooms.Ticket{Invite: token}); !errors.Is(err, rooms.ErrPrivate) {
			t.Errorf("with one that was used: %v", err)
		}
		if list, err := m.List(ctx); err != nil || len(list) != 1 || list[0].ID != "key" {
			t.Errorf("list %v, %v; want the one that is not private", list, err)
		}
		stranger := l.Join("/", "")
		if got := stranger.Ask("invite", "club"); !strings.Contains(got, "not_member") {
			t.Errorf("a stranger invites: %s", got)
		}
	})
}

func TestLimits(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		m := rooms.New(l.Namespace, &rooms.Options{MaxRooms: 2})
		for _, test := range []struct {
			c    rooms.Config
			want error
		}{
			{rooms.Config{}, rooms.ErrBadRoom},
			{rooms.Config{ID: strings.Repeat("x", 257)}, rooms.ErrBadRoom},
			{rooms.Config{ID: "a", MaxUsers: -1}, rooms.ErrBadRoom},
			{rooms.Config{ID: "a", Metadata: json.RawMessage(`{`)}, rooms.ErrBadRoom},
			{rooms.Config{ID: "a", Metadata: json.RawMessage(`"` + strings.Repeat("x", 16<<10) + `"`)}, rooms.ErrBadRoom},
			{rooms.Config{ID: "a"}, nil},
			{rooms.Config{ID: "b"}, nil},
			{rooms.Config{ID: "c"}, rooms.ErrTooMany},
		} {
			if err := m.Create(t.Context(), test.c); !errors.Is(err, test.want) {
				t.Errorf("create %.20q: %v; want %v", test.c.ID, err, test.want)
			}
		}
		c := l.Join("/", "")
		s, _ := l.Socket(c.ID)
		if _, err := m.Join(t.Context(), s, "a", rooms.Ticket{}); err != nil {
			t.Fatal(err)
		}
		if err := m.To("a").Emit("x"); err != nil {
			t.Fatal(err)
		}
		c.Want(`["x"]`)
		if err := m.Close(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		m.To("a").Emit("x")
		c.Want()
	})
}

// A cluster is nodes whose adapters hand everything to each other, each message
// after a while of its own.
type cluster struct {
	mu    sync.Mutex
	nodes []*node
	down  map[int]bool
}

type node struct {
	adapter.Adapter
	host    adapter.Host
	cluster *cluster
	number  int
}

func (c *cluster) factory(number int) adapter.Factory {
	return func(h adapter.Host) (adapter.Adapter, error) {
		m, err := adapter.NewMemory(h)
		n := &node{Adapter: m, host: h, cluster: c, number: number}
		if h.Name() == "/" {
			c.mu.Lock()
			c.nodes = append(c.nodes, n)
			c.mu.Unlock()
		}
		return n, err
	}
}

// others are the nodes but n, those that are down last.
func (n *node) others() (up, down []*node) {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	for _, o := range n.cluster.nodes {
		switch {
		case o == n:
		case n.cluster.down[o.number]:
			down = append(down, o)
		default:
			up = append(up, o)
		}
	}
	return up, down
}

func message(event string, args []any) adapter.ServerMessage {
	m := adapter.ServerMessage{Event: event}
	for _, a := range args {
		b, _ := json.Marshal(a)
		m.Args = append(m.Args, b)
	}
	return m
}

func (n *node) ServerSideEmit(event string, args []any) error {
	up, _ := n.others()
	for _, o := range up {
		o.host.ServerSide(message(event, args), nil)
	}
	return nil
}

func (n *node) ServerSideEmitWithAck(ctx context.Context, event string, args []any) iter.Seq2[adapter.Answer, error] {
	return func(yield func(adapter.Answer, error) bool) {
		up, down := n.others()
		answers := make(chan json.RawMessage, len(up))
		for _, o := range up {
			time.AfterFunc(time.Duration(1+o.number)*time.Millisecond, func() {
				o.host.ServerSide(message(event, args), func(b json.RawMessage) { answers <- b })
			})
		}
		for range up {
			select {
			case b := <-answers:
				if !yield(adapter.Answer{Args: [][]byte{b}}, nil) {
					return
				}
			case <-ctx.Done():
				yield(adapter.Answer{}, &adapter.PartialError{Missing: 1, Err: ctx.Err()})
				return
			}
		}
		if len(down) > 0 {
			<-ctx.Done()
			yield(adapter.Answer{}, &adapter.PartialError{Missing: len(down), Err: ctx.Err()})
		}
	}
}

func (n *node) Fetch(ctx context.Context, t adapter.Target) ([]adapter.SocketInfo, error) {
	all, err := n.Adapter.Fetch(ctx, t)
	up, _ := n.others()
	for _, o := range up {
		more, _ := o.Adapter.Fetch(ctx, t)
		all = append(all, more...)
	}
	return all, err
}

// onNodes runs f with the managers and the servers of some nodes in one bubble.
func onNodes(t *testing.T, count int, f func(t *testing.T, c *cluster, labs []*lab.Lab, managers []*rooms.Manager)) {
	c := &cluster{down: make(map[int]bool)}
	labs := make([]*lab.Lab, count)
	managers := make([]*rooms.Manager, count)
	lab.Run(t, &socketio.Options{Adapter: c.factory(0)}, func(t *testing.T, l *lab.Lab) {
		labs[0] = l
		for i := 1; i < count; i++ {
			var end func()
			labs[i], end = lab.Start(t, &socketio.Options{Adapter: c.factory(i)})
			defer end()
		}
		for i := range managers {
			managers[i] = rooms.New(labs[i].Namespace, nil)
		}
		f(t, c, labs, managers)
	})
}

// For the last place all nodes run at once; one gets it, every time.
func TestLastPlace(t *testing.T) {
	onNodes(t, 3, func(t *testing.T, c *cluster, labs []*lab.Lab, managers []*rooms.Manager) {
		for round := range 50 {
			id := fmt.Sprint("room", round)
			if err := managers[round%3].Create(t.Context(), rooms.Config{ID: id, MaxUsers: 2}); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			var mu sync.Mutex
			counts := map[error]int{}
			var clients []*lab.Client
			for i := range 6 {
				client := labs[i%3].Join("/", "")
				clients = append(clients, client)
				s, _ := labs[i%3].Socket(client.ID)
				wg.Go(func() {
					_, err := managers[i%3].Join(t.Context(), s, id, rooms.Ticket{})
					mu.Lock()
					defer mu.Unlock()
					counts[err]++
				})
			}
			wg.Wait()
			if counts[nil] != 2 || counts[rooms.ErrFull] != 4 {
				t.Fatalf("round %d: %v; want 2 members and 4 refused", round, counts)
			}
			room, members, err := managers[(round+1)%3].Get(t.Context(), id)
			if err != nil || room.Users != 2 || len(members) != 2 {
				t.Fatalf("round %d: %+v %+v %v", round, room, members, err)
			}
			for _, client := range clients {
				client.Cut()
			}
			synctest.Wait()
			if room, _, err := managers[0].Get(t.Context(), id); err != nil || room.Users != 0 {
				t.Fatalf("round %d, all gone: %+v %v", round, room, err)
			}
		}
	})
}

// All nodes make a room of one name at once; it has one home, every time.
func TestOneHome(t *testing.T) {
	onNodes(t, 3, func(t *testing.T, c *cluster, labs []*lab.Lab, managers []*rooms.Manager) {
		for round := range 50 {
			id := fmt.Sprint("room", round)
			var wg sync.WaitGroup
			var mu sync.Mutex
			made := 0
			for i, m := range managers {
				wg.Go(func() {
					time.Sleep(time.Duration(round*i%5) * time.Millisecond)
					err := m.Create(t.Context(), rooms.Config{ID: id})
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						made++
					} else if !errors.Is(err, rooms.ErrExists) {
						t.Errorf("round %d: %v", round, err)
					}
				})
			}
			wg.Wait()
			if made > 1 {
				t.Fatalf("round %d: %d rooms of one name", round, made)
			}
			if made == 0 {
				t.Errorf("round %d: nobody got the name", round)
			}
		}
	})
}

// A node that does not answer makes an error in its time, and its members give up
// their places when these are wanted.
func TestNodeGone(t *testing.T) {
	onNodes(t, 2, func(t *testing.T, c *cluster, labs []*lab.Lab, managers []*rooms.Manager) {
		if err := managers[0].Create(t.Context(), rooms.Config{ID: "pair", MaxUsers: 1}); err != nil {
			t.Fatal(err)
		}
		far, _ := labs[1].Socket(labs[1].Join("/", "").ID)
		if _, err := managers[1].Join(t.Context(), far, "pair", rooms.Ticket{}); err != nil {
			t.Fatal(err)
		}
		near, _ := labs[0].Socket(labs[0].Join("/", "").ID)
		if _, err := managers[0].Join(t.Context(), near, "pair", rooms.Ticket{}); !errors.Is(err, rooms.ErrFull) {
			t.Fatalf("join a full room: %v", err)
		}
		c.mu.Lock()
		c.down[1] = true
		c.mu.Unlock()
		time.Sleep(11 * time.Second)
		if _, err := managers[0].Join(t.Context(), near, "pair", rooms.Ticket{}); err != nil {
			t.Errorf("join in place of one whose node is gone: %v", err)
		}
		start := time.Now()
		if err := managers[0].Create(t.Context(), rooms.Config{ID: "other"}); !errors.Is(err, rooms.ErrUnavailable) {
			t.Errorf("create with a node that does not answer: %v", err)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("it took %v; want the timeout", took)
		}
	})
}

func TestBadOptions(t *testing.T) {
	defer func() {
		if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "rooms: Options.MaxUsers:") {
			t.Errorf("panic %q", text)
		}
	}()
	rooms.New(socketio.NewServer(nil).Namespace, &rooms.Options{MaxUsers: -1})
}
