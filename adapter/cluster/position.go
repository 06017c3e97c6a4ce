package cluster

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// A Position is a place in a [Log]. What is appended later has a greater one.
type Position struct{ Major, Minor uint64 }

// Compare returns -1, 0 or 1, as p is before, at or behind q.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Major, q.Major), cmp.Compare(p.Minor, q.Minor))
}

// After reports whether p is behind q.
func (p Position) After(q Position) bool { return p.Compare(q) > 0 }

// later returns the one that is behind.
func later(p, q Position) Position {
	if p.After(q) {
		return p
	}
	return q
}

// String returns the form that clients are given and give back, which is that of
// entries in a stream of Redis.
func (p Position) String() string {
	b := strconv.AppendUint(make([]byte, 0, 24), p.Major, 10)
	return string(strconv.AppendUint(append(b, '-'), p.Minor, 10))
}

// ParsePosition is the inverse. It reports false for anything else.
func ParsePosition(s string) (p Position, ok bool) {
	major, minor, ok := strings.Cut(s, "-")
	if !ok || len(major) > 20 || len(minor) > 20 {
		return Position{}, false
	}
	var err1, err2 error
	p.Major, err1 = strconv.ParseUint(major, 10, 64)
	p.Minor, err2 = strconv.ParseUint(minor, 10, 64)
	if err1 != nil || err2 != nil {
		return Position{}, false
	}
	return p, true
}

// ongoing is behind all positions.
var ongoing = Position{math.MaxUint64, math.MaxUint64}

// MarshalText implements [encoding.TextMarshaler]. What is behind all positions is
// nothing.
func (p Position) MarshalText() ([]byte, error) {
	if p == ongoing {
		return []byte{}, nil
	}
	return []byte(p.String()), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler]. What is no position is the
// beginning.
func (p *Position) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*p = ongoing
		return nil
	}
	*p, _ = ParsePosition(string(b))
	return nil
}
