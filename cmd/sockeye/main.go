// Command sockeye sees, runs, tests and measures Socket.IO servers, of whatever
// language they are.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/bench"
	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
	"github.com/sockeye-go/socketio/cmd/sockeye/internal/connect"
	"github.com/sockeye-go/socketio/cmd/sockeye/internal/doctor"
	"github.com/sockeye-go/socketio/cmd/sockeye/internal/top"
)

func main() {
	ctx, interrupt := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		interrupt()
		<-signals // whoever asks a second time does not wait for a good order
		os.Exit(interrupted)
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// interrupted is the exit code of what was ended at once, as shells have it.
const interrupted = 128 + int(syscall.SIGINT)

// run carries out one command line and returns the exit code; see package cli.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return execute(ctx, newRoot(stdout, stderr), args, stderr)
}

func execute(ctx context.Context, root *cobra.Command, args []string, stderr io.Writer) int {
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return cli.OK
	}
	if _, ok := errors.AsType[*cli.Error](err); !ok {
		// What cobra says itself is about the command line: the commands mark theirs.
		err = cli.Usagef("see "+command.CommandPath()+" --help", "%v", tidy(err))
	}
	return cli.Report(stderr, command.CommandPath(), err)
}

// tidy gives an error of cobra the form of ours.
func tidy(err error) string {
	text := err.Error()
	if i := strings.Index(text, "\n\nDid you mean this?\n\t"); i >= 0 {
		return text[:i] + "; did you mean " + strings.Join(strings.Fields(text[i+len("\n\nDid you mean this?\n\t"):]), ", ") + "?"
	}
	return text
}

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "sockeye",
		Short: "See, run, test and measure Socket.IO servers",
		Long: `sockeye sees, runs, tests and measures Socket.IO servers, of whatever language
they are and of every version from 2 on.`,
		Example: `  sockeye connect localhost:3000        a conversation with a server
  sockeye doctor https://example.com    why clients do not connect, or do not stay
  sockeye bench :3000 --slo 'p99<50ms'  load, and what clients feel of it
  sockeye top :3000                     sockets, rooms and events, live
  sockeye demo                          chat, editor, game and files in the browser
  sockeye gen ./chat.Events             TypeScript for the events of a Go program`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(stderr)
			_ = cmd.Help()
			return cli.Silent(cli.Usage)
		},
		Version: version(),
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetVersionTemplate("sockeye {{.Version}}\n")
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usageTemplate)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SuggestionsMinimumDistance = 2
	root.AddCommand(demoCommand(stdout, stderr), nodeCommand(stdout, stderr), genCommand(stdout),
		connect.Command(stdout, stderr),
		doctor.Command(stdout, stderr),
		top.Command(stdout, stderr),
		bench.Command(stdout, stderr), bench.Worker(stdout),
		versionCommand(stdout), completionCommand(stdout), manCommand(stdout))
	return root
}
