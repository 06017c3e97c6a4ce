package parser

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// A field is one member of a struct's JSON object, by the rules of
// encoding/json.
type field struct {
	name      string
	key       []byte // as written: `"name":`
	typ       reflect.Type
	index     []int
	tagged    bool
	omitEmpty bool
	omitZero  bool
	// quoted is a struct with this field alone, if the tag asks for a number
	// or a boolean inside of a string: encoding/json then does the quoting.
	quoted reflect.Type
	plan   *plan
}

// fieldsOf lists the fields of a struct. Those of embedded structs count as its
// own; of several with one name the least deep wins, among equals the tagged
// one, and otherwise none.
func fieldsOf(t reflect.Type) []field {
	type level struct {
		typ   reflect.Type
		index []int
	}
	var all []field
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

func fieldOf(sf reflect.StructField, index []int) (field, bool) {
	tag := sf.Tag.Get("json")
	if tag == "-" {
		return field{}, false
	}
	if !sf.IsExported() {
		t := sf.Type
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if !sf.Anonymous || t.Kind() != reflect.Struct {
			return field{}, false
		}
	}
	name, options, _ := strings.Cut(tag, ",")
	f := field{name: name, typ: sf.Type, index: index, tagged: validName(name)}
	if !f.tagged {
		f.name = sf.Name
	}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty":
			f.omitEmpty = true
		case "omitzero":
			f.omitZero = true
		case "string":
			if quotable(sf.Type) {
				f.quoted = reflect.StructOf([]reflect.StructField{{Name: "F", Type: sf.Type, Tag: `json:"f,string"`}})
			}
		}
	}
	f.key = append(appendString(nil, f.name), ':')
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
func dominant(all []field) []field {
	better := func(a, b field) int {
		if c := cmp.Compare(len(a.index), len(b.index)); c != 0 {
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
	byName := map[string][]field{}
	for _, f := range all {
		byName[f.name] = append(byName[f.name], f)
	}
	var out []field
	for _, same := range byName {
		slices.SortStableFunc(same, better)
		if len(same) == 1 || better(same[0], same[1]) < 0 {
			out = append(out, same[0])
		}
	}
	slices.SortFunc(out, func(a, b field) int { return slices.Compare(a.index, b.index) })
	return out
}
