// Package jsontext reads and writes JSON as JavaScript does, byte by byte: what is
// between a text and its meaning. It knows nothing of Go types.
package jsontext

import (
	"encoding/binary"
	"math/bits"
)

// Results of the skip functions that are not an index.
const (
	Malformed = -1
	TooDeep   = -2
)

// SkipSpace returns the index of what is behind the white space at b[i].
func SkipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// Skip returns the index behind the JSON value at b[i], or Malformed, or
// TooDeep if arrays and objects nest in it more than depth times. It is as
// strict as JSON.parse, and does not recurse.
func Skip(b []byte, i, depth int) int {
	if i >= len(b) {
		return Malformed
	}
	if c := b[i]; c == '{' || c == '[' {
		return skipNested(b, i, depth)
	}
	return SkipScalar(b, i)
}

// SkipScalar is Skip for what is neither an array nor an object.
func SkipScalar(b []byte, i int) int {
	switch c := b[i]; {
	case c == '"':
		return SkipString(b, i)
	case c == '-' || IsDigit(c):
		return skipNumber(b, i)
	case c == 't':
		return skipWord(b, i, "true")
	case c == 'f':
		return skipWord(b, i, "false")
	case c == 'n':
		return skipWord(b, i, "null")
	}
	return Malformed
}

func skipWord(b []byte, i int, word string) int {
	if len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return Malformed
	}
	return i + len(word)
}

// IsDigit reports whether c is a decimal digit.
func IsDigit(c byte) bool { return '0' <= c && c <= '9' }

// SkipDigits returns the index of what is behind the digits at b[i].
func SkipDigits(b []byte, i int) int {
	for i < len(b) && IsDigit(b[i]) {
		i++
	}
	return i
}

func skipNumber(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	switch {
	case i >= len(b) || !IsDigit(b[i]):
		return Malformed
	case b[i] == '0':
		i++
	default:
		i = SkipDigits(b, i)
	}
	if i < len(b) && b[i] == '.' {
		start := i + 1
		if i = SkipDigits(b, start); i == start {
			return Malformed
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		start := i
		if i = SkipDigits(b, start); i == start {
			return Malformed
		}
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stops has a bit set if one of the eight bytes of x ends a run of ordinary
// characters in a string: a quote, a backslash or a control character. The
// lowest bit is in the first such byte; those above may err.
func stops(x uint64) uint64 {
	q, s := x^(ones*'"'), x^(ones*'\\') // a byte that is one of the two becomes 0
	return ((x - ones*0x20) | (q - ones) | (s - ones)) &^ x & highs
}

func load(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// SkipString returns the index behind the string whose quote is b[i].
func SkipString(b []byte, i int) int {
	i++
	for {
		for len(b)-i >= 32 && stops(load(b, i))|stops(load(b, i+8))|stops(load(b, i+16))|stops(load(b, i+24)) == 0 {
			i += 32
		}
		for len(b)-i >= 8 {
			if s := stops(load(b, i)); s != 0 {
				i += bits.TrailingZeros64(s) / 8
				break
			}
			i += 8
		}
		if i >= len(b) {
			return Malformed
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c < 0x20:
			return Malformed
		case c != '\\':
			i++
		default:
			n := escapeLen(b[i:])
			if n == 0 {
				return Malformed
			}
			i += n
		}
	}
}

// escapeLen returns the length of the escape sequence that b begins with, 0 if
// it is none.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if hex4(b[2:]) >= 0 {
			return 6
		}
	}
	return 0
}

// hex4 reads four hexadecimal digits; -1 if they are not there.
func hex4(b []byte) rune {
	if len(b) < 4 {
		return -1
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case IsDigit(c):
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// skipNested is Skip for arrays and objects. The stack is one bit per
// level: set for an object.
func skipNested(b []byte, i, maxDepth int) int {
	var room [8]uint64
	stack, depth := room[:], 0
	var c byte
	for {
		// A value begins at i.
		if i >= len(b) {
			return Malformed
		}
		c = b[i]
		if c == '{' || c == '[' {
			if depth >= maxDepth {
				return TooDeep
			}
			if depth/64 == len(stack) {
				stack = append(stack, 0)
			}
			bit := uint64(1) << (depth % 64)
			if c == '{' {
				stack[depth/64] |= bit
			} else {
				stack[depth/64] &^= bit
			}
			depth++
			i = SkipSpace(b, i+1)
			if i < len(b) && b[i] == c+2 { // "{}" and "[]": both pairs are two apart
				i++
				depth--
			} else if c == '{' {
				if i = SkipKey(b, i); i < 0 {
					return i
				}
				continue
			} else {
				continue
			}
		} else if i = SkipScalar(b, i); i < 0 {
			return i
		}
		// A value ended before i.
		for {
			if depth == 0 {
				return i
			}
			if i = SkipSpace(b, i); i >= len(b) {
				return Malformed
			}
			inObject := stack[(depth-1)/64]>>((depth-1)%64)&1 != 0
			c = b[i]
			if c == ',' {
				i = SkipSpace(b, i+1)
				if inObject {
					if i = SkipKey(b, i); i < 0 {
						return i
					}
				}
				break
			}
			if inObject && c != '}' || !inObject && c != ']' {
				return Malformed
			}
			depth--
			i++
		}
	}
}

// SkipKey returns the index of the value behind the key at b[i].
func SkipKey(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return Malformed
	}
	if i = SkipString(b, i); i < 0 {
		return i
	}
	i = SkipSpace(b, i)
	if i >= len(b) || b[i] != ':' {
		return Malformed
	}
	return SkipSpace(b, i+1)
}
