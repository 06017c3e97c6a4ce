package engineio

import (
	"compress/flate"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/sockeye-go/socketio/internal/ws"
)

// PerMessageDeflate compresses WebSocket messages (RFC 7692) for clients that offer
// it, as browsers do. Its zero value is ready; there is none by default, as in the
// original. Each message is compressed by itself (no context takeover): a broadcast
// is compressed once for all who get it, and an idle connection holds nothing. For the
// Go client it is the same from the other side.
type PerMessageDeflate struct {
	// Threshold is the size in bytes from which on a message is compressed.
	// Default 1024.
	Threshold int
	// Level is that of compress/flate, 1 (fast) to 9. Default 1, with ContextTakeover
	// 2: the first does not look back from messages of less than 128 bytes.
	Level int
	// NewWriter makes the compressors in place of compress/flate, which Level is
	// for. Package engineio/compress has a faster one. Writers are used again.
	NewWriter func() DeflateWriter
	// ContextTakeover lets messages refer to those before them, with peers that agree
	// to that. Small ones that resemble each other then become much smaller (lower
	// the Threshold); a broadcast is compressed for each recipient, and a connection
	// holds two windows. Messages that may be dropped go uncompressed then. Default
	// false.
	ContextTakeover bool
	// WindowBits is the size of these windows, as a power of two: 9 (512 bytes) to 15
	// (32 KiB). Default 12: 4 KiB each.
	WindowBits int

	shared *ws.Compressor // by those who use the same options; guarded by sharedMu
}

var sharedMu sync.Mutex

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
	if err := o.check(); err != nil {
		panic("engineio: Options.PerMessageDeflate." + err.Error())
	}
	sharedMu.Lock()
	defer sharedMu.Unlock()
	c := *o
	setNumber(&c.Threshold, 1024, "")
	if c.NewWriter == nil {
		if c.Level == 0 && c.ContextTakeover {
			c.Level = 2
		}
		level := flateLevel(c.Level, "")
		c.NewWriter = func() DeflateWriter {
			w, _ := flate.NewWriter(io.Discard, level)
			return w
		}
	}
	if c.WindowBits == 0 {
		c.WindowBits = 12
	}
	if o.shared == nil {
		o.shared = ws.NewCompressor(func() ws.DeflateWriter { return c.NewWriter() })
	}
	c.shared = o.shared
	return &c
}

func (o *PerMessageDeflate) check() error {
	switch {
	case o == nil:
	case o.Threshold < 0:
		return fmt.Errorf("Threshold: %d is negative", o.Threshold)
	case o.NewWriter == nil && o.Level != 0 && (o.Level < flate.BestSpeed || o.Level > flate.BestCompression):
		return fmt.Errorf("Level: %d is not between 1 and 9", o.Level)
	case o.WindowBits != 0 && (o.WindowBits < 9 || o.WindowBits > 15):
		return fmt.Errorf("WindowBits: %d is not between 9 and 15", o.WindowBits)
	}
	return nil
}

// config is what the handshake asks for.
func (o *PerMessageDeflate) config() ws.DeflateConfig {
	if !o.ContextTakeover {
		return ws.DeflateConfig{}
	}
	return ws.DeflateConfig{WindowBits: uint8(o.WindowBits)}
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
	o := s.opts.PerMessageDeflate
	if o == nil {
		return ws.Deflate{}
	}
	d, answer := o.config().Accept(r.Header["Sec-Websocket-Extensions"])
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
		var parts [2][]byte
		op := ws.Binary
		switch {
		case !m.Binary:
			op, parts = ws.Text, [2][]byte{{byte(kind)}, m.Data}
		case t.form&textOnly == 0:
			parts = [2][]byte{t.form.binaryPrefix(kind), m.Data}
		default:
			return appendMessageFrame(dst, kind, m, t.form)
		}
		w := t.context().of()
		if dst, ok := t.s.srv.opts.PerMessageDeflate.shared.AppendFrameIn(w, ws.Server, dst, op, parts[:]...); ok {
			w.Add(parts[:]...)
			return dst
		}
	}
	return appendMessageFrame(dst, kind, m, t.form)
}
