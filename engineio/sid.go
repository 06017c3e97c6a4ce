package engineio

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
)

// newSID returns 15 random bytes as 20 characters of base64url, the form that
// sticky load balancers and cluster tools expect. Knowing it is all it takes
// to speak for a session, hence crypto/rand and no counter.
func newSID() string {
	var raw [15]byte
	rand.Read(raw[:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// maxSID bounds the ids of Options.GenerateID, which end up in every URL.
const maxSID = 256

// newSID reserves the id of a session that r asks for.
func (s *Server) newSID(r *http.Request) (string, error) {
	if s.opts.GenerateID == nil {
		sid := s.named(newSID())
		s.table.reserve(sid) // 120 random bits are free
		return sid, nil
	}
	sid, err := s.opts.GenerateID(r)
	if err != nil {
		return "", err
	}
	sid = s.named(sid)
	if err := checkSID(sid); err != nil {
		return "", err
	}
	if !s.table.reserve(sid) {
		return "", errors.New("the id is in use")
	}
	return sid, nil
}

// named adds the node of a session to its id, where other nodes want to know it.
func (s *Server) named(id string) string {
	if f := s.opts.Forwarder; f != nil {
		return f.SID(id)
	}
	return id
}

// checkSID keeps ids to what needs no quoting in a URL, a cookie and JSON.
func checkSID(sid string) error {
	if sid == "" || len(sid) > maxSID {
		return fmt.Errorf("id of %d characters; want 1 to %d", len(sid), maxSID)
	}
	for _, c := range []byte(sid) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
		default:
			return fmt.Errorf("id %q has characters other than letters, digits and -_.~", sid)
		}
	}
	return nil
}
