package socketio

import (
	"cmp"
	"slices"
)

// Namespaces returns the namespaces that there are, by name.
func (srv *Server) Namespaces() []*Namespace {
	all := srv.allNamespaces()
	slices.SortFunc(all, func(a, b *Namespace) int { return cmp.Compare(a.name, b.name) })
	return all
}

// EachNamespace calls f for every namespace: now for those that there are, and
// later for each that is made, by [Server.Of] or for a client, before anybody
// can find it. It is for what watches a whole server, such as an admin page. f
// registers what it needs on the namespace; it must not ask the server for
// namespaces. A namespace that two goroutines make at the same time may be seen
// twice under its name, the one that is not used first or last.
func (srv *Server) EachNamespace(f func(*Namespace)) {
	srv.mu.Lock()
	srv.onEach = extend(srv.onEach, f)
	there := make([]*Namespace, 0, len(srv.namespaces))
	for _, n := range srv.namespaces {
		there = append(there, n)
	}
	srv.mu.Unlock()
	for _, n := range there {
		f(n)
	}
}

// make returns the namespace of this name, which nobody may have made meanwhile.
func (srv *Server) make(name string, parent *ParentNamespace) *Namespace {
	n := newNamespace(srv, name)
	if parent != nil {
		n.adopt(parent)
	}
	return srv.publish(n)
}

// publish lets clients find n, when all have seen it who asked to, or returns
// the one that was published under its name before. Hooks run without srv.mu.
func (srv *Server) publish(n *Namespace) *Namespace {
	seen := 0
	for {
		srv.mu.Lock()
		if other := srv.namespaces[n.name]; other != nil { // made by somebody else meanwhile, and in use
			srv.mu.Unlock()
			_ = n.adapter.Close()
			return other
		}
		hooks := srv.onEach[seen:]
		if len(hooks) == 0 {
			srv.namespaces[n.name] = n
			srv.mu.Unlock()
			return n
		}
		srv.mu.Unlock()
		for _, f := range hooks {
			f(n)
		}
		seen += len(hooks)
	}
}
