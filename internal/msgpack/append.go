package msgpack

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sockeye-go/socketio/internal/jsonfields"
	"github.com/sockeye-go/socketio/parser"
)

// maxEncodeDepth is where encoding/json too begins to suspect a cycle.
const maxEncodeDepth = 1000

// Raw is a value that is encoded already. It is for an interface; a field of this
// type is binary data.
type Raw []byte

// Append appends v. Errors are of package parser or encoding/json.
func Append(dst []byte, v any) ([]byte, error) { return appendValue(dst, v, 0) }

// appendValue writes the types that programs pass most without reflection.
func appendValue(dst []byte, v any, depth int) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return AppendNil(dst), nil
	case string:
		return AppendString(dst, v), nil
	case bool:
		return AppendBool(dst, v), nil
	case int:
		return AppendInt(dst, int64(v)), nil
	case int64:
		return AppendInt(dst, v), nil
	case uint64:
		return AppendUint(dst, v), nil
	case float64:
		return AppendFloat(dst, v), nil
	case []byte:
		return appendBytes(dst, v), nil
	case time.Time:
		return AppendTime(dst, v), nil
	case Raw:
		return append(dst, v...), nil
	case json.RawMessage:
		return appendJSON(dst, v)
	case []any:
		return appendList(dst, v, depth)
	case map[string]any:
		return appendObject(dst, v, depth)
	}
	rv := reflect.ValueOf(v)
	return appendReflected(dst, rv, encodePlan(rv.Type()), depth)
}

func appendBytes(dst, b []byte) []byte {
	if b == nil {
		return AppendNil(dst)
	}
	return AppendBinary(dst, b)
}

func appendList(dst []byte, list []any, depth int) ([]byte, error) {
	if list == nil {
		return AppendNil(dst), nil
	}
	if depth >= maxEncodeDepth {
		return dst, errCycle(list)
	}
	dst = AppendArray(dst, len(list))
	for _, v := range list {
		var err error
		if dst, err = appendValue(dst, v, depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// appendObject writes the keys in order, so that equal values have equal bytes.
func appendObject(dst []byte, m map[string]any, depth int) ([]byte, error) {
	if m == nil {
		return AppendNil(dst), nil
	}
	if depth >= maxEncodeDepth {
		return dst, errCycle(m)
	}
	var few [16]string
	keys := few[:0]
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	dst = AppendMap(dst, len(keys))
	for _, k := range keys {
		var err error
		if dst, err = appendValue(AppendString(dst, k), m[k], depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func errCycle(v any) error {
	return &parser.EncodeError{Message: fmt.Sprintf("%T nests more than %d levels deep, or contains itself", v, maxEncodeDepth)}
}

func appendReflected(dst []byte, v reflect.Value, p *plan, depth int) ([]byte, error) {
	if depth >= maxEncodeDepth {
		return dst, errCycle(v.Interface())
	}
	switch p.mode {
	case modeScalar:
		return appendScalar(dst, v), nil
	case modeTime:
		return AppendTime(dst, v.Interface().(time.Time)), nil
	case modeBytes:
		return appendBytes(dst, v.Bytes()), nil
	case modeOwn:
		return appendOwn(dst, v)
	case modeInterface:
		if v.IsNil() {
			return AppendNil(dst), nil
		}
		return appendValue(dst, v.Elem().Interface(), depth+1)
	case modePointer:
		if v.IsNil() {
			return AppendNil(dst), nil
		}
		return appendReflected(dst, v.Elem(), p.elem, depth+1)
	case modeStruct:
		return appendStruct(dst, v, p, depth)
	case modeMap:
		return appendMap(dst, v, p, depth)
	case modeList:
		if v.Kind() == reflect.Slice && v.IsNil() {
			return AppendNil(dst), nil
		}
		dst = AppendArray(dst, v.Len())
		for i := range v.Len() {
			var err error
			if dst, err = appendReflected(dst, v.Index(i), p.elem, depth+1); err != nil {
				return dst, err
			}
		}
		return dst, nil
	}
	return dst, &json.UnsupportedTypeError{Type: v.Type()}
}

func appendScalar(dst []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Bool:
		return AppendBool(dst, v.Bool())
	case reflect.String:
		return AppendString(dst, v.String())
	case reflect.Float32:
		return appendFloat32(dst, float32(v.Float()))
	case reflect.Float64:
		return AppendFloat(dst, v.Float())
	}
	if v.CanInt() {
		return AppendInt(dst, v.Int())
	}
	return AppendUint(dst, v.Uint())
}

// appendOwn asks a type for its own form. A method of the pointer counts, also
// where encoding/json would pass over it: whoever wrote it meant it.
func appendOwn(dst []byte, v reflect.Value) ([]byte, error) {
	if !ownForm(v.Type(), marshaling) {
		if !v.CanAddr() {
			c := reflect.New(v.Type()).Elem()
			c.Set(v)
			v = c
		}
		v = v.Addr()
	}
	switch m := v.Interface().(type) {
	case json.Number:
		if m == "" {
			m = "0"
		}
		return appendNumber(dst, m)
	case json.Marshaler:
		b, err := m.MarshalJSON()
		if err != nil {
			return dst, &json.MarshalerError{Type: v.Type(), Err: err}
		}
		return appendJSON(dst, b)
	case encoding.TextMarshaler:
		b, err := m.MarshalText()
		if err != nil {
			return dst, &json.MarshalerError{Type: v.Type(), Err: err}
		}
		return AppendText(dst, b), nil
	}
	return dst, &json.UnsupportedTypeError{Type: v.Type()}
}

// appendJSON is FromJSON for what a type says of itself.
func appendJSON(dst, text []byte) ([]byte, error) {
	if len(text) == 0 { // a json.RawMessage that is nil writes null by itself
		return AppendNil(dst), nil
	}
	return FromJSON(dst, text, nil)
}

func appendNumber(dst []byte, n json.Number) ([]byte, error) {
	if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
		return AppendInt(dst, i), nil
	}
	if u, err := strconv.ParseUint(string(n), 10, 64); err == nil {
		return AppendUint(dst, u), nil
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return dst, &parser.EncodeError{Message: "invalid number " + strconv.Quote(string(n))}
	}
	return AppendFloat(dst, f), nil
}

func appendStruct(dst []byte, v reflect.Value, p *plan, depth int) ([]byte, error) {
	head, count := len(dst), 0
	dst = AppendMap(dst, len(p.fields)) // as if none were left out
	size := len(dst) - head
	for i := range p.fields {
		f := &p.fields[i]
		fv, ok := jsonfields.Reach(v, f.Index)
		if !ok || f.Omitted(fv) {
			continue
		}
		count++
		dst = append(dst, f.key...)
		var err error
		if f.Quoted != nil {
			dst, err = appendQuoted(dst, fv, f)
		} else {
			dst, err = appendReflected(dst, fv, f.plan, depth+1)
		}
		if err != nil {
			return dst, err
		}
	}
	if count == len(p.fields) {
		return dst, nil
	}
	var room [5]byte
	short := AppendMap(room[:0], count)
	copy(dst[head:], short)
	if gap := size - len(short); gap > 0 {
		dst = slices.Delete(dst, head+len(short), head+size)
	}
	return dst, nil
}

// appendQuoted writes a field with the option "string".
func appendQuoted(dst []byte, v reflect.Value, f *field) ([]byte, error) {
	alone := reflect.New(f.Quoted).Elem()
	alone.Field(0).Set(v)
	b, err := json.Marshal(alone.Interface())
	if err != nil {
		return dst, err
	}
	return appendJSON(dst, b[len(`{"f":`):len(b)-1])
}

func appendMap(dst []byte, v reflect.Value, p *plan, depth int) ([]byte, error) {
	if v.IsNil() {
		return AppendNil(dst), nil
	}
	type member struct {
		key   string
		value reflect.Value
	}
	members := make([]member, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		key, err := jsonfields.MapKey(it.Key())
		if err != nil {
			return dst, err
		}
		members = append(members, member{key, it.Value()})
	}
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.key, b.key) })
	dst = AppendMap(dst, len(members))
	for _, m := range members {
		var err error
		if dst, err = appendReflected(AppendString(dst, m.key), m.value, p.elem, depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}
