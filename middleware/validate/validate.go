package validate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/go-playground/validator/v10"

	"github.com/sockeye-go/socketio"
)

// A FieldError says what is wrong with one field.
type FieldError struct {
	// Field is the path to it, in the names of the wire: "author.name", "tags[2]".
	// It is "" for the argument itself.
	Field string `json:"field"`
	// Rule is the tag that does not hold, such as "max", or "schema" or "type".
	Rule string `json:"rule"`
	// Message says it in words.
	Message string `json:"message"`
}

// An Error is an event that was refused. In an ack it is
// {"error": {code: "invalid", message, data: [fields]}}.
type Error struct {
	Event  string // "" where it is not known
	Fields []FieldError
}

func (e *Error) Error() string {
	texts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		texts[i] = strings.TrimPrefix(f.Field+": "+f.Message, ": ")
	}
	return strings.Join(texts, "; ")
}

// Unwrap makes it what [socketio.DefaultAckErrors] sends as it is.
func (e *Error) Unwrap() error {
	return &socketio.AckError{Code: "invalid", Message: e.Error(), Data: e.Fields}
}

// rules is safe for concurrent use, and caches what it learns of types.
var rules = newRules()

func newRules() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			return name
		}
		return f.Name
	})
	return v
}

// Rules returns the validator of this package, to register tags of one's own
// with. Do so before clients come.
func Rules() *validator.Validate { return rules }

// Check cleans *v by its html tags, and validates it by its tags and by its
// Validate method. The error is an [*Error], unless Validate returns another.
func Check[T any](v *T) error {
	clean(v)
	if err := checkTags(v); err != nil {
		return err
	}
	if own, ok := any(v).(interface{ Validate() error }); ok {
		err := own.Validate()
		if err == nil {
			return nil
		}
		if _, ok := errors.AsType[*socketio.AckError](err); ok {
			return err
		}
		if field, ok := errors.AsType[FieldError](err); ok {
			return &Error{Fields: []FieldError{field}}
		}
		return &Error{Fields: []FieldError{{Rule: "validate", Message: err.Error()}}}
	}
	return nil
}

// Error makes a FieldError what a Validate method can return to name a field.
func (f FieldError) Error() string { return f.Field + ": " + f.Message }

func checkTags(v any) error {
	rv := reflect.ValueOf(v).Elem()
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	var err error
	switch rv.Kind() {
	case reflect.Struct:
		err = rules.Struct(rv.Interface())
	case reflect.Slice, reflect.Array, reflect.Map:
		if !hasStructs(rv.Type()) {
			return nil
		}
		err = rules.Var(rv.Interface(), "dive")
	default:
		return nil
	}
	if err == nil {
		return nil
	}
	broken, ok := errors.AsType[validator.ValidationErrors](err)
	if !ok {
		return err
	}
	e := new(Error)
	for _, b := range broken {
		_, field, found := strings.Cut(b.Namespace(), ".") // the name of the type is the first part
		if !found {
			field = b.Namespace()
		}
		e.Fields = append(e.Fields, FieldError{Field: field, Rule: b.Tag(), Message: describe(b)})
	}
	return e
}

func hasStructs(t reflect.Type) bool {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct
}

// describe says in words what the common rules want.
func describe(b validator.FieldError) string {
	unit := ""
	switch b.Kind() {
	case reflect.String:
		unit = " characters long"
	case reflect.Slice, reflect.Array, reflect.Map:
		unit = " long"
	}
	switch b.Tag() {
	case "required":
		return "is missing"
	case "max", "lte":
		return "must be at most " + b.Param() + unit
	case "min", "gte":
		return "must be at least " + b.Param() + unit
	case "lt":
		return "must be less than " + b.Param() + unit
	case "gt":
		return "must be more than " + b.Param() + unit
	case "len":
		return "must be " + b.Param() + unit
	case "oneof":
		return "must be one of " + strings.Join(strings.Fields(b.Param()), ", ")
	case "email", "url", "uri", "uuid", "ip", "hostname", "alphanum", "alpha", "numeric":
		return "is no " + b.Tag()
	}
	return strings.TrimSpace("must satisfy " + b.Tag() + " " + b.Param())
}

// Event wraps the handler of an event: it runs only for what passes [Check].
func Event[T any](h func(context.Context, *socketio.Socket, T) error) func(context.Context, *socketio.Socket, T) error {
	return func(ctx context.Context, s *socketio.Socket, v T) error {
		if err := Check(&v); err != nil {
			return err
		}
		return h(ctx, s, v)
	}
}

// EventWithAck wraps the handler of an event with an ack.
func EventWithAck[T, A any](h func(context.Context, *socketio.Socket, T) (A, error)) func(context.Context, *socketio.Socket, T) (A, error) {
	return func(ctx context.Context, s *socketio.Socket, v T) (A, error) {
		if err := Check(&v); err != nil {
			var none A
			return none, err
		}
		return h(ctx, s, v)
	}
}

// A Refused is the argument of the "error" event.
type Refused struct {
	Code    string       `json:"code"` // "invalid" or "bad_arguments"
	Message string       `json:"message"`
	Event   string       `json:"event"`
	Fields  []FieldError `json:"fields"`
}

var trouble = socketio.NewEvent[Refused]("error")

// A Namespace is what [Protect] takes: a server, a namespace or a parent of
// dynamic namespaces.
type Namespace interface {
	UseEvents(socketio.EventFunc)
}

// Protect tells a client by the event "error" of what was refused and had no ack
// to say so: an [*Error], or arguments that do not fit the type of the event. The
// errors are reported to OnError as well, as those of any handler.
func Protect(n Namespace) {
	n.UseEvents(func(_ context.Context, s *socketio.Socket, m *socketio.Message) error {
		if m.WantsAck() {
			return nil
		}
		m.OnHandled(func(err error) {
			if err == nil {
				return
			}
			if e, ok := errors.AsType[*Error](err); ok {
				_ = trouble.Emit(s, Refused{"invalid", e.Error(), m.Event(), e.Fields})
			} else if e, ok := errors.AsType[*socketio.ArgumentError](err); ok {
				field := FieldError{Field: e.Field(), Rule: "type", Message: fmt.Sprintf("argument %d is not of the right type", e.Index)}
				_ = trouble.Emit(s, Refused{"bad_arguments", field.Message, m.Event(), []FieldError{field}})
			}
		})
		return nil
	})
}
