package engineio

import (
	"encoding/base64"

	"github.com/sockeye-go/socketio/internal/ws"
)

// A form says how packets are written for one transport of a client; 0 is
// revision 4 with bytes as they are.
type form uint8

const (
	revision3 form = 1 << iota // the client speaks revision 3
	textOnly                   // bytes go as base64 in text: the client asked for it with b64
	streamed                   // each packet behind its length, in a stream
	deflated                   // compressed: of frames that are kept, not of a transport

	forms = 1 << iota // all that there can be
)

func (f form) protocol() int {
	if f&revision3 != 0 {
		return 3
	}
	return 4
}

// transport is the name of the transport that has the form, if it is not polling.
func (f form) transport() string {
	if f&streamed != 0 {
		return WebTransport
	}
	return WebSocket
}

// heartbeat is the packet that the client owes: in revision 3 it is the client
// who pings.
func (f form) heartbeat() packetType {
	if f&revision3 != 0 {
		return packetPing
	}
	return packetPong
}

// appendBinaryFrame appends the frame of a binary message in a form other than 0.
func (f form) appendBinaryFrame(dst []byte, kind packetType, data []byte) []byte {
	if f&textOnly == 0 { // revision 3 has the type before the bytes, as a number
		dst = ws.AppendHeader(dst, ws.Binary, 1+len(data))
		return append(append(dst, f.binaryPrefix(kind)...), data...)
	}
	n := 1 + base64.StdEncoding.EncodedLen(len(data))
	if f&revision3 != 0 {
		n++
	}
	return f.appendBase64(ws.AppendHeader(dst, ws.Text, n), kind, data)
}

// binaryPrefix is what is before the bytes of a binary packet.
func (f form) binaryPrefix(kind packetType) []byte {
	if f&revision3 == 0 {
		return nil
	}
	return []byte{byte(kind - packetOpen)}
}

// appendBase64 appends a binary packet as text.
func (f form) appendBase64(dst []byte, kind packetType, data []byte) []byte {
	dst = append(dst, 'b')
	if f&revision3 != 0 {
		dst = append(dst, byte(kind))
	}
	return base64.StdEncoding.AppendEncode(dst, data)
}
