package mixed

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// goServer is ours.
type goServer struct {
	srv *socketio.Server
	hs  *httptest.Server
	em  *cluster.Emitter

	mu   sync.Mutex
	said [][]any
}

// StartGo starts a server of ours; em may be nil.
func StartGo(t *testing.T, f adapter.Factory, em *cluster.Emitter) Server {
	g := &goServer{srv: socketio.NewServer(&socketio.Options{Adapter: f, Logger: slog.New(slog.DiscardHandler)}), em: em}
	g.srv.OnConnection(func(_ context.Context, s *socketio.Socket) error { return s.Join("go") })
	g.srv.OnServerSide("hello", func(_ context.Context, m *socketio.Message) error {
		args, err := m.Args()
		g.mu.Lock()
		g.said = append(g.said, args)
		g.mu.Unlock()
		return err
	})
	g.srv.OnServerSide("sum", func(_ context.Context, m *socketio.Message) error {
		var a, b int
		if err := m.Decode(&a, &b); err != nil {
			return err
		}
		return m.Ack(map[string]int{"sum": a + b})
	})
	g.hs = httptest.NewServer(g.srv)
	t.Cleanup(func() {
		g.srv.Close()
		g.hs.Close()
	})
	return g
}

func (g *goServer) URL() string { return g.hs.URL }

func (g *goServer) Do(t *testing.T, op string, args ...any) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	result, err := g.do(ctx, op, args)
	if err != nil {
		t.Errorf("%s %.100v: %v", op, args, err)
	}
	b, _ := json.Marshal(result)
	return string(b)
}

func (g *goServer) do(ctx context.Context, op string, args []any) (any, error) {
	str := func(i int) string { return args[i].(string) }
	var rest []string
	for _, a := range args[min(1, len(args)):] {
		s, _ := a.(string)
		rest = append(rest, s)
	}
	switch op {
	case "emit":
		return nil, g.srv.To(str(0)).Except(str(1)).Emit(str(2), args[3:]...)
	case "binary":
		return nil, g.srv.To(str(0)).Emit(str(1), map[string]any{"b": []byte{1, 2, 3}})
	case "all":
		return nil, g.srv.Emit(str(0), args[1:]...)
	case "volatile":
		return nil, g.srv.Volatile().Emit(str(0))
	case "ask":
		return answers[string](ctx, g.srv.To(str(0)), "ask", args[1])
	case "askBinary":
		bytes, err := answers[[]byte](ctx, g.srv.To(str(0)), "bytes", []byte{9})
		var list [][]int
		for _, b := range bytes {
			var numbers []int
			for _, x := range b {
				numbers = append(numbers, int(x))
			}
			list = append(list, numbers)
		}
		return list, err
	case "fetch":
		return g.fetch(ctx, str(0))
	case "join":
		return nil, g.srv.In(str(0)).SocketsJoin(rest...)
	case "leave":
		return nil, g.srv.In(str(0)).SocketsLeave(rest...)
	case "disconnect":
		return nil, g.srv.In(str(0)).DisconnectSockets(true)
	case "hello":
		return nil, g.srv.ServerSideEmit("hello", args...)
	case "sum":
		list := []json.RawMessage{}
		for m, err := range g.srv.ServerSideEmitWithAck(ctx, "sum", args...) {
			if err != nil {
				return list, err
			}
			list = append(list, m.Raw(0))
		}
		return list, nil
	case "said":
		g.mu.Lock()
		defer g.mu.Unlock()
		said := append([][]any{}, g.said...)
		g.said = nil
		return said, nil
	case "count":
		return g.srv.ServerCount(ctx)
	case "emitter":
		return nil, g.em.To(str(0)).Emit(ctx, str(1), args[2:]...)
	case "emitterBinary":
		return nil, g.em.To(str(0)).Emit(ctx, str(1), map[string]any{"b": []byte{1, 2, 3}})
	}
	panic(op)
}

func answers[T any](ctx context.Context, to *socketio.BroadcastOperator, event string, arg any) ([]T, error) {
	var list []T
	for m, err := range to.EmitWithAcks(ctx, event, arg) {
		var v T
		if err == nil {
			err = m.Decode(&v)
		}
		if err != nil {
			return list, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (g *goServer) fetch(ctx context.Context, room string) ([][]any, error) {
	sockets, err := g.srv.In(room).FetchSockets(ctx)
	list := [][]any{}
	for _, s := range sockets {
		var h struct{ Auth struct{ Who any } }
		_ = json.Unmarshal(s.Handshake(), &h)
		rooms := append(s.Rooms(), s.ID())
		slices.Sort(rooms)
		list = append(list, []any{s.ID(), rooms, nil, h.Auth.Who})
	}
	return list, err
}
