package socketio_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sockeye-go/socketio"
)

// TestDynamicNamespace has clients join namespaces that exist because they ask.
func TestDynamicNamespace(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var made []string
		h.OnNewNamespace(func(n *socketio.Namespace) { made = append(made, n.Name()) })
		docs := h.OfRegexp(regexp.MustCompile(`^/doc-\d+$`))
		docs.Use(func(_ context.Context, s *socketio.Socket) error {
			if s.Namespace().Name() == "/doc-13" {
				return &socketio.ConnectError{Message: "unlucky"}
			}
			return nil
		})
		socketio.NewEventWithAck[string, string]("where").Handle(docs,
			func(_ context.Context, s *socketio.Socket, in string) (string, error) {
				return in + " in " + s.Namespace().Name(), nil
			})

		c := h.open()
		c.connect("/doc-7", "")
		c.send(`42/doc-7,1["where","we are"]`)
		if got, want := c.next(), `43/doc-7,1["we are in /doc-7"]`; got != want {
			t.Errorf("ack = %q; want %q", got, want)
		}
		other := h.open()
		other.connect("/doc-8", "")
		if err := docs.Emit("all", 1); err != nil {
			t.Fatal(err)
		}
		if got, want := c.next(), `42/doc-7,["all",1]`; got != want {
			t.Errorf("broadcast = %q; want %q", got, want)
		}
		if got, want := other.next(), `42/doc-8,["all",1]`; got != want {
			t.Errorf("broadcast = %q; want %q", got, want)
		}
		for name, want := range map[string]string{
			"/doc-x":  `44/doc-x,{"message":"Invalid namespace"}`,
			"/doc-13": `44/doc-13,{"message":"unlucky"}`,
		} {
			other.send("40" + name + ",")
			if got := other.next(); got != want {
				t.Errorf("CONNECT to %s = %q; want %q", name, got, want)
			}
		}
		synctest.Wait()
		if got := strings.Join(made, " "); got != "/doc-7 /doc-8 /doc-13" {
			t.Errorf("made %s", got)
		}
		if h.Of("/doc-9"); len(docs.Namespaces()) != 4 {
			t.Errorf("%d namespaces of the parent; want 4: Of with a matching name makes one of them", len(docs.Namespaces()))
		}
	})
}

// TestDynamicNamespaceIsReady: while a hook prepares a namespace, a second client
// that asks for it waits, and matching may use the server.
func TestDynamicNamespaceIsReady(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		h.OfFunc(func(name string) bool {
			h.Of("/") // must not wait for the one who asks
			return strings.HasPrefix(name, "/room-")
		})
		begun, goOn := make(chan struct{}), make(chan struct{})
		h.OnNewNamespace(func(n *socketio.Namespace) {
			close(begun)
			<-goOn
			n.Use(func(context.Context, *socketio.Socket) error { return &socketio.ConnectError{Message: "closed"} })
		})
		first, second := h.open(), h.open()
		first.send("40/room-1,")
		<-begun
		second.send("40/room-1,")
		close(goOn)
		for i, c := range []*client{first, second} {
			if got, want := c.next(), `44/room-1,{"message":"closed"}`; got != want {
				t.Errorf("client %d: %q; want %q", i+1, got, want)
			}
		}
	})
}

// TestDynamicNamespaceIsOne: what Of returned while a client had the same
// namespace made is the one that clients join.
func TestDynamicNamespaceIsOne(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		h.OfFunc(func(name string) bool { return name == "/room" })
		begun, goOn := make(chan struct{}), make(chan struct{})
		h.OnNewNamespace(func(*socketio.Namespace) {
			close(begun)
			<-goOn
		})
		c := h.open()
		c.send("40/room,")
		<-begun
		room := h.Of("/room")
		close(goOn)
		if got := c.next(); !strings.HasPrefix(got, `40/room,{"sid":`) {
			t.Fatalf("CONNECT = %q", got)
		}
		if err := room.Emit("hello"); err != nil {
			t.Fatal(err)
		}
		if got, want := c.next(), `42/room,["hello"]`; got != want {
			t.Errorf("got %q; want %q", got, want)
		}
	})
}
