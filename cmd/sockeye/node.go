package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter/nats"
	"github.com/sockeye-go/socketio/adapter/nats/embedded"
	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
	"github.com/sockeye-go/socketio/engineio/forward"
	"github.com/sockeye-go/socketio/examples/demo"
	"github.com/sockeye-go/socketio/examples/nodes"
	"github.com/sockeye-go/socketio/metrics"
)

// A nodeConfig is what a node of the demo is told, on its standard input.
type nodeConfig struct {
	Name   string
	Names  []string // of all nodes
	Listen string
	Key    []byte
	NATS   embedded.Options
}

// nodeCommand is one node of demo --nodes, which starts it. It ends with its input.
func nodeCommand(stdout, stderr io.Writer) *cobra.Command {
	return &cobra.Command{
		Use: "demo-node", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := runNode(cmd.Context(), cmd.InOrStdin(), stdout, stderr); err != nil {
				fmt.Fprintf(stderr, "sockeye demo-node: %v\n", err)
				return cli.Silent(1)
			}
			return nil
		},
	}
}

func runNode(ctx context.Context, in io.Reader, stdout, stderr io.Writer) error {
	// A terminal interrupts all of its processes; this one ends when demo says so.
	signal.Ignore(os.Interrupt)
	d := json.NewDecoder(in)
	var c nodeConfig
	if err := d.Decode(&c); err != nil {
		return fmt.Errorf("its configuration: %w (demo --nodes starts it)", err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, io.MultiReader(d.Buffered(), in))
		cancel()
	}()
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelError})).With("node", c.Name)
	bus, err := embedded.Start(&c.NATS)
	if err != nil {
		return err
	}
	defer bus.Close()
	conn, err := bus.Connect()
	if err != nil {
		return err
	}
	defer conn.Close()
	f, err := forward.New(&forward.Options{Address: c.Listen, Key: c.Key, Logger: log})
	if err != nil {
		return err
	}
	srv := socketio.NewServer(&socketio.Options{
		Logger: log, Forwarder: f, ShutdownEvent: demo.Restarting,
		Recovery: &socketio.Recovery{OnAttempt: func(a socketio.RecoveryAttempt) {
			if !a.Recovered {
				log.Error("a client begins anew", "namespace", a.Namespace, "reason", a.Reason)
			}
		}},
		Adapter: nats.New(conn, &nats.Options{JetStream: &nats.JetStream{Replicas: 3}, Key: c.Key}),
	})
	pages, closePages, err := demo.New(srv)
	if err != nil {
		return err
	}
	nodes.New(ctx, srv.Of("/nodes"), nodes.Options{Node: c.Name, Nodes: c.Names, Kill: kill})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle("/nodes/", http.StripPrefix("/nodes", nodes.Page()))
	mux.Handle("/healthz", metrics.Healthz())
	mux.Handle("/readyz", metrics.Readyz(srv))
	mux.Handle("/", pages)
	hs := &http.Server{Handler: mux, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError)}
	socketio.ConfigureServer(hs)
	ln, err := cli.Listen(c.Listen)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(ln) }()
	fmt.Fprintln(stdout, "ready")
	select {
	case <-ctx.Done():
		err = nil
	case err = <-served:
	}
	end, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer stop()
	_ = srv.Shutdown(end) // the others end too: what cannot be said any more does not matter
	return errors.Join(err, hs.Close(), closePages())
}

// kill ends this process without any good order.
func kill() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill()
	}
}
