package socketio_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

// TestNamespaceRequest: a namespace by what the client sends with its CONNECT,
// and the parents in order of registration.
func TestNamespaceRequest(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		tenants := h.OfRequest(func(r *socketio.NamespaceRequest) bool {
			var auth struct{ Tenant string }
			return r.DecodeAuth(&auth) == nil && r.Name == "/t-"+auth.Tenant
		})
		h.OfFunc(func(name string) bool { return name == "/t-open" })
		c := h.open()
		c.connect("/t-a", `{"tenant":"a"}`)
		c.send(`40/t-b,{"tenant":"a"}`)
		c.want(`44/t-b,{"message":"Invalid namespace"}`)
		c.connect("/t-open", "")
		if n := len(tenants.Namespaces()); n != 1 {
			t.Errorf("%d namespaces of the parent; want 1", n)
		}
	})
}

// TestParentOperator: what is done to a parent is done in each of its namespaces.
func TestParentOperator(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		p := h.OfFunc(func(name string) bool { return strings.HasPrefix(name, "/p") })
		a, b := h.open(), h.open()
		ida, idb := a.connect("/p1", ""), b.connect("/p2", "")
		sa, _ := h.Of("/p1").Socket(ida)
		sb, _ := h.Of("/p2").Socket(idb)
		sa.Join("x")
		sb.Join("x", "y")
		check := func(what string, err error, wantA, wantB bool) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			for c, want := range map[*client]bool{a: wantA, b: wantB} {
				if got := len(c.take()) > 0; got != want {
					t.Errorf("%s: a client got it: %v; want %v", what, got, want)
				}
			}
		}
		check("To", p.To("x").Emit("e"), true, true)
		check("In To", p.In("y").To("z").Emit("e"), false, true)
		check("Except", p.Except("y").Emit("e"), true, false)
		check("To Except", p.To("x").Except("y").Emit("e"), true, false)
		check("Volatile", p.Volatile().Local().Compress(false).Emit("e"), true, true)
		check("SocketsJoin", p.To("y").SocketsJoin("z"), false, false)
		check("after SocketsJoin", p.In("z").Emit("e"), false, true)
		check("SocketsLeave", p.Local().SocketsLeave("z"), false, false)
		check("after SocketsLeave", p.To("z").Emit("e"), false, false)
		check("DisconnectSockets", p.To("y").DisconnectSockets(false), false, true)
	})
}

// TestCleanupEmptyNamespaces: a namespace that a client had made ends with its
// last client, and the next one gets another.
func TestCleanupEmptyNamespaces(t *testing.T) {
	for _, recovery := range []*socketio.Recovery{nil, {}} {
		bubble(t, &socketio.Options{CleanupEmptyNamespaces: true, MaxDynamicNamespaces: 2, Recovery: recovery}, func(t *testing.T, h *harness) {
			p := h.OfFunc(func(name string) bool { return strings.HasPrefix(name, "/p") })
			p.Use(func(_ context.Context, s *socketio.Socket) error {
				if s.Namespace().Name() == "/p-refused" {
					return &socketio.ConnectError{Message: "no"}
				}
				return nil
			})
			h.Of("/fixed")
			count := func(want int) {
				t.Helper()
				synctest.Wait()
				if n := len(p.Namespaces()); n != want {
					t.Errorf("%d namespaces; want %d", n, want)
				}
			}
			a, b := h.open(), h.open()
			a.connect("/p", "")
			first := h.Of("/p")
			b.connect("/p", "")
			a.send("41/p,")
			count(1)
			b.send("41/p,")
			count(0)
			a.connect("/p", "")
			if h.Of("/p") == first {
				t.Error("the namespace is the one that ended")
			}
			b.send("40/p-refused,")
			b.want(`44/p-refused,{"message":"no"}`)
			count(1)
			b.connect("/p1", "") // the limit counts those that there are
			b.send("41/p1,")
			synctest.Wait()
			b.connect("/p2", "")
			b.send("41/p2,")
			count(1)
			a.leave()
			if recovery != nil {
				count(1) // its client may come back
				wait(5 * time.Minute)
			}
			count(0)
			b.connect("/fixed", "")
			b.send("41/fixed,")
			synctest.Wait()
			if n := len(h.Namespaces()); n != 2 {
				t.Errorf("%d namespaces are left; want / and /fixed", n)
			}
		})
	}
}
