// Command bot is a chat bot: it joins a room of the hello example's server and
// answers who says "ping".
//
//	go run ./examples/hello &
//	go run ./examples/bot http://localhost:3000 lobby
package main

import (
	"context"
	"log"
	"os"
	"os/signal"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
)

type Said struct{ From, Text string }

var (
	Say  = socketio.NewEvent[Said]("chat message")
	Join = socketio.NewEventWithAck[string, int]("join")
)

// run answers everybody who says "ping" in a room, until ctx ends.
func run(ctx context.Context, url, room string) error {
	m, err := client.New(url, &client.Options{RetryConnect: true})
	if err != nil {
		return err
	}
	defer m.Close()
	s := m.Socket("/")
	Say.On(s, func(ctx context.Context, in Said) error {
		if in.Text != "ping" || in.From == "bot" {
			return nil
		}
		return Say.Emit(s, Said{From: "bot", Text: "pong, " + in.From})
	})
	s.OnConnect(func() { // after each reconnection too
		if n, err := Join.EmitWithAck(s.Context(), s, room); err == nil {
			log.Printf("%d in %s", n, room)
		}
	})
	if err := s.Connect(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: bot URL ROOM")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1], os.Args[2]); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}
