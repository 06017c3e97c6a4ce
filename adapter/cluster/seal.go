package cluster

import (
	"crypto/hmac"
	"crypto/sha256"
)

// A Key has nodes prove to each other that a message comes from one of them. nil
// does without. What was said once at a place can be said there again by who heard
// it; nothing can be changed, or said at another place.
type Key []byte

// Seal appends what proves that b comes from a node and is meant for a place: a
// channel, a subject.
func (k Key) Seal(place string, b []byte) []byte {
	if k == nil {
		return b
	}
	return append(b, k.sum(place, b)...)
}

// Open returns what was sealed, and whether it was with this key.
func (k Key) Open(place string, b []byte) ([]byte, bool) {
	if k == nil {
		return b, true
	}
	if len(b) < sha256.Size {
		return nil, false
	}
	b, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	return b, hmac.Equal(sum, k.sum(place, b))
}

func (k Key) sum(place string, b []byte) []byte {
	h := hmac.New(sha256.New, k)
	h.Write([]byte(place))
	h.Write([]byte{0})
	h.Write(b)
	return h.Sum(nil)
}
