// Command sockeye shows what Socket.IO in Go can do, without any set-up.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

const usage = `sockeye: Socket.IO in Go

  sockeye demo                        chat, editor, game and files in the browser, on the next free port from 3000
  sockeye demo --addr 127.0.0.1:8080  on this address, or not at all
  sockeye demo --no-open              prints the address and opens no browser
  sockeye demo --check                tries itself over every transport and ends
  sockeye gen ./chat.Events           TypeScript for the events of a socketio.Contract
  sockeye gen -o events.ts ./chat.Events
  sockeye version                     which build this is
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run carries out one command line and returns the exit code: 0 done, 1 failed,
// 2 not understood.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return 2
	}
	switch args[0] {
	case "demo":
		return runDemo(ctx, args[1:], stdout, stderr)
	case "gen":
		return gen(ctx, args[1:], stdout, stderr)
	case "version", "--version":
		fmt.Fprintln(stdout, "sockeye", version())
		return 0
	case "help", "-h", "--help":
		fmt.Fprint(stdout, usage)
		return 0
	}
	fmt.Fprintf(stderr, "sockeye: there is no command %q\n\n%s", args[0], usage)
	return 2
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			v += " " + s.Value[:12]
		}
	}
	return v + " " + info.GoVersion
}
