package engineio

import (
	"encoding/base64"
	"strconv"
)

// sizeInPayload returns how many bytes appendPacket appends for a message that is
// alone in its payload.
func (d *dialer) sizeInPayload(m Message) int {
	n := 1 + len(m.Data)
	if m.Binary {
		n = 1 + base64.StdEncoding.EncodedLen(len(m.Data))
	}
	if d.opts.Protocol != 3 {
		return n
	}
	if m.Binary {
		n++
	}
	units := n
	if !m.Binary {
		units = 1 + utf16Len(m.Data)
	}
	return len(strconv.Itoa(units)) + 1 + n
}

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
	dst = strconv.AppendInt(dst, int64(1+utf16Len(p.m.Data)), 10)
	dst = append(dst, ':', byte(p.kind))
	return append(dst, p.m.Data...)
}
