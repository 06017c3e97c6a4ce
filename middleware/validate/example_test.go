package validate_test

import (
	"context"
	"fmt"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/middleware/validate"
)

// A ChatMessage says itself what it may be.
type ChatMessage struct {
	User    string `json:"user" validate:"required,max=32" html:"strip"`
	Message string `json:"message" validate:"required,max=500" html:"escape"`
}

var Chat = socketio.NewEvent[ChatMessage]("chat message")

func Example() {
	srv := socketio.NewServer(nil)
	validate.Protect(srv)
	Chat.Handle(srv, validate.Event(func(ctx context.Context, s *socketio.Socket, in ChatMessage) error {
		return Chat.Emit(srv, in) // nothing in it can hurt a page now
	}))
}

func ExampleCheck() {
	in := ChatMessage{User: "<b>Ada</b>", Message: "1 < 2"}
	fmt.Println(validate.Check(&in), in)
	fmt.Println(validate.Check(&ChatMessage{Message: "who am I?"}))
	// Output:
	// <nil> {Ada 1 &lt; 2}
	// user: is missing
}
