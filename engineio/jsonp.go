package engineio

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// JSONP is long-polling for browsers without XMLHttpRequest across origins. A
// poll is a script that the page includes, and whose answer calls one of the
// page's functions, ___eio[<j>]; a POST is a form with the payload in the field
// d. What is reflected of j is its digits, so that nobody gets a script of his
// own out of it.

// maxCallbackDigits bounds what is kept of j: more functions no page has.
const maxCallbackDigits = 16

// jsonpCall is the call that answers to a client whose query has this j.
func jsonpCall(j string) string {
	var b strings.Builder
	b.WriteString("___eio[")
	for i := 0; i < len(j) && b.Len() < len("___eio[")+maxCallbackDigits; i++ {
		if '0' <= j[i] && j[i] <= '9' {
			b.WriteByte(j[i])
		}
	}
	b.WriteString("](")
	return b.String()
}

// asCall makes a script of a text payload. encoding/json escapes U+2028 and
// U+2029, which end lines in scripts and not in JSON.
func (p payload) asCall(call string) payload {
	var b bytes.Buffer
	b.Grow(len(call) + len(p.data) + len(p.data)/8 + 8)
	b.WriteString(call)
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(string(p.data)) // a string encodes, and a Buffer takes it
	b.Truncate(b.Len() - 1)      // the newline
	b.WriteString(");")
	return payload{data: b.Bytes(), kind: scriptPayload}
}

// formPayload takes the payload out of a form. Clients escape newlines, which a
// form would change, as \n, and the two characters \n as \\n.
func formPayload(body []byte) []byte {
	for len(body) > 0 {
		var pair []byte
		pair, body, _ = bytes.Cut(body, []byte{'&'})
		value, ok := bytes.CutPrefix(pair, []byte("d="))
		if !ok {
			continue
		}
		text, err := url.QueryUnescape(string(value))
		if err != nil {
			return nil
		}
		return unescapeNewlines(text)
	}
	return nil
}

func unescapeNewlines(s string) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], `\\n`):
			b = append(b, '\\', 'n')
			i += 2
		case strings.HasPrefix(s[i:], `\n`):
			b = append(b, '\n')
			i++
		default:
			b = append(b, s[i])
		}
	}
	return b
}

// jsonpAllowed is the rule for the origin of a JSONP handshake. A script is
// executed wherever it comes from, so without it any page could open a session
// with the visitor's cookies and read it. Browsers that send neither
// Sec-Fetch-Site nor Referer leave us nothing to judge by: then only a request
// without cookies, which gains its page nothing, is let through.
func (s *Server) jsonpAllowed(r *http.Request) bool {
	if r.Header.Get("Origin") != "" || s.opts.CheckOrigin != nil {
		return s.originAllowed(r)
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	}
	if page, err := url.Parse(r.Header.Get("Referer")); err == nil && page.Host != "" {
		return isOwnHost(r, page.Host) || s.opts.CORS != nil && s.opts.CORS.allows(r, page.Scheme+"://"+page.Host)
	}
	if r.Header.Get("Sec-Fetch-Site") != "" {
		return s.opts.CORS != nil && s.opts.CORS.allows(r, "null") // an origin that hides
	}
	return r.Header.Get("Cookie") == ""
}
