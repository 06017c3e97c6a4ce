package msgpack

import (
	"encoding/binary"
	"math"
	"time"
)

// A Kind is what a value is to JavaScript.
type Kind uint8

// The kinds.
const (
	Invalid Kind = iota
	Undefined
	Null
	Bool
	Int   // also of a number without a fraction
	Uint  // beyond the range of Int
	Float // any other number
	String
	Binary
	Date
	Array
	Map
	Extension // of a type that means nothing here
)

var kindNames = [...]string{"nothing", "undefined", "null", "bool", "number", "number", "number", "string", "binary data", "date", "array", "object", "extension"}

func (k Kind) String() string { return kindNames[k] }

// A Head is the beginning of a value: all of it, save for what is in an array or
// a map.
type Head struct {
	Kind Kind
	Size int     // bytes, without the elements of an array or a map
	Len  int     // elements of an Array, keys of a Map
	Int  int64   // of Int; 1 of Bool if it is true
	Uint uint64  // of Uint
	F    float64 // of any number
	Data []byte  // of String, Binary and Extension; points into what was read
	Type int8    // of Extension and Date
}

// Time returns the time of a Date.
func (h *Head) Time() time.Time {
	if h.Type == extTimestamp {
		t, _ := timestamp(h.Data)
		return t
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(h.Data))).UTC()
}

// ReadHead reads the head at the beginning of b. Its kind is Invalid if there is
// none that is complete.
func ReadHead(b []byte) (h Head) {
	if len(b) == 0 {
		return h
	}
	switch c := b[0]; {
	case c < fixmap:
		return integer(int64(c), 1)
	case c < fixarray:
		return Head{Kind: Map, Size: 1, Len: int(c & 0x0f)}
	case c < fixstr:
		return Head{Kind: Array, Size: 1, Len: int(c & 0x0f)}
	case c < codeNil:
		return data(String, b, 1, uint64(c&0x1f))
	case c >= negfixint:
		return integer(int64(int8(c)), 1)
	}
	switch c := b[0]; c {
	case codeNil:
		return Head{Kind: Null, Size: 1}
	case codeFalse, codeTrue:
		return Head{Kind: Bool, Size: 1, Int: int64(c & 1)}
	case bin8, bin16, bin32:
		if n, size := length(b, 1<<(c-bin8)); size > 0 {
			return data(Binary, b, size, n)
		}
	case str8, str16, str32:
		if n, size := length(b, 1<<(c-str8)); size > 0 {
			return data(String, b, size, n)
		}
	case ext8, ext16, ext32:
		if n, size := length(b, 1<<(c-ext8)); size > 0 && len(b) > size {
			return extension(b, size, n, false)
		}
	case fixext1, fixext2, fixext4, fixext8, fixext16:
		if len(b) > 1 {
			return extension(b, 1, 1<<(c-fixext1), true)
		}
	case array16, array32:
		return elements(Array, b, 2<<(c-array16))
	case map16, map32:
		return elements(Map, b, 2<<(c-map16))
	case float32_:
		if len(b) >= 5 {
			return number(float64(math.Float32frombits(binary.BigEndian.Uint32(b[1:]))), 5)
		}
	case float64_:
		if len(b) >= 9 {
			return number(math.Float64frombits(binary.BigEndian.Uint64(b[1:])), 9)
		}
	case uint8_, uint16_, uint32_, uint64_:
		if n, size := length(b, 1<<(c-uint8_)); size > 0 {
			if n > math.MaxInt64 {
				return Head{Kind: Uint, Size: size, Uint: n, F: float64(n)}
			}
			return integer(int64(n), size)
		}
	case int8_, int16_, int32_, int64_:
		width := 1 << (c - int8_)
		if n, size := length(b, width); size > 0 {
			shift := 64 - 8*width
			return integer(int64(n)<<shift>>shift, size)
		}
	}
	return Head{}
}

// length reads the unsigned number of width bytes behind the first byte; size is
// that of both, 0 if they are not all there.
func length(b []byte, width int) (n uint64, size int) {
	if len(b) < 1+width {
		return 0, 0
	}
	for _, c := range b[1 : 1+width] {
		n = n<<8 | uint64(c)
	}
	return n, 1 + width
}

func integer(n int64, size int) Head { return Head{Kind: Int, Size: size, Int: n, F: float64(n)} }

// number is for a float: to JavaScript 1.0 and 1 are the same.
func number(f float64, size int) Head {
	if f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
		return integer(int64(f), size)
	}
	return Head{Kind: Float, Size: size, F: f}
}

// data cuts n bytes behind the first size ones.
func data(k Kind, b []byte, size int, n uint64) Head {
	if n > uint64(len(b)-size) {
		return Head{}
	}
	end := size + int(n)
	return Head{Kind: k, Size: end, Data: b[size:end:end]}
}

// elements promises no memory: each element has a byte at least.
func elements(k Kind, b []byte, width int) Head {
	n, size := length(b, width)
	least := n
	if k == Map {
		least *= 2
	}
	if size == 0 || least > uint64(len(b)-size) {
		return Head{}
	}
	return Head{Kind: k, Size: size, Len: int(n)}
}

// extension reads one whose type is at b[at].
func extension(b []byte, at int, n uint64, fixed bool) Head {
	h := data(Extension, b, at+1, n)
	if h.Kind == Invalid {
		return h
	}
	h.Type = int8(b[at])
	switch {
	case h.Type == extNotepack && !fixed:
		h.Kind = Binary // an ArrayBuffer
	case h.Type == extNotepack && n == 1:
		h.Kind, h.Data = Undefined, nil
	case h.Type == extNotepack && n == 8:
		h.Kind = Date
	case h.Type == extTimestamp:
		if _, ok := timestamp(h.Data); ok {
			h.Kind = Date
		}
	}
	return h
}

// timestamp reads the extension of the standard.
func timestamp(b []byte) (time.Time, bool) {
	var sec int64
	var nsec uint32
	switch len(b) {
	case 4:
		sec = int64(binary.BigEndian.Uint32(b))
	case 8:
		both := binary.BigEndian.Uint64(b)
		nsec, sec = uint32(both>>34), int64(both&(1<<34-1))
	case 12:
		nsec, sec = binary.BigEndian.Uint32(b), int64(binary.BigEndian.Uint64(b[4:]))
	default:
		return time.Time{}, false
	}
	if nsec > 999_999_999 {
		return time.Time{}, false
	}
	return time.Unix(sec, int64(nsec)).UTC(), true
}

// What Skip returns in the place of a size.
const (
	Malformed = -1
	TooDeep   = -2
)

// Skip returns the size of the value at the beginning of b, after a look at all
// of it. It is [Malformed] if it is not all there, or not MessagePack, or if a
// key is neither text nor a number, and [TooDeep] if arrays and maps nest deeper
// than depth. It allocates nothing.
func Skip(b []byte, depth int) int {
	if len(b) == 0 {
		return Malformed
	}
	switch c := b[0]; { // what there is most of
	case c < fixmap || c >= negfixint:
		return 1
	case c >= fixstr && c < codeNil:
		if n := 1 + int(c&0x1f); n <= len(b) {
			return n
		}
		return Malformed
	case c < fixarray:
		return skipElements(b, 1, int(c&0x0f), true, depth)
	case c < fixstr:
		return skipElements(b, 1, int(c&0x0f), false, depth)
	}
	h := ReadHead(b)
	switch h.Kind {
	case Invalid:
		return Malformed
	case Array, Map:
		return skipElements(b, h.Size, h.Len, h.Kind == Map, depth)
	}
	return h.Size
}

// skipElements goes on behind the head of an array or a map.
func skipElements(b []byte, i, n int, keyed bool, depth int) int {
	if depth <= 0 {
		return TooDeep
	}
	for range n {
		if keyed {
			size := 0
			if i < len(b) && b[i]&0xe0 == fixstr {
				size = 1 + int(b[i]&0x1f)
			} else if k := ReadHead(b[i:]); k.IsKey() {
				size = k.Size
			}
			if size == 0 || i+size > len(b) {
				return Malformed
			}
			i += size
		}
		size := Skip(b[i:], depth-1)
		if size < 0 {
			return size
		}
		i += size
	}
	return i
}

// IsKey reports whether a value can name a member of an object. JavaScript takes
// the text of any value; only these have one that somebody may have meant.
func (h *Head) IsKey() bool {
	switch h.Kind {
	case String, Binary, Int, Uint, Float, Bool, Null:
		return true
	}
	return false
}
