package admin

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// An Access is what somebody may do in the dashboard.
type Access uint8

// The kinds of access.
const (
	NoAccess Access = iota
	MayRead         // look, and listen to sockets
	MayWrite        // and emit, join, leave and disconnect
)

// A gate knows who may come in.
type gate struct {
	opts     *DashboardOptions
	checking chan struct{} // holds one login at a time: a hash is made to be dear

	mu      sync.Mutex
	failed  map[string]attempts // by address
	revoked map[[16]byte]int64  // sessions that were logged out, until when they would last
	changed chan struct{}       // closed when one more was
}

type attempts struct {
	n     int
	since time.Time
}

func newGate(o *DashboardOptions) *gate {
	return &gate{
		opts: o, checking: make(chan struct{}, 1),
		failed: make(map[string]attempts), revoked: make(map[[16]byte]int64), changed: make(chan struct{}),
	}
}

// access returns what the sender of a request may do, and until when; zero stands
// for no end.
func (g *gate) access(r *http.Request) (a Access, until time.Time) {
	switch {
	case g.opts.Insecure:
		a = MayWrite
	case g.opts.Authorize != nil:
		a = g.opts.Authorize(r)
	}
	if a == NoAccess && g.opts.Auth != nil {
		if c, err := r.Cookie(cookieName); err == nil {
			if s, ok := g.open(c.Value); ok {
				a, until = MayWrite, time.Unix(s.until, 0)
			}
		}
	}
	if g.opts.ReadOnly && a == MayWrite {
		a = MayRead
	}
	return a, until
}

const cookieName = "sockeye_dashboard"

// A session is what the cookie says: when it ends, and a number of its own.
type session struct {
	until int64 // seconds of Unix
	nonce [16]byte
}

// seal writes a session so that nobody else can write one.
func (g *gate) seal(s session) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(s.until))
	b = append(b, s.nonce[:]...)
	return base64.RawURLEncoding.EncodeToString(append(b, g.mac(b)...))
}

func (g *gate) open(text string) (s session, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != 8+16+sha256.Size {
		return s, false
	}
	if !hmac.Equal(b[24:], g.mac(b[:24])) {
		return s, false
	}
	s.until = int64(binary.BigEndian.Uint64(b))
	copy(s.nonce[:], b[8:])
	g.mu.Lock()
	defer g.mu.Unlock()
	_, out := g.revoked[s.nonce]
	return s, !out && time.Now().Unix() < s.until
}

func (g *gate) mac(b []byte) []byte { return g.sign("sockeye dashboard session\x00", b) }

func (g *gate) sign(what string, b []byte) []byte {
	m := hmac.New(sha256.New, g.opts.Key)
	m.Write([]byte(what))
	m.Write(b)
	return m.Sum(nil)
}

// proof is what only the page knows: it is told so, and another site that has a
// browser ask cannot read the answer.
func (g *gate) proof() string {
	return base64.RawURLEncoding.EncodeToString(g.sign("sockeye dashboard page\x00", nil)[:16])
}

// looks admits a request that changes nothing, and still costs the server something:
// not those that another site has a browser send. Browsers say whose it is; where they
// do not, over plain HTTP or because they are old, it has the proof.
func (g *gate) looks(r *http.Request) error {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return nil
	case "":
		if hmac.Equal([]byte(r.URL.Query().Get("proof")), []byte(g.proof())) {
			return nil
		}
		return &statusError{http.StatusForbidden, "this request may come from another site: send the proof of me, or if you are no browser the header Sec-Fetch-Site: none"}
	}
	return &statusError{http.StatusForbidden, "this request comes from another site"}
}

// maxAttempts is how often an address may fail in attemptsTime.
const (
	maxAttempts  = 20
	attemptsTime = 5 * time.Minute
	// maxAddresses bounds what is remembered of those who failed.
	maxAddresses = 10_000
)

var (
	errTooMany     = errors.New("too many attempts: wait for some minutes")
	errCredentials = errors.New("invalid credentials")
)

// logIn checks name and password, and returns the cookie.
func (g *gate) logIn(r *http.Request, name, password string) (*http.Cookie, error) {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	select {
	case g.checking <- struct{}{}:
		defer func() { <-g.checking }()
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if !g.mayTry(address) {
		return nil, errTooMany
	}
	if !g.opts.Auth(r.Context(), name, password) {
		g.remember(address)
		return nil, errCredentials
	}
	s := session{until: time.Now().Add(g.opts.SessionTime).Unix()}
	rand.Read(s.nonce[:])
	return g.cookie(r, g.seal(s), int(g.opts.SessionTime/time.Second)), nil
}

func (g *gate) mayTry(address string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.failed[address]
	return a.n < maxAttempts || time.Since(a.since) > attemptsTime
}

func (g *gate) remember(address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.failed[address]
	if time.Since(a.since) > attemptsTime {
		a = attempts{since: time.Now()}
	}
	a.n++
	if len(g.failed) >= maxAddresses {
		clear(g.failed)
	}
	g.failed[address] = a
}

// logOut ends the session of a request, if it has one.
func (g *gate) logOut(r *http.Request) (s session, ok bool) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return s, false
	}
	if s, ok = g.open(c.Value); ok {
		g.revoke(s)
	}
	return s, ok
}

// revoke has a session be none, and whoever holds on to it look again.
func (g *gate) revoke(s session) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	for nonce, until := range g.revoked {
		if now.Unix() >= until {
			delete(g.revoked, nonce)
		}
	}
	g.revoked[s.nonce] = min(s.until, now.Add(g.opts.SessionTime).Unix())
	close(g.changed)
	g.changed = make(chan struct{})
}

// recheckTime is how often it is asked anew whether a viewer may still look.
const recheckTime = 10 * time.Second

// holds waits until the sender of r may not look any more, or ctx ends.
func (g *gate) holds(ctx context.Context, r *http.Request) {
	tick := time.NewTicker(recheckTime)
	defer tick.Stop()
	for {
		g.mu.Lock()
		changed := g.changed
		g.mu.Unlock()
		if a, _ := g.access(r); a == NoAccess {
			return
		}
		select {
		case <-tick.C:
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

func (g *gate) cookie(r *http.Request, value string, maxAge int) *http.Cookie {
	// Behind a proxy that ends TLS the browser must keep it from plain HTTP too.
	// Who makes that header up harms nobody but himself.
	secure := r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
	return &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode,
	}
}

// serveLogin is the request of the form.
func (d *Dashboard) serveLogin(w http.ResponseWriter, r *http.Request) {
	var in struct{ Username, Password string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&in); err != nil {
		fail(w, http.StatusBadRequest, errors.New("name and password are wanted"))
		return
	}
	if d.opts.Auth == nil {
		fail(w, http.StatusForbidden, errors.New("nobody logs in here by name and password"))
		return
	}
	cookie, err := d.login.logIn(r, in.Username, in.Password)
	if err != nil {
		d.opts.Logger.Warn("dashboard: login refused", "remote", r.RemoteAddr, "user", in.Username, "error", err)
		status := http.StatusUnauthorized
		if errors.Is(err, errTooMany) {
			status = http.StatusTooManyRequests
		}
		fail(w, status, err)
		return
	}
	d.opts.Logger.Info("dashboard: login", "remote", r.RemoteAddr, "user", in.Username)
	http.SetCookie(w, cookie)
	reply(w, d.me(MayWrite))
}
