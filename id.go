package socketio

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// newID returns 20 characters of a-z, A-Z, 0-9, - and _ that nobody can guess.
// The length is part of the protocol: other adapters tell ids from rooms by it.
func newID() string {
	var b [15]byte
	rand.Read(b[:])
	var id [20]byte
	base64.RawURLEncoding.Encode(id[:], b[:])
	return string(id[:])
}

// ConnectionID names the connection of the socket: 12 characters that its
// sockets in all namespaces have in common, for logs and dashboards. Unlike the
// sid, from which it is derived, it lets nobody take part in the connection.
func (s *Socket) ConnectionID() string {
	sum := sha256.Sum256([]byte(s.conn.sess.ID()))
	return hex.EncodeToString(sum[:6])
}
