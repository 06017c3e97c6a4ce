// Package jsonfields says which members a Go struct has as a JSON object, and what
// its tags ask of them, by the rules of encoding/json. Each codec of this module
// goes by them, so that changing the codec does not change the meaning of a type.
package jsonfields

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// A Field is one member of a struct's JSON object.
type Field struct {
	Name      string
	Type      reflect.Type
	Index     []int // for [Reach]
	OmitEmpty bool
	OmitZero  bool
	// Quoted is a struct with this field alone, if the tag asks for a number
	// or a boolean inside of a string: encoding/json then does the quoting, as
	// {"f":"1"}.
	Quoted reflect.Type

	tagged bool
}

// Of lists the fields of a struct. Those of embedded structs count as its
// own; of several with one name the least deep wins, among equals the tagged
// one, and otherwise none.
func Of(t reflect.Type) []Field {
	type level struct {
		typ   reflect.Type
		index []int
	}
	var all []Field
	seen := map[reflect.Type]bool{}
	for now := []level{{typ: t}}; len(now) > 0; {
		var next []level
		// A struct embedded twice on one level hides its own fields.
		times := map[reflect.Type]int{}
		for _, l := range now {
			times[l.typ]++
		}
		for _, l := range now {
			if seen[l.typ] {
				continue
			}
			for i := range l.typ.NumField() {
				sf := l.typ.Field(i)
				index := append(slices.Clone(l.index), i)
				if inner := embedded(sf); inner != nil {
					next = append(next, level{inner, index})
					continue
				}
				f, ok := fieldOf(sf, index)
				if !ok {
					continue
				}
				all = append(all, f)
				if times[l.typ] > 1 {
					all = append(all, f)
				}
			}
		}
		for _, l := range now {
			seen[l.typ] = true
		}
		now = next
	}
	return dominant(all)
}

// embedded returns the struct whose fields take the place of sf.
func embedded(sf reflect.StructField) reflect.Type {
	tag := sf.Tag.Get("json")
	name, _, _ := strings.Cut(tag, ",")
	if !sf.Anonymous || tag == "-" || validName(name) {
		return nil
	}
	t := sf.Type
	if t.Name() == "" && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	return t
}

func fieldOf(sf reflect.StructField, index []int) (Field, bool) {
	tag := sf.Tag.Get("json")
	if tag == "-" {
		return Field{}, false
	}
	if !sf.IsExported() {
		t := sf.Type
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if !sf.Anonymous || t.Kind() != reflect.Struct {
			return Field{}, false
		}
	}
	name, options, _ := strings.Cut(tag, ",")
	f := Field{Name: name, Type: sf.Type, Index: index, tagged: validName(name)}
	if !f.tagged {
		f.Name = sf.Name
	}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty":
			f.OmitEmpty = true
		case "omitzero":
			f.OmitZero = true
		case "string":
			if quotable(sf.Type) {
				f.Quoted = reflect.StructOf([]reflect.StructField{{Name: "F", Type: sf.Type, Tag: `json:"f,string"`}})
			}
		}
	}
	return f, true
}

func quotable(t reflect.Type) bool {
	if t.Name() == "" && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch k := t.Kind(); k {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64:
		return true
	default:
		return reflect.Int <= k && k <= reflect.Uintptr
	}
}

func validName(s string) bool {
	for _, c := range s {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) && !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return false
		}
	}
	return s != ""
}

// dominant resolves names that are taken more than once.
func dominant(all []Field) []Field {
	better := func(a, b Field) int {
		if c := cmp.Compare(len(a.Index), len(b.Index)); c != 0 {
			return c
		}
		if a.tagged != b.tagged {
			if a.tagged {
				return -1
			}
			return 1
		}
		return 0
	}
	byName := map[string][]Field{}
	for _, f := range all {
		byName[f.Name] = append(byName[f.Name], f)
	}
	var out []Field
	for _, same := range byName {
		slices.SortStableFunc(same, better)
		if len(same) == 1 || better(same[0], same[1]) < 0 {
			out = append(out, same[0])
		}
	}
	slices.SortFunc(out, func(a, b Field) int { return slices.Compare(a.Index, b.Index) })
	return out
}
