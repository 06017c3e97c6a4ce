package ws

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"strings"
	"sync"
)

// permessage-deflate, RFC 7692. By default without context takeover in either
// direction: each message is compressed by itself, so that a broadcast is compressed
// once for all, and a connection holds no window between messages.

// rsv1 marks a compressed message in its first frame ("6. Framing").
const rsv1 = 0x40

// maxWindowBits is the window of compress/flate, which knows no other.
const maxWindowBits = 15

// A Deflate is what was agreed upon with one peer. Its zero value is no compression.
type Deflate struct {
	// WindowBits is the window in which the peer inflates: 8 to 15. A message that
	// is longer cannot be sent compressed.
	WindowBits uint8
	// Keep and PeerKeep are the windows to keep of what is sent and received, in
	// bits; 0 without context takeover.
	Keep, PeerKeep uint8
}

// Fits reports whether a message of n bytes stays within the peer's window.
func (d Deflate) Fits(n int) bool { return d.WindowBits == maxWindowBits || n <= 1<<d.WindowBits }

// Accept chooses from the offers in the Sec-WebSocket-Extensions headers of a client.
// answer is the value of the server's header; "" if nothing suits.
func (c DeflateConfig) Accept(offers []string) (d Deflate, answer string) {
	for _, line := range offers {
		for offer := range strings.SplitSeq(line, ",") {
			if p, ok := parseDeflate(offer); ok {
				return c.answer(p)
			}
		}
	}
	return Deflate{}, ""
}

// answer agrees to an offer.
func (c DeflateConfig) answer(p deflateParams) (d Deflate, answer string) {
	d.WindowBits = maxWindowBits
	if p.server != 0 {
		d.WindowBits = p.server
	}
	answer = "permessage-deflate"
	if c.WindowBits == 0 || p.serverAlone {
		answer += "; server_no_context_takeover"
	} else {
		d.Keep = min(d.WindowBits, c.WindowBits)
	}
	// A client whose window cannot be made smaller would have us keep the largest.
	mayShrink := p.bare || p.client != 0
	if c.WindowBits == 0 || p.clientAlone || !mayShrink && c.WindowBits < maxWindowBits {
		answer += "; client_no_context_takeover"
	} else {
		d.PeerKeep = c.WindowBits
		if p.client != 0 {
			d.PeerKeep = min(d.PeerKeep, p.client)
		}
		if mayShrink {
			answer += fmt.Sprintf("; client_max_window_bits=%d", d.PeerKeep)
		}
	}
	if p.server != 0 {
		answer += fmt.Sprintf("; server_max_window_bits=%d", d.WindowBits)
	}
	return d, answer
}

// A DeflateWriter is what compresses: a *flate.Writer, or another with its methods.
type DeflateWriter interface {
	io.Writer
	Flush() error
	Reset(io.Writer)
}

// A Compressor compresses messages with writers that it uses again: each is a
// megabyte. It is safe for concurrent use.
type Compressor struct{ writers sync.Pool }

type compression struct {
	w   DeflateWriter
	out bytes.Buffer
}

// NewCompressor takes the function that makes its writers.
func NewCompressor(writer func() DeflateWriter) *Compressor {
	c := new(Compressor)
	c.writers.New = func() any { return &compression{w: writer()} }
	return c
}

// syncMarker is how a flush ends, and what is left out at the end of a message
// ("7.2.1 Compression").
const syncMarker = "\x00\x00\xff\xff"

// AppendFrame appends a server's frame with a message that is the parts, in order.
// ok is false, and nothing is appended, if compression does not make it smaller.
func (c *Compressor) AppendFrame(dst []byte, op Opcode, parts ...[]byte) (out []byte, ok bool) {
	return c.AppendFrameIn(nil, Server, dst, op, parts...)
}

// AppendFrameIn is AppendFrame for either side, and for a message that may refer to
// those in the window, if that is not nil. Who sends it has to Add it.
func (c *Compressor) AppendFrameIn(w *Window, role Role, dst []byte, op Opcode, parts ...[]byte) (out []byte, ok bool) {
	z := c.writers.Get().(*compression)
	defer func() {
		if z.out.Cap() <= maxPooled {
			c.writers.Put(z)
		}
	}()
	z.out.Reset()
	z.w.Reset(&z.out)
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	start := 0
	if w != nil {
		if before := w.before(size); len(before) > 0 {
			_, _ = z.w.Write(before) // a bytes.Buffer takes everything
			_ = z.w.Flush()
			start = z.out.Len()
		}
	}
	for _, p := range parts {
		_, _ = z.w.Write(p)
	}
	_ = z.w.Flush()
	data := bytes.TrimSuffix(z.out.Bytes()[start:], []byte(syncMarker))
	if len(data) >= size {
		return dst, false
	}
	if role == Client {
		return AppendClient(dst, op|rsv1, data, nil), true
	}
	dst = AppendHeader(dst, op|rsv1, len(data))
	return append(dst, data...), true
}

// maxPooled bounds the buffers that wait for their next use.
const maxPooled = 64 << 10

// An inflater is a flate reader with what it reads from.
type inflater struct {
	r   io.Reader
	in  tailed
	buf []byte
}

var inflaters = sync.Pool{New: func() any {
	z := new(inflater)
	z.r = flate.NewReader(&z.in)
	z.buf = make([]byte, 4096)
	return z
}}

// tailed reads b, then the marker that the sender left out, then an empty block
// that is the last one. That it reads byte by byte spares flate a buffer.
type tailed struct {
	b    []byte
	tail string
}

func (t *tailed) Read(p []byte) (int, error) {
	n := copy(p, t.b)
	t.b = t.b[n:]
	if n == 0 {
		n = copy(p, t.tail)
		t.tail = t.tail[n:]
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (t *tailed) ReadByte() (byte, error) {
	if len(t.b) > 0 {
		c := t.b[0]
		t.b = t.b[1:]
		return c, nil
	}
	if t.tail == "" {
		return 0, io.EOF
	}
	c := t.tail[0]
	t.tail = t.tail[1:]
	return c, nil
}

// inflate returns the message that data stands for, in memory of its own that has
// grown with what came out: never because of what a peer promises, and never beyond
// limit. dict is what it may refer to.
func inflate(data []byte, limit int64, dict []byte) ([]byte, *Error) {
	z := inflaters.Get().(*inflater)
	defer inflaters.Put(z)
	z.in = tailed{b: data, tail: syncMarker + "\x01\x00\x00\xff\xff"}
	if err := z.r.(flate.Resetter).Reset(&z.in, dict); err != nil {
		return nil, errNotDeflate
	}
	defer func() { z.in = tailed{} }()
	var out []byte
	for {
		n, err := z.r.Read(z.buf)
		if int64(len(out))+int64(n) > limit {
			return nil, errTooBig
		}
		if out == nil && n > 0 {
			out = make([]byte, 0, n+n/8) // all of it, as a rule
		}
		out = append(out, z.buf[:n]...)
		switch {
		case err == io.EOF:
			return out, nil
		case err != nil:
			return nil, errNotDeflate
		}
	}
}
