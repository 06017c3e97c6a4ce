package main

import (
	"context"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
)

// badNeighbour gives a socket the handlers of whoever is no good company.
func badNeighbour(srv *socketio.Server, s *socketio.Socket) {
	s.On("panic", func(context.Context, *socketio.Message) error { panic("as asked") })
	s.On("hang", func(ctx context.Context, _ *socketio.Message) error { <-ctx.Done(); return nil })
	s.On("loop", func(ctx context.Context, _ *socketio.Message) error { // as fast as its client takes it
		for ctx.Err() == nil {
			if err := s.EmitContext(ctx, "noise", "x"); err != nil {
				return nil
			}
			if pause(ctx, 200*time.Microsecond); ctx.Err() != nil {
				return nil
			}
		}
		return nil
	})
	s.On("crowd", func(context.Context, *socketio.Message) error { return s.Join("crowd") })
	s.On("shout", func(context.Context, *socketio.Message) error { return srv.To("crowd").Emit("shouted", "x") })
}

// A company is a kind of neighbour.
type company struct {
	name     string
	n        int // of them
	do       func(ctx context.Context, s *client.Socket, i int)
	recovery bool // the server has it
}

var companies = []company{
	{name: "10 whose handlers panic, ten times a second each", n: 10, do: func(ctx context.Context, s *client.Socket, _ int) {
		for pause(ctx, 100*time.Millisecond) {
			_ = s.Connect(ctx) // it has been thrown out
			_ = s.Emit("panic")
		}
	}},
	{name: "100 whose handlers never return, and who go on sending", n: 100, do: func(ctx context.Context, s *client.Socket, _ int) {
		for pause(ctx, 100*time.Millisecond) {
			_ = s.Emit("hang")
		}
	}},
	{name: "5 whose handlers emit in a loop", n: 5, do: func(ctx context.Context, s *client.Socket, _ int) {
		_ = s.Emit("loop")
		<-ctx.Done()
	}},
	{name: "a room of 1,000, which is told something ten times a second", n: 1000, do: shout},
	{name: "the same, with recovery", n: 1000, do: shout, recovery: true},
}

// shout has the first of a crowd say something to all of them, again and again.
func shout(ctx context.Context, s *client.Socket, i int) {
	_ = s.Emit("crowd")
	for i == 0 && pause(ctx, 100*time.Millisecond) {
		_ = s.Emit("shout")
	}
	<-ctx.Done()
}
