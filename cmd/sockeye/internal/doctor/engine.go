package doctor

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// revisions finds out which revisions of Engine.IO the server speaks.
func (e *examination) revisions(ctx context.Context) verdict {
	var spoken []string
	var firstErr error
	use := 0
	for _, rev := range []int{4, 3} {
		e.rev = rev
		c := e.client(true, newJar())
		h, a, err := e.open(ctx, c)
		if a != nil && e.proxy == "" {
			e.proxy = proxyOf(a.header)
		}
		if err != nil {
			if firstErr == nil {
				firstErr = err
			}
			continue
		}
		e.readClock(a)
		e.leave(ctx, c, h)
		// A server of Socket.IO 2 answers revision 4 as if it were 3: by a payload
		// with lengths.
		if rev == 4 && strings.HasPrefix(a.body, "9") && len(packets(3, a.body)) > 0 && !strings.HasPrefix(a.body, "0{") {
			continue
		}
		spoken = append(spoken, map[int]string{4: "4 (clients of Socket.IO 3 and 4)", 3: "3 (clients of Socket.IO 2)"}[rev])
		if use == 0 {
			use, e.first = rev, h
		}
	}
	if e.target.EIO3 && len(spoken) == 2 {
		use = 3
	}
	e.rev = use
	if use == 0 {
		v := e.noEngine(firstErr)
		v.fatal = true
		return v
	}
	v := ok("speaks revision %s", strings.Join(spoken, " and "))
	if len(spoken) == 1 && use == 3 {
		return warn("Clients of Socket.IO 3 and 4 cannot connect. Upgrade the server, or keep clients at 2.", "speaks revision %s alone", spoken[0])
	}
	return v
}

// noEngine says why there is no handshake.
func (e *examination) noEngine(err error) verdict {
	r, isRefusal := errors.AsType[*refusal](err)
	switch {
	case !isRefusal:
		return fail("Something listens there that is not Socket.IO; or --path is another.", "no handshake at %s: %v", e.target.Path, err)
	case r.status == http.StatusNotFound:
		return fail("Is Socket.IO mounted at this path? A proxy has to pass it on too; --path names another.", "%s is not there: %v", e.target.Path, r)
	case r.status == http.StatusBadGateway, r.status == http.StatusServiceUnavailable, r.status == http.StatusGatewayTimeout:
		return fail("The proxy answers and the server behind it does not: is it running, and is proxy_pass its address?", "%v", r)
	case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden:
		return fail("The server or the proxy wants credentials, or does not like the origin: --header, --origin.", "refused: %v", r)
	case r.status >= 300 && r.status < 400:
		return fail("Browsers do not follow redirects of a WebSocket: use the address it redirects to.", "redirected: %v", r)
	}
	return fail("", "no handshake at %s: %v", e.target.Path, r)
}

// joinPacket joins the namespace "/"; in revision 3 one is in it at once.
const joinPacket = "40"

// joined reports whether a packet answers a CONNECT, with yes or no: both show
// that packets come and go.
func joined(packet string) bool {
	return strings.HasPrefix(packet, "40") || strings.HasPrefix(packet, "44")
}

func (e *examination) polling(ctx context.Context) verdict {
	c := e.client(false, newJar())
	defer c.CloseIdleConnections()
	h, a, err := e.open(ctx, c)
	if err != nil {
		return fail("", "%v", err)
	}
	defer e.leave(ctx, c, h)
	start := time.Now()
	if e.rev >= 4 {
		if _, err := e.post(ctx, c, h.SID, joinPacket); err != nil {
			return e.pollingFault(err)
		}
	} else if slices.ContainsFunc(packets(e.rev, a.body), joined) {
		return ok("handshake and a packet in %.1f ms", ms(a.took))
	}
	ctx, cancel := context.WithTimeout(ctx, e.target.Timeout)
	defer cancel()
	for {
		list, err := e.poll(ctx, c, h.SID)
		if err != nil {
			return e.pollingFault(err)
		}
		if slices.ContainsFunc(list, joined) {
			return ok("a packet there and one back in %.1f ms", ms(time.Since(start)))
		}
	}
}

func (e *examination) pollingFault(err error) verdict {
	if unknownSession(err) {
		return fail("Each request of polling is on its own, and they do not all reach the server that made the session; see sticky below.", "the session breaks: %v", err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fail("A proxy may hold answers back (nginx: proxy_buffering with a slow upstream), or the server is stuck.", "no answer in %v", e.target.Timeout)
	}
	return fail("", "%v", err)
}

func (e *examination) websocket(ctx context.Context) verdict {
	start := time.Now()
	s, res, err := e.dial(ctx, "", nil)
	if err != nil {
		return e.websocketFault(res, err)
	}
	defer s.close()
	deadline := time.Now().Add(e.target.Timeout)
	if _, err := s.expect(deadline, "0"); err != nil {
		return fail("", "the connection is made and the handshake does not come: %v", err)
	}
	if e.rev >= 4 {
		if err := s.send(joinPacket); err != nil {
			return fail("", "%v", err)
		}
	}
	if _, err := s.expect(deadline, "40", "44"); err != nil {
		return fail("", "the connection is made and packets do not come: %v", err)
	}
	return ok("connected, with a packet there and one back, in %.1f ms", ms(time.Since(start)))
}

// websocketFault says why there is no WebSocket. The engine's code tells whether
// the request reached it as an upgrade.
func (e *examination) websocketFault(res *http.Response, err error) verdict {
	if res == nil {
		return fail("", "%v", err)
	}
	a := &answer{status: res.StatusCode, header: res.Header, body: bodyOf(res)}
	r := a.refusal()
	const stripped = "The request arrives at the server without its Upgrade and Connection headers: a proxy has taken them out. Clients stay on polling."
	switch {
	case r.code == 0:
		return warn("Its transports leave WebSocket out. Clients stay on polling, at several times the cost.", "the server does not offer WebSocket").
			with(mend{"Node server", `new Server({ transports: ["polling", "websocket"] })`})
	case r.code == 2, r.code == 3, r.status == http.StatusUpgradeRequired, r.status == http.StatusOK:
		return fail(stripped, "refused: %v", r).with(mendUpgrade(e.proxy, e.target.Path)...)
	case r.code == 1:
		return fail("See sticky.", "refused: %v", r)
	case r.status == http.StatusForbidden && e.target.Origin != "":
		return fail("The origin is not allowed: see cors. If it is, a proxy changes Host so that it looks foreign.", "refused: %v", r).
			with(mends(e.proxy, map[string]string{"nginx": "proxy_set_header Host $host;"})...)
	case r.status == http.StatusForbidden:
		return fail("The origin is not allowed, or the proxy changes Host so that it looks foreign.", "refused: %v", r).
			with(mends(e.proxy, map[string]string{"nginx": "proxy_set_header Host $host;", "client": "sockeye doctor --origin https://your.page tries with the origin of a page"})...)
	case r.status == http.StatusBadRequest:
		return fail(stripped, "refused: %v", r).with(mendUpgrade(e.proxy, e.target.Path)...)
	}
	return fail("", "refused: %v", r)
}

func (e *examination) upgrade(ctx context.Context) verdict {
	jar := newJar()
	c := e.client(false, jar)
	defer c.CloseIdleConnections()
	h, _, err := e.open(ctx, c)
	if err != nil {
		return fail("", "%v", err)
	}
	if !slices.Contains(h.Upgrades, "websocket") {
		e.leave(ctx, c, h)
		return warn("Clients that begin with polling, as browsers do, stay there.", "the server does not offer the upgrade").
			with(mend{"Node server", "new Server({ allowUpgrades: true })"})
	}
	start := time.Now()
	s, res, err := e.dial(ctx, h.SID, jar)
	if err != nil {
		e.leave(ctx, c, h)
		if res != nil {
			if a := (&answer{status: res.StatusCode, body: bodyOf(res)}); a.refusal().code == 1 {
				return fail("The WebSocket reaches another server than the one that made the session; see sticky below.", "refused: %v", a.refusal())
			}
		}
		v := e.websocketFault(res, err)
		v.Mend = nil // those of websocket, above
		v.Why = "As websocket, above."
		return v
	}
	defer s.close()
	deadline := time.Now().Add(e.target.Timeout)
	if err = s.send("2probe"); err == nil {
		if _, err = s.expect(deadline, "3probe"); err == nil {
			err = s.send("5")
		}
	}
	if err == nil && e.rev >= 4 {
		if err = s.send(joinPacket); err == nil {
			_, err = s.expect(deadline, "40", "44")
		}
	}
	if err != nil {
		return fail("Clients fall back to polling after a pause.", "the upgrade breaks off: %v", err)
	}
	return ok("from polling to WebSocket in %.1f ms", ms(time.Since(start)))
}
