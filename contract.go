package socketio

import (
	"io"

	"github.com/sockeye-go/socketio/internal/typescript"
)

// A Contract lists which side sends which event. [Contract.WriteTypeScript] makes of
// it the two interfaces that socket.io-client takes as type parameters:
//
//	var Events = socketio.Contract{
//		ClientToServer: []socketio.AnyEvent{Join, Say},
//		ServerToClient: []socketio.AnyEvent{Said},
//	}
//
// The command sockeye gen writes them from a variable such as this one.
type Contract struct {
	ClientToServer, ServerToClient []AnyEvent
}

// AnyEvent is an [Event] or an [EventWithAck].
type AnyEvent interface {
	Name() string
	// plans returns how the arguments are written, and the answer; nil if none is
	// wanted.
	plans() (args, ack *argPlan)
}

func (e Event[T]) plans() (args, ack *argPlan)           { return e.args, nil }
func (e EventWithAck[T, A]) plans() (args, ack *argPlan) { return e.event.args, e.ack }

// WriteTypeScript writes the interfaces ClientToServerEvents and
// ServerToClientEvents, and those of the structs in them, in the order of c. They say
// what the values are as JSON: a [time.Time] is a string, a type that encodes itself
// is unknown. That a nil slice or map is null on the wire they do not say: send an
// empty one. An answer to a client may be an error in its place, as
// [DefaultAckErrors] sends it.
//
// It returns the error of w.
func (c Contract) WriteTypeScript(w io.Writer) error {
	var ts typescript.Writer
	ts.Interface("ClientToServerEvents", typescriptEvents(c.ClientToServer, "{ error: AckError }"), typescript.Sent)
	ts.Interface("ServerToClientEvents", typescriptEvents(c.ServerToClient, ""), typescript.Received)
	_, err := io.WriteString(w, "/** What may come in place of an answer. */\n"+
		"export interface AckError {\n  code: string;\n  message: string;\n  data?: unknown;\n}\n"+ts.String())
	return err
}

func typescriptEvents(events []AnyEvent, failure string) []typescript.Event {
	var list []typescript.Event
	for _, e := range events {
		args, ack := e.plans()
		t := typescript.Event{Name: e.Name(), Args: args.typescript("arg")}
		if ack != nil {
			t.HasAck, t.Ack, t.Error = true, ack.typescript("reply"), failure
		}
		list = append(list, t)
	}
	return list
}

func (p *argPlan) typescript(name string) []typescript.Arg {
	if !p.spread {
		return []typescript.Arg{{Name: name, Type: p.typ}}
	}
	var list []typescript.Arg
	for _, i := range p.fields {
		f := p.typ.Field(i)
		list = append(list, typescript.Arg{Name: f.Name, Type: f.Type})
	}
	return list
}

var _, _ AnyEvent = Event[None]{}, EventWithAck[None, None]{}
