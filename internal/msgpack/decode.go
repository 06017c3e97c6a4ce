package msgpack

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sockeye-go/socketio/internal/jsonfields"
	"github.com/sockeye-go/socketio/internal/jsontext"
	"github.com/sockeye-go/socketio/parser"
)

// maxDecodeDepth is the depth at which encoding/json too gives up.
const maxDecodeDepth = 10000

var errMalformed = &parser.Error{Message: "invalid MessagePack"}

// Unmarshal decodes the one value in raw into *v, as encoding/json would from the
// same value in JSON: null leaves what cannot be nil alone, members are matched
// without regard to case, what does not fit is an error of its types. It stops at
// the first of those.
//
// undefined is null, and a member that is undefined is not there. Binary data
// becomes []byte and points into raw; nothing else does, and nothing but binary
// data becomes []byte: that is a [*parser.BinaryError]. A Date becomes a time.Time,
// or the text that it would be in JSON. In an interface numbers are float64, and
// dates are time.Time.
func Unmarshal(raw []byte, v any) error {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return &json.InvalidUnmarshalError{Type: reflect.TypeOf(v)}
	}
	switch n := Skip(raw, maxDecodeDepth); {
	case n == TooDeep:
		return parser.ErrTooDeep
	case n != len(raw):
		return errMalformed
	}
	d := decoder{data: raw}
	return d.value(rv.Elem(), decodePlan(rv.Type().Elem()), 0)
}

// A decoder reads a value that Skip has let pass.
type decoder struct {
	data []byte
	pos  int
}

func (d *decoder) peek() Head { return ReadHead(d.data[d.pos:]) }

// head takes a head. The elements of an array or a map are next.
func (d *decoder) head() Head {
	h := d.peek()
	d.pos += h.Size
	return h
}

// take returns the whole value that begins here, and moves behind it.
func (d *decoder) take() []byte {
	n := Skip(d.data[d.pos:], maxDecodeDepth)
	raw := d.data[d.pos : d.pos+n]
	d.pos += n
	return raw
}

// value reads the value that begins here into v, which can be set.
func (d *decoder) value(v reflect.Value, p *plan, depth int) error {
	h := d.peek()
	if h.Kind == Null || h.Kind == Undefined {
		if p.mode == modeOwn {
			return d.own(v)
		}
		d.pos += h.Size
		switch v.Kind() {
		case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
			v.SetZero()
		}
		return nil
	}
	switch p.mode {
	case modeScalar:
		return d.scalar(v)
	case modeTime:
		return d.time(v)
	case modeBytes:
		return d.binary(v)
	case modeOwn:
		return d.own(v)
	case modeInterface:
		return d.dynamic(v, depth)
	case modePointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return d.value(v.Elem(), p.elem, depth+1)
	case modeStruct:
		return d.structure(v, p, depth)
	case modeMap:
		return d.mapping(v, p, depth)
	case modeList:
		return d.list(v, p, depth)
	}
	return d.mismatch(v, h)
}

// mismatch reports that a value is not what v is, and ends the decoding.
func (d *decoder) mismatch(v reflect.Value, h Head) error {
	if h.Kind == Binary {
		return &parser.BinaryError{Got: parser.GotBinary, Type: v.Type()}
	}
	return &json.UnmarshalTypeError{Value: h.Kind.String(), Type: v.Type(), Offset: int64(d.pos)}
}

func (d *decoder) scalar(v reflect.Value) error {
	h := d.head()
	switch v.Kind() {
	case reflect.String:
		switch h.Kind {
		case String:
			v.SetString(text(h.Data))
			return nil
		case Date:
			v.SetString(h.Time().Format(isoDate))
			return nil
		}
	case reflect.Bool:
		if h.Kind == Bool {
			v.SetBool(h.Int == 1)
			return nil
		}
	case reflect.Float32, reflect.Float64:
		if h.Kind == Int || h.Kind == Uint || h.Kind == Float {
			if v.Kind() == reflect.Float32 && math.Abs(h.F) > math.MaxFloat32 && !math.IsInf(h.F, 0) {
				break
			}
			v.SetFloat(h.F)
			return nil
		}
	default:
		switch {
		case v.CanInt() && h.Kind == Int && !v.OverflowInt(h.Int):
			v.SetInt(h.Int)
			return nil
		case v.CanUint() && h.Kind == Int && h.Int >= 0 && !v.OverflowUint(uint64(h.Int)):
			v.SetUint(uint64(h.Int))
			return nil
		case v.CanUint() && h.Kind == Uint && !v.OverflowUint(h.Uint):
			v.SetUint(h.Uint)
			return nil
		case h.Kind == Int || h.Kind == Uint || h.Kind == Float: // say which
			return &json.UnmarshalTypeError{Value: "number " + string(appendNumberText(nil, &h)), Type: v.Type(), Offset: int64(d.pos)}
		}
	}
	return d.mismatch(v, h)
}

// isoDate is the form of Date.toJSON.
const isoDate = "2006-01-02T15:04:05.000Z"

func (d *decoder) time(v reflect.Value) error {
	h := d.head()
	var t time.Time
	switch h.Kind {
	case Date:
		t = h.Time()
	case String: // as it is in JSON, and from those who make text of dates
		var err error
		if t, err = time.Parse(time.RFC3339, string(h.Data)); err != nil {
			return err
		}
	default:
		return d.mismatch(v, h)
	}
	v.Set(reflect.ValueOf(t))
	return nil
}

func (d *decoder) binary(v reflect.Value) error {
	h := d.head()
	if h.Kind == Binary {
		v.SetBytes(h.Data)
		return nil
	}
	got := "a " + h.Kind.String()
	if h.Kind == Map || h.Kind == Array || h.Kind == Extension {
		got = "an " + h.Kind.String()
	}
	return &parser.BinaryError{Got: got, Type: v.Type()}
}

// own leaves the value to the type, as the JSON that the type wants.
func (d *decoder) own(v reflect.Value) error {
	raw := d.take()
	b, err := AppendJSON(nil, raw)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v.Addr().Interface())
}

// dynamic reads into an interface: into what it points at already, or what the
// value says.
func (d *decoder) dynamic(v reflect.Value, depth int) error {
	if !v.IsNil() {
		if inner := v.Elem(); inner.Kind() == reflect.Pointer && !inner.IsNil() {
			return d.value(inner.Elem(), decodePlan(inner.Type().Elem()), depth+1)
		}
	}
	if v.NumMethod() > 0 {
		return d.mismatch(v, d.head())
	}
	v.Set(reflect.ValueOf(d.any())) // not null, so not nil
	return nil
}

// any reads a value as what it is.
func (d *decoder) any() any {
	h := d.head()
	switch h.Kind {
	case Bool:
		return h.Int == 1
	case Int, Uint, Float:
		return h.F
	case String:
		return text(h.Data)
	case Binary:
		return h.Data
	case Date:
		return h.Time()
	case Extension: // as notepack has it
		return []any{float64(h.Type), h.Data}
	case Array:
		list := make([]any, h.Len)
		for i := range list {
			list[i] = d.any()
		}
		return list
	case Map:
		m := make(map[string]any, min(h.Len, 64)) // keys may be twice there
		for range h.Len {
			key := d.key()
			if d.undefined() {
				continue
			}
			m[key] = d.any()
		}
		return m
	}
	return nil
}

// undefined takes an undefined, if that is what is here.
func (d *decoder) undefined() bool {
	h := d.peek()
	if h.Kind != Undefined {
		return false
	}
	d.pos += h.Size
	return true
}

// key takes the key of a member, as text.
func (d *decoder) key() string {
	h := d.head()
	return string(h.key())
}

func (h *Head) key() []byte {
	switch h.Kind {
	case Int, Uint, Float:
		return appendNumberText(nil, h)
	case Bool:
		return strconv.AppendBool(nil, h.Int == 1)
	case Null:
		return []byte("null")
	}
	if !utf8.Valid(h.Data) {
		return jsontext.Repair(h.Data)
	}
	return h.Data
}

func (d *decoder) structure(v reflect.Value, p *plan, depth int) error {
	h := d.head()
	if h.Kind != Map {
		return d.mismatch(v, h)
	}
	for range h.Len {
		k := d.head()
		f := p.find(k.key())
		if f == nil {
			d.take()
			continue
		}
		if d.undefined() {
			continue
		}
		if err := d.field(v, f, depth); err != nil {
			return inField(err, v.Type(), f.Name)
		}
	}
	return nil
}

// find returns the field for a key: the exact name, or else one that differs
// in case only.
func (p *plan) find(key []byte) *field {
	if i, ok := p.byName[string(key)]; ok {
		return &p.fields[i]
	}
	name := string(key)
	for i := range p.fields {
		if strings.EqualFold(p.fields[i].Name, name) {
			return &p.fields[i]
		}
	}
	return nil
}

func (d *decoder) field(v reflect.Value, f *field, depth int) error {
	v, err := jsonfields.Settle(v, f.Index)
	if err != nil {
		return err
	}
	if f.Quoted == nil {
		return d.value(v, f.plan, depth+1)
	}
	b, err := AppendJSON([]byte(`{"f":`), d.take())
	if err != nil {
		return err
	}
	return jsonfields.Unquote(append(b, '}'), &f.Field, v)
}

func (d *decoder) mapping(v reflect.Value, p *plan, depth int) error {
	h := d.head()
	if h.Kind != Map {
		return d.mismatch(v, h)
	}
	t := v.Type()
	if v.IsNil() {
		v.Set(reflect.MakeMap(t))
	}
	for range h.Len {
		name := d.key()
		if d.undefined() {
			continue
		}
		elem := reflect.New(t.Elem()).Elem()
		if err := d.value(elem, p.elem, depth+1); err != nil {
			return inField(err, t, name)
		}
		k, err := jsonfields.KeyOf(t.Key(), name)
		if err != nil {
			return err
		}
		v.SetMapIndex(k, elem)
	}
	return nil
}

func (d *decoder) list(v reflect.Value, p *plan, depth int) error {
	h := d.head()
	if h.Kind != Array {
		return d.mismatch(v, h)
	}
	if v.Kind() == reflect.Slice {
		// A byte may stand for a large element: grow with what is there.
		v.Set(reflect.MakeSlice(v.Type(), 0, min(h.Len, 64)))
	}
	for i := range h.Len {
		if v.Kind() == reflect.Slice {
			if i == v.Cap() {
				v.Grow(1)
			}
			v.SetLen(i + 1)
		} else if i >= v.Len() {
			d.take()
			continue
		}
		if err := d.value(v.Index(i), p.elem, depth+1); err != nil {
			return err
		}
	}
	for i := h.Len; i < v.Len(); i++ { // of an array
		v.Index(i).SetZero()
	}
	return nil
}

// inField adds to an error where it happened.
func inField(err error, t reflect.Type, name string) error {
	switch err := err.(type) {
	case *parser.BinaryError:
		err.Field = jsonfields.Path(name, err.Field)
	case *json.UnmarshalTypeError:
		err.Struct, err.Field = t.Name(), jsonfields.Path(name, err.Field)
	}
	return err
}

func text(b []byte) string {
	if !utf8.Valid(b) {
		return string(jsontext.Repair(b))
	}
	return string(b)
}

// appendNumberText writes a number as JavaScript does.
func appendNumberText(dst []byte, h *Head) []byte {
	switch h.Kind {
	case Int:
		return strconv.AppendInt(dst, h.Int, 10)
	case Uint:
		return strconv.AppendUint(dst, h.Uint, 10)
	}
	return jsontext.AppendJSNumber(dst, h.F)
}
