package engineio

import (
	"encoding/base64"
	"errors"
	"strconv"
	"unicode/utf8"
)

// appendPacket appends a packet to a payload.
func (d *dialer) appendPacket(dst []byte, p clientPacket) []byte {
	if d.opts.Protocol != 3 {
		if len(dst) > 0 {
			dst = append(dst, separator)
		}
		if p.m.Binary {
			return base64.StdEncoding.AppendEncode(append(dst, 'b'), p.m.Data)
		}
		return append(append(dst, byte(p.kind)), p.m.Data...)
	}
	if p.m.Binary {
		dst = strconv.AppendInt(dst, int64(2+base64.StdEncoding.EncodedLen(len(p.m.Data))), 10)
		dst = append(dst, ':', 'b', byte(packetMessage))
		return base64.StdEncoding.AppendEncode(dst, p.m.Data)
	}
	dst = strconv.AppendInt(dst, int64(1+utf16Length(p.m.Data)), 10)
	dst = append(dst, ':', byte(p.kind))
	return append(dst, p.m.Data...)
}

// utf16Length is the length of a string in JavaScript.
func utf16Length(b []byte) int {
	n := 0
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf {
			n, b = n+1, b[1:]
			continue
		}
		r, size := utf8.DecodeRune(b)
		n, b = n+1, b[size:]
		if r > 0xffff {
			n++
		}
	}
	return n
}

var errPayload = errors.New("malformed payload")

// cutLengthPrefixed takes the first packet off a payload of revision 3, in
// which the lengths count what JavaScript counts.
func cutLengthPrefixed(payload []byte) (packet, rest []byte, err error) {
	length, i := 0, 0
	for ; i < len(payload) && payload[i] != ':'; i++ {
		c := payload[i]
		if c < '0' || c > '9' || i == 9 {
			return nil, nil, errPayload
		}
		length = 10*length + int(c-'0')
	}
	if i == 0 || i == len(payload) {
		return nil, nil, errPayload
	}
	rest = payload[i+1:]
	end := 0
	for n := 0; n < length; n++ {
		if end == len(rest) {
			return nil, nil, errPayload
		}
		if rest[end] < utf8.RuneSelf {
			end++
			continue
		}
		r, size := utf8.DecodeRune(rest[end:])
		end += size
		if r > 0xffff {
			if n++; n == length {
				return nil, nil, errPayload
			}
		}
	}
	return rest[:end], rest[end:], nil
}
