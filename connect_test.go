package socketio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter"
)

func TestConnect(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		h.OnConnection(func(ctx context.Context, s *socketio.Socket) error {
			d.add("connection %v", s.Connected())
			s.Emit("welcome", s.ID())
			wait(time.Second)
			d.add("settled")
			return nil
		})
		ping := socketio.NewEvent[string]("x")
		ping.Handle(h, func(ctx context.Context, s *socketio.Socket, v string) error {
			d.add("event %s", v)
			return nil
		})
		c := h.open()
		id := c.connect("/", "")
		c.packet(`2["x","early"]`)
		c.want(`42["welcome","` + id + `"]`)
		wait(2 * time.Second)
		d.want(t, "connection true", "settled", "event early")
		s, ok := h.Socket(id)
		if !ok || s.ID() != id || s.Transport() != "websocket" || s.Namespace().Name() != "/" {
			t.Errorf("Socket(%s) = %v, %v", id, s, ok)
		}
		if n := h.Connections(); n != 1 {
			t.Errorf("Connections = %d", n)
		}
	})
}

func TestConnectionErrorDisconnects(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		h.OnConnection(func(context.Context, *socketio.Socket) error { return errors.New("no room left") })
		h.OnError(func(_ context.Context, _ *socketio.Socket, err error) { d.add("%v", err) })
		h.OnDisconnect(func(_ context.Context, _ *socketio.Socket, r socketio.DisconnectReason) { d.add("%s", string(r)) })
		c := h.open()
		c.connect("/", "")
		c.want("41")
		d.want(t, "no room left", "server namespace disconnect")
	})
}

func TestMiddleware(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		name := socketio.NewKey[string]("name")
		n := h.Of("guarded")
		n.Use(func(ctx context.Context, s *socketio.Socket) error {
			var auth struct{ Token, Name string }
			if err := s.DecodeAuth(&auth); err != nil {
				return err
			}
			switch auth.Token {
			case "":
				return &socketio.ConnectError{Message: "no token", Data: map[string]any{"code": 7}}
			case "broken":
				return errors.New("secret detail")
			case "panic":
				panic("at the door")
			}
			name.Set(s, auth.Name)
			s.Join("members")
			return s.Emit("before")
		})
		n.Use(func(ctx context.Context, s *socketio.Socket) error {
			if v, _ := name.Get(s); v == "mallory" {
				return &socketio.ConnectError{Message: "not you"}
			}
			n.To("members").Emit("not yet") // the socket is not connected: it gets no broadcast
			return nil
		})
		var d diary
		n.OnConnection(func(ctx context.Context, s *socketio.Socket) error {
			v, _ := name.Get(s)
			d.add("%s in %q", v, s.Rooms())
			return nil
		})
		c := h.open()
		c.packet(`0/guarded,`)
		c.want(`44/guarded,{"message":"no token","data":{"code":7}}`)
		c.packet(`0/guarded,{"token":"broken"}`)
		c.want(`44/guarded,{"message":"internal error"}`)
		c.packet(`0/guarded,{"token":"panic"}`)
		c.want(`44/guarded,{"message":"internal error"}`)
		c.packet(`0/guarded,{"token":"t","name":"mallory"}`)
		c.want(`42/guarded,["before"]`, `44/guarded,{"message":"not you"}`)
		if size := n.RoomSize("members"); size != 0 {
			t.Errorf("refused sockets left %d members", size)
		}
		c.packet(`0/guarded,{"token":5}`) // does not fit the struct
		c.want(`44/guarded,{"message":"internal error"}`)
		d.want(t)
		c.packet(`0/guarded,{"token":"t","name":"ann"}`)
		got := c.take()
		if len(got) != 2 || got[0] != `42/guarded,["before"]` || !strings.HasPrefix(got[1], `40/guarded,{"sid":`) {
			t.Errorf("client got %q", got)
		}
		d.want(t, `ann in ["members"]`)
		if !strings.Contains(h.log.String(), "secret detail") || !strings.Contains(h.log.String(), "at the door") {
			t.Error("the log says nothing of what went wrong")
		}
	})
}

// TestMiddlewareOutlived: the client is gone before the middleware has made up
// its mind.
func TestMiddlewareOutlived(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		h.Use(func(ctx context.Context, s *socketio.Socket) error {
			<-ctx.Done()
			d.add("%v", context.Cause(ctx))
			return nil
		})
		h.OnConnection(func(context.Context, *socketio.Socket) error { d.add("connection"); return nil })
		h.OnDisconnect(func(context.Context, *socketio.Socket, socketio.DisconnectReason) { d.add("disconnect") })
		c := h.open()
		c.packet("0")
		c.take()
		c.leave()
		d.want(t, "socketio: disconnected: transport close")
	})
}

func TestNamespaces(t *testing.T) {
	bubble(t, &socketio.Options{MaxNamespaces: 2}, func(t *testing.T, h *harness) {
		h.Of("/a")
		h.Of("b")
		if h.Of("/a") != h.Of("a") || h.Of("/") != h.Server.Namespace {
			t.Error("one name stands for two namespaces")
		}
		c := h.open()
		c.packet("0/nowhere,")
		c.want(`44/nowhere,{"message":"Invalid namespace"}`)
		c.connect("/", "")
		id := c.connect("/a", `{"x":1}`)
		c.packet("0/b,")
		c.want(`44/b,{"message":"too many namespaces"}`)
		h.Of("/a").Emit("hello", "a")
		h.Emit("hello", "root")
		c.want(`42/a,["hello","a"]`, `42["hello","root"]`)
		if _, ok := h.Socket(id); ok {
			t.Error("a socket of /a is in /")
		}
		c.packet("1/a,")
		c.want()
		c.connect("/b", "")
	})
}

func TestConnectTimeout(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		never, refused, late := h.open(), h.open(), h.open()
		refused.packet("0/nowhere,")
		refused.next()
		wait(45*time.Second - 1)
		never.want()
		refused.want()
		late.connect("/", "")
		wait(1)
		never.want("end")
		refused.want("end")
		wait(time.Minute)
		late.want()
	})
}

func TestHandshake(t *testing.T) {
	bubble(t, &socketio.Options{KeepHeaders: []string{"x-kept", "absent"}}, func(t *testing.T, h *harness) {
		var d diary
		h.OnConnection(func(ctx context.Context, s *socketio.Socket) error {
			any, err := s.Header("X-Other")
			d.add("%s %v %v", any, err, s.Request() != nil)
			return nil
		})
		c := h.open("X-Kept", "kept", "X-Other", "other", "Origin", "http://memory")
		id := c.connect("/", `{"k":"v"}`)
		d.want(t, "other <nil> true")
		s, _ := h.Socket(id)
		hs := s.Handshake()
		if hs.Query().Get("token") != "t" || !hs.CrossOrigin || hs.Secure || hs.Address == "" || !hs.Time.Equal(time.Now()) {
			t.Errorf("handshake = %+v", hs)
		}
		if string(s.Auth()) != `{"k":"v"}` {
			t.Errorf("Auth = %s", s.Auth())
		}
		if v, err := s.Header("x-KEPT"); v != "kept" || err != nil {
			t.Errorf("kept header = %q, %v", v, err)
		}
		if v, err := s.Header("absent"); v != "" || err != nil {
			t.Errorf("absent header = %q, %v", v, err)
		}
		var lost *socketio.HeaderError
		if _, err := s.Header("X-Other"); !errors.As(err, &lost) {
			t.Errorf("a header that was not kept: %v", err)
		}
		if s.Request() != nil {
			t.Error("the request is still held")
		}
	})
}

func TestOptionsPanic(t *testing.T) {
	for field, o := range map[string]*socketio.Options{
		"Options.MaxRooms":           {MaxRooms: -1},
		"Options.MaxAttachmentBytes": {MaxAttachmentBytes: -1},
		"Options.ConnectTimeout":     {ConnectTimeout: -1},
		"Options.PingInterval":       {PingInterval: -1},
		"Options.Transports":         {Transports: []string{"pigeon"}},
	} {
		func() {
			defer func() {
				if v, _ := recover().(string); !strings.Contains(v, field) {
					t.Errorf("panic %q does not name %s", v, field)
				}
			}()
			socketio.NewServer(o)
		}()
	}
}

// slowAdapter takes its time to add a socket, and says when it does.
type slowAdapter struct {
	*adapter.Memory
	adding func()
}

func (a slowAdapter) Add(m adapter.Member) {
	a.adding()
	a.Memory.Add(m)
}

// A client that has its CONNECT is reached by what is emitted from then on: the
// adapter knows it before.
func TestReachedOnceConnected(t *testing.T) {
	var adding chan struct{}
	bubble(t, &socketio.Options{Adapter: func(adapter.Host) (adapter.Adapter, error) {
		return slowAdapter{adapter.New(), func() { adding <- struct{}{} }}, nil
	}}, func(t *testing.T, h *harness) {
		adding = make(chan struct{}) // of this bubble
		c := h.open()
		c.packet("0")
		c.want() // not before the adapter knows
		h.Emit("too early")
		<-adding
		if got := c.next(); !strings.HasPrefix(got, "40{") {
			t.Fatalf("got %q first; want CONNECT", got)
		}
		h.Emit("reached")
		c.want(`42["reached"]`)
	})
}
