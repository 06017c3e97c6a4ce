package socketio

import "time"

// occupancy counts the sockets of a namespace that clients had made, those that
// are still being connected too, so that it can end with the last one.
// Guarded by Server.mu.
type occupancy struct {
	byClient bool // made because a client asked for it
	sockets  int
	ended    bool
}

// enter finds the namespace that a client asks for and counts the client in, in
// one step: a namespace that is empty may be about to end.
func (srv *Server) enter(req *NamespaceRequest) *Namespace {
	for {
		n := srv.lookup(req)
		if n == nil || !srv.opts.CleanupEmptyNamespaces {
			return n
		}
		srv.mu.Lock()
		if !n.occupancy.ended {
			n.occupancy.sockets++
			srv.mu.Unlock()
			return n
		}
		srv.mu.Unlock()
	}
}

// leave counts a client out.
func (srv *Server) leave(n *Namespace) {
	if !srv.opts.CleanupEmptyNamespaces {
		return
	}
	srv.mu.Lock()
	n.occupancy.sockets--
	empty := n.occupancy.byClient && n.occupancy.sockets == 0
	srv.mu.Unlock()
	if empty {
		srv.work.add()
		go func() { // an adapter may wait for its broker
			defer srv.work.done()
			srv.endIfEmpty(n)
		}()
	}
}

// endIfEmpty ends a namespace that a client had made, unless somebody is in it,
// or may come back to it.
func (srv *Server) endIfEmpty(n *Namespace) {
	if n.recoverer != nil && n.recoverer.Stats().Sessions > 0 {
		time.AfterFunc(srv.opts.Recovery.MaxDuration, func() { srv.endIfEmpty(n) })
		return
	}
	srv.mu.Lock()
	if n.occupancy.ended || n.occupancy.sockets > 0 {
		srv.mu.Unlock()
		return
	}
	n.occupancy.ended = true
	delete(srv.namespaces, n.name)
	srv.mu.Unlock()
	srv.making.Lock()
	srv.made--
	srv.making.Unlock()
	if err := n.adapter.Close(); err != nil {
		srv.opts.Logger.Warn("adapter of an empty namespace", "nsp", n.name, "error", err)
	}
	srv.opts.Logger.Debug("empty namespace ended", "nsp", n.name)
}
