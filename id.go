package socketio

import (
	"crypto/rand"
	"encoding/base64"
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
func (s *Socket) ConnectionID() string { return s.conn.sess.ConnectionID() }
