package parser

import (
	"bytes"
	"strconv"
)

const placeholderKey = "_placeholder"

// mayHoldPlaceholder is a fast no: the key, or an escape that may hide it,
// must be there.
func mayHoldPlaceholder(raw []byte) bool {
	return bytes.Contains(raw, []byte(placeholderKey)) || bytes.Contains(raw, []byte(`\u`))
}

// placeholdersLegal reports whether every placeholder in a valid JSON value
// refers to one of n attachments. The original finds out when the last of them
// has arrived; there is no reason to wait. It recurses as deep as the value
// nests, which the caller has limited.
func placeholdersLegal(raw []byte, n int) bool {
	if !mayHoldPlaceholder(raw) {
		return true
	}
	_, ok := legalAt(raw, 0, n)
	return ok
}

// legalAt returns the index behind the value at b[i].
func legalAt(b []byte, i, n int) (int, bool) {
	switch b[i] {
	case '[':
		legal := true
		for i = skipSpace(b, i+1); b[i] != ']'; {
			end, ok := legalAt(b, i, n)
			legal = legal && ok
			i = nextItem(b, end)
		}
		return i + 1, legal
	case '{':
		var found placeholder
		legal := true
		for i = skipSpace(b, i+1); b[i] != '}'; {
			start := skipKey(b, i)
			end, ok := legalAt(b, start, n)
			legal = legal && ok
			found.member(b[i:start], b[start:end])
			i = nextItem(b, end)
		}
		if found.is { // as a whole, whatever else is in it
			_, legal = found.index(n)
		}
		return i + 1, legal
	}
	return skipScalar(b, i), true
}

// nextItem returns the index of the next element or the closing bracket behind
// a value in valid JSON.
func nextItem(b []byte, i int) int {
	i = skipSpace(b, i)
	if b[i] == ',' {
		i = skipSpace(b, i+1)
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
	p.note(unquote(key[:skipString(key, 0)]), value)
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
	if len(p.num) == 0 || p.num[0] != '-' && !isDigit(p.num[0]) {
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
	if len(raw) == 0 || raw[0] != '{' || !mayHoldPlaceholder(raw) || skipValue(raw, 0, maxWalkDepth) != len(raw) {
		return p
	}
	for i := skipSpace(raw, 1); raw[i] != '}'; {
		start := skipKey(raw, i)
		end := skipValue(raw, start, maxWalkDepth)
		p.member(raw[i:start], raw[start:end])
		i = nextItem(raw, end)
	}
	return p
}
