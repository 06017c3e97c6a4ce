package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

func serveCommand(stdout io.Writer) *cobra.Command {
	var addr string
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Serve the events that the scenarios use",
		Example: "  sockeye bench serve --addr 127.0.0.1:3000",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ln, err := cli.Listen(addr)
			if err != nil {
				return cli.Failf("--addr names another", "%v", err)
			}
			srv := NewServer(&socketio.Options{AllowEIO3: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
			hs := &http.Server{Handler: srv}
			socketio.ConfigureServer(hs)
			served := make(chan error, 1)
			go func() { served <- hs.Serve(ln) }()
			fmt.Fprintf(stdout, "ready http://%s\n", ln.Addr())
			select {
			case err = <-served:
			case <-cmd.Context().Done():
			}
			end, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), 5*time.Second)
			defer cancel()
			if failed := errors.Join(err, srv.Shutdown(end), hs.Shutdown(end)); failed != nil {
				return cli.Failf("", "%v", failed)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:3000", "listen on this address")
	return cmd
}

// NewServer is a server with the events of the scenarios.
func NewServer(o *socketio.Options) *socketio.Server {
	srv := socketio.NewServer(o)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On(eventEcho, func(_ context.Context, m *socketio.Message) error {
			args, err := m.Args()
			if err != nil {
				return err
			}
			return m.Ack(args...)
		})
		s.On(eventJoin, func(_ context.Context, m *socketio.Message) error {
			var room string
			if err := m.Decode(&room); err != nil {
				return err
			}
			return errors.Join(s.Join(room), m.Ack())
		})
		s.On(eventSay, func(_ context.Context, m *socketio.Message) error {
			var room, at string
			var payload any
			if err := m.Decode(&room, &at, &payload); err != nil {
				return err
			}
			return srv.To(room).Emit(eventSaid, at, payload)
		})
		return nil
	})
	return srv
}
