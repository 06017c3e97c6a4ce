package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
)

func Example() {
	Double := socketio.NewEventWithAck[int, int]("double")
	srv := socketio.NewServer(nil)
	Double.Handle(srv, func(_ context.Context, _ *socketio.Socket, n int) (int, error) { return 2 * n, nil })
	hs := httptest.NewServer(srv)
	defer hs.Close()
	defer srv.Close()

	m, err := client.New(hs.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	s := m.Socket("/")
	if err := s.Connect(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(Double.EmitWithAck(context.Background(), s, 21))
	// Output: 42 <nil>
}

func ExampleConnectError() {
	srv := socketio.NewServer(nil)
	srv.Use(func(context.Context, *socketio.Socket) error {
		return &socketio.ConnectError{Message: "who are you?", Data: map[string]int{"retryAfter": 5}}
	})
	hs := httptest.NewServer(srv)
	defer hs.Close()
	defer srv.Close()

	_, err := client.Connect(context.Background(), hs.URL, nil)
	if refused, ok := errors.AsType[*client.ConnectError](err); ok {
		fmt.Println(refused.Message, string(refused.Data))
	}
	// Output: who are you? {"retryAfter":5}
}

func ExampleHandshakeError() {
	hs := httptest.NewServer(nil) // nobody here speaks Socket.IO
	defer hs.Close()
	_, err := client.Connect(context.Background(), hs.URL, nil)
	if failed, ok := errors.AsType[*client.HandshakeError](err); ok {
		fmt.Println(failed.Status)
	}
	// Output: 404
}

func ExampleSocket_Volatile() {
	Moved := socketio.NewEvent[struct{ X, Y float64 }]("moved")
	m, _ := client.New("http://localhost:3000", nil)
	defer m.Close()
	// Not connected: it is dropped, which is no error.
	fmt.Println(Moved.Emit(m.Socket("/").Volatile(), struct{ X, Y float64 }{1, 2}))
	// Output: <nil>
}
