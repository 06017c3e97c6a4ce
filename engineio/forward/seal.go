package forward

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// separator stands between the id of a session and its sealed address. Ids may
// contain it: the last one counts.
const separator = "~"

// maxAddress bounds an address, so that a sid stays short enough for a URL.
const maxAddress = 96

// A seal has what is derived from one key.
type seal struct{ addresses, headers []byte }

func newSeal(key []byte) seal {
	return seal{derive(key, "address in sid"), derive(key, "forwarded request")}
}

func derive(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return h.Sum(nil)
}

// aead is for one sid: the id of a session is used once, so that its key is, and
// the nonce need not be another each time.
func (s seal) aead(id string) cipher.AEAD {
	block, err := aes.NewCipher(derive(s.addresses, id))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return a
}

var nonce [12]byte

// sid names the node at address in a sid.
func (s seal) sid(id, address string) string {
	sealed := s.aead(id).Seal(nil, nonce[:], []byte(address), nil)
	return id + separator + base64.RawURLEncoding.EncodeToString(sealed)
}

// open returns the address in a sid that was made with this key.
func (s seal) open(sid string) (address string, ok bool) {
	i := strings.LastIndex(sid, separator)
	if i <= 0 || len(sid)-i > 2*maxAddress {
		return "", false
	}
	text := sid[i+1:]
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(sealed) != base64.RawURLEncoding.DecodedLen(len(text)) { // it skips line breaks
		return "", false
	}
	b, err := s.aead(sid[:i]).Open(nil, nonce[:], sealed, nil)
	return string(b), err == nil
}
