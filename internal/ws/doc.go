// Package ws is the wire of WebSocket, RFC 6455: the opening handshake, and
// frames in both directions. It owns no connection and starts no goroutine:
// whoever reads gives what it has read to a [Parser], and whoever writes appends
// frames to a buffer.
//
// Receiving is strict, as the RFC wants it ("5.2 Base Framing Protocol" and on),
// and nothing is allocated because of a length that a peer merely declares.
package ws
