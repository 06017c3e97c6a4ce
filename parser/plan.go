package parser

import (
	"encoding"
	"encoding/json"
	"reflect"
	"sync"

	"github.com/sockeye-go/socketio/internal/jsonfields"
	"github.com/sockeye-go/socketio/internal/jsontext"
)

// A mode is how a type is written or read.
type mode uint8

const (
	modeStd       mode = iota // left to encoding/json, which has rules of its own for it
	modeScalar                // a string, number or boolean
	modeAddress               // has a marshaler with a pointer receiver
	modeBytes                 // is a []byte
	modeInterface             // may hold one
	modePointer
	modeStruct
	modeMap
	modeList // slice or array
)

// A plan says how to treat a type. It is made once per type, and immutable.
type plan struct {
	mode   mode
	std    bool // encoding/json would write the same
	elem   *plan
	fields []field
	byName map[string]int
}

// A field is a member of a struct.
type field struct {
	jsonfields.Field
	key  []byte // as written: `"name":`
	plan *plan
}

// A direction chooses between the two interfaces by which a type has a form of
// its own.
type direction uint8

const (
	marshaling direction = iota
	unmarshaling
)

var (
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	numberType      = reflect.TypeFor[json.Number]()
)

var plans [2]sync.Map // by direction: reflect.Type to *plan

func encodePlan(t reflect.Type) *plan { return planOf(t, marshaling) }
func decodePlan(t reflect.Type) *plan { return planOf(t, unmarshaling) }

func planOf(t reflect.Type, dir direction) *plan {
	if p, ok := plans[dir].Load(t); ok {
		return p.(*plan)
	}
	// Types may refer to themselves, so a plan is published only when all
	// that it refers to is complete.
	b := planner{dir: dir, made: map[reflect.Type]*plan{}}
	p, _ := plans[dir].LoadOrStore(t, b.plan(t))
	return p.(*plan)
}

type planner struct {
	dir  direction
	made map[reflect.Type]*plan
}

func (b *planner) plan(t reflect.Type) *plan {
	if p := b.made[t]; p != nil {
		return p
	}
	p := new(plan)
	b.made[t] = p
	if ownForm(t, b.dir) {
		return p
	}
	if b.dir == marshaling && ownForm(reflect.PointerTo(t), b.dir) {
		p.mode = modeAddress
		return p
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if t != numberType {
			p.mode = modeScalar
		}
		return p
	}
	if b.dir == marshaling && !mayHoldBytes(t, map[reflect.Type]bool{}) {
		if !plain(t, map[reflect.Type]bool{}) {
			return p
		}
		p.std = true
	}
	switch t.Kind() {
	case reflect.Interface:
		p.mode = modeInterface
	case reflect.Pointer:
		p.mode, p.elem = modePointer, b.plan(t.Elem())
	case reflect.Map:
		p.mode, p.elem = modeMap, b.plan(t.Elem())
	case reflect.Slice, reflect.Array:
		if isBytes(t) {
			p.mode = modeBytes
		} else {
			p.mode, p.elem = modeList, b.plan(t.Elem())
		}
	case reflect.Struct:
		p.mode, p.byName = modeStruct, map[string]int{}
		for i, f := range jsonfields.Of(t) {
			p.fields = append(p.fields, field{Field: f, key: append(jsontext.AppendString(nil, f.Name), ':'), plan: b.plan(f.Type)})
			p.byName[f.Name] = i
		}
	}
	return p
}

// ownForm reports whether a type decides itself what it looks like.
func ownForm(t reflect.Type, dir direction) bool {
	if dir == marshaling {
		return t.Implements(jsonMarshaler) || t.Implements(textMarshaler)
	}
	if t.Kind() != reflect.Pointer {
		t = reflect.PointerTo(t)
	}
	return t.Implements(jsonUnmarshaler) || t.Implements(textUnmarshaler)
}

// plain reports whether all that can be reached from t is written here as
// encoding/json does. It passes over methods of a pointer where it has the value
// alone, which is left to it.
func plain(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || ownForm(t, marshaling) {
		return true
	}
	if ownForm(reflect.PointerTo(t), marshaling) {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Map:
		key := t.Key().Kind()
		named := key == reflect.String || reflect.Int <= key && key <= reflect.Uint64 || t.Key().Implements(textMarshaler)
		return named && plain(t.Elem(), seen)
	case reflect.Slice, reflect.Array, reflect.Pointer:
		return plain(t.Elem(), seen)
	case reflect.Struct:
		for _, f := range jsonfields.Of(t) {
			if !plain(f.Type, seen) {
				return false
			}
		}
	}
	return true
}

// isBytes reports whether encoding/json would write the type in base64.
func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 &&
		!ownForm(reflect.PointerTo(t.Elem()), marshaling)
}

// mayHoldBytes looks for a []byte, or an interface that may hold one, in
// whatever can be reached from t.
func mayHoldBytes(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || ownForm(t, marshaling) {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Slice, reflect.Array, reflect.Pointer, reflect.Map:
		return isBytes(t) || mayHoldBytes(t.Elem(), seen)
	case reflect.Struct:
		for _, f := range jsonfields.Of(t) {
			if mayHoldBytes(f.Type, seen) {
				return true
			}
		}
	}
	return false
}
