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
	name string
	n    int // of them
	do   func(ctx context.Context, s *client.Socket, i int)
}

var companies = []company{
	{"10 whose handlers panic, ten times a second each", 10, func(ctx context.Context, s *client.Socket, _ int) {
		for pause(ctx, 100*time.Millisecond) {
			_ = s.Connect(ctx) // it has been thrown out
			_ = s.Emit("panic")
		}
	}},
	{"100 whose handlers never return, and who go on sending", 100, func(ctx context.Context, s *client.Socket, _ int) {
		for pause(ctx, 100*time.Millisecond) {
			_ = s.Emit("hang")
		}
	}},
	{"5 whose handlers emit in a loop", 5, func(ctx context.Context, s *client.Socket, _ int) {
		_ = s.Emit("loop")
		<-ctx.Done()
	}},
	{"a room of 1,000, which is told something ten times a second", 1000, func(ctx context.Context, s *client.Socket, i int) {
		_ = s.Emit("crowd")
		for i == 0 && pause(ctx, 100*time.Millisecond) {
			_ = s.Emit("shout")
		}
		<-ctx.Done()
	}},
}
