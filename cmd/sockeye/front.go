package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"
)

// A front is the door before the nodes of the demo: each request goes to the next
// node, in turn. Programs that keep their state in one process have one node for all
// of their users, the home.
type front struct {
	transport http.RoundTripper

	mu       sync.Mutex
	up       []string // addresses of nodes that serve
	next     int
	home     string
	draining bool
}

func newFront() *front {
	return &front{transport: &http.Transport{
		DialContext: (&net.Dialer{Timeout: time.Second}).DialContext,
		// A connection that is used again could break before the answer, and the
		// transport would make the request once more: a poll's answer is lost then.
		DisableKeepAlives: true,
	}}
}

// set says whether a node serves.
func (f *front) set(addr string, up bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, a := range f.up {
		if a == addr {
			f.up = append(f.up[:i:i], f.up[i+1:]...)
			break
		}
	}
	if up {
		f.up = append(f.up, addr)
	}
	if f.home == "" || f.home == addr && !up {
		f.home = ""
		if len(f.up) > 0 {
			f.home = f.up[0]
		}
	}
}

// drain has /readyz say that the whole is about to end.
func (f *front) drain() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.draining = true
}

func (f *front) isDraining() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.draining
}

// pick returns the node for a request, "" if there is none.
func (f *front) pick(r *http.Request) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.up) == 0 {
		return ""
	}
	if !strings.HasPrefix(r.URL.Path, "/socket.io/") {
		return f.home
	}
	// The pages say what they are; what belongs to a session may go anywhere.
	q := r.URL.Query()
	if page := q.Get("page"); page != "" && page != "/nodes" && q.Get("sid") == "" {
		return f.home
	}
	f.next++
	return f.up[f.next%len(f.up)]
}

// loopback reports whether a request comes from this machine.
func loopback(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && from.Addr().Unmap().IsLoopback()
}

// unread is a body that the transport does not close, so that another node can be
// given it when the first was not reached.
type unread struct{ io.Reader }

func (unread) Close() error { return nil }

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/dashboard") && !loopback(r) {
		http.NotFound(w, r) // a node would take the door for somebody at this machine
		return
	}
	if r.URL.Path == "/readyz" && f.isDraining() {
		http.Error(w, "draining", http.StatusServiceUnavailable)
		return
	}
	f.serve(w, r, 3)
}

func (f *front) serve(w http.ResponseWriter, r *http.Request, tries int) {
	addr := f.pick(r)
	if addr == "" {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "no node is up at the moment", http.StatusServiceUnavailable)
		return
	}
	p := &httputil.ReverseProxy{
		Transport: f.transport,
		ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: addr})
			p.Out.Host = p.In.Host
			p.Out.URL.RawQuery = p.In.URL.RawQuery
			p.SetXForwarded()
			if p.Out.Body != nil {
				p.Out.Body = unread{p.Out.Body}
			}
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			op, ok := errors.AsType[*net.OpError](err)
			if ok && op.Op == "dial" && tries > 1 && !errors.Is(err, context.Canceled) {
				f.set(addr, false) // its keeper says when it is there again
				f.serve(w, r, tries-1)
				return
			}
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	p.ServeHTTP(w, r)
}
