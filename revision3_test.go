package socketio_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sockeye-go/socketio"
)

// TestRevision3: what is different for clients of Socket.IO 2. The official one
// says the same in interop.
func TestRevision3(t *testing.T) {
	bubble(t, &socketio.Options{AllowEIO3: true}, func(t *testing.T, h *harness) {
		var got diary
		h.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			got.add("/ %s", s.Auth())
			return nil
		})
		chat := h.Of("/chat")
		chat.Use(func(_ context.Context, s *socketio.Socket) error {
			var auth struct{ Token string }
			if err := s.DecodeAuth(&auth); err != nil {
				return err
			}
			switch auth.Token {
			case "data":
				return &socketio.ConnectError{Message: "no", Data: map[string]int{"code": 1}}
			case "bare":
				return &socketio.ConnectError{Message: "no"}
			}
			return nil
		})
		chat.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			got.add("%s", s.Auth())
			return s.Emit("hi")
		})

		c := h.open3()
		sid := c.sid
		c.want("40")
		got.want(t, "/ ")
		if s, ok := h.Socket(sid); !ok || s.ID() != sid {
			t.Errorf("the socket in / is not called %s", sid)
		}
		c.send("40/chat?token=data")
		c.want(`44/chat,{"code":1}`)
		c.send("40/chat?token=bare")
		c.want(`44/chat,"no"`)
		c.send("40/nowhere")
		c.want(`44/nowhere,{"message":"Invalid namespace"}`)
		c.send("40/chat?token=a%20b&token=c&x")
		c.want("40/chat,", `42/chat,["hi"]`)
		got.want(t, `{"token":"c","x":""}`)
		if _, ok := chat.Socket("/chat#" + sid); !ok {
			t.Error("the socket in /chat is not called after the engine's id")
		}
		c.send("41/chat")
		c.send("40/chat") // the same id again
		c.want("40/chat,", `42/chat,["hi"]`)
		c.send("40") // it is there already
		if got := c.take(); len(got) == 0 || got[len(got)-1] != "end" {
			t.Errorf("a second CONNECT for / was answered with %q", got)
		}
	})
}

// TestRevision3RefusedInRoot: a client that "/" does not want is told so, and
// may be elsewhere.
func TestRevision3RefusedInRoot(t *testing.T) {
	bubble(t, &socketio.Options{AllowEIO3: true}, func(t *testing.T, h *harness) {
		h.Use(func(context.Context, *socketio.Socket) error { return &socketio.ConnectError{Message: "not here"} })
		h.Of("/chat")
		c := h.open3()
		c.want(`44"not here"`)
		c.send("40/chat,")
		c.want("40/chat,")
		synctest.Wait()
	})
}

// TestRevision3IsOff: by default they are told what is wrong.
func TestRevision3IsOff(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		res, err := h.http.Get("http://memory/socket.io/?EIO=3&transport=polling")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != 400 || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
			t.Errorf("%d %s", res.StatusCode, res.Header)
		}
	})
}
