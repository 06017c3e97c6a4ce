package doctor

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"
)

func bodyOf(res *http.Response) string {
	b, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	return string(b)
}

// cors asks as the browser of a page from --origin would.
func (e *examination) cors(ctx context.Context) verdict {
	origin := e.target.Origin
	if origin == "" {
		return skip("say --origin https://your.page to try as its browser would")
	}
	c := e.client(true, nil)
	get, err := e.quick(ctx, c, http.MethodGet, e.url("polling", ""), nil, nil)
	if err != nil {
		return fail("", "%v", err)
	}
	if get.status != http.StatusOK {
		return fail("The server refuses requests with this origin.", "refused: %v", get.refusal()).with(mendCORS(origin)...)
	}
	if list := packets(e.rev, get.body); len(list) > 0 {
		if h, err := readHandshake(list[0]); err == nil {
			defer e.leave(ctx, c, h)
		}
	}
	if v := judgeCORS(get.header, origin); v.State != good {
		if strings.EqualFold(origin, e.target.URL.Scheme+"://"+e.target.URL.Host) {
			return ok("it is the server's own origin, which needs no permission")
		}
		return v
	}
	preflight, err := e.quick(ctx, c, http.MethodOptions, e.url("polling", ""), nil, http.Header{
		"Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"content-type"}})
	if err != nil {
		return fail("", "the preflight: %v", err)
	}
	if preflight.status >= 300 {
		return fail("Browsers ask first (OPTIONS) before requests with headers of their own, such as Authorization. The server or a proxy does not answer.", "the preflight is refused: %v", preflight.refusal())
	}
	if v := judgeCORS(preflight.header, origin); v.State != good {
		v.Says = "the preflight: " + v.Says
		return v
	}
	credentials := get.header.Get("Access-Control-Allow-Credentials") == "true"
	if credentials {
		return ok("pages of %s may connect, with cookies", origin)
	}
	return ok("pages of %s may connect, without cookies (withCredentials: false)", origin)
}

// judgeCORS reads the permission as a browser does.
func judgeCORS(h http.Header, origin string) verdict {
	values := h.Values("Access-Control-Allow-Origin")
	switch {
	case len(values) == 0:
		return fail("The browser hides the answers from the page, which sees \"xhr poll error\".", "there is no permission (Access-Control-Allow-Origin) for %s", origin).
			with(mendCORS(origin)...)
	case len(values) > 1 || strings.Contains(values[0], ","):
		return fail("Both the server and a proxy add it, and browsers refuse two. Let one of them do it: the server.",
			"Access-Control-Allow-Origin comes twice: %s", strings.Join(values, ", ")).
			with(mend{"nginx", "proxy_hide_header Access-Control-Allow-Origin;   # or take the add_header out"})
	case values[0] == "*" && h.Get("Access-Control-Allow-Credentials") == "true":
		return fail("Browsers refuse the star together with credentials.", "Access-Control-Allow-Origin: * with credentials").with(mendCORS(origin)...)
	case values[0] != "*" && values[0] != origin:
		return fail("An origin is scheme, host and port, without a slash at the end.", "the permission is for %s, not for %s", values[0], origin).with(mendCORS(origin)...)
	}
	return ok("")
}

// readClock notes the server's clock: its Date is as of some moment while the
// answer was made.
func (e *examination) readClock(a *answer) {
	if e.dated {
		return
	}
	at, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return
	}
	e.dated = true
	// Date has whole seconds: on average half of one has passed.
	e.offset = at.Add(500 * time.Millisecond).Sub(a.at.Add(-a.took / 2))
}

// tolerable is how far clocks may be apart. Tokens are often good for a minute
// more, or less.
const tolerable = 30 * time.Second

func (e *examination) clock(context.Context) verdict {
	if !e.dated {
		return skip("answers carry no Date")
	}
	if e.offset.Abs() <= tolerable {
		return ok("the server's clock is within %v of this one", max(e.offset.Abs().Round(time.Second), time.Second))
	}
	way := "ahead of"
	if e.offset < 0 {
		way = "behind"
	}
	return warn("Tokens with a time (exp, nbf) are refused too early or too late. Is NTP running on both?",
		"the server's clock is %v %s this one", e.offset.Abs().Round(time.Second), way)
}

// compression looks at what the server offers.
func (e *examination) compression(ctx context.Context) verdict {
	p := *e.probe
	p.header = e.header.Clone()
	p.header.Set("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")
	s, res, err := p.dial(ctx, "", nil)
	if s != nil {
		s.close()
	}
	if res == nil {
		if err != nil {
			return skip("%v", err)
		}
		return skip("nothing is said of it")
	}
	if ext := res.Header.Get("Sec-WebSocket-Extensions"); ext != "" {
		return ok("WebSocket messages can be compressed (%s)", ext)
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		return skip("there is no WebSocket")
	}
	return ok("WebSocket messages are not compressed, which is the default: it costs memory")
}
