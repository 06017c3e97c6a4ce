package engineio

import (
	"bytes"
	"encoding/base64"
	"sync/atomic"

	"github.com/sockeye-go/socketio/internal/ws"
)

// A Message is what an application sends or receives: text or binary.
type Message struct {
	Binary bool
	Data   []byte
}

// A Prepared is one or more messages that are sent back to back and are encoded
// once for any number of sessions. It is immutable and safe for concurrent use.
type Prepared struct {
	kind packetType
	msgs []Message
	one  [1]Message // backs msgs in the usual case

	frames  atomic.Pointer[[]byte] // WebSocket frames, built on first use
	payload atomic.Pointer[[]byte] // packets of a polling payload, likewise
	others  atomic.Pointer[otherForms]

	packet []byte // what payload points to if it was there from the start
}

// otherForms are the frames for clients that want bytes otherwise.
type otherForms [forms]atomic.Pointer[[]byte]

// Prepare takes ownership of the bytes of msgs: they must not change any more.
func Prepare(msgs ...Message) *Prepared {
	p := &Prepared{kind: packetMessage}
	if len(msgs) == 1 {
		p.one[0] = msgs[0]
		p.msgs = p.one[:]
	} else {
		p.msgs = msgs
	}
	return p
}

// prepareCopy is Prepare for what the caller will change. Of a text, which is what
// most are, the copy has its packet type before it: a payload of a poll as it stands.
func prepareCopy(msgs []Message) *Prepared {
	if len(msgs) == 1 && !msgs[0].Binary {
		b := append(make([]byte, 0, 1+len(msgs[0].Data)), byte(packetMessage))
		b = append(b, msgs[0].Data...)
		p := Prepare(Message{Data: b[1:]})
		p.packet = b
		p.payload.Store(&p.packet)
		return p
	}
	own := make([]Message, len(msgs))
	for i, m := range msgs {
		own[i] = Message{Binary: m.Binary, Data: bytes.Clone(m.Data)}
	}
	return Prepare(own...)
}

// prepareControl makes a packet that is not a message.
func prepareControl(kind packetType, data string) *Prepared {
	p := Prepare(Message{Data: []byte(data)})
	p.kind = kind
	return p
}

// Messages returns what the Prepared was made of. The caller must not change it.
func (p *Prepared) Messages() []Message { return p.msgs }

// Size returns the bytes of all messages, without framing.
func (p *Prepared) Size() int {
	n := 0
	for _, m := range p.msgs {
		n += len(m.Data)
	}
	return n
}

// wsFrames returns the frames that a server sends. Two goroutines that come
// first at the same time build the same bytes twice; the last ones stay.
func (p *Prepared) wsFrames(f form) []byte {
	cache := &p.frames
	if f&streamed != 0 || f != 0 && p.hasBinary() { // text is the same in all other forms
		cache = p.otherForm(f)
	}
	if b := cache.Load(); b != nil {
		return *b
	}
	b := make([]byte, 0, p.Size()+maxFrameHeader*len(p.msgs))
	for _, m := range p.msgs {
		b = appendMessageFrame(b, p.kind, m, f)
	}
	cache.Store(&b)
	return b
}

func (p *Prepared) otherForm(f form) *atomic.Pointer[[]byte] {
	o := p.others.Load()
	if o == nil {
		p.others.CompareAndSwap(nil, new(otherForms))
		o = p.others.Load()
	}
	return &o[f]
}

func (p *Prepared) hasBinary() bool {
	for _, m := range p.msgs {
		if m.Binary {
			return true
		}
	}
	return false
}

// maxFrameHeader is the longest header of a server's frame, plus the packet type.
const maxFrameHeader = 10 + 1

// appendMessageFrame appends the frame of one packet: text carries its type,
// binary is always a message and goes as it is, or as f wants it.
func appendMessageFrame(dst []byte, kind packetType, m Message, f form) []byte {
	if f&streamed != 0 {
		return appendStreamFrame(dst, kind, m)
	}
	if m.Binary && f != 0 {
		return f.appendBinaryFrame(dst, kind, m.Data)
	}
	return append(appendMessageHeader(dst, kind, m), m.Data...)
}

// appendMessageHeader is what precedes m.Data in the usual form.
func appendMessageHeader(dst []byte, kind packetType, m Message) []byte {
	if m.Binary {
		return ws.AppendHeader(dst, ws.Binary, len(m.Data))
	}
	return append(ws.AppendHeader(dst, ws.Text, len(m.Data)+1), byte(kind))
}

// pollPackets returns the packets in the form of a polling payload, separated
// and without a separator at the end.
func (p *Prepared) pollPackets() []byte {
	if b := p.payload.Load(); b != nil {
		return *b
	}
	b := make([]byte, 0, p.Size()+2*len(p.msgs))
	for i, m := range p.msgs {
		if i > 0 {
			b = append(b, separator)
		}
		if m.Binary {
			b = append(b, 'b')
			b = base64.StdEncoding.AppendEncode(b, m.Data)
		} else {
			b = append(b, byte(p.kind))
			b = append(b, m.Data...)
		}
	}
	p.payload.Store(&b)
	return b
}

// Control packets without data are the same for everybody.
var (
	ping        = prepareControl(packetPing, "")
	pong        = prepareControl(packetPong, "")
	noop        = prepareControl(packetNoop, "")
	goodbye     = prepareControl(packetClose, "")
	pongOfProbe = prepareControl(packetPong, probe)
)
