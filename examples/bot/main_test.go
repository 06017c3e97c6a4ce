package main

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
)

// TestBot talks to it through a server.
func TestBot(t *testing.T) {
	srv := socketio.NewServer(nil)
	joined := make(chan string, 1)
	Join.Handle(srv, func(_ context.Context, s *socketio.Socket, room string) (int, error) {
		joined <- room
		return 1, s.Join(room)
	})
	Say.Handle(srv, func(_ context.Context, s *socketio.Socket, in Said) error { return Say.Emit(srv, in) })
	hs := httptest.NewServer(srv)
	defer hs.Close()
	defer srv.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- run(ctx, hs.URL, "lobby") }()
	if room := <-joined; room != "lobby" {
		t.Errorf("joined %q", room)
	}
	s, err := client.Connect(t.Context(), hs.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Manager().Close()
	answer := make(chan string)
	Say.On(s, func(_ context.Context, in Said) error {
		if in.From == "bot" {
			answer <- in.Text
		}
		return nil
	})
	if err := Say.Emit(s, Said{From: "ann", Text: "ping"}); err != nil {
		t.Fatal(err)
	}
	if text := <-answer; text != "pong, ann" {
		t.Errorf("%q", text)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
