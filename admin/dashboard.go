package admin

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio"
)

// DashboardOptions say who may open the dashboard, and how much it keeps. One of
// Auth, Authorize and Insecure must be set; zero stands for the default of every
// other field.
type DashboardOptions struct {
	// Auth admits by name and password, for which the page asks: [Basic] or a
	// function of your own.
	Auth Authenticator
	// Authorize decides by the request, for programs with a login of their own, or
	// behind a proxy that has one. The page asks for nothing then. It is called for
	// each request, again every ten seconds while its answer is a stream, and must be
	// quick.
	Authorize func(*http.Request) Access
	// Insecure lets everybody in who reaches the address. It is for development.
	Insecure bool
	// ReadOnly takes away whatever changes something: emit, join, leave and
	// disconnect. The server refuses them, whatever a page sends.
	ReadOnly bool

	// Key signs the sessions of those who logged in, at least 32 bytes. Nodes
	// behind one address share it. Default: a random one, so that a restart logs
	// everybody out.
	Key []byte
	// SessionTime is how long a login lasts. Default 12 hours.
	SessionTime time.Duration

	// ServerID names this node. Default: the name of the host and the id of the
	// process.
	ServerID string
	// User returns the name of the user of a socket, to be shown and found by. It
	// must be quick: a search calls it for every socket. Without it, users of
	// middleware/auth are found by their exact name.
	User func(*socketio.Socket) string
	// MaxEvents is how many names of events are counted one by one; others, the
	// rarest of them, are summed up as "other". Default 100.
	MaxEvents int
	// MaxViewers is how many streams there may be, for pages and for taps.
	// Default 50.
	MaxViewers int
	// Logger is told of logins and of what is done through the page. Default
	// slog.Default().
	Logger *slog.Logger
}

func (o *DashboardOptions) withDefaults() *DashboardOptions {
	var c DashboardOptions
	if o != nil {
		c = *o
	}
	if c.Auth == nil && c.Authorize == nil && !c.Insecure {
		panic("admin: DashboardOptions: set Auth or Authorize, or Insecure to let everybody in")
	}
	if c.Insecure && (c.Auth != nil || c.Authorize != nil) {
		panic("admin: DashboardOptions.Insecure: lets everybody in, in spite of Auth or Authorize")
	}
	if c.Key != nil && len(c.Key) < 32 {
		panic(fmt.Sprintf("admin: DashboardOptions.Key: %d bytes are too few, 32 are needed", len(c.Key)))
	}
	if c.Key == nil {
		c.Key = make([]byte, 32)
		rand.Read(c.Key)
	}
	if c.SessionTime < 0 {
		panic(fmt.Sprintf("admin: DashboardOptions.SessionTime: %v is negative", c.SessionTime))
	}
	c.SessionTime = cmp.Or(c.SessionTime, 12*time.Hour)
	if c.ServerID == "" {
		c.ServerID = defaultServerID()
	}
	defaultTo("DashboardOptions.MaxEvents", &c.MaxEvents, 100)
	defaultTo("DashboardOptions.MaxViewers", &c.MaxViewers, 50)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return &c
}

// A Dashboard is a page that shows a server, and an [http.Handler] for it. It may
// be mounted anywhere, under http.StripPrefix too. What it serves that is not
// static needs a login. Its methods are safe for concurrent use.
type Dashboard struct {
	srv      *socketio.Server
	opts     *DashboardOptions
	events   *counters
	sampler  *sampler
	nodes    *nodes
	taps     *taps
	login    *gate
	viewers  atomic.Int64 // streams that are open
	searches chan struct{}
	stop     func() // ends observing

	ending context.Context // done when it is closed
	end    context.CancelFunc
}

// Handler makes the dashboard of srv, which begins to count at once: mount it, and
// Close it when srv has been shut down. It panics if nobody is said to be let in.
//
//	d := admin.Handler(srv, &admin.DashboardOptions{Auth: admin.Basic("root", hash)})
//	defer d.Close()
//	http.Handle("/dashboard/", d)
func Handler(srv *socketio.Server, o *DashboardOptions) *Dashboard {
	d := &Dashboard{
		srv: srv, opts: o.withDefaults(), searches: make(chan struct{}, 1),
	}
	d.ending, d.end = context.WithCancel(context.Background())
	d.events = newCounters(d.opts.MaxEvents)
	d.login = newGate(d.opts)
	d.nodes = newNodes(d)
	d.taps = newTaps(d)
	d.stop = srv.Observe(d.events.observer())
	d.sampler = newSampler(d)
	return d
}

// Close ends counting and the streams of those who look. http.Server.Shutdown waits
// for streams: Close comes between the Shutdown of the socketio.Server, which can
// still be looked at, and that one.
func (d *Dashboard) Close() {
	d.end()
	d.stop()
	d.sampler.close()
}
