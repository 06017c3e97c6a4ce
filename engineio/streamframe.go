package engineio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/sockeye-go/socketio/internal/ws"
)

// A stream has a frame for each packet ("WebTransport"): a byte with the length and,
// in its highest bit, whether the packet is binary; for lengths from 126 on two or
// eight bytes more; and what would be a message over WebSocket.

const (
	binaryBit  = 0x80
	length16   = 126
	length64   = 127
	streamHead = 9 // bytes in the longest head
)

var (
	errStreamLength = errors.New("frame without a packet")
	errStreamTooBig = errors.New("packet is too big")
)

// appendStreamHead appends the head of a frame of n bytes.
func appendStreamHead(dst []byte, isBinary bool, n int) []byte {
	var bit byte
	if isBinary {
		bit = binaryBit
	}
	switch {
	case n < length16:
		return append(dst, bit|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, bit|length16), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, bit|length64), uint64(n))
}

// appendStreamFrame appends the frame of one packet.
func appendStreamFrame(dst []byte, kind packetType, m Message) []byte {
	if m.Binary {
		return append(appendStreamHead(dst, true, len(m.Data)), m.Data...)
	}
	dst = append(appendStreamHead(dst, false, 1+len(m.Data)), byte(kind))
	return append(dst, m.Data...)
}

// A streamParser takes packets out of a stream. Between packets it holds nothing;
// of one that is incomplete what has arrived.
type streamParser struct {
	max  int64
	part []byte // head and payload so far
}

func (p *streamParser) drop() { p.part = nil }

// next consumes n bytes of in. Otherwise it is as [ws.Parser.Next], whose messages
// it returns: Text or Binary.
func (p *streamParser) next(in []byte) (m ws.Message, n int, ok bool, err error) {
	if len(p.part) == 0 {
		head, size, err := p.head(in)
		if err != nil {
			return m, 0, false, err
		}
		if end := head + size; head > 0 && len(in) >= end {
			return streamMessage(in[0], in[head:end:end]), end, true, nil
		}
	}
	for {
		head, size, err := p.head(p.part)
		if err != nil {
			return m, n, false, err
		}
		want := head + size
		if head == 0 {
			want = len(p.part) + 1
		} else if len(p.part) == want {
			m = streamMessage(p.part[0], p.part[head:])
			p.part = nil
			return m, n, true, nil
		}
		k := min(want-len(p.part), len(in)-n)
		if k == 0 {
			return m, n, false, nil
		}
		if room := len(p.part) + k; room > cap(p.part) {
			// Twice of what is there, but no more than is going to come.
			p.part = slices.Grow(p.part, min(2*room, max(want, streamHead))-len(p.part))
		}
		p.part = append(p.part, in[n:n+k]...)
		n += k
	}
}

// head returns the size of the head of a frame, 0 if it is incomplete, and that of
// the payload.
func (p *streamParser) head(b []byte) (head, size int, err error) {
	if len(b) == 0 {
		return 0, 0, nil
	}
	n := uint64(b[0] &^ binaryBit)
	head = 1
	switch n {
	case length16:
		if head = 3; len(b) < head {
			return 0, 0, nil
		}
		n = uint64(binary.BigEndian.Uint16(b[1:]))
	case length64:
		if head = streamHead; len(b) < head {
			return 0, 0, nil
		}
		n = binary.BigEndian.Uint64(b[1:])
	}
	if n == 0 && b[0]&binaryBit == 0 { // without a type; empty bytes are a message
		return 0, 0, errStreamLength
	}
	if n > uint64(p.max) {
		return 0, 0, errStreamTooBig
	}
	return head, int(n), nil
}

func streamMessage(first byte, data []byte) ws.Message {
	if first&binaryBit != 0 {
		return ws.Message{Op: ws.Binary, Data: data}
	}
	if !utf8.Valid(data) {
		data = bytes.ToValidUTF8(data, []byte("\uFFFD"))
	}
	return ws.Message{Op: ws.Text, Data: data}
}
