package parser

import (
	"encoding/json"
	"reflect"
	"unicode/utf8"

	"github.com/sockeye-go/socketio/internal/jsontext"
)

// maxWalkDepth is the depth at which encoding/json too gives up.
const maxWalkDepth = 10000

// Unmarshal follows encoding/json, apart from what it does with binary data,
// and from stopping at the first value that does not fit. Types with an
// UnmarshalJSON or UnmarshalText are left to it.
func (jsonParser) Unmarshal(raw []byte, attachments [][]byte, v any) error {
	if m, ok := v.(*json.RawMessage); ok && m != nil {
		*m = append((*m)[:0:0], raw...)
		return nil
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return &json.InvalidUnmarshalError{Type: reflect.TypeOf(v)}
	}
	t := rv.Type().Elem()
	p := decodePlan(t)
	if p.mode == modeStd {
		return json.Unmarshal(raw, v)
	}
	if !utf8.Valid(raw) {
		raw = jsontext.Repair(raw)
	}
	d := decoder{data: raw, attachments: attachments}
	d.space()
	if err := d.value(rv.Elem(), p, 0); err != nil {
		return err
	}
	if d.space(); d.pos != len(raw) {
		return ErrInvalidPayload
	}
	return nil
}

// A decoder reads one argument from left to right.
type decoder struct {
	data        []byte
	pos         int
	attachments [][]byte
	illegal     bool // a placeholder refers to no attachment
}

func (d *decoder) space() { d.pos = jsontext.SkipSpace(d.data, d.pos) }

// peek returns the byte at which a value begins, 0 at the end.
func (d *decoder) peek() byte {
	if d.pos < len(d.data) {
		return d.data[d.pos]
	}
	return 0
}

// take returns the whole value that begins here, and moves behind it.
func (d *decoder) take() ([]byte, error) {
	end := jsontext.Skip(d.data, d.pos, maxWalkDepth)
	if end < 0 {
		return nil, scanError(end)
	}
	raw := d.data[d.pos:end]
	d.pos = end
	return raw, nil
}

// enter moves to the first element of the array or object here; false if it
// has none.
func (d *decoder) enter() bool {
	closing := d.peek() + 2 // both pairs of brackets are two apart
	d.pos++
	if d.space(); d.peek() != closing {
		return true
	}
	d.pos++
	return false
}

// next moves from the end of an element to the next; false if there is none.
func (d *decoder) next(closing byte) (bool, error) {
	d.space()
	switch d.peek() {
	case ',':
		d.pos++
		d.space()
		return true, nil
	case closing:
		d.pos++
		return false, nil
	}
	return false, ErrInvalidPayload
}

// key reads the key of a member and moves to its value.
func (d *decoder) key() ([]byte, error) {
	if d.peek() != '"' {
		return nil, ErrInvalidPayload
	}
	end := jsontext.SkipString(d.data, d.pos)
	if end < 0 {
		return nil, ErrInvalidPayload
	}
	quoted := d.data[d.pos:end]
	if d.pos = jsontext.SkipSpace(d.data, end); d.peek() != ':' {
		return nil, ErrInvalidPayload
	}
	d.pos = jsontext.SkipSpace(d.data, d.pos+1)
	return jsontext.Unquote(quoted), nil
}

// kindOf names the value that begins with c, for errors.
func kindOf(c byte) string {
	switch c {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	}
	return "number"
}
