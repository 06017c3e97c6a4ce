package socketio

import (
	"regexp"

	"github.com/sockeye-go/socketio/parser"
)

// A ParentNamespace stands for namespaces that are made when a client asks for
// them ("Dynamic namespaces"). What is registered on it holds for every one that
// is made afterwards; what is registered later does not reach those there are.
// Methods are safe for concurrent use.
type ParentNamespace struct {
	registry
	srv   *Server
	match func(name string) bool
	// request is asked instead, and only about clients.
	request func(*NamespaceRequest) bool
}

// A NamespaceRequest is a client that asks for a namespace.
type NamespaceRequest struct {
	Name string // with its leading slash

	auth  []byte
	codec parser.Parser
}

// DecodeAuth decodes the payload of the client's CONNECT into v, which it leaves
// alone if there was none.
func (r *NamespaceRequest) DecodeAuth(v any) error {
	if r.auth == nil {
		return nil
	}
	return r.codec.Unmarshal(r.auth, nil, v)
}

// OfFunc returns a parent of the namespaces whose names match reports true for.
// Names have their leading slash. The parent that was made first is asked first,
// and only for names that no namespace has yet. match is called on the goroutine
// that reads from the client; it must not block, nor ask for new namespaces.
func (srv *Server) OfFunc(match func(name string) bool) *ParentNamespace {
	return srv.parent(&ParentNamespace{srv: srv, match: match})
}

// OfRequest is OfFunc for a decision that needs what the client sent with its
// CONNECT. It is asked about clients alone, not by [Server.Of]. A decision that
// has to wait, for a database say, belongs into [ParentNamespace.Use].
func (srv *Server) OfRequest(match func(*NamespaceRequest) bool) *ParentNamespace {
	return srv.parent(&ParentNamespace{srv: srv, request: match})
}

func (srv *Server) parent(p *ParentNamespace) *ParentNamespace {
	p.init("dynamic")
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.parents = extend(srv.parents, p)
	return p
}

// OfRegexp is OfFunc for the names that re matches. An expression without ^ and
// $ matches parts of a name.
func (srv *Server) OfRegexp(re *regexp.Regexp) *ParentNamespace { return srv.OfFunc(re.MatchString) }

// Namespaces returns the namespaces that were made of this parent.
func (p *ParentNamespace) Namespaces() []*Namespace {
	p.srv.mu.RLock()
	defer p.srv.mu.RUnlock()
	var all []*Namespace
	for _, n := range p.srv.namespaces {
		if n.parent == p {
			all = append(all, n)
		}
	}
	return all
}

// OnNewNamespace calls f for each namespace that a client had the server make,
// before any client joins it; f must not ask for that namespace by [Server.Of].
// Register it before clients come.
func (srv *Server) OnNewNamespace(f func(*Namespace)) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.onNew = extend(srv.onNew, f)
}

// dynamic makes the namespace that a client asks for, or returns nil if no
// parent matches or there are too many. Nobody finds it before the hooks have
// run. Neither they nor match are called with srv.mu held, so that they may use
// the server.
func (srv *Server) dynamic(req *NamespaceRequest) *Namespace {
	name := req.Name
	parent := srv.parentOf(name, req)
	if parent == nil {
		return nil
	}
	srv.making.Lock()
	defer srv.making.Unlock()
	srv.mu.RLock()
	n, hooks := srv.namespaces[name], srv.onNew
	srv.mu.RUnlock()
	if n != nil {
		return n // another client was faster
	}
	if srv.made >= srv.opts.MaxDynamicNamespaces {
		srv.hit("MaxDynamicNamespaces")
		srv.opts.Logger.Warn("too many dynamic namespaces", "limit", srv.opts.MaxDynamicNamespaces, "refused", name)
		return nil
	}
	srv.made++
	n = newNamespace(srv, name)
	n.adopt(parent)
	n.occupancy.byClient = true
	for _, f := range hooks {
		f(n)
	}
	return srv.publish(n)
}

// parentOf returns the first parent that matches; req is nil if no client asks.
func (srv *Server) parentOf(name string, req *NamespaceRequest) *ParentNamespace {
	srv.mu.RLock()
	parents := srv.parents
	srv.mu.RUnlock()
	for _, p := range parents {
		if p.match != nil && p.match(name) || p.request != nil && req != nil && p.request(req) {
			return p
		}
	}
	return nil
}

// adopt gives n what was registered on its parent.
func (n *Namespace) adopt(p *ParentNamespace) {
	n.parent = p
	n.hooks.Store(p.hooks.Load())
	if len(n.hooks.Load().rooms) > 0 {
		n.observe()
	}
}
