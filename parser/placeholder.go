package parser

import (
	"bytes"
	"strconv"

	"github.com/sockeye-go/socketio/internal/jsontext"
)

const placeholderKey = "_placeholder"

// mayHoldPlaceholder is a fast no: the key, or an escape that may hide it,
// must be there.
func mayHoldPlaceholder(raw []byte) bool {
	return bytes.Contains(raw, []byte(placeholderKey)) || bytes.Contains(raw, []byte(`\u`))
}

// A claim notes which of n attachments placeholders refer to. No encoder refers
// to one twice, and a few bytes that did could have a handler hold a large one
// many times over.
type claim struct {
	n    int
	few  uint64 // those below 64
	many map[int]struct{}
}

// take reports whether attachment i was free until now.
func (c *claim) take(i int) bool {
	if i < 64 {
		free := c.few>>i&1 == 0
		c.few |= 1 << i
		return free
	}
	if _, taken := c.many[i]; taken {
		return false
	}
	if c.many == nil {
		c.many = make(map[int]struct{}) // grows with what is there, not with what n promises
	}
	c.many[i] = struct{}{}
	return true
}

// legal reports whether every placeholder in a valid JSON value refers to an
// attachment that no other refers to. The original finds out when the last of
// them has arrived; there is no reason to wait. It recurses as deep as the value
// nests, which the caller has limited.
func (c *claim) legal(raw []byte) bool {
	if !mayHoldPlaceholder(raw) {
		return true
	}
	_, ok := c.legalAt(raw, 0)
	return ok
}

// legalAt returns the index behind the value at b[i].
func (c *claim) legalAt(b []byte, i int) (int, bool) {
	switch b[i] {
	case '[':
		legal := true
		for i = jsontext.SkipSpace(b, i+1); b[i] != ']'; {
			end, ok := c.legalAt(b, i)
			legal = legal && ok
			i = nextItem(b, end)
		}
		return i + 1, legal
	case '{':
		var found placeholder
		legal := true
		for i = jsontext.SkipSpace(b, i+1); b[i] != '}'; {
			start := jsontext.SkipKey(b, i)
			end, ok := c.legalAt(b, start)
			legal = legal && ok
			found.member(b[i:start], b[start:end])
			i = nextItem(b, end)
		}
		if found.is { // as a whole, whatever else is in it
			num, ok := found.index(c.n)
			legal = ok && c.take(num)
		}
		return i + 1, legal
	}
	return jsontext.SkipScalar(b, i), true
}

// nextItem returns the index of the next element or the closing bracket behind
// a value in valid JSON.
func nextItem(b []byte, i int) int {
	i = jsontext.SkipSpace(b, i)
	if b[i] == ',' {
		i = jsontext.SkipSpace(b, i+1)
	}
	return i
}

// A placeholder collects the members of an object that make it one. Of keys
// that are repeated the last counts, as in JSON.parse.
type placeholder struct {
	is  bool
	num []byte
}

// member takes note of one key, given from its quote to its value, and value.
func (p *placeholder) member(key, value []byte) {
	p.note(jsontext.Unquote(key[:jsontext.SkipString(key, 0)]), value)
}

func (p *placeholder) note(name, value []byte) {
	switch string(name) {
	case placeholderKey:
		p.is = string(value) == "true"
	case "num":
		p.num = value
	}
}

// index returns the attachment meant, if that is one of n.
func (p *placeholder) index(n int) (int, bool) {
	if len(p.num) == 0 || p.num[0] != '-' && !jsontext.IsDigit(p.num[0]) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(p.num), 64)
	if err != nil || f < 0 || f >= float64(n) || f != float64(int(f)) {
		return 0, false
	}
	return int(f), true
}

// asPlaceholder looks whether a JSON value is a placeholder itself.
func asPlaceholder(raw []byte) (p placeholder) {
	if len(raw) == 0 || raw[0] != '{' || !mayHoldPlaceholder(raw) || jsontext.Skip(raw, 0, maxWalkDepth) != len(raw) {
		return p
	}
	for i := jsontext.SkipSpace(raw, 1); raw[i] != '}'; {
		start := jsontext.SkipKey(raw, i)
		end := jsontext.Skip(raw, start, maxWalkDepth)
		p.member(raw[i:start], raw[start:end])
		i = nextItem(raw, end)
	}
	return p
}
