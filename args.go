package socketio

import (
	"fmt"
	"reflect"
	"sync"
)

// Positional, embedded as the first field of a struct, makes each other field
// an argument of its own: JavaScript's emit("move", x, y) is
//
//	type Move struct {
//		socketio.Positional
//		X, Y float64
//	}
type Positional struct{}

// None is the type of an event, or an ack, without arguments.
type None struct{ Positional }

// An argPlan says how a type maps to the arguments of an event.
type argPlan struct {
	typ    reflect.Type
	fields []int // of a Positional struct, in order
	spread bool  // it is one

	boxes sync.Pool // *T, zero, to decode into
}

// decodeArgs decodes the arguments of m into a T. p is that of T.
func decodeArgs[T any](p *argPlan, m *Message) (v T, err error) {
	box, ok := p.boxes.Get().(*T) // a variable of this function's would be allocated at each call
	if !ok {
		box = new(T)
	}
	err = p.decode(m, box)
	v, *box = *box, v // v was zero
	p.boxes.Put(box)
	return v, err
}

var positionalType = reflect.TypeFor[Positional]()

// planFor panics on types that cannot be arguments.
func planFor[T any]() *argPlan {
	t := reflect.TypeFor[T]()
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Uintptr, reflect.Complex64, reflect.Complex128:
		panic(fmt.Sprintf("socketio: %v cannot be sent as an argument", t))
	}
	if t.Kind() != reflect.Struct || t.NumField() == 0 || t.Field(0).Type != positionalType || !t.Field(0).Anonymous {
		return &argPlan{typ: t}
	}
	p := &argPlan{typ: t, spread: true}
	for i := 1; i < t.NumField(); i++ {
		if f := t.Field(i); !f.IsExported() {
			panic(fmt.Sprintf("socketio: %v: field %s of a Positional type is not exported", t, f.Name))
		}
		p.fields = append(p.fields, i)
	}
	return p
}

// encode returns the arguments that v stands for.
func (p *argPlan) encode(v any) []any {
	if !p.spread {
		return []any{v}
	}
	rv := reflect.ValueOf(v)
	args := make([]any, len(p.fields))
	for i, f := range p.fields {
		args[i] = rv.Field(f).Interface()
	}
	return args
}

// decode fills *v, where v is the pointer, from the arguments of m.
func (p *argPlan) decode(m *Message, v any) error {
	if !p.spread {
		return m.Decode(v)
	}
	rv := reflect.ValueOf(v).Elem()
	for i, f := range p.fields {
		if i == m.Len() {
			break
		}
		if err := m.decode(i, rv.Field(f).Addr().Interface()); err != nil {
			return err
		}
	}
	return nil
}
