package engineio

import (
	"crypto/rand"
	"encoding/base64"
)

// newSID returns 15 random bytes as 20 characters of base64url, the form that
// sticky load balancers and cluster tools expect. Knowing it is all it takes
// to speak for a session, hence crypto/rand and no counter.
func newSID() string {
	var raw [15]byte
	rand.Read(raw[:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}
