package engineio

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio/internal/component"
	"github.com/sockeye-go/socketio/internal/poll"
	"github.com/sockeye-go/socketio/internal/pressure"
	"github.com/sockeye-go/socketio/internal/tally"
	"github.com/sockeye-go/socketio/internal/ws"
)

// maxPanicsLogged is how many panics are logged in one second.
const maxPanicsLogged = 10

// A Server is an http.Handler that speaks Engine.IO. It serves whatever path
// it is mounted at. Its methods are safe for concurrent use.
type Server struct {
	opts   *Options
	limits poll.Limits
	frames *ws.Rules // of WebSockets
	table  *table
	log    *slog.Logger // of sessions; that of requests is opts.Logger
	heart  *heart

	handler atomic.Pointer[http.Handler] // what UseHTTP put around serve

	live       atomic.Int64 // sessions whose receiver has not been told of the end
	handshakes atomic.Int64 // being answered
	opening    atomic.Int64 // of these streams whose client has yet to say what for
	addresses  tally.Census // empty unless there is a limit
	tight      atomic.Bool  // there is more on the heap than MaxMemory
	looking    atomic.Bool  // it will be seen before long whether there still is
	relax      func()       // ends the watch over memory
	counts     counts
	panics     tally.Limiter // of those that are logged

	mu       sync.Mutex
	wrappers []func(http.Handler) http.Handler
	draining bool          // no new sessions
	empty    chan struct{} // closed when live falls to 0 while draining
}

// NewServer returns a server. It panics if an option makes no sense.
func NewServer(opts *Options) *Server {
	s := &Server{opts: opts.withDefaults(), table: newTable()}
	s.panics.PerSecond = maxPanicsLogged
	s.limits.Bytes, s.limits.Packets = s.opts.MaxQueuedBytes, s.opts.MaxQueuedPackets
	s.limits.Patience = s.opts.PingInterval + s.opts.PingTimeout // while no pong can be seen
	s.frames = ws.NewRules(ws.Server, s.opts.MaxPayload, s.opts.MaxFragments)
	s.log = component.Logger(s.opts.Logger, component.EngineSocket)
	s.opts.Logger = component.Logger(s.opts.Logger, component.Engine)
	s.heart = newHeart(s.opts.PingInterval, s.opts.PingTimeout, s.sendPing, s.pongOverdue, s.callOverdue)
	s.relax = func() {}
	if s.opts.MaxMemory > 0 {
		s.relax = pressure.Watch(s.opts.MaxMemory, s.relieve)
	}
	return s
}

// Sessions returns the number of sessions.
func (s *Server) Sessions() int { return int(s.live.Load()) }

// Each yields the sessions, a part of them at a time: who comes or goes meanwhile
// may be missing or there. No lock is held while the loop's body runs.
func (s *Server) Each() iter.Seq[*Session] {
	return func(yield func(*Session) bool) {
		var some []*Session
		for i := range s.table.shards {
			some = s.table.shards[i].list(some[:0])
			for _, sess := range some {
				if !yield(sess) {
					return
				}
			}
		}
	}
}

// Session returns the session with this sid, or nil.
func (s *Server) Session(sid string) *Session { return s.table.get(sid) }

// Close ends all sessions at once and refuses new ones.
func (s *Server) Close() error {
	s.drain()
	s.relax()
	if f := s.opts.Forwarder; f != nil {
		f.Shutdown(done)
	}
	for _, sess := range s.table.all() {
		sess.end(ForcedClose, nil)
	}
	return nil
}

// done is a context that has ended.
var done = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// Shutdown refuses new sessions, closes those there are when they have taken
// what is queued for them, and waits for their receivers to be told. A client on
// polling that has not come for it in half of the time of ctx will not, and is closed
// without. When ctx ends first, the rest is closed at once and the error of ctx
// returned. What is forwarded to other servers goes on until then.
func (s *Server) Shutdown(ctx context.Context) error {
	empty := s.drain()
	for _, sess := range s.table.all() {
		sess.Close()
	}
	if deadline, ok := ctx.Deadline(); ok {
		defer time.AfterFunc(time.Until(deadline)/2, s.closeClosing).Stop()
	}
	select {
	case <-empty:
		if f := s.opts.Forwarder; f != nil {
			f.Shutdown(ctx)
		}
		s.relax()
		return nil
	case <-ctx.Done():
		return errors.Join(context.Cause(ctx), s.Close())
	}
}

// closeClosing ends the sessions that wait for polls to take what is queued.
func (s *Server) closeClosing() {
	for _, sess := range s.table.all() {
		sess.mu.Lock()
		late := sess.state == closing
		sess.mu.Unlock()
		if late {
			sess.end(ForcedClose, nil)
		}
	}
}

// Drain refuses new sessions from now on; those there are go on.
func (s *Server) Drain() { s.drain() }

func (s *Server) drain() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	if s.empty == nil {
		s.empty = make(chan struct{})
		if s.live.Load() == 0 {
			close(s.empty)
		}
	}
	return s.empty
}

// UseHTTP puts middleware around the engine, the first outermost: it sees every
// request of a poll, every POST and every request for a WebSocket, sets headers
// of their responses, and answers in place of the engine if it does not call
// the next handler. A ResponseWriter that it wraps must have Unwrap, or
// WebSockets and the deadlines of polls are lost. Requests that are being
// served are not affected.
func (s *Server) UseHTTP(middleware ...func(http.Handler) http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrappers = append(s.wrappers, middleware...)
	var h http.Handler = http.HandlerFunc(s.serve)
	for _, wrap := range slices.Backward(s.wrappers) {
		h = wrap(h)
	}
	s.handler.Store(&h)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f := s.opts.Forwarder; f != nil {
		r = f.Arrive(r)
	}
	if h := s.handler.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	s.serve(w, r)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["X-Content-Type-Options"] = nosniff
	if c := s.opts.CORS; c != nil {
		c.SetHeaders(h, r)
		if r.Method == http.MethodOptions {
			c.servePreflight(w, r)
			return
		}
	}
	if accept, ok := r.Context().Value(streamKey{}).(StreamAccepter); ok {
		s.serveStream(w, r, accept)
		return
	}
	q := parseQuery(r.URL.RawQuery)
	q.jsonp = q.jsonp && s.opts.AllowJSONP
	upgrade := ws.IsUpgrade(r)
	if q.sid == "" {
		if refusal := s.beginHandshake(); refusal != nil {
			s.refuse(w, r, refusal)
			return
		}
		defer s.endHandshake()
	}
	sess, refusal := s.verify(r, q, upgrade)
	if refusal != nil && refusal.Code == UnknownSID && s.opts.Forwarder != nil {
		if refusal = s.foreign(w, r, q, refusal); refusal == nil {
			return
		}
	}
	if refusal != nil {
		s.refuse(w, r, refusal)
		return
	}
	switch {
	case upgrade:
		s.serveUpgrade(w, r, q, sess)
	case sess == nil:
		s.handshake(w, r, q)
	case r.Method == http.MethodGet:
		sess.servePoll(w, r, false)
	case r.Method == http.MethodPost:
		sess.servePost(w, r)
	default:
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// refuse answers a request that is not served. On a WebSocket request the
// answer is plain text, as there is nobody who would read JSON.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, e *ConnectionError) {
	s.report(r, e)
	status := e.status
	upgrade := ws.IsUpgrade(r)
	if status == 0 {
		status = http.StatusBadRequest
		if e.Code == Forbidden && !upgrade {
			status = http.StatusForbidden
		}
	}
	h := w.Header()
	setRetryAfter(h, e.retryAfter)
	body := e.body
	switch {
	case upgrade:
		h.Set("Connection", "close")
		h.Set("Content-Type", "text/html")
		if body == nil {
			body = []byte(e.Message())
		}
	case body == nil:
		h.Set("Content-Type", "application/json")
		body, _ = json.Marshal(struct {
			Code    Code   `json:"code"`
			Message string `json:"message"`
			Hint    string `json:"hint,omitempty"`
		}{e.Code, e.Message(), e.hint()})
	case h.Get("Content-Type") == "":
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// report tells who wants to know of a request that is not served.
func (s *Server) report(r *http.Request, e *ConnectionError) {
	e.Request = r
	s.counts.refused.Add(e.Code)
	if s.opts.OnConnectionError != nil {
		s.opts.OnConnectionError(e)
	}
	attrs := []any{"code", int(e.Code), "reason", e.Message(), "hint", e.hint()}
	if sid, ok := e.Context["sid"].(string); ok { // it may be good on another node
		attrs = append(attrs, "connection", connectionID(sid))
	} else {
		attrs = append(attrs, "context", e.Context)
	}
	s.opts.Logger.Debug("connection refused", append(attrs, "error", e.Err, "remote", r.RemoteAddr)...)
}
