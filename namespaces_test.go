package socketio_test

import (
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio"
)

// TestEachNamespace: those that there are, those of Of, and those that clients
// have made are seen, each before anybody can use it.
func TestEachNamespace(t *testing.T) {
	srv := socketio.NewServer(nil)
	defer srv.Close()
	srv.Of("/before")
	var seen []string
	srv.EachNamespace(func(n *socketio.Namespace) {
		seen = append(seen, n.Name())
		n.OnConnection(func(context.Context, *socketio.Socket) error { return nil })
	})
	if slices.Sort(seen); !slices.Equal(seen, []string{"/", "/before"}) {
		t.Errorf("at once: %q", seen)
	}
	srv.Of("/after")
	srv.OfRegexp(regexp.MustCompile(`^/room-\d+$`))
	srv.Of("/room-1")
	srv.Of("/after")
	if want := []string{"/", "/before", "/after", "/room-1"}; !slices.Equal(seen, want) {
		t.Errorf("later: %q; want %q", seen, want)
	}
	var names []string
	for _, n := range srv.Namespaces() {
		names = append(names, n.Name())
	}
	if want := []string{"/", "/after", "/before", "/room-1"}; !slices.Equal(names, want) {
		t.Errorf("Namespaces = %q; want %q", names, want)
	}
}

// TestEachNamespaceOfClients: a namespace that a client asks for is seen before
// the client joins it.
func TestEachNamespaceOfClients(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		h.OfRegexp(regexp.MustCompile(`^/room-\d+$`))
		joined := make(chan string, 1)
		h.EachNamespace(func(n *socketio.Namespace) {
			n.OnConnection(func(_ context.Context, s *socketio.Socket) error {
				joined <- s.Namespace().Name() + " " + s.ConnectionID()
				return nil
			})
		})
		h.open().connect("/room-7", "")
		if got := <-joined; !regexp.MustCompile(`^/room-7 [0-9a-f]{12}$`).MatchString(got) {
			t.Errorf("joined %q", got)
		}
	})
}

// TestSocketInLog: what identifies a socket in a log lets nobody take its place.
func TestSocketInLog(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		joined := make(chan *socketio.Socket, 1)
		h.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			joined <- s
			return nil
		})
		c := h.open()
		c.connect("/", "")
		s := <-joined
		var out strings.Builder
		slog.New(slog.NewTextHandler(&out, nil)).Info("joined", "socket", s)
		for _, want := range []string{"socket.id=" + s.ID(), "socket.nsp=/", "socket.connection=" + s.ConnectionID()} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q lacks %s", out.String(), want)
			}
		}
		if sid := c.sid; sid == "" || strings.Contains(out.String(), sid) {
			t.Errorf("%q has the sid, %q", out.String(), sid)
		}
	})
}
