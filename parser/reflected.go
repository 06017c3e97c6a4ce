package parser

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/sockeye-go/socketio/internal/jsonfields"
	"github.com/sockeye-go/socketio/internal/jsontext"
)

// reflected writes a value by the plan of its type.
func (e *encoder) reflected(v reflect.Value, p *plan, depth int) error {
	if p.mode == modeScalar {
		return e.scalar(v)
	}
	if depth >= maxEncodeDepth {
		if p.std {
			return e.standard(v.Interface()) // which knows a cycle from a long list
		}
		return errCycle(v.Interface())
	}
	switch p.mode {
	case modeAddress:
		if !v.CanAddr() {
			// encoding/json would pass over the method here; whoever gave
			// the type a form of its own means it.
			c := reflect.New(v.Type()).Elem()
			c.Set(v)
			v = c
		}
		return e.standard(v.Addr().Interface())
	case modeBytes:
		return e.binary(v.Bytes())
	case modeInterface:
		if v.IsNil() {
			return e.value(nil, depth)
		}
		return e.value(v.Elem().Interface(), depth+1)
	case modePointer:
		if v.IsNil() {
			return e.value(nil, depth)
		}
		return e.reflected(v.Elem(), p.elem, depth+1)
	case modeStruct:
		return e.structure(v, p, depth)
	case modeMap:
		return e.mapping(v, p, depth)
	case modeList:
		if v.Kind() == reflect.Slice && v.IsNil() {
			return e.value(nil, depth)
		}
		e.buf = append(e.buf, '[')
		for i := range v.Len() {
			if i > 0 {
				e.buf = append(e.buf, ',')
			}
			if err := e.reflected(v.Index(i), p.elem, depth+1); err != nil {
				return err
			}
		}
		e.buf = append(e.buf, ']')
		return nil
	}
	if v.CanAddr() && v.Kind() != reflect.Pointer {
		return e.standard(v.Addr().Interface()) // spares a copy, and finds methods of the pointer
	}
	return e.standard(v.Interface())
}

func (e *encoder) scalar(v reflect.Value) error {
	switch v.Kind() {
	case reflect.Bool:
		e.buf = strconv.AppendBool(e.buf, v.Bool())
	case reflect.String:
		e.buf = jsontext.AppendString(e.buf, v.String())
	case reflect.Float32:
		return e.float(v.Float(), 32)
	case reflect.Float64:
		return e.float(v.Float(), 64)
	default:
		if v.CanInt() {
			e.buf = strconv.AppendInt(e.buf, v.Int(), 10)
		} else {
			e.buf = strconv.AppendUint(e.buf, v.Uint(), 10)
		}
	}
	return nil
}

func (e *encoder) structure(v reflect.Value, p *plan, depth int) error {
	e.buf = append(e.buf, '{')
	comma := false
	for i := range p.fields {
		f := &p.fields[i]
		fv, ok := jsonfields.Reach(v, f.Index)
		if !ok || f.Omitted(fv) {
			continue
		}
		if comma {
			e.buf = append(e.buf, ',')
		}
		comma = true
		e.buf = append(e.buf, f.key...)
		var err error
		if f.Quoted != nil {
			err = e.quoted(fv, f)
		} else {
			err = e.reflected(fv, f.plan, depth+1)
		}
		if err != nil {
			return err
		}
	}
	e.buf = append(e.buf, '}')
	return nil
}

// quoted writes a field with the option "string".
func (e *encoder) quoted(v reflect.Value, f *field) error {
	alone := reflect.New(f.Quoted).Elem()
	alone.Field(0).Set(v)
	start := len(e.buf)
	if err := e.standard(alone.Interface()); err != nil {
		return err
	}
	value := e.buf[start+len(`{"f":`) : len(e.buf)-1]
	e.buf = append(e.buf[:start], value...)
	return nil
}

func (e *encoder) mapping(v reflect.Value, p *plan, depth int) error {
	if v.IsNil() {
		return e.value(nil, depth)
	}
	type member struct {
		key   string
		value reflect.Value
	}
	members := make([]member, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		key, err := jsonfields.MapKey(it.Key())
		if err != nil {
			return err
		}
		members = append(members, member{key, it.Value()})
	}
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.key, b.key) })
	e.buf = append(e.buf, '{')
	for i, m := range members {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.buf = jsontext.AppendString(e.buf, m.key)
		e.buf = append(e.buf, ':')
		if err := e.reflected(m.value, p.elem, depth+1); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, '}')
	return nil
}
