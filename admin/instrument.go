package admin

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio"
)

var (
	errNoNamespace = errors.New("admin: there is no such namespace")
	errNoEvent     = errors.New("admin: an event needs a name")
)

// An Instrumentation watches one server for the pages that look at it. Its
// methods are safe for concurrent use.
type Instrumentation struct {
	srv      *socketio.Server
	opts     *Options
	nsp      *socketio.Namespace
	started  time.Time
	checking chan struct{} // holds one login at a time

	pages   atomic.Int64 // that look through this node
	watched atomic.Int64 // until when a page looks through another node, Unix ms
	details atomic.Bool  // pages get each socket and event
	budget  budget

	mu     sync.Mutex
	timer  *time.Timer
	closed bool
	known  map[string]known // sockets as pages saw them last, by id
	last   socketio.Stats   // at the last tick
	stop   func()           // ends observing; nil while nobody looks
}

// tick is how often pages get the sums; they expect it so.
const tick = 2 * time.Second

// Instrument makes srv show itself to admin pages. Call it before other hooks
// are registered, so that pages hear of a socket before it does anything, and
// before clients come. Invalid options panic.
func Instrument(srv *socketio.Server, o *Options) *Instrumentation {
	i := &Instrumentation{
		srv: srv, opts: o.withDefaults(), started: time.Now(),
		checking: make(chan struct{}, 1), known: make(map[string]known),
	}
	i.nsp = srv.Of(i.opts.Namespace)
	i.nsp.Use(i.login)
	srv.EachNamespace(i.watch)
	i.nsp.OnConnection(i.welcome)
	i.nsp.OnDisconnect(func(context.Context, *socketio.Socket, socketio.DisconnectReason) { i.pages.Add(-1) })
	i.nsp.OnServerSide(presence, func(context.Context, *socketio.Message) error {
		i.watched.Store(time.Now().Add(3 * tick).UnixMilli())
		i.observe()
		return nil
	})
	i.commands()
	i.last = srv.Stats()
	i.mu.Lock() // onTick reads what is set here
	defer i.mu.Unlock()
	i.timer = time.AfterFunc(tick, i.onTick)
	return i
}

// Close stops the regular reports. Pages that are connected stay so until the
// server ends.
func (i *Instrumentation) Close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
	i.timer.Stop()
	if i.stop != nil {
		i.stop()
		i.stop = nil
	}
}

// presence is what nodes tell each other while somebody looks through them, so
// that all of them show what they do.
const presence = "admin:presence"

// looking reports whether anybody would see what is shown now.
func (i *Instrumentation) looking() bool {
	return i.pages.Load() > 0 || i.watched.Load() > time.Now().UnixMilli()
}

// showing reports whether each socket and event is shown.
func (i *Instrumentation) showing() bool {
	return i.details.Load() && i.looking()
}

// welcome tells a page what there is.
func (i *Instrumentation) welcome(ctx context.Context, s *socketio.Socket) error {
	i.pages.Add(1)
	i.tellPresence()
	i.decide()
	i.observe()
	if err := s.Emit("config", i.config()); err != nil {
		return nil // it left
	}
	_ = s.Emit("server_stats", i.report(nil))
	if !i.details.Load() {
		return nil
	}
	// Another node may take its time, and the page has other work to do.
	go func() {
		_ = s.Emit("all_sockets", i.allSockets(ctx))
	}()
	return nil
}

type config struct {
	SupportedFeatures []string `json:"supportedFeatures"`
}

func (i *Instrumentation) config() config {
	return config{features(i.opts.ReadOnly, i.details.Load())}
}

// decide changes between details and sums, and reports whether it did.
func (i *Instrumentation) decide() bool {
	details := i.srv.Stats().Sockets <= i.opts.MaxSockets
	return i.details.Swap(details) != details
}

func (i *Instrumentation) tellPresence() {
	if i.pages.Load() > 0 {
		_ = i.nsp.ServerSideEmit(presence)
	}
}

// allSockets describes the sockets of all nodes. What does not come in time is
// left out.
func (i *Instrumentation) allSockets(ctx context.Context) []socketInfo {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	all := []socketInfo{}
	for _, n := range i.srv.Namespaces() {
		sockets, _ := n.FetchSockets(ctx) // with an error it returns what has come
		for _, r := range sockets {
			info := describeRemote(r, n.Name())
			if _, local := r.Local(); local {
				i.remember(info)
			}
			all = append(all, info)
		}
	}
	return all
}

func (i *Instrumentation) onTick() {
	i.tellPresence()
	i.observe()
	if i.looking() {
		if i.decide() {
			_ = i.nsp.Emit("config", i.config())
			if i.details.Load() {
				_ = i.nsp.Emit("all_sockets", i.allSockets(context.Background()))
			}
		}
		_ = i.nsp.Emit("server_stats", i.report(i.events()))
		i.showChanges()
	} else {
		i.events() // what happened while nobody looked is not news later
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.closed {
		i.timer.Reset(tick)
	}
}
