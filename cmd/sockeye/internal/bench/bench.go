// Package bench is `sockeye bench`: load for a Socket.IO server, and what it feels.
package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

type options struct {
	config
	json, html string
	slos       []string
}

// Command returns the command.
func Command(stdout, stderr io.Writer) *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "bench URL",
		Short: "Load a server and measure what clients feel",
		Long: `bench connects clients and makes operations at a fixed rate, whether or not the
server keeps up. Times count from when an operation was due, so that a stall shows
with its whole length. When sockeye itself was late or out of CPU, the result says so.

The scenarios connect and emit are for any server; the others need one that
speaks five lines of events: sockeye bench serve, or the Node server in
docs/sockeye.md.`,
		Example: `  sockeye bench serve --addr :3000                                   a server to try it on
  sockeye bench :3000 --clients 1000 --rate 5000
  sockeye bench :3000 --scenario rooms --clients 2000 --room-size 20 --rate 200
  sockeye bench :3000 --scenario connect --clients 10000 --ramp 30s --hold 1m
  sockeye bench :3000 --scenario emit --event 'chat message' --ack
  sockeye bench :3000 --slo 'p99<50ms' --slo 'errors<0.1%'           exit code 1 if missed
  sockeye bench :3000 --json before.json --html before.html
  sockeye bench compare before.json after.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(args[0]); err != nil {
				return err
			}
			return o.run(cmd.Context(), stdout, stderr)
		},
	}
	o.target.Flags(cmd)
	f := cmd.Flags()
	f.StringVarP(&o.Scenario, "scenario", "s", "echo", scenarioNames())
	f.IntVarP(&o.Clients, "clients", "c", 100, "clients to connect")
	f.Float64VarP(&o.Rate, "rate", "r", 100, "operations a second, of all clients together")
	f.DurationVar(&o.Ramp, "ramp", 2*time.Second, "connect the clients within this time")
	f.DurationVar(&o.Hold, "hold", 10*time.Second, "make operations for so long")
	f.IntVar(&o.Size, "size", 100, "bytes of payload")
	f.IntVar(&o.RoomSize, "room-size", 10, "clients in a room, of the scenario rooms")
	f.Float64Var(&o.Polling, "polling", 0, "share of clients that stay on long-polling, 0 to 1")
	f.StringVar(&o.Event, "event", "", "event of the scenario emit")
	f.BoolVar(&o.Ack, "ack", false, "wait for the ack in the scenario emit")
	f.IntVarP(&o.Processes, "processes", "p", 1, "processes that share the clients")
	f.StringArrayVar(&o.slos, "slo", nil, "a promise such as 'p99<50ms', 'errors<1%', 'rate>900', 'connect.p99<1s'; may be repeated")
	f.StringVar(&o.json, "json", "", "write the result to this file")
	f.StringVar(&o.html, "html", "", "write a report with plots to this file")
	_ = cmd.RegisterFlagCompletionFunc("scenario", func(*cobra.Command, []string, string) (list []string, _ cobra.ShellCompDirective) {
		for name, s := range scenarios {
			list = append(list, name+"\t"+s.about)
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	})
	cmd.AddCommand(serveCommand(stdout), compareCommand(stdout))
	return cmd
}

// Worker returns the hidden command of a process of a run.
func Worker(stdout io.Writer) *cobra.Command {
	return &cobra.Command{Use: WorkerCommand, Hidden: true, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		if err := Work(cmd.Context(), cmd.InOrStdin(), stdout); err != nil {
			return cli.Failf("", "%v", err)
		}
		return nil
	}}
}

// Bounds of what is asked for.
const maxClients, maxRate, maxSize, maxProcesses = 1_000_000, 10_000_000, 64 << 20, 256

func (o *options) check(url string) error {
	if err := o.target.Parse(url); err != nil {
		return err
	}
	if _, err := o.target.Options(); err != nil {
		return err
	}
	o.raw, o.Namespace = url, o.target.Namespace
	o.URL = o.target.URL.Scheme + "://" + o.target.URL.Host
	switch s, known := scenarios[o.Scenario]; {
	case !known:
		return cli.Usagef("choose one of "+scenarioNames(), "there is no scenario %q", o.Scenario)
	case o.Clients < 1 || o.Clients > maxClients:
		return cli.Usagef("", "--clients is from 1 to %d", maxClients)
	case !(o.Rate > 0 && o.Rate <= maxRate) && !s.silent:
		return cli.Usagef("", "--rate is above 0 and at most %d", maxRate)
	case o.Ramp < 0 || o.Hold <= 0:
		return cli.Usagef("they are times such as 10s", "--ramp is not negative, and --hold is positive")
	case o.Size < 0 || o.Size > maxSize || o.RoomSize < 1:
		return cli.Usagef("", "--size is from 0 to %d, and --room-size at least 1", maxSize)
	case !(o.Polling >= 0 && o.Polling <= 1):
		return cli.Usagef("0.1 is one in ten", "--polling is from 0 to 1")
	case o.Processes < 1 || o.Processes > min(maxProcesses, o.Clients):
		return cli.Usagef("", "--processes is from 1 to %d, and at most one for each client", maxProcesses)
	case o.Scenario == "emit" && o.Event == "":
		return cli.Usagef("add --event NAME", "the scenario emit needs an event")
	}
	return nil
}

func (o *options) run(ctx context.Context, stdout, stderr io.Writer) error {
	var promises []slo
	for _, text := range o.slos {
		s, err := parseSLO(text)
		if err != nil {
			return err
		}
		promises = append(promises, s)
	}
	if err := o.reach(ctx); err != nil {
		return err
	}
	live := func(*tally, point) {}
	d := &display{out: stderr, style: cli.StyleOf(stderr), total: o.Ramp + o.Hold}
	if cli.IsTerminal(stderr) {
		live = d.show
	}
	r, err := run(ctx, &o.config, live)
	if err != nil {
		return cli.Failf("", "%v", err)
	}
	for _, p := range promises {
		r.Promises = append(r.Promises, promise{p.text, p.found(r), p.kept(r)})
	}
	if d.lines > 0 {
		fmt.Fprintln(stderr)
	}
	r.write(stdout, cli.StyleOf(stdout))
	if err := o.write(r); err != nil {
		return cli.Failf("", "%v", err)
	}
	if r.Clients == 0 && o.Scenario != "churn" {
		return &cli.Error{Code: cli.Unreachable, Err: fmt.Errorf("none of %d clients connected", o.Clients), Hint: "`sockeye bench serve` has the events of the scenarios; for any server: --scenario connect or emit"}
	}
	for _, p := range r.Promises {
		if !p.Kept {
			return cli.Silent(cli.No)
		}
	}
	return nil
}

// reach connects once, so that a wrong address is told in words and not by a
// thousand errors; and asks for an echo where the scenario lives by it.
func (o *options) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, o.target.Timeout)
	defer cancel()
	m, err := o.target.Dial(nil)
	if err != nil {
		return err
	}
	defer m.Close()
	s := m.Socket(o.target.Namespace)
	if err := s.Connect(ctx); err != nil {
		return o.target.Connecting(err)
	}
	if o.Scenario == "connect" || o.Scenario == "emit" {
		return nil
	}
	if _, err := s.EmitWithAck(ctx, eventEcho, "x"); err != nil {
		return cli.Failf("it needs the events of `sockeye bench serve`, which docs/sockeye.md has for Node; for any server: --scenario connect or emit",
			"the server does not answer %s, which the scenario %s needs: %v", eventEcho, o.Scenario, err)
	}
	return nil
}

func (o *options) write(r *result) error {
	if o.json != "" {
		if err := r.save(o.json); err != nil {
			return err
		}
	}
	if o.html == "" {
		return nil
	}
	f, err := os.Create(o.html)
	if err != nil {
		return err
	}
	if err := r.writeHTML(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
