// Package doctor is `sockeye doctor`: it looks at each step between a client and a
// Socket.IO server, and says in words what is wrong and which line mends it.
package doctor

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

type options struct {
	target     cli.Target
	handshakes int
	idle       time.Duration
	payload    int64
	json       bool
}

// Command returns the command.
func Command(stdout, stderr io.Writer) *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "doctor URL",
		Short: "Find out why clients do not connect, or do not stay",
		Long: `doctor looks at each step between a client and a Socket.IO server: name, port, TLS,
protocol, transports, the upgrade, CORS, sticky sessions, idle limits of proxies,
sizes, clocks. For what is wrong it says what mends it, by the line.

It joins "/" and sends packets that do nothing. The exit code is 0 if nothing is
wrong, 1 if something is, 2 if there is no server to speak of.`,
		Example: `  sockeye doctor https://example.com
  sockeye doctor https://api.example.com --origin https://example.com   CORS as that page needs it
  sockeye doctor :3000 --idle 0                                         without the wait for the heartbeat
  sockeye doctor https://example.com --json | jq '.verdicts[] | select(.state=="failed")'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.target.Parse(args[0]); err != nil {
				return err
			}
			return o.run(cmd.Context(), stdout, stderr)
		},
	}
	o.target.Flags(cmd)
	for _, flag := range []string{"namespace", "auth", "transport", "parser"} {
		_ = cmd.Flags().MarkHidden(flag) // the doctor looks below them
	}
	f := cmd.Flags()
	f.IntVar(&o.handshakes, "handshakes", 10, "sessions to make in the check of sticky sessions")
	f.DurationVar(&o.idle, "idle", 30*time.Second, "wait no longer than this for proxies that cut who is silent; 0 does not wait")
	f.Int64Var(&o.payload, "payload", 1_000_000, "try messages of up to so many bytes")
	f.BoolVar(&o.json, "json", false, "write the verdicts as JSON")
	return cmd
}

const maxHandshakes, maxPayload = 1000, 100_000_000

func (o *options) run(ctx context.Context, stdout, stderr io.Writer) error {
	if _, err := o.target.Options(); err != nil {
		return err
	}
	if o.handshakes < 1 || o.handshakes > maxHandshakes {
		return cli.Usagef("", "--handshakes is from 1 to %d", maxHandshakes)
	}
	if o.payload < 1 || o.payload > maxPayload || o.idle < 0 {
		return cli.Usagef("", "--payload is from 1 to %d, and --idle is not negative", maxPayload)
	}
	header, err := o.target.Header()
	if err != nil {
		return err
	}
	e := &examination{probe: &probe{target: &o.target, header: header, tls: o.target.TLS(), rev: 4}, options: o, style: cli.StyleOf(stdout)}
	show := io.Discard
	if !o.json {
		show = stdout
	}
	r := e.examine(ctx, show, waiting(stderr, !o.json && cli.IsTerminal(stdout) && cli.IsTerminal(stderr)))
	if o.json {
		if err := r.writeJSON(stdout); err != nil {
			return cli.Failf("", "%v", err)
		}
	} else {
		fmt.Fprintf(stdout, "\n%s\n", r.summary(e.style))
	}
	return cli.Silent(r.code())
}

// waiting shows what is being done, on a line that goes away.
func waiting(w io.Writer, show bool) func(string) {
	if !show {
		return func(string) {}
	}
	return func(text string) {
		fmt.Fprint(w, "\r\x1b[K"+text)
	}
}

// examine makes all checks, in order, and shows each verdict when it is there.
func (e *examination) examine(ctx context.Context, show io.Writer, now func(string)) *report {
	r := &report{URL: e.target.URL.String(), Path: e.target.Path}
	for _, c := range []struct {
		name  string
		doing string
		check func(context.Context) verdict
	}{
		{"dns", "", e.dns},
		{"tcp", "", e.tcp},
		{"tls", "", e.tlsCheck},
		{"engine", "", e.revisions},
		{"polling", "", e.polling},
		{"websocket", "", e.websocket},
		{"upgrade", "", e.upgrade},
		{"cors", "", e.cors},
		{"sticky", fmt.Sprintf("making %d sessions …", e.options.handshakes), e.stickyCheck},
		{"payload", "trying sizes …", e.payloadCheck},
		{"clock", "", e.clock},
		{"compression", "", e.compression},
		{"idle", fmt.Sprintf("saying nothing until the heartbeat comes, %v at most …", e.options.idle), e.idle},
	} {
		now(c.doing)
		start := time.Now()
		v := c.check(ctx)
		v.Check, v.MS = c.name, ms(time.Since(start))
		now("")
		if ctx.Err() != nil {
			break
		}
		r.Verdicts = append(r.Verdicts, v)
		v.write(show, e.style)
		if v.fatal {
			break
		}
	}
	r.Revision, r.Proxy = e.rev, e.proxy
	r.OK = r.code() == cli.OK && ctx.Err() == nil
	return r
}
