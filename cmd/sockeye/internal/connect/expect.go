package connect

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/itchyny/gojq"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// An expectation is an event that has to come: its name; name=JSON, which the
// first argument, or an array of arguments, must contain; or name|filter, a jq
// filter over the arguments that must say true.
type expectation struct {
	text   string
	event  string
	want   any
	wanted bool
	filter *gojq.Code
}

func parseExpectation(text string) (*expectation, error) {
	e := &expectation{text: text, event: text}
	i := strings.IndexAny(text, "=|")
	if i < 0 {
		if text == "" {
			return nil, cli.Usagef("write --expect event, event=JSON or 'event|filter'", "--expect is empty")
		}
		return e, nil
	}
	e.event = text[:i]
	rest := text[i+1:]
	if e.event == "" {
		return nil, cli.Usagef("write --expect event, event=JSON or 'event|filter'", "--expect %q names no event", text)
	}
	if text[i] == '|' {
		var err error
		e.filter, err = compile(rest)
		return e, err
	}
	dec := json.NewDecoder(strings.NewReader(rest))
	if err := dec.Decode(&e.want); err != nil || dec.More() {
		// Words need no quotes here either.
		e.want = rest
	}
	e.wanted = true
	return e, nil
}

func compile(filter string) (*gojq.Code, error) {
	q, err := gojq.Parse(filter)
	if err != nil {
		return nil, cli.Usagef("the language is that of jq: .[0].text == \"hi\"", "filter %q: %v", filter, err)
	}
	code, err := gojq.Compile(q)
	if err != nil {
		return nil, cli.Usagef("the language is that of jq: .[0].text == \"hi\"", "filter %q: %v", filter, err)
	}
	return code, nil
}

// filterTime bounds a filter, which could go on for ever.
const filterTime = time.Second

func (e *expectation) matches(ctx context.Context, event string, args []any) bool {
	if event != e.event {
		return false
	}
	if !e.wanted && e.filter == nil {
		return true
	}
	got, err := plain(args)
	if err != nil {
		return false
	}
	list := got.([]any)
	if e.filter != nil {
		ctx, cancel := context.WithTimeout(ctx, filterTime)
		defer cancel()
		v, ok := e.filter.RunWithContext(ctx, list).Next()
		return ok && v != nil && v != false && !isError(v)
	}
	if contains(list, e.want) {
		return true
	}
	return len(list) > 0 && contains(list[0], e.want)
}

func isError(v any) bool { _, bad := v.(error); return bad }

// plain returns a list as JSON has it: with floats, and objects for bytes.
func plain(list []any) (any, error) {
	if list == nil {
		list = []any{}
	}
	b, err := json.Marshal(wrapBytes(list))
	if err != nil {
		return nil, err
	}
	var v any
	err = json.NewDecoder(bytes.NewReader(b)).Decode(&v)
	return v, err
}

// contains reports whether want is a part of got: an object has its members, an
// array begins with its elements, anything else is equal.
func contains(got, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return false
		}
		for k, w := range want {
			if v, ok := g[k]; !ok || !contains(v, w) {
				return false
			}
		}
		return true
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) < len(want) {
			return false
		}
		for i := range want {
			if !contains(g[i], want[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(got, want)
}

// expectations are what --expect says, all of it.
type expectations struct {
	mu   sync.Mutex
	left []*expectation // guarded by mu
	done chan struct{}  // closed when nothing is left
}

func parseExpectations(texts []string) (*expectations, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	e := &expectations{done: make(chan struct{})}
	for _, text := range texts {
		one, err := parseExpectation(text)
		if err != nil {
			return nil, err
		}
		e.left = append(e.left, one)
	}
	return e, nil
}

// saw takes an event off the first expectation that it meets: two of the same
// need two events.
func (e *expectations) saw(ctx context.Context, event string, args []any) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, one := range e.left {
		if one.matches(ctx, event, args) {
			e.left = append(e.left[:i], e.left[i+1:]...)
			if len(e.left) == 0 {
				close(e.done)
			}
			return
		}
	}
}

// missing is the error of what has not come.
func (e *expectations) missing(within time.Duration) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	texts := make([]string, len(e.left))
	for i, one := range e.left {
		texts[i] = one.text
	}
	return cli.Failf("leave --expect out to see what does come, or raise --within",
		"not seen within %v: %s", within, fmt.Sprintf("%q", texts))
}
