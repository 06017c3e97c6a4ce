package parser

import (
	"reflect"

	"github.com/sockeye-go/socketio/internal/jsonfields"
)

func (d *decoder) mapping(v reflect.Value, p *plan, depth int) error {
	switch d.peek() {
	case 'n':
		return d.null(v)
	case '{':
		if err := d.notBinary(v); err != nil {
			return err
		}
	default:
		return d.mismatch(v)
	}
	t := v.Type()
	if v.IsNil() {
		v.Set(reflect.MakeMap(t))
	}
	for more := d.enter(); more; {
		key, err := d.key()
		if err != nil {
			return err
		}
		elem := reflect.New(t.Elem()).Elem()
		if err := d.value(elem, p.elem, depth+1); err != nil {
			return inField(err, t, string(key))
		}
		k, err := jsonfields.KeyOf(t.Key(), string(key))
		if err != nil {
			return err
		}
		v.SetMapIndex(k, elem)
		if more, err = d.next('}'); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) list(v reflect.Value, p *plan, depth int) error {
	switch d.peek() {
	case 'n':
		if v.Kind() == reflect.Array {
			_, err := d.take()
			return err
		}
		return d.null(v)
	case '[':
	default:
		return d.mismatch(v)
	}
	slice := v.Kind() == reflect.Slice
	if slice {
		v.Set(reflect.Zero(v.Type()))
	}
	n := 0
	for more := d.enter(); more; n++ {
		var err error
		switch {
		case slice:
			if n == v.Cap() {
				v.Grow(1)
			}
			v.SetLen(n + 1)
			err = d.value(v.Index(n), p.elem, depth+1)
		case n < v.Len():
			err = d.value(v.Index(n), p.elem, depth+1)
		default:
			_, err = d.take()
		}
		if err != nil {
			return err
		}
		if more, err = d.next(']'); err != nil {
			return err
		}
	}
	if slice && n == 0 {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0)) // empty, not nil
	}
	for ; !slice && n < v.Len(); n++ {
		v.Index(n).SetZero()
	}
	return nil
}
