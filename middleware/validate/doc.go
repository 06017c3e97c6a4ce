// Package validate checks what clients send before a handler sees it, and cleans
// it of markup.
//
//	type Said struct {
//		User    string `json:"user" validate:"required,max=32"`
//		Message string `json:"message" validate:"required,max=500" html:"escape"`
//	}
//
//	Say.Handle(srv, validate.Event(func(ctx context.Context, s *socketio.Socket, in Said) error { … }))
//	validate.Protect(srv)
//
// The tags are those of github.com/go-playground/validator; a type may have a
// method Validate() error as well. Lengths of strings are in characters. The tag
// html says what becomes of markup: "escape" turns it into text, "strip" takes it
// out, "ugc" leaves what user-generated content may have.
//
// Events without a Go type have a JSON Schema instead ([Schemas]).
//
// What does not pass is an [*Error], which names the fields as they are on the
// wire. It is the answer to a client that wants an ack; with [Protect] any other
// gets the event "error". It never ends the connection.
package validate
