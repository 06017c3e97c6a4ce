// Package demo is all examples on one server: each has a page and a namespace of its
// own name, /chat and so on, and one connection carries whatever a page uses.
package demo

import (
	"context"
	"embed"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/admin"
	"github.com/sockeye-go/socketio/examples/chat/chat"
	"github.com/sockeye-go/socketio/examples/editor/editor"
	"github.com/sockeye-go/socketio/examples/files/files"
	"github.com/sockeye-go/socketio/examples/game/game"
	"github.com/sockeye-go/socketio/examples/internal/site"
)

//go:embed page
var page embed.FS

// Restarting is the event that the pages take for the word that their server ends on
// purpose: for Options.ShutdownEvent.
const Restarting = site.Restarting

// Names are the examples.
var Names = []string{"chat", "editor", "game", "files"}

// Stats are what the first page shows.
type Stats struct {
	Connections int            `json:"connections"`
	Sockets     map[string]int `json:"sockets"` // by example
	Heap        uint64         `json:"heap"`    // bytes
	Goroutines  int            `json:"goroutines"`
	Uptime      float64        `json:"uptime"` // seconds
	Frames      int64          `json:"frames"` // of all games
	Late        int64          `json:"late"`
	FrameP99    float64        `json:"frameP99"` // milliseconds
}

var (
	serverTime = socketio.NewEventWithAck[socketio.None, int64]("server time")
	getStats   = socketio.NewEventWithAck[socketio.None, Stats]("stats")
)

// New registers the examples on srv and returns their pages. close is called after
// srv has been shut down; what was written and dropped is gone then.
func New(srv *socketio.Server) (pages http.Handler, close func() error, err error) {
	dir, err := os.MkdirTemp("", "sockeye-demo-")
	if err != nil {
		return nil, nil, err
	}
	store, err := files.OpenStore(dir, nil)
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	top := instrument(srv)
	chat.New(srv.Of("/chat"))
	ed := editor.New(srv.Of("/editor"), nil)
	games := game.New(srv.Of("/game"), nil)
	files.New(srv.Of("/files"), store)

	started := time.Now()
	serverTime.Handle(srv, func(context.Context, *socketio.Socket, socketio.None) (int64, error) {
		return time.Now().UnixMilli(), nil
	})
	getStats.Handle(srv, func(context.Context, *socketio.Socket, socketio.None) (Stats, error) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		timing := games.Clock.Timing()
		s := Stats{
			Connections: srv.Connections(), Sockets: make(map[string]int), Heap: m.HeapAlloc, Goroutines: runtime.NumGoroutine(),
			Uptime: time.Since(started).Seconds(), Frames: timing.Frames, Late: timing.Late, FrameP99: float64(timing.P99.Microseconds()) / 1000,
		}
		for _, name := range Names {
			for range srv.Of("/" + name).Sockets() {
				s.Sockets[name]++
			}
		}
		return s, nil
	})

	mux := http.NewServeMux()
	mux.Handle("/chat/", http.StripPrefix("/chat", chat.Page()))
	mux.Handle("/editor/", http.StripPrefix("/editor", editor.Page()))
	mux.Handle("/game/", http.StripPrefix("/game", game.Page()))
	mux.Handle("/files/", http.StripPrefix("/files", files.Page()))
	dashboard := admin.Handler(srv, &admin.DashboardOptions{Authorize: thisMachine})
	mux.Handle("/dashboard/", dashboard)
	mux.Handle("/", site.Page(page, "page"))
	return mux, func() error {
		dashboard.Close()
		top.Close()
		games.Close()
		return errors.Join(ed.Close(), store.Close(), os.RemoveAll(dir))
	}, nil
}

// instrument has srv show itself to sockeye top and to the official Admin UI, on
// this machine alone. A request that came through a proxy could be anybody's.
func instrument(srv *socketio.Server) *admin.Instrumentation {
	srv.Of("/admin").Use(func(_ context.Context, s *socketio.Socket) error {
		r := s.Request()
		if r == nil || r.Header.Get("X-Forwarded-For") != "" || thisMachine(r) != admin.MayWrite {
			return &socketio.ConnectError{Message: "only for who sits at the machine of the demo"}
		}
		return nil
	})
	return admin.Instrument(srv, &admin.Options{Auth: admin.NoAuth})
}

// thisMachine opens the dashboard to whoever sits at the machine that runs the demo,
// and to nobody else: neither to others in the network nor to a page from elsewhere
// whose name was made to lead here.
func thisMachine(r *http.Request) admin.Access {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return admin.NoAccess
	}
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); host == "localhost" || err == nil && addr.IsLoopback() {
		return admin.MayWrite
	}
	return admin.NoAccess
}
