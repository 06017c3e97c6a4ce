package engineio

import (
	"compress/flate"
	"fmt"
	"io"
	"net/http"

	"github.com/sockeye-go/socketio/internal/ws"
)

// PerMessageDeflate compresses WebSocket messages (RFC 7692) for clients that offer
// it, as browsers do. Its zero value is ready; there is none by default, as in the
// original. Each message is compressed by itself (no context takeover): a broadcast
// is compressed once for all who get it, and an idle connection holds nothing.
type PerMessageDeflate struct {
	// Threshold is the size in bytes from which on a message is compressed.
	// Default 1024.
	Threshold int
	// Level is that of compress/flate, 1 (fast) to 9. Default 1.
	Level int
	// NewWriter makes the compressors in place of compress/flate, which Level is
	// for. Package engineio/compress has a faster one. Writers are used again.
	NewWriter func() DeflateWriter
}

// A DeflateWriter compresses what is written to it: as *flate.Writer does.
type DeflateWriter interface {
	io.Writer
	Flush() error
	Reset(io.Writer)
}

func (o *PerMessageDeflate) withDefaults() *PerMessageDeflate {
	if o == nil {
		return nil
	}
	c := *o
	setNumber(&c.Threshold, 1024, "PerMessageDeflate.Threshold")
	if c.NewWriter == nil {
		level := flateLevel(c.Level, "PerMessageDeflate.Level")
		c.NewWriter = func() DeflateWriter {
			w, _ := flate.NewWriter(io.Discard, level)
			return w
		}
	}
	return &c
}

func flateLevel(level int, name string) int {
	if level == 0 {
		return flate.BestSpeed
	}
	if level < flate.BestSpeed || level > flate.BestCompression {
		panic(fmt.Sprintf("engineio: Options.%s: %d is not between 1 and 9", name, level))
	}
	return level
}

// acceptDeflate looks whether the client of an upgrade offers compression, and
// puts the answer into the headers of the response.
func (s *Server) acceptDeflate(h http.Header, r *http.Request) ws.Deflate {
	if s.compressor == nil {
		return ws.Deflate{}
	}
	d, answer := ws.AcceptDeflate(r.Header["Sec-Websocket-Extensions"])
	if answer != "" {
		h.Set("Sec-WebSocket-Extensions", answer)
	}
	return d
}

// deflates reports whether a message of n bytes to t is to be compressed.
func (t *wsTransport) deflates(n int, f Flags) bool {
	return t.deflate.WindowBits != 0 && f&NoCompress == 0 &&
		n >= t.s.srv.opts.PerMessageDeflate.Threshold && t.deflate.Fits(n)
}

// frames returns the frames of p in the form that t's client is to get.
func (t *wsTransport) frames(p *Prepared, f Flags) []byte {
	if t.deflate.WindowBits == 0 || f&NoCompress != 0 {
		return p.wsFrames(t.form)
	}
	plain := true
	for _, m := range p.msgs {
		switch n := len(m.Data) + 1; {
		case t.deflates(n, f):
			plain = false
		case !t.deflate.Fits(n):
			return p.wsFrames(t.form) // what others get may refer too far back for this one
		}
	}
	if plain {
		return p.wsFrames(t.form)
	}
	return p.deflatedFrames(t)
}

// deflatedFrames is wsFrames with what is large enough compressed, once for all.
func (p *Prepared) deflatedFrames(t *wsTransport) []byte {
	f := deflated
	if p.hasBinary() { // text is the same for everybody
		f |= t.form
	}
	cache := p.otherForm(f)
	if b := cache.Load(); b != nil {
		return *b
	}
	b := make([]byte, 0, p.Size()/2+maxFrameHeader*len(p.msgs))
	for _, m := range p.msgs {
		b = t.appendFrame(b, p.kind, m, 0)
	}
	cache.Store(&b)
	return b
}

// appendFrame is appendMessageFrame, compressed if that is called for. Base64 goes
// as it is.
func (t *wsTransport) appendFrame(dst []byte, kind packetType, m Message, f Flags) []byte {
	if t.deflates(len(m.Data)+1, f) {
		ok, c := false, t.s.srv.compressor
		switch {
		case !m.Binary:
			dst, ok = c.AppendFrame(dst, ws.Text, []byte{byte(kind)}, m.Data)
		case t.form == 0:
			dst, ok = c.AppendFrame(dst, ws.Binary, m.Data)
		case t.form&textOnly == 0:
			dst, ok = c.AppendFrame(dst, ws.Binary, t.form.binaryPrefix(kind), m.Data)
		}
		if ok {
			return dst
		}
	}
	return appendMessageFrame(dst, kind, m, t.form)
}
