package validate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sockeye-go/socketio"
)

// noLoader keeps schemas from naming others elsewhere: nothing is fetched.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) { return nil, fmt.Errorf("%s is not here", url) }

// Schemas is event middleware that holds the first argument of events to a JSON
// Schema each, by the name of the event. An event that has none passes. Binary
// data is the object {"_placeholder": true, "num": n} to a schema. Schemas panics
// on one that is none.
//
//	srv.UseEvents(validate.Schemas(map[string]string{
//		"move": `{"type": "object", "required": ["x", "y"], "properties": {"x": {"type": "number"}, …}}`,
//	}))
func Schemas(byEvent map[string]string) socketio.EventFunc {
	compiled := make(map[string]*jsonschema.Schema, len(byEvent))
	for event, text := range byEvent {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			panic(fmt.Sprintf("validate: Schemas: %q: %v", event, err))
		}
		c := jsonschema.NewCompiler()
		c.UseLoader(noLoader{})
		const name = "event.json"
		if err := c.AddResource(name, document); err != nil {
			panic(fmt.Sprintf("validate: Schemas: %q: %v", event, err))
		}
		if compiled[event], err = c.Compile(name); err != nil {
			panic(fmt.Sprintf("validate: Schemas: %q: %v", event, err))
		}
	}
	return func(_ context.Context, _ *socketio.Socket, m *socketio.Message) error {
		schema := compiled[m.Event()]
		if schema == nil {
			return nil
		}
		if m.Len() == 0 {
			return &Error{Event: m.Event(), Fields: []FieldError{{Rule: "required", Message: "the argument is missing"}}}
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(m.Raw(0)))
		if err != nil {
			return err
		}
		if err := schema.Validate(value); err != nil {
			return schemaError(m.Event(), err)
		}
		return nil
	}
}

// maxFields is how many fields an answer names: an array of a thousand bad items
// is not answered by a thousand lines.
const maxFields = 10

func schemaError(event string, err error) error {
	broken, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return err
	}
	e := &Error{Event: event}
	var collect func(*jsonschema.ValidationError)
	collect = func(b *jsonschema.ValidationError) {
		if len(e.Fields) == maxFields {
			return
		}
		if len(b.Causes) == 0 {
			unit := b.BasicOutput()
			text := "does not satisfy the schema"
			if unit.Error != nil {
				text = unit.Error.String()
			}
			e.Fields = append(e.Fields, FieldError{Field: strings.Join(b.InstanceLocation, "."), Rule: "schema", Message: text})
		}
		for _, c := range b.Causes {
			collect(c)
		}
	}
	collect(broken)
	return e
}
