package ws

import (
	"encoding/binary"
	"unicode/utf8"
)

// An Opcode says what a frame carries ("5.2 Base Framing Protocol").
type Opcode byte

// The opcodes.
const (
	Continuation Opcode = 0
	Text         Opcode = 1
	Binary       Opcode = 2
	Close        Opcode = 8
	Ping         Opcode = 9
	Pong         Opcode = 10
)

func (o Opcode) control() bool { return o >= 8 }

const (
	finBit  = 0x80
	rsvBits = 0x70 // RSV1 is that of permessage-deflate
	maskBit = 0x80

	maxHeader  = 14  // with the longest length and a mask
	maxControl = 125 // bytes in a control frame ("5.5 Control Frames")
)

// A header is what precedes the payload of a frame.
type header struct {
	op     Opcode
	fin    bool
	length uint64
	key    [4]byte
	packed bool // the message is compressed
}

// parseHeader reads a header from the start of b and returns its size, 0 if b is
// too short for it.
func parseHeader(b []byte, role Role, deflate bool) (h header, size int, err *Error) {
	if len(b) < 2 {
		return h, 0, nil
	}
	h.op, h.fin = Opcode(b[0]&0x0f), b[0]&finBit != 0
	masked, n := b[1]&maskBit != 0, b[1]&^byte(maskBit)
	h.packed = deflate && b[0]&rsv1 != 0 && (h.op == Text || h.op == Binary)
	switch {
	case b[0]&rsvBits != 0 && !(h.packed && b[0]&rsvBits == rsv1):
		return h, 0, protocolError("reserved bits are set")
	case h.op > Binary && h.op < Close || h.op > Pong:
		return h, 0, protocolError("reserved opcode")
	case masked && role == Client:
		return h, 0, protocolError("masked frame from a server")
	case !masked && role == Server:
		return h, 0, protocolError("frame is not masked")
	case h.op.control() && !h.fin:
		return h, 0, protocolError("fragmented control frame")
	case h.op.control() && n > maxControl:
		return h, 0, protocolError("control frame is too long")
	}
	size = 2
	switch n {
	case 126:
		if len(b) < 4 {
			return h, 0, nil
		}
		h.length, size = uint64(binary.BigEndian.Uint16(b[2:])), 4
		if h.length < 126 {
			return h, 0, protocolError("length is not minimal")
		}
	case 127:
		if len(b) < 10 {
			return h, 0, nil
		}
		h.length, size = binary.BigEndian.Uint64(b[2:]), 10
		if h.length < 1<<16 || h.length>>63 != 0 {
			return h, 0, protocolError("length is not minimal, or negative")
		}
	default:
		h.length = uint64(n)
	}
	if masked {
		if len(b) < size+4 {
			return h, 0, nil
		}
		copy(h.key[:], b[size:])
		size += 4
	}
	return h, size, nil
}

// AppendHeader appends the header of a server's unfragmented frame of n bytes.
func AppendHeader(dst []byte, op Opcode, n int) []byte { return appendHeader(dst, op, n, 0) }

func appendHeader(dst []byte, op Opcode, n int, mask byte) []byte {
	dst = append(dst, finBit|byte(op))
	switch {
	case n < 126:
		return append(dst, mask|byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, mask|126), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, mask|127), uint64(n))
}

// AppendFrame appends a server's frame.
func AppendFrame(dst []byte, op Opcode, payload []byte) []byte {
	return append(AppendHeader(dst, op, len(payload)), payload...)
}

// AppendMasked appends a client's frame. The key should not be guessable by
// whoever chose the payload ("10.3 Attacks On Infrastructure").
func AppendMasked(dst []byte, op Opcode, payload []byte, key [4]byte) []byte {
	dst = appendHeader(dst, op, len(payload), maskBit)
	dst = append(dst, key[:]...)
	start := len(dst)
	dst = append(dst, payload...)
	mask(dst[start:], key, 0)
	return dst
}

// AppendClose appends a server's close frame. CloseNoStatus makes an empty one;
// a reason that is too long is cut.
func AppendClose(dst []byte, code CloseCode, reason string) []byte {
	if code == CloseNoStatus {
		return AppendHeader(dst, Close, 0)
	}
	if end := maxControl - 2; len(reason) > end {
		for end > 0 && !utf8.RuneStart(reason[end]) { // not within a character
			end--
		}
		reason = reason[:end]
	}
	dst = AppendHeader(dst, Close, 2+len(reason))
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...)
}
