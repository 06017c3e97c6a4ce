// Package typescript writes Go types as TypeScript: as what they are once they have
// been through JSON.
package typescript

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/sockeye-go/socketio/internal/jsonfields"
)

// An Event is one member of an interface of events.
type Event struct {
	Name   string
	Args   []Arg
	HasAck bool
	Ack    []Arg
	Error  string // the type that may come in place of the answer, if any
}

// An Arg is an argument of an event or of an answer.
type Arg struct {
	Name string
	Type reflect.Type
}

// A Direction is where bytes go: a browser sends more kinds than it receives.
type Direction int

const (
	Sent Direction = iota
	Received
)

// A Writer collects interfaces of events and the types they need. The zero Writer is
// ready for use.
type Writer struct {
	events strings.Builder
	types  []string // declarations, in the order in which they are needed
	names  map[use]string
	taken  map[string]bool
	bytes  [2]bool // which directions have any
}

// A use is a type in a direction; where there are no bytes, both are Sent.
type use struct {
	reflect.Type
	Direction
}

// Interface adds an interface of events, each of which goes in the direction dir;
// answers go in the other.
func (w *Writer) Interface(name string, events []Event, dir Direction) {
	w.take(name)
	fmt.Fprintf(&w.events, "export interface %s {\n", name)
	for _, e := range events {
		params := w.params(e.Args, dir)
		if e.HasAck {
			answer := w.params(e.Ack, 1-dir)
			if e.Error != "" {
				if len(answer) == 0 {
					answer = []string{"reply?: " + e.Error}
				} else {
					answer[0] += " | " + e.Error
				}
			}
			params = append(params, "ack: ("+strings.Join(answer, ", ")+") => void")
		}
		fmt.Fprintf(&w.events, "  %s: (%s) => void;\n", quote(e.Name), strings.Join(params, ", "))
	}
	w.events.WriteString("}\n")
}

// String returns all that was added, the types first.
func (w *Writer) String() string {
	var b strings.Builder
	if w.bytes[Received] {
		b.WriteString("/** Bytes as a browser gets them; in Node they are a Buffer. */\nexport type Bytes = ArrayBuffer;\n")
	}
	if w.bytes[Sent] {
		b.WriteString("/** Bytes as they may be sent. */\nexport type BytesToSend = ArrayBuffer | ArrayBufferView | Blob;\n")
	}
	for _, t := range w.types {
		b.WriteString(t)
	}
	b.WriteString(w.events.String())
	return b.String()
}

func (w *Writer) params(args []Arg, dir Direction) []string {
	var list []string
	for _, a := range args {
		list = append(list, identifier(a.Name)+": "+w.typeOf(a.Type, dir))
	}
	return list
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	timeType      = reflect.TypeFor[time.Time]()
	numberType    = reflect.TypeFor[json.Number]()
)

// has reports whether t, or a pointer to it, has the methods of an interface.
func has(t, methods reflect.Type) bool {
	return t.Implements(methods) || t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(methods)
}

func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && !has(t, jsonMarshaler) && !has(t, textMarshaler)
}

// typeOf returns t as a type expression, and declares what it names.
func (w *Writer) typeOf(t reflect.Type, dir Direction) string {
	switch {
	case t == timeType:
		return "string"
	case t == numberType:
		return "number"
	case t.Kind() == reflect.Pointer:
		return w.typeOf(t.Elem(), dir) + " | null"
	case has(t, jsonMarshaler):
		return "unknown" // its form is its own
	case has(t, textMarshaler):
		return "string"
	case isBytes(t):
		w.bytes[dir] = true
		return [...]string{"BytesToSend", "Bytes"}[dir]
	}
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return "number"
	case reflect.Slice, reflect.Array:
		elem := w.typeOf(t.Elem(), dir)
		if strings.ContainsAny(elem, "| ") {
			elem = "(" + elem + ")"
		}
		return elem + "[]"
	case reflect.Map:
		return "{ [key: string]: " + w.typeOf(t.Elem(), dir) + " }"
	case reflect.Struct:
		if t.Name() == "" {
			return w.object(t, dir, " ", " ")
		}
		return w.named(t, dir)
	}
	return "unknown"
}

// named declares a struct with a name, once for each direction that matters.
func (w *Writer) named(t reflect.Type, dir Direction) string {
	key := use{t, dir}
	suffix := ""
	if !holdsBytes(t, map[reflect.Type]bool{}) {
		key.Direction = Sent
	} else if dir == Sent {
		suffix = "ToSend"
	}
	if name, ok := w.names[key]; ok {
		return name
	}
	if w.names == nil {
		w.names = map[use]string{}
	}
	name := w.take(strings.Map(func(r rune) rune {
		if strings.ContainsRune("[]./*·", r) {
			return '_' // of a generic type
		}
		return r
	}, t.Name()) + suffix)
	w.names[key] = name // before its members, which may name it
	at := len(w.types)
	w.types = append(w.types, "")
	w.types[at] = "export interface " + name + " " + w.object(t, dir, "\n  ", "\n") + "\n"
	return name
}

// object writes the members of a struct with a separator before each and an end.
func (w *Writer) object(t reflect.Type, dir Direction, before, end string) string {
	fields := jsonfields.Of(t)
	if len(fields) == 0 {
		return "{}"
	}
	var b strings.Builder
	b.WriteString("{")
	for _, f := range fields {
		typ, optional := w.typeOf(f.Type, dir), ""
		if f.Quoted != nil {
			typ = "string"
		}
		if f.OmitEmpty || f.OmitZero {
			optional = "?"
			typ = strings.TrimSuffix(typ, " | null") // nil is left out
		}
		fmt.Fprintf(&b, "%s%s%s: %s;", before, member(f.Name), optional, typ)
	}
	b.WriteString(end + "}")
	return b.String()
}

// take reserves a name, or one with a number if it is taken.
func (w *Writer) take(name string) string {
	if w.taken == nil {
		w.taken = map[string]bool{"Bytes": true, "BytesToSend": true, "AckError": true}
	}
	free := name
	for n := 2; w.taken[free]; n++ {
		free = name + strconv.Itoa(n)
	}
	w.taken[free] = true
	return free
}

func holdsBytes(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || has(t, jsonMarshaler) || has(t, textMarshaler) {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Slice, reflect.Array, reflect.Pointer, reflect.Map:
		return isBytes(t) || holdsBytes(t.Elem(), seen)
	case reflect.Struct:
		for _, f := range jsonfields.Of(t) {
			if holdsBytes(f.Type, seen) {
				return true
			}
		}
	}
	return false
}

// quote writes s as a string literal.
func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// member writes the name of a member, quoted where it has to be.
func member(name string) string {
	if isIdentifier(name) {
		return name
	}
	return quote(name)
}

func isIdentifier(s string) bool {
	for i, r := range s {
		letter := r == '_' || r == '$' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// reserved may not be the name of a parameter.
var reserved = map[string]bool{}

func init() {
	for _, word := range strings.Fields(`arguments await break case catch class const continue debugger default delete do
		else enum eval export extends false finally for function if implements import in instanceof interface let new null package
		private protected public return static super switch this throw true try typeof var void while with yield`) {
		reserved[word] = true
	}
}

// identifier makes the name of a parameter of that of a Go field.
func identifier(name string) string {
	if upper := strings.ToUpper(name); upper == name {
		name = strings.ToLower(name) // ID, X
	} else {
		name = strings.ToLower(name[:1]) + name[1:]
	}
	if !isIdentifier(name) {
		return "arg"
	}
	if reserved[name] {
		return name + "_"
	}
	return name
}
