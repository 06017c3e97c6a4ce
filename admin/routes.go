package admin

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"
)

// A route answers the requests whose path ends in its name.
type route struct {
	access Access // that it needs
	post   bool
	serve  func(d *Dashboard, w http.ResponseWriter, r *http.Request) error
}

var routes = map[string]route{
	"stream":     {MayRead, false, (*Dashboard).serveStream},
	"tap":        {MayRead, false, (*Dashboard).serveTap},
	"find":       {MayRead, false, (*Dashboard).serveFind},
	"sockets":    {MayRead, false, (*Dashboard).serveSockets},
	"rooms":      {MayRead, false, (*Dashboard).serveRooms},
	"socket":     {MayRead, false, (*Dashboard).serveSocket},
	"emit":       {MayWrite, true, (*Dashboard).serveEmit},
	"call":       {MayWrite, true, (*Dashboard).serveCall},
	"join":       {MayWrite, true, (*Dashboard).serveJoin},
	"leave":      {MayWrite, true, (*Dashboard).serveLeave},
	"disconnect": {MayWrite, true, (*Dashboard).serveDisconnect},
}

//go:embed page
var page embed.FS

// files are what the page consists of, by name.
var files = map[string]string{
	"": "text/html; charset=utf-8", "style.css": "text/css; charset=utf-8",
	"app.js": "text/javascript; charset=utf-8", "charts.js": "text/javascript; charset=utf-8",
	"views.js": "text/javascript; charset=utf-8", "dom.js": "text/javascript; charset=utf-8",
	"uPlot.js": "text/javascript; charset=utf-8", "uPlot.css": "text/css; charset=utf-8",
}

// csp lets the page load what is its own, and nothing else.
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// foreign keeps other sites from having a browser act in the name of its user.
var foreign = http.NewCrossOriginProtection()

// ServeHTTP implements [http.Handler]. The last segment of the path says what is
// wanted, so that it does not matter where the dashboard is mounted.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if kind, ok := files[name]; ok && (name != "" || r.URL.Path != "") {
		d.serveFile(w, r, name, kind)
		return
	}
	switch name {
	case "me":
		a, _ := d.login.access(r)
		reply(w, d.me(a))
		return
	case "login", "logout":
		if !fromPage(w, r) {
			return
		}
		if name == "login" {
			d.serveLogin(w, r)
			return
		}
		if s, ok := d.login.logOut(r); ok {
			d.nodes.tellLogout(s)
		}
		http.SetCookie(w, d.login.cookie(r, "", -1))
		reply(w, d.me(NoAccess))
		return
	}
	to, ok := routes[name]
	if !ok {
		// The address without its slash: what the page asks for would be beside it.
		// The path of r may have been stripped; a browser knows its own.
		asked, _, _ := strings.Cut(r.RequestURI, "?")
		if name = path.Base(asked); name == "/" || name == "." {
			http.NotFound(w, r)
			return
		}
		h.Set("Location", "./"+name+"/")
		w.WriteHeader(http.StatusFound)
		return
	}
	if to.post && !fromPage(w, r) {
		return
	}
	switch a, _ := d.login.access(r); {
	case a == NoAccess:
		fail(w, http.StatusUnauthorized, errors.New("log in first"))
	case a < to.access:
		fail(w, http.StatusForbidden, errors.New("this dashboard is read-only"))
	default:
		var err error
		if !to.post {
			err = d.login.looks(r)
		}
		if err == nil {
			err = to.serve(d, w, r)
		}
		if err != nil {
			status := http.StatusBadRequest
			if e, ok := errors.AsType[*statusError](err); ok {
				status = e.status
			}
			fail(w, status, err)
		}
	}
}

// fromPage admits a request that changes something: it is ours by its content
// type, which a form of another site cannot send, and by what the browser says.
func fromPage(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		fail(w, http.StatusMethodNotAllowed, errors.New("POST is wanted"))
		return false
	}
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/json" {
		fail(w, http.StatusUnsupportedMediaType, errors.New("application/json is wanted"))
		return false
	}
	if err := foreign.Check(r); err != nil {
		fail(w, http.StatusForbidden, errors.New("this request comes from another site"))
		return false
	}
	return true
}

func (d *Dashboard) serveFile(w http.ResponseWriter, r *http.Request, name, kind string) {
	from := "page/" + name
	switch {
	case name == "":
		from = "page/index.html"
	case strings.HasPrefix(name, "uPlot."):
		from = "page/uplot/" + name
	}
	b, err := page.ReadFile(from)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(b)
}

// A whoami is what the page is told of its viewer.
type whoami struct {
	Access string `json:"access"` // "none", "read" or "write"
	Login  bool   `json:"login"`  // there is a form to fill in
	Node   string `json:"node,omitempty"`
	Proof  string `json:"proof,omitempty"` // that it is the page which asks
}

func (d *Dashboard) me(a Access) whoami {
	if d.opts.ReadOnly && a == MayWrite {
		a = MayRead
	}
	m := whoami{Access: [...]string{"none", "read", "write"}[min(a, MayWrite)], Login: d.opts.Auth != nil}
	if a != NoAccess {
		m.Node, m.Proof = d.opts.ServerID, d.login.proof()
	}
	return m
}

// A statusError has a status of its own.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

func notFound(format string, args ...any) error {
	return &statusError{http.StatusNotFound, fmt.Sprintf(format, args...)}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Error string `json:"error"`
	}{err.Error()})
}

// searching holds the right to look at every socket: one at a time, so that a
// hundred impatient people cost no more than one.
func (d *Dashboard) searching(r *http.Request) (done func(), err error) {
	wait := time.NewTimer(10 * time.Second)
	defer wait.Stop()
	select {
	case d.searches <- struct{}{}:
		return func() { <-d.searches }, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-wait.C:
		return nil, &statusError{http.StatusServiceUnavailable, "others are searching: try again"}
	}
}
