package validate

import (
	"context"
	"fmt"
	"html"
	"reflect"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"

	"github.com/sockeye-go/socketio"
)

// A Cleaner makes a string harmless in HTML.
type Cleaner func(string) string

// The cleaners, by their names in the tag html. Text that a page shows by
// textContent needs none of them.
var cleaners = map[string]Cleaner{
	"escape": Escape,
	"strip":  Strip,
	"ugc":    UGC,
}

var (
	strict = bluemonday.StrictPolicy()
	ugc    = bluemonday.UGCPolicy()
)

// Escape turns markup into text: < becomes &lt;.
func Escape(s string) string { return html.EscapeString(s) }

// Strip takes markup out, and escapes what is left.
func Strip(s string) string { return strict.Sanitize(s) }

// UGC leaves the markup that user-generated content may have: paragraphs, lists,
// links, images, no script and no style.
func UGC(s string) string { return ugc.Sanitize(s) }

// cleanable remembers which types have html tags anywhere.
var cleanable sync.Map // reflect.Type -> bool

// clean applies the html tags of *v.
func clean(v any) {
	rv := reflect.ValueOf(v).Elem()
	if needsCleaning(rv.Type()) {
		cleanValue(rv)
	}
}

func needsCleaning(t reflect.Type) bool {
	if known, ok := cleanable.Load(t); ok {
		return known.(bool)
	}
	found := hasTag(t, map[reflect.Type]bool{})
	cleanable.Store(t, found)
	return found
}

func hasTag(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return hasTag(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if tag, ok := f.Tag.Lookup("html"); ok {
				if cleaners[tag] == nil {
					panic(fmt.Sprintf("validate: %v.%s: there is no html:%q", t, f.Name, tag))
				}
				return true
			}
			if f.IsExported() && hasTag(f.Type, seen) {
				return true
			}
		}
	}
	return false
}

func cleanValue(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			cleanValue(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			cleanValue(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			copied := reflect.New(v.Type().Elem()).Elem()
			copied.Set(v.MapIndex(key))
			cleanValue(copied)
			v.SetMapIndex(key, copied)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			if tag, ok := f.Tag.Lookup("html"); ok {
				cleanStrings(v.Field(i), cleaners[tag])
				continue
			}
			cleanValue(v.Field(i))
		}
	}
}

// cleanStrings cleans a field that has a tag: a string, or strings.
func cleanStrings(v reflect.Value, f Cleaner) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(f(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			cleanStrings(v.Elem(), f)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			cleanStrings(v.Index(i), f)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			copied := reflect.New(v.Type().Elem()).Elem()
			copied.Set(v.MapIndex(key))
			cleanStrings(copied, f)
			v.SetMapIndex(key, copied)
		}
	}
}

// Clean is event middleware for events without a Go type: it applies f to fields
// of the first argument, each a path such as "author.name". A field that is no
// string, or missing, is left alone.
//
//	srv.UseEvents(validate.Clean("chat message", validate.Escape, "message"))
func Clean(event string, f Cleaner, fields ...string) socketio.EventFunc {
	paths := make([][]string, len(fields))
	for i, field := range fields {
		paths[i] = strings.Split(field, ".")
	}
	return func(_ context.Context, _ *socketio.Socket, m *socketio.Message) error {
		if m.Event() != event || m.Len() == 0 {
			return nil
		}
		args, err := m.Args()
		if err != nil {
			return err
		}
		changed := false
		for _, path := range paths {
			changed = cleanPath(args[0], path, f) || changed
		}
		if !changed {
			return nil
		}
		return m.Replace(args...)
	}
}

func cleanPath(v any, path []string, f Cleaner) (changed bool) {
	object, ok := v.(map[string]any)
	if !ok {
		return false
	}
	next := object[path[0]]
	if len(path) > 1 {
		return cleanPath(next, path[1:], f)
	}
	text, ok := next.(string)
	if !ok {
		return false
	}
	cleaned := f(text)
	object[path[0]] = cleaned
	return cleaned != text
}
