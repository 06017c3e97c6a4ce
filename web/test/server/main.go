// Command server is our own server with the application of the client's tests,
// the twin of ../node-server.mjs. It prints its port, and ends with its standard
// input.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/batch"
)

func main() {
	log.SetFlags(0)
	srv := socketio.NewServer(&socketio.Options{Logger: slog.New(slog.DiscardHandler)})
	application(srv)
	guarded := srv.Of("/guarded")
	guarded.Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct{ Token string }
		if err := s.DecodeAuth(&auth); err != nil || auth.Token != "good" {
			return &socketio.ConnectError{Message: "Invalid token", Data: map[string]int{"code": 401}}
		}
		return nil
	})

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	hs := &http.Server{Handler: srv}
	socketio.ConfigureServer(hs)
	log.Fatal(hs.Serve(l))
}

func application(srv *socketio.Server) {
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On("echo", func(_ context.Context, m *socketio.Message) error {
			args, err := m.Args()
			if err != nil {
				return err
			}
			return m.Ack(args...)
		})
		s.On("say", func(_ context.Context, m *socketio.Message) error {
			args, err := m.Args()
			if err != nil {
				return err
			}
			return s.Emit("said", args...)
		})
		s.On("ask me", func(ctx context.Context, m *socketio.Message) error {
			ctx, stop := context.WithTimeout(ctx, 10*time.Second)
			defer stop()
			answer, err := s.EmitWithAck(ctx, "question", 20)
			if err != nil {
				return err
			}
			args, err := answer.Args()
			if err != nil {
				return err
			}
			return m.Ack(args...)
		})
		s.On("tell me together", func(_ context.Context, m *socketio.Message) error {
			b := batch.ForSocket(s, nil)
			defer b.Close()
			return errors.Join(b.Emit("said", "one"), b.Emit("said"), b.Emit("said", 2, []byte{3}), b.Emit("done"))
		})
		s.On("kick me", func(context.Context, *socketio.Message) error {
			s.Disconnect(false)
			return nil
		})
		// The first time that a word comes it stays without an answer.
		heard := map[string]bool{}
		s.On("mumble", func(_ context.Context, m *socketio.Message) error {
			var word string
			if err := m.Decode(&word); err != nil {
				return err
			}
			if !heard[word] {
				heard[word] = true
				return nil
			}
			return m.Ack("at last: " + word)
		})
		return nil
	})
}
