package engineio

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Hints are for people who look at an answer or a log and wonder: what the
// protocol has only a number for, in words. Clients do not read them.

// hint returns what the refusal e means for whoever runs the server or the
// client; "" where the message says it all.
func (e *ConnectionError) hint() string {
	if e.message != "" || e.body != nil {
		return "" // somebody has chosen the words
	}
	switch e.Code {
	case UnknownTransport:
		name := fmt.Sprint(e.Context["transport"])
		if !presentable(name) {
			return "the transport that was asked for is not among those of this server (Options.Transports)"
		}
		return fmt.Sprintf("the transport %q is not among those of this server (Options.Transports)", shorten(name))
	case UnknownSID:
		if errors.Is(e.Err, ErrNodeAway) {
			return "the node that has this session cannot be reached: it has ended, or the address that it gave (forward.Options.Address) is not for this one"
		}
		return "no session of this server has this id: it has ended, the server was restarted, or, with several servers, sticky sessions are missing (or Options.Forwarder)"
	case BadHandshakeMethod:
		return "a session begins with a GET; a request that belongs to one has its sid in the query"
	case UnsupportedProtocolVersion:
		return "this client speaks Engine.IO 3, as that of Socket.IO 2 does: set AllowEIO3 on the server, or update the client"
	}
	switch e.Context["name"] {
	case "TRANSPORT_MISMATCH":
		return fmt.Sprintf("the session uses %v now, and this request %v", e.Context["previousTransport"], e.Context["transport"])
	case "PROTOCOL_MISMATCH":
		return fmt.Sprintf("the session began with EIO=%v, and this request has EIO=%v", e.Context["previousProtocol"], e.Context["protocol"])
	case "TRANSPORT_HANDSHAKE_ERROR":
		return "a WebSocket was asked for without the headers of an upgrade: does a proxy drop Upgrade and Connection?"
	case "FORBIDDEN_ORIGIN":
		return "pages of this origin are not allowed: name it in CORS.Origins, or decide in CheckOrigin"
	case "INVALID_ORIGIN":
		return "the Origin header has characters that none can have"
	case "ID_GENERATION_ERROR":
		return "GenerateID gave no id, or one that cannot be used: the log says why"
	}
	return ""
}

// presentable reports whether a text that a client sent can be shown in an answer:
// letters, digits, and what names are joined by. Anything else could be meant for
// a browser that takes it for more than text.
func presentable(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" _-.:/", r)
	}) < 0
}

// shorten keeps what a client sent presentable.
func shorten(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// tooLarge says that something was larger than MaxPayload. size is -1 if it is
// not known; start is the beginning of it, where there is one.
func tooLarge(size, limit int64, start []byte) string {
	var b strings.Builder
	b.WriteString("payload ")
	if size >= 0 {
		is, max := humanSize(size), humanSize(limit)
		if is == max {
			is, max = fmt.Sprintf("%d bytes", size), fmt.Sprintf("%d bytes", limit)
		}
		fmt.Fprintf(&b, "of %s is over the limit of %s", is, max)
	} else {
		fmt.Fprintf(&b, "is over the limit of %s", humanSize(limit))
	}
	if event := eventName(start); event != "" {
		fmt.Fprintf(&b, ", event %q", shorten(event))
	}
	return b.String()
}

func humanSize(n int64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d bytes", n)
}

// eventName finds the name in the beginning of a message, if that looks as an
// event of Socket.IO in JSON does: a guess for the log, so that whoever reads it
// knows where to look.
func eventName(start []byte) string {
	start = start[:min(len(start), maxPeek)]
	i := bytes.Index(start, []byte(`["`))
	if i < 0 {
		return ""
	}
	name, _, whole := bytes.Cut(start[i+2:], []byte(`"`))
	if !whole || !utf8.Valid(name) || !presentable(string(name)) {
		return ""
	}
	for _, c := range start[:i] { // type, attachments, namespace, ack, and the length in revision 3
		if c < ' ' || c > '~' || c == '{' || c == '"' {
			return ""
		}
	}
	return string(name)
}

// maxPeek is how much of something too large is looked at.
const maxPeek = 128
