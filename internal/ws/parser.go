package ws

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"sync"
	"unicode/utf8"
)

// A Role is the side of the connection that a parser is on.
type Role uint8

// The roles: a server wants masked frames, a client must not get any.
const (
	Server Role = iota
	Client
)

// A Message is a whole message, or a control frame.
type Message struct {
	Op   Opcode // Text, Binary, Close, Ping or Pong
	Data []byte // of Close: the reason
	Code CloseCode
}

// A Parser puts messages together from the bytes of a connection, as they come.
// Between messages it is a few words; while one is incomplete it holds what has
// arrived of it. It is not safe for concurrent use.
type Parser struct {
	rules *Rules
	part  *partial // nil between messages
}

// Rules are what the messages of a connection may be like. Parsers share them.
type Rules struct {
	max       int64
	fragments int32
	role      Role
	deflate   bool
	deflating *Rules  // the same with compressed messages
	window    *Window // of those so far, with context takeover: such rules are not shared
}

// NewRules are rules for messages of at most maxMessage bytes, in at most so many
// fragments of whatever size.
func NewRules(role Role, maxMessage int64, fragments int) *Rules {
	r := &Rules{role: role, max: maxMessage, fragments: int32(min(fragments, math.MaxInt32))}
	r.deflating = r.withDeflate()
	return r
}

func (r *Rules) withDeflate() *Rules {
	with := *r
	with.deflate = true
	return &with
}

// A partial is what has arrived of a message and of the frame that is coming.
type partial struct {
	err      *Error // nothing follows; the first one stays
	lent     bool   // Next has returned the message, and block holds it
	head     [maxHeader]byte
	headLen  int
	inFrame  bool // the header is complete
	h        header
	got      uint64 // payload bytes of this frame so far
	control  []byte // payload of a control frame
	op       Opcode // of the message; 0 outside of one
	packed   bool   // the message is compressed
	data     []byte
	block    *block // nil, or data is in it
	fragment int    // frames of this message so far
}

// A block holds one of the usual messages that are too large for one read. It is
// used for what has a quarter of its size already, so that a peer does not have
// much more of it than it has sent.
type block [72 << 10]byte

var blocks = sync.Pool{New: func() any { return new(block) }}

// Held returns the bytes that are kept: of a message that is incomplete, and as the
// window of those before.
func (p *Parser) Held() int {
	n := p.rules.window.Held()
	switch w := p.part; {
	case w == nil || w.lent:
		return n
	case w.block != nil:
		return n + len(block{})
	default:
		return n + cap(w.data)
	}
}

// Drop forgets an incomplete message, behind which nothing must follow.
func (p *Parser) Drop() {
	p.Release()
	p.part = dropped
}

// Dropped reports whether Drop was called.
func (p *Parser) Dropped() bool { return p.part == dropped }

// dropped is not changed: with an error, nothing is.
var dropped = &partial{err: protocolError("the rest of a message that was dropped")}

// Release gives up the memory of the last message. It need not be called, but
// then a Parser holds it until the next call of Next.
func (p *Parser) Release() {
	if w := p.part; w != nil && w.lent {
		blocks.Put(w.block)
		p.part = nil
	}
}

// A message may have DefaultFragments fragments, or what its [Rules] say,
// and more only if they are no smaller on average than minFragmentSize bytes.
// Each costs a peer two bytes and us a look.
const (
	DefaultFragments = 1024
	minFragmentSize  = 64
)

// Init makes p ready for a connection whose messages have at most maxMessage
// bytes.
func (p *Parser) Init(role Role, maxMessage int64) {
	p.Follow(&Rules{role: role, max: maxMessage, fragments: DefaultFragments})
}

// Follow is Init with rules that others follow too.
func (p *Parser) Follow(r *Rules) { *p = Parser{rules: r} }

// AllowDeflate lets messages be compressed, as the handshake has agreed. The limit
// of messages holds for what comes out, too.
func (p *Parser) AllowDeflate(d Deflate) {
	with := p.rules.deflating
	if w := d.receiveWindow(); w != nil || with == nil {
		with = p.rules.withDeflate()
		with.window = w
	}
	p.rules = with
}

// Next consumes n bytes of in, which it may change, and returns the next message
// if it is complete. Otherwise it has consumed all of in. m.Data points into in
// or into memory of the parser's and is valid until the next call. Control
// frames come as they arrive, also between the fragments of a message. An error
// is of type [*Error] and stays.
func (p *Parser) Next(in []byte) (m Message, n int, ok bool, err error) {
	p.Release()
	if p.part == nil {
		m, n, ok, failed := p.whole(in)
		if failed != nil {
			p.part = &partial{err: failed}
			return Message{}, n, false, failed
		}
		if ok || len(in) == 0 {
			return m, n, ok, nil
		}
		p.part = new(partial)
	}
	if p.part.err != nil {
		return Message{}, 0, false, p.part.err
	}
	m, n, ok, failed := p.pieces(in)
	if failed != nil {
		p.part = &partial{err: failed}
		return Message{}, n, false, failed
	}
	return m, n, ok, nil
}

// whole is for a message in one frame that is all there, which is nearly every
// one: it needs no memory. ok is false for any other.
func (p *Parser) whole(in []byte) (m Message, n int, ok bool, err *Error) {
	h, size, err := parseHeader(in, p.rules.role, p.rules.deflate)
	if err != nil || size == 0 {
		return m, 0, false, err
	}
	if h.op == Continuation || !h.fin {
		return m, 0, false, nil
	}
	if h.length > uint64(p.rules.max) && !h.op.control() {
		return m, 0, false, p.tooBig(h, in[size:])
	}
	if h.length > uint64(len(in)-size) {
		return m, 0, false, nil
	}
	end := size + int(h.length)
	data := in[size:end:end]
	if p.rules.role == Server {
		mask(data, h.key, 0)
	}
	m, err = p.finish(h.op, data, h.packed)
	return m, end, true, err
}

// tooBig is the error for a message whose first frame is too big; start is what
// there is of its payload.
func (p *Parser) tooBig(h header, start []byte) *Error {
	err := *errTooBig
	err.Size = int64(min(h.length, math.MaxInt64))
	if !h.packed {
		err.Start = bytes.Clone(start[:min(len(start), maxStart)])
		if p.rules.role == Server {
			mask(err.Start, h.key, 0)
		}
	}
	return &err
}

// maxStart is how much of a message that is too big an error keeps.
const maxStart = 128

// pieces goes on with what is incomplete.
func (p *Parser) pieces(in []byte) (m Message, n int, ok bool, err *Error) {
	w := p.part
	for {
		if !w.inFrame {
			n += w.takeHeader(in[n:])
			h, size, err := parseHeader(w.head[:w.headLen], p.rules.role, p.rules.deflate)
			if err != nil {
				return m, n, false, err
			}
			if size == 0 {
				return m, n, false, nil
			}
			n -= w.headLen - size // those were payload
			if err := p.begin(h); err != nil {
				if err == errTooBig && h.op != Continuation {
					err = p.tooBig(h, in[n:])
				}
				return m, n, false, err
			}
		}
		n += w.takePayload(in[n:], p.rules.role)
		if w.got < w.h.length {
			return m, n, false, nil
		}
		w.inFrame, w.headLen = false, 0
		switch {
		case w.h.op.control():
			m, err = p.finish(w.h.op, w.control, false)
			w.control = nil
			if w.op == 0 {
				p.part = nil
			}
			return m, n, true, err
		case w.h.fin:
			m, err = p.finish(w.op, w.data, w.packed)
			w.data, w.lent = nil, w.block != nil
			if !w.lent {
				p.part = nil
			}
			return m, n, true, err
		}
		if n == len(in) {
			return m, n, false, nil
		}
	}
}

// takeHeader fills the header from in, perhaps with bytes that lie behind it,
// and returns how many it took.
func (w *partial) takeHeader(in []byte) int {
	n := copy(w.head[w.headLen:], in)
	w.headLen += n
	return n
}

// begin starts a frame.
func (p *Parser) begin(h header) *Error {
	w := p.part
	w.h, w.got, w.inFrame = h, 0, true
	if h.op.control() {
		return nil
	}
	switch {
	case h.op == Continuation && w.op == 0:
		return protocolError("continuation of nothing")
	case h.op != Continuation && w.op != 0:
		return protocolError("message within a message")
	case h.length > uint64(p.rules.max) || int64(len(w.data))+int64(h.length) > p.rules.max:
		return errTooBig
	}
	if h.op != Continuation {
		w.op, w.packed = h.op, h.packed
	}
	w.fragment++
	// The average is that of the fragments before this one.
	if w.fragment > int(p.rules.fragments) && len(w.data) < (w.fragment-1)*minFragmentSize {
		return errTooFragments
	}
	return nil
}

// takePayload moves what belongs to the frame from in to where it is collected.
func (w *partial) takePayload(in []byte, role Role) int {
	left := w.h.length - w.got
	if uint64(len(in)) > left {
		in = in[:left]
	}
	if len(in) == 0 {
		return 0
	}
	to := &w.data
	if w.h.op.control() {
		to = &w.control
	}
	start := len(*to)
	if need := start + len(in); need > cap(*to) {
		// Twice of what is there, but no more than the frame is going to need.
		room := min(2*need, start+int(left))
		if n := len(block{}); to == &w.data && w.block == nil && need >= n/4 && room <= n {
			w.block = blocks.Get().(*block)
			*to = append(w.block[:0], *to...)
		} else {
			*to = slices.Grow(*to, room-start)
		}
	}
	*to = append(*to, in...)
	if role == Server {
		mask((*to)[start:], w.h.key, int(w.got&3))
	}
	w.got += uint64(len(in))
	return len(in)
}

// finish checks a complete message.
func (p *Parser) finish(op Opcode, data []byte, packed bool) (Message, *Error) {
	if packed {
		var err *Error
		var dict []byte
		if p.rules.window != nil {
			dict = p.rules.window.b
		}
		if data, err = inflate(data, p.rules.max, dict); err != nil {
			return Message{}, err
		}
		p.rules.window.Add(data)
	}
	switch {
	case op == Text && !utf8.Valid(data):
		return Message{}, errInvalidUTF8
	case op != Close:
		return Message{Op: op, Data: data}, nil
	case len(data) == 0:
		return Message{Op: Close, Code: CloseNoStatus}, nil
	case len(data) == 1:
		return Message{}, protocolError("close frame with half a status")
	}
	code := CloseCode(binary.BigEndian.Uint16(data))
	if !code.valid() {
		return Message{}, protocolError("close frame with an invalid status")
	}
	if !utf8.Valid(data[2:]) {
		return Message{}, errInvalidUTF8
	}
	return Message{Op: Close, Code: code, Data: data[2:]}, nil
}
