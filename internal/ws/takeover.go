package ws

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Context takeover: a message may refer to those before it, within a window that both
// sides keep. What is kept here is the end of what was said, and no compressor: that
// is given the window to read before each message, which costs time in place of a
// megabyte.

// A DeflateConfig says what this side wants. Its zero value has no context takeover.
type DeflateConfig struct {
	// WindowBits, 9 to 15, is the window that is kept, in either direction; 0 keeps
	// none.
	WindowBits uint8
}

// A Window is the end of the messages that have been compressed in one direction. Its
// memory grows up to its size. It is not safe for concurrent use.
type Window struct {
	size  int // of b at most
	reach int // how far back a reference may go
	b     []byte
}

// SendWindow returns what to keep of what is sent; nil without context takeover.
func (d Deflate) SendWindow() *Window {
	if d.Keep == 0 {
		return nil
	}
	return &Window{size: 1 << d.Keep, reach: 1 << d.WindowBits}
}

func (d Deflate) receiveWindow() *Window {
	if d.PeerKeep == 0 {
		return nil
	}
	return &Window{size: 1 << d.PeerKeep}
}

// Add notes what was sent, or received, in compressed form. Nothing is noted in nil.
func (w *Window) Add(parts ...[]byte) {
	if w == nil {
		return
	}
	for _, p := range parts {
		if len(p) >= w.size {
			w.b = append(w.b[:0], p[len(p)-w.size:]...)
			continue
		}
		if over := len(w.b) + len(p) - w.size; over > 0 {
			w.b = w.b[:copy(w.b, w.b[over:])]
		}
		if need := len(w.b) + len(p); need > cap(w.b) {
			grown := make([]byte, len(w.b), min(max(2*need, 256), w.size))
			copy(grown, w.b)
			w.b = grown
		}
		w.b = append(w.b, p...)
	}
}

// Forget empties the window, when what was added has not been sent: what follows then
// refers to nothing before it.
func (w *Window) Forget() { w.b = w.b[:0] }

// Held returns the bytes that the window takes.
func (w *Window) Held() int {
	if w == nil {
		return 0
	}
	return cap(w.b)
}

// before returns what a message of n bytes may refer to. No reference may go further
// back than the peer's window, not even from the end of the message.
func (w *Window) before(n int) []byte {
	if w.reach == 1<<maxWindowBits { // which compressors keep to by themselves
		return w.b
	}
	return w.b[len(w.b)-min(len(w.b), max(0, w.reach-n)):]
}

// Offer is what a client puts into Sec-WebSocket-Extensions.
func (c DeflateConfig) Offer() string {
	const without = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	if c.WindowBits == 0 {
		return without
	}
	return fmt.Sprintf("permessage-deflate; server_max_window_bits=%d; client_max_window_bits=%[1]d, %s", c.WindowBits, without)
}

// Accepted makes of the server's answer to Offer what holds for the client. No answer
// is no compression.
func (c DeflateConfig) Accepted(answer []string) (d Deflate, err error) {
	all := strings.Join(answer, ",")
	if strings.TrimSpace(all) == "" {
		return d, nil
	}
	p, ok := parseDeflate(all)
	switch {
	case !ok:
		return d, fmt.Errorf("server answered with the extensions %q", all)
	case p.bare, c.WindowBits == 0 && p.client != 0:
		return d, errors.New("server answered with a window that was not asked for")
	}
	d.WindowBits = maxWindowBits
	if p.client != 0 {
		d.WindowBits = p.client
	}
	if !p.clientAlone {
		d.Keep = min(c.WindowBits, d.WindowBits)
	}
	if !p.serverAlone {
		if p.server == 0 || p.server > c.WindowBits {
			return Deflate{}, errors.New("server wants to compress in a larger context than was offered")
		}
		d.PeerKeep = p.server
	}
	return d, nil
}

// deflateParams are those of one offer, or of an answer.
type deflateParams struct {
	serverAlone, clientAlone bool  // no context takeover
	server, client           uint8 // windows; 0 if absent
	bare                     bool  // client_max_window_bits has no value
}

// parseDeflate parses an offer. It declines what it does not understand ("5.1 General
// Negotiation Flow").
func parseDeflate(offer string) (p deflateParams, ok bool) {
	name, rest, _ := strings.Cut(offer, ";")
	if !strings.EqualFold(strings.TrimSpace(name), "permessage-deflate") {
		return p, false
	}
	var seen [4]bool
	for rest != "" {
		var param string
		param, rest, _ = strings.Cut(rest, ";")
		key, value, valued := strings.Cut(param, "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		bits, isWindow := windowBits(value)
		which := 0
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "server_no_context_takeover":
			p.serverAlone = true
			isWindow = !valued
		case "client_no_context_takeover":
			which = 1
			p.clientAlone = true
			isWindow = !valued
		case "server_max_window_bits":
			which = 2
			p.server = bits
		case "client_max_window_bits":
			which = 3
			p.client, p.bare = bits, !valued
			isWindow = isWindow || !valued
		default:
			return p, false
		}
		if !isWindow || seen[which] {
			return p, false
		}
		seen[which] = true
	}
	return p, true
}

func windowBits(s string) (uint8, bool) {
	n, err := strconv.ParseUint(s, 10, 8)
	return uint8(n), err == nil && n >= 8 && n <= 15 && s[0] != '0'
}
