package ws

import (
	"bytes"
	"compress/flate"
	"io"
	"strconv"
	"strings"
	"sync"
)

// permessage-deflate, RFC 7692, without context takeover in either direction: each
// message is compressed by itself, so that a broadcast is compressed once for all,
// and a connection holds no window between messages.

// rsv1 marks a compressed message in its first frame ("6. Framing").
const rsv1 = 0x40

// maxWindowBits is the window of compress/flate, which knows no other.
const maxWindowBits = 15

// A Deflate is what was agreed upon with one client.
type Deflate struct {
	// WindowBits is the window in which the client inflates: 8 to 15. A message
	// that is longer cannot be sent compressed.
	WindowBits uint8
}

// Fits reports whether a message of n bytes stays within the client's window.
func (d Deflate) Fits(n int) bool { return d.WindowBits == maxWindowBits || n <= 1<<d.WindowBits }

// AcceptDeflate chooses from the offers in the Sec-WebSocket-Extensions headers of
// a client. answer is the value of the server's header; "" if nothing suits.
func AcceptDeflate(offers []string) (d Deflate, answer string) {
	for _, line := range offers {
		for offer := range strings.SplitSeq(line, ",") {
			if d, answer, ok := acceptOffer(offer); ok {
				return d, answer
			}
		}
	}
	return Deflate{}, ""
}

// acceptOffer declines what it does not understand ("5.1 General Negotiation
// Flow"). The client's window is of no interest: ours is the largest there is.
func acceptOffer(offer string) (d Deflate, answer string, ok bool) {
	name, rest, _ := strings.Cut(offer, ";")
	if !strings.EqualFold(strings.TrimSpace(name), "permessage-deflate") {
		return d, "", false
	}
	d.WindowBits = maxWindowBits
	answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	var seen [4]bool
	for rest != "" {
		var param string
		param, rest, _ = strings.Cut(rest, ";")
		key, value, valued := strings.Cut(param, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		value = strings.Trim(strings.TrimSpace(value), `"`)
		which := 0
		switch key {
		case "server_no_context_takeover", "client_no_context_takeover":
			if key[0] == 'c' {
				which = 1
			}
			if valued {
				return d, "", false
			}
		case "server_max_window_bits":
			which = 2
			bits, ok := windowBits(value)
			if !ok {
				return d, "", false
			}
			d.WindowBits = bits
			answer += "; server_max_window_bits=" + value
		case "client_max_window_bits":
			which = 3
			if _, ok := windowBits(value); valued && !ok {
				return d, "", false
			}
		default:
			return d, "", false
		}
		if seen[which] {
			return d, "", false
		}
		seen[which] = true
	}
	return d, answer, true
}

func windowBits(s string) (uint8, bool) {
	n, err := strconv.ParseUint(s, 10, 8)
	return uint8(n), err == nil && n >= 8 && n <= 15 && s[0] != '0'
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
		_, _ = z.w.Write(p) // a bytes.Buffer takes everything
	}
	_ = z.w.Flush()
	data := bytes.TrimSuffix(z.out.Bytes(), []byte(syncMarker))
	if len(data) >= size {
		return dst, false
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
// limit.
func inflate(data []byte, limit int64) ([]byte, *Error) {
	z := inflaters.Get().(*inflater)
	defer inflaters.Put(z)
	z.in = tailed{b: data, tail: syncMarker + "\x01\x00\x00\xff\xff"}
	if err := z.r.(flate.Resetter).Reset(&z.in, nil); err != nil {
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
