package msgpack

import (
	"encoding"
	"encoding/json"
	"reflect"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/internal/jsonfields"
)

// A mode is how a type is written or read.
type mode uint8

const (
	modeNone      mode = iota // not at all
	modeOwn                   // it has a form of its own, in JSON or in text
	modeScalar                // a string, number or boolean
	modeTime                  // is time.Time
	modeBytes                 // is a []byte
	modeInterface             // what is in it decides
	modePointer
	modeStruct
	modeMap
	modeList // slice or array
)

// A plan says how to treat a type. It is made once per type, and immutable.
type plan struct {
	mode   mode
	elem   *plan
	fields []field
	byName map[string]int
}

type field struct {
	jsonfields.Field
	key  []byte // the name as it is written
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
	timeType        = reflect.TypeFor[time.Time]()
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
	switch {
	case t == timeType:
		p.mode = modeTime
		return p
	case t == numberType:
		p.mode = modeOwn
		return p
	case t.Kind() == reflect.Pointer:
		// Before its methods: those of nil are not called, and those of what
		// it points to are found there.
		p.mode, p.elem = modePointer, b.plan(t.Elem())
		return p
	case t.Kind() != reflect.Interface && (ownForm(t, b.dir) || ownForm(reflect.PointerTo(t), b.dir)):
		p.mode = modeOwn
		return p
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		p.mode = modeScalar
	case reflect.Interface:
		p.mode = modeInterface
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
			p.fields = append(p.fields, field{Field: f, key: AppendString(nil, f.Name), plan: b.plan(f.Type)})
			p.byName[f.Name] = i
		}
	}
	return p
}

// ownForm reports whether the methods of t decide what it looks like.
func ownForm(t reflect.Type, dir direction) bool {
	if t == numberType {
		return true
	}
	if dir == marshaling {
		return t.Implements(jsonMarshaler) || t.Implements(textMarshaler)
	}
	return t.Implements(jsonUnmarshaler) || t.Implements(textUnmarshaler)
}

// isBytes reports whether encoding/json would write the type in base64.
func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 &&
		!ownForm(reflect.PointerTo(t.Elem()), marshaling)
}
