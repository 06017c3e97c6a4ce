package jsonfields

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
)

// Reach is FieldByIndex that stops at a nil pointer.
func Reach(v reflect.Value, index []int) (reflect.Value, bool) {
	for _, i := range index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, true
}

// Omitted reports whether the tag leaves a field out that has the value v.
func (f *Field) Omitted(v reflect.Value) bool {
	return f.OmitEmpty && isEmpty(v) || f.OmitZero && isZero(v)
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

func isZero(v reflect.Value) bool {
	if v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return true
		}
	} else if v.CanAddr() {
		if z, ok := v.Addr().Interface().(interface{ IsZero() bool }); ok {
			return z.IsZero()
		}
	}
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok {
		return z.IsZero()
	}
	return v.IsZero()
}

// MapKey returns the name of a member that a map key stands for.
func MapKey(k reflect.Value) (string, error) {
	if k.Kind() == reflect.String {
		return k.String(), nil
	}
	if m, ok := k.Interface().(encoding.TextMarshaler); ok {
		if k.Kind() == reflect.Pointer && k.IsNil() {
			return "", nil
		}
		text, err := m.MarshalText()
		return string(text), err
	}
	switch {
	case k.CanInt():
		return strconv.FormatInt(k.Int(), 10), nil
	case k.CanUint():
		return strconv.FormatUint(k.Uint(), 10), nil
	}
	return "", &json.UnsupportedTypeError{Type: k.Type()}
}

// KeyOf makes a map key of a name.
func KeyOf(t reflect.Type, name string) (reflect.Value, error) {
	k := reflect.New(t)
	if u, ok := k.Interface().(encoding.TextUnmarshaler); ok {
		return k.Elem(), u.UnmarshalText([]byte(name))
	}
	k = k.Elem()
	wrong := &json.UnmarshalTypeError{Value: "object key " + strconv.Quote(name), Type: t}
	switch {
	case k.Kind() == reflect.String:
		k.SetString(name)
	case k.CanInt():
		n, err := strconv.ParseInt(name, 10, 64)
		if err != nil || k.OverflowInt(n) {
			return k, wrong
		}
		k.SetInt(n)
	case k.CanUint():
		n, err := strconv.ParseUint(name, 10, 64)
		if err != nil || k.OverflowUint(n) {
			return k, wrong
		}
		k.SetUint(n)
	default:
		return k, wrong
	}
	return k, nil
}

// Settle is FieldByIndex that makes what a nil pointer on the way lacks.
func Settle(v reflect.Value, index []int) (reflect.Value, error) {
	for _, i := range index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !v.CanSet() {
					return v, fmt.Errorf("json: cannot set embedded pointer to unexported struct: %v", v.Type().Elem())
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, nil
}

// Unquote reads a field with the option "string" from an object {"f":...}.
func Unquote(object []byte, f *Field, v reflect.Value) error {
	alone := reflect.New(f.Quoted)
	alone.Elem().Field(0).Set(v)
	err := json.Unmarshal(object, alone.Interface())
	v.Set(alone.Elem().Field(0))
	return err
}

// Path is the path of an error within the member name; rest may be "".
func Path(name, rest string) string {
	if rest == "" {
		return name
	}
	return name + "." + rest
}
