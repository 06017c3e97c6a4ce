package socketio

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"

	"github.com/sockeye-go/socketio/parser"
)

// admit runs the middleware of the namespace and answers the client's CONNECT.
func (s *Socket) admit() {
	if s.handedOver() {
		return
	}
	ctx := s.Context()
	hooks := s.nsp.hooks.Load()
	use := hooks.use
	if s.Recovered() && !s.nsp.srv.opts.Recovery.RunMiddleware {
		use = nil
	}
	for _, use := range use {
		err := s.guard("middleware", func() error { return use(ctx, s) })
		if s.state.Load() == disconnected {
			return // the client did not wait for the answer
		}
		if err != nil {
			s.refuse(err)
			return
		}
	}
	if !s.countUser() {
		s.refuse(&ConnectError{Message: "too many connections"})
		return
	}
	var payload []any
	if !s.conn.revision3() { // those know their id
		payload = []any{struct {
			SID  string `json:"sid"`
			PID  string `json:"pid,omitempty"`
			Once int64  `json:"once,omitempty"` // only clients that repeat their sends get it
		}{s.id, s.pid(), s.conn.onceWindow()}}
	}
	reply, err := s.nsp.encode(parser.Connect, parser.NoID, payload...)
	if err != nil {
		s.refuse(err)
		return
	}
	if !s.enterAdapter(reply) {
		return
	}
	s.conn.joined()
	s.nsp.srv.log.socket.Debug("socket connected", "socket", s)

	for _, f := range hooks.connection {
		if err := s.guard("connection", func() error { return f(ctx, s) }); err != nil {
			s.report(err)
			s.kick()
			break
		}
	}
	s.conn.settled()
}

// refuse answers a CONNECT with an error. Only a ConnectError was written for
// the client's eyes.
func (s *Socket) refuse(err error) {
	refusal, ok := errors.AsType[*ConnectError](err)
	level := slog.LevelDebug
	if !ok {
		refusal = &ConnectError{Message: "internal error"}
		level = slog.LevelWarn
	}
	s.nsp.srv.log.socket.Log(context.Background(), level, "socket refused", "socket", s, "error", err)
	if s.close(ServerDisconnect) {
		s.nsp.srv.counts.refused.Add(1)
		s.conn.refuse(s.nsp.name, refusal)
		s.discardClaim()
	}
}

// left tells the handlers that the socket is gone.
func (s *Socket) left(reason DisconnectReason) {
	if s.kept() != nil {
		defer close(s.kept().left)
	}
	ctx := s.Context()
	hooks := s.nsp.hooks.Load()
	own := s.ownHooks()
	if own == nil {
		own = new(socketHooks)
	}
	for _, f := range hooks.disconnecting {
		s.tell("disconnecting", func() { f(ctx, s, reason) })
	}
	for _, f := range own.disconnecting {
		s.tell("disconnecting", func() { f(reason) })
	}
	s.mu.Lock()
	s.need().was = nil
	s.mu.Unlock()
	for _, f := range hooks.disconnect {
		s.tell("disconnect", func() { f(ctx, s, reason) })
	}
	for _, f := range own.disconnect {
		s.tell("disconnect", func() { f(reason) })
	}
	s.nsp.srv.log.socket.Debug("socket disconnected", "socket", s, "reason", string(reason))
}

func (s *Socket) tell(what string, f func()) {
	if err := s.guard(what, func() error { f(); return nil }); err != nil {
		s.report(err)
	}
}

// guard turns a panic into an error, and disconnects the socket: its state may
// be half of what its handlers rely on.
func (s *Socket) guard(what string, f func() error) (err error) {
	returned := false
	defer func() {
		if v := recover(); v != nil {
			err = s.panicked(what, v)
		} else if !returned {
			s.exited(what)
		}
	}()
	err = f()
	returned = true
	return err
}

var errGoexit = errors.New("it ended its goroutine (runtime.Goexit)")

// exited is panicked for what ends its goroutine, as FailNow of a test does. Nothing
// can be returned then; drain goes on elsewhere.
func (s *Socket) exited(what string) {
	err := s.panicked(what, errGoexit)
	if what != errorHook { // which would do it again
		s.report(err)
	}
}

const errorHook = "error hook"

func (s *Socket) panicked(what string, v any) error {
	s.nsp.srv.counts.panics.Add(1)
	p := &PanicError{Event: what, Value: v}
	// A client can have a handler panic as often as it comes back, and a stack takes
	// longer than most handlers, and fills a disk.
	if missed, ok := s.nsp.srv.panics.Allow(); ok {
		p.Stack = debug.Stack()
		s.nsp.srv.log.socket.Error("panic in a handler: socket is disconnected",
			"socket", s, "in", what, "panic", v, "stack", string(p.Stack), "unlogged", missed)
	}
	s.kick()
	return p
}

// report hands an error to the hooks of the socket and the namespace, or to the
// log where there is none.
func (s *Socket) report(err error) {
	hooks := s.nsp.hooks.Load().onError
	own := s.errorHooks()
	if len(hooks)+len(own) == 0 {
		if _, logged := errors.AsType[*PanicError](err); !logged {
			s.nsp.srv.log.socket.Warn("error of a handler", "socket", s, "error", err)
		}
		return
	}
	ctx := s.Context()
	for _, f := range own {
		s.guardHook(func() { f(ctx, err) })
	}
	for _, f := range hooks {
		s.guardHook(func() { f(ctx, s, err) })
	}
}

// guardHook is guard for error hooks, whose own panics cannot be reported to
// them again.
func (s *Socket) guardHook(f func()) {
	_ = s.guard(errorHook, func() error { f(); return nil })
}
