package main

import (
	"context"
	"log"
	"net/http"

	"github.com/sockeye-go/socketio"
)

type Said struct{ From, Text string }

var (
	Say  = socketio.NewEvent[Said]("chat message")
	Join = socketio.NewEventWithAck[string, int]("join") // a room; the answer is how many are in it
)

func newServer() *socketio.Server {
	srv := socketio.NewServer(nil)
	Join.Handle(srv, func(ctx context.Context, s *socketio.Socket, room string) (int, error) {
		err := s.Join(room)
		return srv.RoomSize(room), err
	})
	Say.Handle(srv, func(ctx context.Context, s *socketio.Socket, in Said) error {
		return Say.Emit(s.To(s.Rooms()...), in)
	})
	return srv
}

func main() {
	http.Handle("/socket.io/", newServer())
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
