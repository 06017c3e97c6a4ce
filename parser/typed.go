package parser

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"github.com/sockeye-go/socketio/internal/jsonfields"
	"github.com/sockeye-go/socketio/internal/jsontext"
)

// value reads the value that begins here into v, which can be set.
func (d *decoder) value(v reflect.Value, p *plan, depth int) error {
	if depth > maxWalkDepth {
		return ErrTooDeep
	}
	switch p.mode {
	case modeScalar:
		return d.scalar(v)
	case modeBytes:
		return d.binary(v)
	case modeInterface:
		return d.dynamic(v, depth)
	case modePointer:
		if d.peek() == 'n' {
			return d.null(v)
		}
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
	raw, err := d.take()
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, v.Addr().Interface())
}

// scalar reads what fits at once. The rest, null and errors above all, is for
// encoding/json to judge.
func (d *decoder) scalar(v reflect.Value) error {
	first := d.peek()
	if first == '{' {
		if err := d.notBinary(v); err != nil {
			return err
		}
	}
	raw, err := d.take()
	if err != nil {
		return err
	}
	number := first == '-' || jsontext.IsDigit(first)
	switch {
	case v.Kind() == reflect.String:
		if first == '"' {
			v.SetString(string(jsontext.Unquote(raw)))
			return nil
		}
	case v.Kind() == reflect.Bool:
		if first == 't' || first == 'f' {
			v.SetBool(first == 't')
			return nil
		}
	case !number:
	case v.CanInt():
		if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil && !v.OverflowInt(n) {
			v.SetInt(n)
			return nil
		}
	case v.CanUint():
		if n, err := strconv.ParseUint(string(raw), 10, 64); err == nil && !v.OverflowUint(n) {
			v.SetUint(n)
			return nil
		}
	case v.CanFloat():
		if f, err := strconv.ParseFloat(string(raw), v.Type().Bits()); err == nil {
			v.SetFloat(f)
			return nil
		}
	}
	return json.Unmarshal(raw, v.Addr().Interface())
}

func (d *decoder) null(v reflect.Value) error {
	if _, err := d.take(); err != nil {
		return err
	}
	v.SetZero()
	return nil
}

// mismatch reports that the value here is not of v's kind.
func (d *decoder) mismatch(v reflect.Value) error {
	c := d.peek()
	if _, err := d.take(); err != nil {
		return err
	}
	return &json.UnmarshalTypeError{Value: kindOf(c), Type: v.Type(), Offset: int64(d.pos)}
}

// binary wants a placeholder, or null.
func (d *decoder) binary(v reflect.Value) error {
	c := d.peek()
	if c == 'n' {
		return d.null(v)
	}
	raw, err := d.take()
	if err != nil {
		return err
	}
	if len(d.attachments) > 0 {
		if p := asPlaceholder(raw); p.is {
			i, ok := p.index(len(d.attachments))
			if !ok {
				return ErrIllegalAttachments
			}
			v.SetBytes(d.attachments[i])
			return nil
		}
	}
	got := "a " + kindOf(c)
	if c == '{' || c == '[' {
		got = "an " + kindOf(c)
	}
	return &BinaryError{Got: got, Type: v.Type()}
}

// notBinary refuses a placeholder, in the one form that encoders write, where
// an object is expected: it would fit as an object with other members.
func (d *decoder) notBinary(v reflect.Value) error {
	if len(d.attachments) > 0 && bytes.HasPrefix(d.data[d.pos:], []byte(`{"_placeholder":true`)) {
		return &BinaryError{Got: GotBinary, Type: v.Type()}
	}
	return nil
}

// dynamic reads into an interface: into what it points at already, or what
// the JSON says.
func (d *decoder) dynamic(v reflect.Value, depth int) error {
	if d.peek() != 'n' && !v.IsNil() {
		if inner := v.Elem(); inner.Kind() == reflect.Pointer && !inner.IsNil() {
			return d.value(inner.Elem(), decodePlan(inner.Type().Elem()), depth+1)
		}
	}
	if v.NumMethod() > 0 {
		if d.peek() == 'n' {
			return d.null(v)
		}
		return d.mismatch(v)
	}
	x, err := d.any(depth)
	if err == nil && d.illegal {
		err = ErrIllegalAttachments
	}
	if err != nil {
		return err
	}
	if x == nil {
		v.SetZero()
	} else {
		v.Set(reflect.ValueOf(x))
	}
	return nil
}

func (d *decoder) structure(v reflect.Value, p *plan, depth int) error {
	switch d.peek() {
	case 'n':
		_, err := d.take() // leaves a struct as it is, as encoding/json does
		return err
	case '{':
		if err := d.notBinary(v); err != nil {
			return err
		}
	default:
		return d.mismatch(v)
	}
	for more := d.enter(); more; {
		key, err := d.key()
		if err != nil {
			return err
		}
		if f := p.find(key); f == nil {
			_, err = d.take()
		} else if err = d.field(v, f, depth); err != nil {
			err = inField(err, v.Type(), f.Name)
		}
		if err != nil {
			return err
		}
		if more, err = d.next('}'); err != nil {
			return err
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
	raw, err := d.take()
	if err != nil {
		return err
	}
	return jsonfields.Unquote(append(append([]byte(`{"f":`), raw...), '}'), &f.Field, v)
}

// inField adds to an error where it happened.
func inField(err error, t reflect.Type, name string) error {
	switch err := err.(type) {
	case *BinaryError:
		err.Field = jsonfields.Path(name, err.Field)
	case *json.UnmarshalTypeError:
		err.Struct, err.Field = t.Name(), jsonfields.Path(name, err.Field)
	}
	return err
}
