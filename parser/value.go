package parser

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"

	"github.com/sockeye-go/socketio/internal/jsontext"
)

// maxEncodeDepth is where encoding/json too begins to suspect a cycle.
const maxEncodeDepth = 1000

// value writes one value of any type. The types that programs pass most are
// written here; for the rest the plan of their type says whether encoding/json
// can have them or a []byte may be inside.
func (e *encoder) value(v any, depth int) error {
	switch v := v.(type) {
	case nil:
		e.buf = append(e.buf, "null"...)
	case string:
		e.buf = jsontext.AppendString(e.buf, v)
	case bool:
		e.buf = strconv.AppendBool(e.buf, v)
	case int:
		e.buf = strconv.AppendInt(e.buf, int64(v), 10)
	case int64:
		e.buf = strconv.AppendInt(e.buf, v, 10)
	case int32:
		e.buf = strconv.AppendInt(e.buf, int64(v), 10)
	case uint64:
		e.buf = strconv.AppendUint(e.buf, v, 10)
	case float64:
		return e.float(v, 64)
	case json.RawMessage:
		return e.raw(v)
	case []byte:
		return e.binary(v)
	case []any:
		return e.list(v, depth)
	case map[string]any:
		return e.object(v, depth)
	case []string:
		return e.stringList(v)
	default:
		rv := reflect.ValueOf(v)
		p := encodePlan(rv.Type())
		if p.mode == modeStd {
			return e.standard(v)
		}
		return e.reflected(rv, p, depth)
	}
	return nil
}

// standard leaves a value to encoding/json.
func (e *encoder) standard(v any) error {
	e.foreign = true
	if err := e.std.Encode(v); err != nil {
		return err
	}
	e.buf = e.buf[:len(e.buf)-1] // a line feed
	return nil
}

func (e *encoder) float(f float64, bits int) error {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return &json.UnsupportedValueError{Value: reflect.ValueOf(f), Str: strconv.FormatFloat(f, 'g', -1, bits)}
	}
	e.buf = jsontext.AppendNumber(e.buf, f, bits)
	return nil
}

// raw writes JSON as it is, once it has been seen to be JSON.
func (e *encoder) raw(m json.RawMessage) error {
	if m == nil {
		e.buf = append(e.buf, "null"...)
		return nil
	}
	start := jsontext.SkipSpace(m, 0)
	end := jsontext.Skip(m, start, math.MaxInt)
	if end < 0 || jsontext.SkipSpace(m, end) != len(m) {
		return e.standard(m) // which has the words for what is wrong
	}
	e.foreign = true
	e.buf = append(e.buf, m[start:end]...)
	return nil
}

// binary takes an attachment and leaves a placeholder.
func (e *encoder) binary(b []byte) error {
	if b == nil {
		e.buf = append(e.buf, "null"...)
		return nil
	}
	if e.noBinary {
		return &EncodeError{"binary data ([]byte) is possible in events and acks only"}
	}
	e.buf = append(e.buf, `{"_placeholder":true,"num":`...)
	e.buf = strconv.AppendInt(e.buf, int64(len(e.attachments)), 10)
	e.buf = append(e.buf, '}')
	e.attachments = append(e.attachments, b)
	return nil
}

func (e *encoder) list(list []any, depth int) error {
	if list == nil {
		e.buf = append(e.buf, "null"...)
		return nil
	}
	if depth >= maxEncodeDepth {
		return errCycle(list)
	}
	e.buf = append(e.buf, '[')
	for i, v := range list {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		if err := e.value(v, depth+1); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, ']')
	return nil
}

// object writes the keys in order, as encoding/json does.
func (e *encoder) object(m map[string]any, depth int) error {
	if m == nil {
		e.buf = append(e.buf, "null"...)
		return nil
	}
	if depth >= maxEncodeDepth {
		return errCycle(m)
	}
	first := len(e.keys)
	for k := range m {
		e.keys = append(e.keys, k)
	}
	last := len(e.keys)
	slices.Sort(e.keys[first:last])
	e.buf = append(e.buf, '{')
	for i := first; i < last; i++ { // e.keys may move meanwhile
		if i > first {
			e.buf = append(e.buf, ',')
		}
		k := e.keys[i]
		e.buf = jsontext.AppendString(e.buf, k)
		e.buf = append(e.buf, ':')
		if err := e.value(m[k], depth+1); err != nil {
			return err
		}
	}
	clear(e.keys[first:last])
	e.keys = e.keys[:first]
	e.buf = append(e.buf, '}')
	return nil
}

func (e *encoder) stringList(list []string) error {
	if list == nil {
		e.buf = append(e.buf, "null"...)
		return nil
	}
	e.buf = append(e.buf, '[')
	for i, s := range list {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.buf = jsontext.AppendString(e.buf, s)
	}
	e.buf = append(e.buf, ']')
	return nil
}

func errCycle(v any) error {
	return &EncodeError{fmt.Sprintf("%T nests more than %d levels deep, or contains itself", v, maxEncodeDepth)}
}
