package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
	"github.com/sockeye-go/socketio/examples/demo"
	"github.com/sockeye-go/socketio/metrics"
)

// defaultAddr is where the demo begins to look for a free port.
const defaultAddr = "127.0.0.1:3000"

// How long the end takes, if it is not said: in all a little less than systemd, docker
// and Kubernetes wait before they kill (30 s; docker 10 s: docker stop -t).
const (
	drainDelay = 5 * time.Second
	drainTime  = 25 * time.Second
)

// portsTried is how many ports it tries before it gives up.
const portsTried = 50

func demoCommand(stdout, stderr io.Writer) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show a chat, an editor, a game and files in the browser",
		Long: `demo serves a chat, a shared editor, a game and a drop for files, and opens them in
the browser. It needs no configuration.`,
		Example: `  sockeye demo                        on the next free port from 3000
  sockeye demo --addr 127.0.0.1:8080  on this address, or not at all
  sockeye demo --no-open              prints the address and opens no browser
  sockeye demo --nodes 3              a cluster of three processes: kill one and see nothing lost
  sockeye demo --check                tries itself over every transport and ends

When it is told to end (SIGTERM), it says on /readyz that it is not ready, and serves on
for --drain-delay; then it takes no clients any more, tells those there are by the event
"` + demo.Restarting + `", and closes their connections in turn. A second signal ends it
at once.`,
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	addr := flags.String("addr", "", "listen on this `address` (default "+defaultAddr+" or the next free port)")
	noOpen := flags.Bool("no-open", false, "open no browser")
	checkOnly := flags.Bool("check", false, "try every transport, print what was found, and end")
	nodes := flags.Int("nodes", 0, "a cluster of so `many` processes, 3 to 9, behind one door (default: this process alone)")
	delay := flags.Duration("drain-delay", drainDelay, "how `long` to be unready before anybody is refused (default at a terminal: 0)")
	within := flags.Duration("drain-time", drainTime, "end `within` this time, in good order or not")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *delay < 0 || *within <= 0 {
			return cli.Usagef("--drain-delay 5s --drain-time 25s", "--drain-delay is negative, or --drain-time is not positive")
		}
		if !flags.Changed("drain-delay") && cli.IsTerminal(cmd.InOrStdin()) {
			*delay = 0 // there is no load balancer, but somebody who waits
		}
		return cli.Silent(runDemo(cmd.Context(), *addr, *nodes, demoRun{*noOpen, *checkOnly, *delay, *within, stdout, stderr}))
	}
	return cmd
}

// A demoRun is how a demo is shown.
type demoRun struct {
	noOpen, checkOnly bool
	delay, within     time.Duration // of the end
	stdout, stderr    io.Writer
}

// serve serves until ctx is done, or tries it and ends. page is what is shown first.
func (d demoRun) serve(ctx context.Context, hs *http.Server, ln net.Listener, page string) int {
	served := make(chan error, 1)
	go func() { served <- hs.Serve(ln) }()
	url := "http://" + ln.Addr().String() + "/"
	if d.checkOnly {
		if err := check(ctx, url, d.stdout); err != nil {
			fmt.Fprintf(d.stderr, "sockeye demo: %v\n", err)
			return 1
		}
		return 0
	}
	fmt.Fprintln(d.stdout, "ready", url+page)
	if err := tellSystemd("READY=1\nSTATUS=serves " + url); err != nil {
		fmt.Fprintf(d.stderr, "sockeye demo: telling systemd: %v\n", err)
	}
	if !d.noOpen {
		openBrowser(url + page)
	}
	select {
	case <-ctx.Done():
		_ = tellSystemd("STOPPING=1\nSTATUS=is ending")
		return 0
	case err := <-served:
		fmt.Fprintf(d.stderr, "sockeye demo: %v\n", err)
		return 1
	}
}

func runDemo(ctx context.Context, addr string, nodes int, d demoRun) int {
	if d.checkOnly {
		d.delay = 0
		if addr == "" {
			addr = "127.0.0.1:0"
		}
	}
	ln, err := listen(addr)
	if err != nil {
		fmt.Fprintf(d.stderr, "sockeye demo: %v\n", err)
		return 1
	}
	if nodes != 0 {
		defer ln.Close()
		return runNodes(ctx, nodes, ln, d)
	}
	var level slog.LevelVar
	level.Set(slog.LevelWarn)
	log := slog.New(slog.NewTextHandler(d.stderr, &slog.HandlerOptions{Level: &level}))
	srv := socketio.NewServer(&socketio.Options{
		Logger: log, Recovery: &socketio.Recovery{}, ShutdownDelay: d.delay, ShutdownEvent: demo.Restarting,
	})
	pages, closePages, err := demo.New(srv)
	if err != nil {
		fmt.Fprintf(d.stderr, "sockeye demo: %v\n", err)
		return 1
	}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle("/healthz", metrics.Healthz())
	mux.Handle("/readyz", metrics.Readyz(srv))
	mux.Handle("/", pages)
	hs := &http.Server{Handler: mux, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	socketio.ConfigureServer(hs)
	code := d.serve(ctx, hs, ln, "")
	// The context of the command is done: the end has its own time.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.within)
	defer cancel()
	level.Set(slog.LevelInfo) // how far it has come
	// The pages before the http.Server, which waits for who looks at the dashboard.
	if err := errors.Join(srv.Shutdown(end), closePages(), hs.Shutdown(end)); err != nil {
		fmt.Fprintf(d.stderr, "sockeye demo: shutting down: %v\n", err)
		_ = hs.Close()
	}
	return code
}

// listen takes addr, or without one the first port that is free.
func listen(addr string) (net.Listener, error) {
	if addr != "" {
		ln, err := cli.Listen(addr)
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("%s is in use by another program; leave --addr out to take the next free port", addr)
		}
		return ln, err
	}
	return listenFrom(defaultAddr)
}

func listenFrom(addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	first, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	for p := first; p < first+portsTried; p++ {
		ln, err := cli.Listen(net.JoinHostPort(host, strconv.Itoa(p)))
		if !errors.Is(err, syscall.EADDRINUSE) {
			return ln, err
		}
	}
	return nil, fmt.Errorf("ports %d to %d are all in use; choose one with --addr", first, first+portsTried-1)
}

// openBrowser shows url where there is somewhere to show it. That it cannot is
// no error: the address was printed.
func openBrowser(url string) {
	var cmd *exec.Cmd
	switch {
	case runtime.GOOS == "darwin":
		cmd = exec.Command("open", url)
	case runtime.GOOS == "windows":
		cmd = exec.Command("rundll32", "url.dll,FileProtocolHandler", url)
	case os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "":
		cmd = exec.Command("xdg-open", url)
	default:
		return
	}
	if cmd.Start() == nil {
		go func() { _ = cmd.Wait() }()
	}
}
