package nats

import (
	"crypto/hmac"
	"crypto/sha256"
)

// seal appends what proves that b comes from a node and is meant for subject.
func (o *Options) seal(subject string, b []byte) []byte {
	if o.Key == nil {
		return b
	}
	return append(b, o.sum(subject, b)...)
}

// open returns what was sealed, and whether it was with our key.
func (o *Options) open(subject string, b []byte) ([]byte, bool) {
	if o.Key == nil {
		return b, true
	}
	if len(b) < sha256.Size {
		return nil, false
	}
	b, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	return b, hmac.Equal(sum, o.sum(subject, b))
}

func (o *Options) sum(subject string, b []byte) []byte {
	h := hmac.New(sha256.New, o.Key)
	h.Write([]byte(subject))
	h.Write([]byte{0})
	h.Write(b)
	return h.Sum(nil)
}
