package socketio

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/component"
	"github.com/sockeye-go/socketio/internal/tally"
	"github.com/sockeye-go/socketio/parser"
	"github.com/sockeye-go/socketio/web"
)

// maxPanicsLogged is how many panics are logged in one second.
const maxPanicsLogged = 10

// A Server is an [http.Handler] that speaks Socket.IO, at whatever path it is
// mounted; clients expect /socket.io/. It has all methods of its namespace "/".
// Its methods are safe for concurrent use.
type Server struct {
	*Namespace // "/"

	opts   *Options
	limits parser.Limits
	engine *engineio.Server
	log    loggers
	counts counts
	panics tally.Limiter // of those that are logged
	work   gauge         // queues of sockets that are being run
	once   onceTable

	lastAsked atomic.Pointer[asked]

	started time.Time
	watch   atomic.Pointer[watch]
	watchMu sync.Mutex // serialises its replacement

	draining atomic.Bool
	told     atomic.Bool // the hooks of OnShutdown
	leaving  gauge       // connections that Shutdown waits for

	ctx    context.Context // of what belongs to no socket
	cancel context.CancelFunc

	mu         sync.RWMutex
	namespaces map[string]*Namespace
	parents    []*ParentNamespace // in order of registration
	onNew      []func(*Namespace) // of those that clients had made
	onEach     []func(*Namespace)

	making sync.Mutex // held while a dynamic namespace is made; taken before mu
	made   int        // namespaces that clients had made
}

// NewServer returns a server; nil stands for the default options. It panics
// with the name of the field if an option makes no sense.
func NewServer(o *Options) *Server {
	srv := &Server{opts: o.withDefaults(), namespaces: make(map[string]*Namespace), started: time.Now()}
	srv.panics.PerSecond = maxPanicsLogged
	srv.ctx, srv.cancel = context.WithCancel(context.Background())
	srv.once.window = srv.opts.OnceWindow
	e := srv.opts.engine()
	srv.log = newLoggers(srv.opts.Logger)
	srv.opts.Logger = component.Logger(srv.opts.Logger, component.Server)
	srv.limits = parser.Limits{
		MaxAttachments:     srv.opts.MaxAttachments,
		MaxAttachmentBytes: srv.opts.MaxAttachmentBytes,
		MaxArguments:       srv.opts.MaxArguments,
		MaxDepth:           srv.opts.MaxDepth,
		MaxEventName:       srv.opts.MaxEventName,
		MaxNamespace:       srv.opts.MaxNamespaceName,
	}
	e.OnSession = srv.onSession
	srv.engine = engineio.NewServer(e)
	srv.Namespace = srv.Of("/")
	return srv
}

// ServeHTTP implements [http.Handler]. The last segment of the path tells a
// file of the browser client from the engine.
func (srv *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, isFile := web.Lookup(lastSegment(r.URL.Path)); isFile && !srv.opts.DisableClient {
		if srv.opts.CORS != nil {
			if r.Method == http.MethodOptions {
				srv.engine.ServeHTTP(w, r) // which answers every preflight
				return
			}
			srv.opts.CORS.SetHeaders(w.Header(), r)
		}
		web.Serve(w, r)
		return
	}
	srv.engine.ServeHTTP(w, r)
}

// UseHTTP puts middleware around the engine, the first outermost: it sees every
// request of a client before AllowRequest does, whatever the transport, and may
// answer in its place. Files of the browser client are not affected. A
// ResponseWriter that it wraps must have Unwrap.
func (srv *Server) UseHTTP(middleware ...func(http.Handler) http.Handler) {
	srv.engine.UseHTTP(middleware...)
}

func lastSegment(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// Of returns the namespace of this name, which it creates if need be. A leading
// slash may be left out. It panics if the adapter cannot be made: namespaces
// are created at start-up.
func (srv *Server) Of(name string) *Namespace {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	srv.mu.RLock()
	n := srv.namespaces[name]
	srv.mu.RUnlock()
	if n != nil {
		return n
	}
	return srv.make(name, srv.parentOf(name, nil))
}

// lookup finds the namespace a client asks for, and makes it if it is dynamic.
func (srv *Server) lookup(req *NamespaceRequest) *Namespace {
	srv.mu.RLock()
	n, parents := srv.namespaces[req.Name], len(srv.parents)
	srv.mu.RUnlock()
	if n != nil || parents == 0 {
		return n
	}
	return srv.dynamic(req)
}

func (srv *Server) allNamespaces() []*Namespace {
	srv.mu.RLock()
	defer srv.mu.RUnlock()
	all := make([]*Namespace, 0, len(srv.namespaces))
	for _, n := range srv.namespaces {
		all = append(all, n)
	}
	return all
}

// Connections returns the number of connections, joined to a namespace or not
// (engine.clientsCount in JavaScript).
func (srv *Server) Connections() int { return srv.engine.Sessions() }
