package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter"
)

// A loop is an adapter whose other node is this one: it shows what a namespace
// makes of what nodes send to each other.
type loop struct {
	*adapter.Memory
	host adapter.Host
}

func newLoop(h adapter.Host) (adapter.Adapter, error) {
	return &loop{Memory: adapter.New(), host: h}, nil
}

func (l *loop) Fetch(ctx context.Context, t adapter.Target) ([]adapter.SocketInfo, error) {
	infos, _ := l.Memory.Fetch(ctx, t)
	for i := range infos {
		infos[i].Handshake, infos[i].Data = infos[i].Member.Describe()
		infos[i].Member = nil
	}
	return infos, &adapter.PartialError{Missing: 1, Nodes: []string{"n7"}, Err: context.DeadlineExceeded}
}

func (l *loop) message(event string, args []any) adapter.ServerMessage {
	m := adapter.ServerMessage{Event: event}
	for _, a := range args {
		b, _ := json.Marshal(a)
		m.Args = append(m.Args, b)
	}
	return m
}

func (l *loop) ServerSideEmit(event string, args []any) error {
	l.host.ServerSide(l.message(event, args), nil)
	return nil
}

func (l *loop) ServerSideEmitWithAck(ctx context.Context, event string, args []any) iter.Seq2[adapter.Answer, error] {
	return func(yield func(adapter.Answer, error) bool) {
		answers := make(chan json.RawMessage, 1)
		l.host.ServerSide(l.message(event, args), func(b json.RawMessage) { answers <- b })
		if !yield(adapter.Answer{Args: [][]byte{<-answers}}, nil) {
			return
		}
		yield(adapter.Answer{}, &adapter.PartialError{Missing: 1, Nodes: []string{"n7"}, Err: context.DeadlineExceeded})
	}
}

func TestRemoteSocket(t *testing.T) {
	type user struct{ Name string }
	name, age := socketio.NewKey[user]("user"), socketio.NewKey[int]("age")
	bubble(t, &socketio.Options{Adapter: newLoop, KeepHeaders: []string{"X-Test"}}, func(t *testing.T, h *harness) {
		c := h.open("X-Test", "v")
		s, _ := h.Socket(c.connect("/", `{"token":"t"}`))
		name.Set(s, user{"ann"})
		found, err := h.FetchSockets(t.Context())
		if partial, ok := errors.AsType[*socketio.PartialError](err); !ok || partial.Missing != 1 ||
			partial.Nodes[0] != "n7" || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v; want a PartialError that names n7", err)
		}
		if len(found) != 1 {
			t.Fatalf("FetchSockets = %v", found)
		}
		r := found[0]
		if _, local := r.Local(); local || r.ID() != s.ID() {
			t.Errorf("socket %s, local %v", r.ID(), local)
		}
		if v, ok, err := name.Remote(r); v.Name != "ann" || !ok || err != nil {
			t.Errorf("Remote = %v, %v, %v", v, ok, err)
		}
		if _, ok, err := age.Remote(r); ok || err != nil {
			t.Errorf("Remote of a key without a value = %v, %v", ok, err)
		}
		if _, ok, err := socketio.NewKey[int]("user").Remote(r); ok || err == nil {
			t.Errorf("Remote of the wrong type = %v, %v; want an error", ok, err)
		}
		var handshake struct {
			Headers, Query map[string]string
			Auth           struct{ Token string }
			URL, Time      string
			Secure         *bool
		}
		if err := json.Unmarshal(r.Handshake(), &handshake); err != nil || handshake.Headers["x-test"] != "v" ||
			handshake.Query["EIO"] != "4" || handshake.Auth.Token != "t" || handshake.URL == "" || handshake.Secure == nil {
			t.Errorf("handshake = %s, %v", r.Handshake(), err)
		}
	})
}

func TestServerSideEmit(t *testing.T) {
	news := socketio.NewEvent[string]("news")
	sum := socketio.NewEventWithAck[[]int, int]("sum")
	bubble(t, &socketio.Options{Adapter: newLoop}, func(t *testing.T, h *harness) {
		var d diary
		news.OnServerSide(h, func(ctx context.Context, v string) error {
			d.add("news %s", v)
			if v == "bad" {
				panic("in a hook")
			}
			return nil
		})
		sum.OnServerSide(h, func(ctx context.Context, v []int) (int, error) {
			n := 0
			for _, i := range v {
				n += i
			}
			return n, nil
		})
		news.ServerSideEmit(h.Namespace, "bad")
		synctest.Wait()
		news.ServerSideEmit(h.Namespace, "good")
		d.want(t, "news bad", "news good")
		var got []string
		for n, err := range sum.ServerSideEmit(t.Context(), h.Namespace, []int{1, 2, 3}) {
			got = append(got, fmt.Sprint(n, err))
		}
		want := "6 <nil>|0 socketio: 1 nodes did not answer: context deadline exceeded: n7"
		if strings.Join(got, "|") != want {
			t.Errorf("answers = %q; want %q", got, want)
		}
		if err := h.ServerSideEmit("connection"); err == nil {
			t.Error("a reserved name was sent")
		}
		if n, err := h.ServerCount(t.Context()); n != 1 || err != nil || h.Health() != nil {
			t.Errorf("ServerCount = %d, %v", n, err)
		}
	})
}

func TestRoomEvents(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		parent := h.OfFunc(func(name string) bool { return name == "/child" })
		for _, n := range []interface {
			OnCreateRoom(func(string))
			OnDeleteRoom(func(string))
			OnJoinRoom(func(room, id string))
			OnLeaveRoom(func(room, id string))
		}{h, parent} {
			n.OnCreateRoom(func(room string) { d.add("create %s %d", room, h.RoomSize(room)) })
			n.OnJoinRoom(func(room, id string) { d.add("join %s %d", room, len(id)) })
			n.OnLeaveRoom(func(room, id string) {
				d.add("leave %s %d", room, len(id))
				if room == "y" {
					panic("in a hook")
				}
			})
			n.OnDeleteRoom(func(room string) { d.add("delete %s", room) })
		}
		c := h.open()
		s, _ := h.Socket(c.connect("/", ""))
		s.Join("x")
		d.want(t, "create x 1", "join x 20")
		s.Leave("x")
		d.want(t, "leave x 20", "delete x")
		s.Join("y")
		c.leave()
		d.want(t, "create y 1", "join y 20", "leave y 20", "delete y")
		if !strings.Contains(h.log.String(), "panic in a hook") {
			t.Error("the panic is not in the log")
		}
		child := h.open()
		id := child.connect("/child", "")
		in, _ := h.Of("/child").Socket(id)
		in.Join("z")
		d.want(t, "create z 0", "join z 20")
	})
}
