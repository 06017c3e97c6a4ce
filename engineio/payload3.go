package engineio

import (
	"errors"
	"strconv"
	"unicode/utf8"
)

// Payloads of revision 3. As text each packet stands behind its length in
// UTF-16 units, as JavaScript counts, and a colon:
//
//	2:40 6:b4AQID 10:42["hi 😀"]     (without the spaces)
//
// A payload that is sent to a client that takes bytes, and has bytes in it, is
// binary: for each packet a 0 (text) or a 1 (bytes), the digits of its length
// in bytes as numbers, 255, and the packet, whose type is a digit in text and a
// number before bytes.

var errPayload3 = errors.New("payload of revision 3 is malformed")

// maxLengthDigits is more than any length has that could be right.
const maxLengthDigits = 10

// cutText takes the first packet off a text payload.
func cutText(b []byte) (packet, rest []byte, err error) {
	n, i := 0, 0
	for ; i < len(b) && b[i] != ':'; i++ {
		if b[i] < '0' || b[i] > '9' || i == maxLengthDigits {
			return nil, nil, errPayload3
		}
		n = n*10 + int(b[i]-'0')
	}
	if i == 0 || i == len(b) {
		return nil, nil, errPayload3
	}
	b = b[i+1:]
	end := 0
	for n > 0 {
		r, size := utf8.DecodeRune(b[end:])
		if size == 0 {
			return nil, nil, errPayload3
		}
		n -= units(r)
		end += size
	}
	if n < 0 { // the length ends in the middle of a character
		return nil, nil, errPayload3
	}
	return b[:end], b[end:], nil
}

// cutBinary takes the first packet off a binary payload.
func cutBinary(b []byte) (packet []byte, text bool, rest []byte, err error) {
	if len(b) == 0 || b[0] > 1 {
		return nil, false, nil, errPayload3
	}
	n, i := 0, 1
	for ; i < len(b) && b[i] != 255; i++ {
		if b[i] > 9 || i > maxLengthDigits {
			return nil, false, nil, errPayload3
		}
		n = n*10 + int(b[i])
	}
	if i == 1 || i == len(b) || n > len(b)-i-1 {
		return nil, false, nil, errPayload3
	}
	return b[i+1 : i+1+n], b[0] == 0, b[i+1+n:], nil
}

// appendText appends a packet of text, its type included, to a text payload.
func appendText(dst, packet []byte) []byte {
	dst = strconv.AppendInt(dst, int64(utf16Len(packet)), 10)
	dst = append(dst, ':')
	return append(dst, packet...)
}

// appendBinaryHeader appends what stands before a packet of n bytes in a binary
// payload.
func appendBinaryHeader(dst []byte, text bool, n int) []byte {
	kind := byte(1)
	if text {
		kind = 0
	}
	dst = append(dst, kind)
	start := len(dst)
	dst = strconv.AppendInt(dst, int64(n), 10)
	for i := start; i < len(dst); i++ {
		dst[i] -= '0'
	}
	return append(dst, 255)
}

// utf16Len returns the length that JavaScript sees in a text.
func utf16Len(b []byte) int {
	n := 0
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		n += units(r)
		b = b[size:]
	}
	return n
}

func units(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}

// receiveText3 handles the first packet of a text payload. It returns the rest,
// and whether there is more to handle.
func (s *Session) receiveText3(f form, body []byte) ([]byte, bool) {
	packet, rest, err := cutText(body)
	if err != nil {
		s.end(ParseError, err)
		return nil, false
	}
	if len(packet) == 0 { // "0:" is an empty payload
		return rest, len(rest) > 0
	}
	return rest, s.receivePacket(f, packet) && len(rest) > 0
}

// receiveBinary3 is receiveText3 for a binary payload.
func (s *Session) receiveBinary3(f form, body []byte) ([]byte, bool) {
	packet, text, rest, err := cutBinary(body)
	if err != nil {
		s.end(ParseError, err)
		return nil, false
	}
	receive := s.receiveBinary
	if text {
		receive = s.receivePacket
	}
	return rest, receive(f, packet) && len(rest) > 0
}

// encodePayload3 puts what waits for a client of revision 3 into one payload.
func encodePayload3(queue []*Prepared, f form) (payload []byte, binary bool) {
	if f&textOnly == 0 {
		for _, p := range queue {
			binary = binary || p.hasBinary()
		}
	}
	n := 0
	for _, p := range queue {
		n += p.Size() + 16*len(p.msgs)
	}
	payload = make([]byte, 0, n)
	var packet []byte
	for _, p := range queue {
		for _, m := range p.msgs {
			switch {
			case m.Binary && binary:
				payload = appendBinaryHeader(payload, false, 1+len(m.Data))
				payload = append(append(payload, byte(p.kind-packetOpen)), m.Data...)
				continue
			case m.Binary:
				packet = f.appendBase64(packet[:0], p.kind, m.Data)
			default:
				packet = append(append(packet[:0], byte(p.kind)), m.Data...)
			}
			if binary {
				payload = append(appendBinaryHeader(payload, true, len(packet)), packet...)
			} else {
				payload = appendText(payload, packet)
			}
		}
	}
	return payload, binary
}
