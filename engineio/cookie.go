package engineio

import (
	"net/http"
)

// A Cookie carries the sid to load balancers. The engine itself never reads it:
// a session is found by the sid in the URL, which another site cannot know.
// Fields that are zero get the default.
type Cookie struct {
	Name     string        // default "io"
	Path     string        // default "/"
	Domain   string        // default none: this host alone
	MaxAge   int           // in seconds; default 0: until the browser ends
	SameSite http.SameSite // default Lax

	// Scripts lets scripts of the page read it (httpOnly: false in JavaScript).
	Scripts bool
	// Insecure leaves Secure out when the request came over TLS. A proxy that
	// ends TLS is not seen: set Secure then.
	Insecure bool
	Secure   bool // always
}

// with returns the cookie for a sid.
func (c *Cookie) with(r *http.Request, sid string) *http.Cookie {
	return &http.Cookie{
		Name: c.Name, Value: sid, Path: c.Path, Domain: c.Domain, MaxAge: c.MaxAge,
		HttpOnly: !c.Scripts, SameSite: c.SameSite,
		Secure: c.Secure || r.TLS != nil && !c.Insecure,
	}
}

func (c *Cookie) check() {
	if c.Name == "" {
		c.Name = "io"
	}
	if c.Path == "" {
		c.Path = "/"
	}
	if c.SameSite == 0 {
		c.SameSite = http.SameSiteLaxMode
	}
	if c.Secure && c.Insecure {
		panic("engineio: Options.Cookie: both Secure and Insecure")
	}
	if err := c.with(new(http.Request), "sid").Valid(); err != nil {
		panic("engineio: Options.Cookie: " + err.Error())
	}
	if c.SameSite == http.SameSiteNoneMode && c.Insecure {
		panic("engineio: Options.Cookie: SameSite=None without Secure is refused by browsers")
	}
}

// set adds the cookie to the headers of the answer to a handshake; a nil Cookie
// adds none.
func (c *Cookie) set(h http.Header, r *http.Request, sid string) {
	if c != nil {
		h.Add("Set-Cookie", c.with(r, sid).String())
	}
}
