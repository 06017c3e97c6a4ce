package socketio

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/parser"
)

// Draining reports whether Shutdown or Close has been called: a load balancer
// that asks should send clients elsewhere.
func (srv *Server) Draining() bool { return srv.draining.Load() }

// Shutdown ends the server in good order. It goes on for Options.ShutdownDelay,
// with Draining reporting true; then it refuses new connections, waits for what was
// registered with OnShutdown, and closes the connections
// there are, Options.ShutdownRate a second, each when its handlers have answered
// what came before, or after Options.ShutdownGrace, and has sent what is queued.
// Clients will try to reconnect; with [Options.Recovery] and an adapter that
// stores, another node goes on with their sessions. At last it waits for the
// handlers that still run. When ctx ends first, it closes what is left at once
// and returns the error of ctx. Call it before the Shutdown of the http.Server,
// which knows neither WebSockets nor waiting polls.
func (srv *Server) Shutdown(ctx context.Context) error {
	srv.draining.Store(true)
	log := srv.opts.Logger
	delay := drainDelay(ctx, srv.opts.ShutdownDelay)
	if delay > 0 {
		log.Info("draining", "connections", srv.Connections(), "delay", delay)
	}
	err := pause(ctx, delay)
	srv.engine.Drain()
	start := time.Now()
	log.Info("shutting down", "connections", srv.Connections())
	srv.tellShutdown(ctx)
	if err == nil {
		err = srv.closeInWaves(ctx, srv.connections())
	}
	if err == nil {
		err = srv.leaving.wait(ctx)
	}
	srv.disconnectAll() // those of connections that were made meanwhile, and of a ctx that has ended
	if err == nil {
		err = srv.engine.Shutdown(ctx)
	} else {
		err = errors.Join(err, srv.engine.Close())
	}
	if err == nil {
		err = srv.work.wait(ctx)
	}
	log.Info("shut down", "took", time.Since(start), "error", err)
	return errors.Join(err, srv.closeAdapters())
}

// Close ends the server at once. It does not wait for handlers; their contexts
// are done.
func (srv *Server) Close() error {
	srv.draining.Store(true)
	srv.engine.Drain()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	srv.tellShutdown(ctx)
	srv.disconnectAll()
	return errors.Join(srv.engine.Close(), srv.closeAdapters())
}

// OnShutdown calls f once when the server begins to end, while its sockets are
// connected and the other nodes can be reached, so that f can hand over what this
// node alone has. Shutdown waits for it, with its ctx. In Close, which waits for
// nothing, ctx has ended already.
func (n *registry) OnShutdown(f func(ctx context.Context)) {
	n.register(func(h *namespaceHooks) { h.shutdown = extend(h.shutdown, f) })
}

func (srv *Server) tellShutdown(ctx context.Context) {
	if srv.told.Swap(true) {
		return
	}
	var wg sync.WaitGroup
	for _, n := range srv.allNamespaces() {
		for _, f := range n.hooks.Load().shutdown {
			wg.Go(func() { n.guard("shutdown", func() { f(ctx) }) })
		}
	}
	wg.Wait()
}

// drainDelay is the delay, or half of the time that ctx leaves: the connections are
// to be closed in good order in the other half.
func drainDelay(ctx context.Context, delay time.Duration) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		delay = min(delay, time.Until(deadline)/2)
	}
	return delay
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// connections returns those with a socket, in no order: who has been here for
// long shall not be the first to come back, elsewhere, with all the others.
func (srv *Server) connections() []*connection {
	seen := make(map[*connection]bool)
	var all []*connection
	for _, n := range srv.allNamespaces() {
		for m := range n.adapter.Local(adapter.Target{Local: true}) {
			if c := m.(*Socket).conn; !seen[c] {
				seen[c] = true
				all = append(all, c)
			}
		}
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// shutdownWave is the time between two waves of closing.
const shutdownWave = 50 * time.Millisecond

// closeInWaves has the connections leave at the pace of Options.ShutdownRate, or
// faster if ctx would end before the last.
func (srv *Server) closeInWaves(ctx context.Context, all []*connection) error {
	perWave := max(1, int(time.Duration(srv.opts.ShutdownRate)*shutdownWave/time.Second))
	if deadline, ok := ctx.Deadline(); ok {
		waves := max(1, int(time.Until(deadline)/2/shutdownWave))
		perWave = max(perWave, (len(all)+waves-1)/waves)
	}
	told := time.Now()
	for len(all) > 0 {
		now := all[:min(perWave, len(all))]
		all = all[len(now):]
		for _, c := range now {
			c.leave(srv.opts.ShutdownGrace)
		}
		if time.Since(told) >= time.Second {
			told = time.Now()
			srv.opts.Logger.Info("shutting down", "left", len(all))
		}
		if len(all) > 0 {
			if err := pause(ctx, shutdownWave); err != nil {
				return err
			}
		}
	}
	return nil
}

// leave ends the connection when its handlers are done, and after grace anyhow.
// Reading stops, so that the client's next events do not keep it alive.
func (c *connection) leave(grace time.Duration) {
	c.mu.Lock()
	if c.look().leaving != nil { // another Shutdown has told it
		c.mu.Unlock()
		return
	}
	if c.flow.events == 0 {
		c.mu.Unlock()
		c.shut()
		return
	}
	c.srv.leaving.add()
	c.need().leaving = time.AfterFunc(grace, c.shut)
	c.decide()
	c.mu.Unlock()
}

// shut is the end of a connection that was told to leave.
func (c *connection) shut() {
	for _, s := range c.all() {
		s.hint()
		c.dismiss(s.nsp)
		s.shutDown()
	}
	c.sess.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if rare := c.look(); rare.leaving != nil {
		rare.leaving.Stop()
		rare.leaving = nil
		c.srv.leaving.done()
	}
}

// hint tells the client of a socket why its connection will end. It is for this
// connection alone: a client that recovers on another node is not told there.
func (s *Socket) hint() {
	event := s.nsp.srv.opts.ShutdownEvent
	if event == "" || !s.reachable() {
		return
	}
	if p, err := s.nsp.encodeEvent(event, parser.NoID, nil); err == nil {
		_ = s.send(p, 0) // a client that is too slow for it will notice anyhow
	}
}

// disconnectAll gives every socket its reason before the engine can.
func (srv *Server) disconnectAll() {
	srv.cancel()
	srv.once.close()
	for _, n := range srv.allNamespaces() {
		for m := range n.adapter.Local(adapter.Target{Local: true}) {
			m.(*Socket).shutDown()
		}
	}
}

// shutDown ends a socket because its server ends.
func (s *Socket) shutDown() {
	s.closing()
	s.close(ServerShuttingDown)
	s.schedule()
}

// Flush waits until what was emitted before is on its way to the other nodes: the
// broker, or the store of an adapter that has one, has confirmed it, and the
// rooms and data by which clients can recover. In one process it returns at once.
// An error says that something emitted since the last Flush was not confirmed.
func (srv *Server) Flush(ctx context.Context) error {
	var errs []error
	for _, n := range srv.allNamespaces() {
		if a, ok := n.adapter.(adapter.Flusher); ok {
			errs = append(errs, a.Flush(ctx))
		}
	}
	return errors.Join(errs...)
}

func (srv *Server) closeAdapters() error {
	all := srv.allNamespaces()
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, n := range all { // each may wait for a broker that is away
		wg.Go(func() { errs[i] = n.adapter.Close() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
