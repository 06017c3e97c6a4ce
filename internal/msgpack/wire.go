package msgpack

import (
	"encoding/binary"
	"math"
	"time"
	"unicode/utf8"

	"github.com/sockeye-go/socketio/internal/jsontext"
)

// The first bytes of the forms ("Formats" of the specification,
// https://github.com/msgpack/msgpack/blob/master/spec.md).
const (
	fixmap    = 0x80
	fixarray  = 0x90
	fixstr    = 0xa0
	codeNil   = 0xc0
	codeFalse = 0xc2
	codeTrue  = 0xc3
	bin8      = 0xc4
	bin16     = 0xc5
	bin32     = 0xc6
	ext8      = 0xc7
	ext16     = 0xc8
	ext32     = 0xc9
	float32_  = 0xca
	float64_  = 0xcb
	uint8_    = 0xcc
	uint16_   = 0xcd
	uint32_   = 0xce
	uint64_   = 0xcf
	int8_     = 0xd0
	int16_    = 0xd1
	int32_    = 0xd2
	int64_    = 0xd3
	fixext1   = 0xd4
	fixext2   = 0xd5
	fixext4   = 0xd6
	fixext8   = 0xd7
	fixext16  = 0xd8
	str8      = 0xd9
	str16     = 0xda
	str32     = 0xdb
	array16   = 0xdc
	array32   = 0xdd
	map16     = 0xde
	map32     = 0xdf
	negfixint = 0xe0
)

// The types of extensions.
const (
	extNotepack  = 0 // undefined, a Date or an ArrayBuffer, by the size
	extTimestamp = -1
)

// AppendNil appends null.
func AppendNil(dst []byte) []byte { return append(dst, codeNil) }

// AppendBool appends a boolean.
func AppendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, codeTrue)
	}
	return append(dst, codeFalse)
}

// AppendInt appends an integer in the shortest form.
func AppendInt(dst []byte, n int64) []byte {
	switch {
	case n >= 0:
		return AppendUint(dst, uint64(n))
	case n >= -32:
		return append(dst, byte(n))
	case n >= math.MinInt8:
		return append(dst, int8_, byte(n))
	case n >= math.MinInt16:
		return binary.BigEndian.AppendUint16(append(dst, int16_), uint16(n))
	case n >= math.MinInt32:
		return binary.BigEndian.AppendUint32(append(dst, int32_), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, int64_), uint64(n))
}

// AppendUint appends an integer in the shortest form.
func AppendUint(dst []byte, n uint64) []byte {
	switch {
	case n < 0x80:
		return append(dst, byte(n))
	case n <= math.MaxUint8:
		return append(dst, uint8_, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, uint16_), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, uint32_), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, uint64_), n)
}

// AppendFloat appends a number as JavaScript has it: one without a fraction is
// an integer.
func AppendFloat(dst []byte, f float64) []byte {
	if f == math.Trunc(f) {
		if f >= 0 && f < 1<<64 {
			return AppendUint(dst, uint64(f))
		}
		if f < 0 && f >= -1<<63 {
			return AppendInt(dst, int64(f))
		}
	}
	return binary.BigEndian.AppendUint64(append(dst, float64_), math.Float64bits(f))
}

func appendFloat32(dst []byte, f float32) []byte {
	if wide := float64(f); wide == math.Trunc(wide) {
		return AppendFloat(dst, wide)
	}
	return binary.BigEndian.AppendUint32(append(dst, float32_), math.Float32bits(f))
}

// AppendString appends text. What is not UTF-8 in it becomes U+FFFD.
func AppendString(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		return AppendText(dst, jsontext.Repair([]byte(s)))
	}
	return append(appendStringHead(dst, len(s)), s...)
}

// AppendText is AppendString for bytes.
func AppendText(dst, s []byte) []byte {
	if !utf8.Valid(s) {
		s = jsontext.Repair(s)
	}
	return append(appendStringHead(dst, len(s)), s...)
}

func appendStringHead(dst []byte, n int) []byte {
	switch {
	case n < 32:
		return append(dst, fixstr|byte(n))
	case n <= math.MaxUint8:
		return append(dst, str8, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, str16), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, str32), uint32(n))
}

// AppendBinary appends binary data.
func AppendBinary(dst, b []byte) []byte {
	switch n := len(b); {
	case n <= math.MaxUint8:
		dst = append(dst, bin8, byte(n))
	case n <= math.MaxUint16:
		dst = binary.BigEndian.AppendUint16(append(dst, bin16), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint32(append(dst, bin32), uint32(n))
	}
	return append(dst, b...)
}

// AppendArray appends the head of an array: n values follow.
func AppendArray(dst []byte, n int) []byte {
	switch {
	case n < 16:
		return append(dst, fixarray|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, array16), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, array32), uint32(n))
}

// AppendMap appends the head of an object: n keys and their values follow.
func AppendMap(dst []byte, n int) []byte {
	switch {
	case n < 16:
		return append(dst, fixmap|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, map16), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, map32), uint32(n))
}

// AppendTime appends a Date, which has milliseconds.
func AppendTime(dst []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(append(dst, fixext8, extNotepack), uint64(t.UnixMilli()))
}
