package engineio

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CORS says which pages of other origins may talk to the server. It applies to
// polling, to preflight requests, and, as the list of allowed origins, to
// WebSockets. The zero value allows nobody.
type CORS struct {
	// Origins that are allowed: "https://example.com", "https://*.example.com"
	// (any depth of subdomain, not the domain itself), or "*".
	Origins []string
	// AllowOrigin decides what Origins does not. May be nil.
	AllowOrigin func(r *http.Request, origin string) bool
	// Credentials lets browsers send cookies and Authorization. It cannot be
	// combined with the origin "*": browsers refuse it, and so do we.
	Credentials bool
	// Methods of preflight answers. Default GET, HEAD, PUT, PATCH, POST, DELETE.
	Methods []string
	// AllowedHeaders of preflight answers. Default: what the browser asks for.
	AllowedHeaders []string
	// ExposedHeaders that a page may read.
	ExposedHeaders []string
	// MaxAge for which a browser may remember a preflight. Default: its own.
	MaxAge time.Duration
}

func (c *CORS) check() {
	for _, o := range c.Origins {
		if o == "*" {
			if c.Credentials {
				panic(`engineio: CORS.Credentials: cannot be combined with the origin "*"; name the origins or use AllowOrigin`)
			}
			continue
		}
		if scheme, host, ok := strings.Cut(o, "://"); !ok || scheme == "" || host == "" || strings.ContainsAny(host, "/?#") {
			panic("engineio: CORS.Origins: " + strconv.Quote(o) + " is not an origin such as https://example.com")
		}
	}
}

// allows reports whether pages of origin may use the server.
func (c *CORS) allows(r *http.Request, origin string) bool {
	for _, o := range c.Origins {
		if o == "*" || strings.EqualFold(o, origin) {
			return true
		}
		if before, after, ok := strings.Cut(o, "*"); ok &&
			len(origin) > len(before)+len(after) &&
			strings.HasPrefix(origin, before) && strings.HasSuffix(origin, after) {
			return true
		}
	}
	return c.AllowOrigin != nil && c.AllowOrigin(r, origin)
}

// SetHeaders adds what a browser needs in order to hand the response on.
func (c *CORS) SetHeaders(h http.Header, r *http.Request) {
	anyone := slices.Contains(c.Origins, "*")
	if !anyone {
		h.Add("Vary", "Origin")
	}
	origin := r.Header.Get("Origin")
	if origin == "" || !validOrigin(origin) || !c.allows(r, origin) {
		return
	}
	if anyone {
		origin = "*"
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if c.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(c.ExposedHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(c.ExposedHeaders, ","))
	}
}

// servePreflight answers an OPTIONS request.
func (c *CORS) servePreflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	methods := "GET,HEAD,PUT,PATCH,POST,DELETE"
	if c.Methods != nil {
		methods = strings.Join(c.Methods, ",")
	}
	h.Set("Access-Control-Allow-Methods", methods)
	if c.AllowedHeaders != nil {
		h.Set("Access-Control-Allow-Headers", strings.Join(c.AllowedHeaders, ","))
	} else {
		h.Add("Vary", "Access-Control-Request-Headers")
		if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
			h.Set("Access-Control-Allow-Headers", asked)
		}
	}
	if c.MaxAge > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(int(c.MaxAge.Seconds())))
	}
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusNoContent)
}

// originAllowed is the rule for WebSockets, which CORS does not cover in
// browsers: without it any page could open one with the visitor's cookies.
func (s *Server) originAllowed(r *http.Request) bool {
	if s.opts.CheckOrigin != nil {
		return s.opts.CheckOrigin(r)
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true // not a browser
	}
	// Scripts can set neither of these two, and a proxy may have changed Host.
	if r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		return true
	}
	if u, err := url.Parse(origin); err == nil && u.Host != "" && isOwnHost(r, u.Host) {
		return true
	}
	return s.opts.CORS != nil && s.opts.CORS.allows(r, origin)
}

// isOwnHost reports whether host is the one that r was made to.
func isOwnHost(r *http.Request, host string) bool {
	return strings.EqualFold(host, r.Host) || strings.EqualFold(host, r.Header.Get("X-Forwarded-Host"))
}
