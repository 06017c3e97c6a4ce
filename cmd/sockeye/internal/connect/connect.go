// Package connect is `sockeye connect`: a conversation with a Socket.IO server, by
// a person at a terminal or by a program over NDJSON.
package connect

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/itchyny/gojq"
	"github.com/spf13/cobra"

	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// options are the flags of the command.
type options struct {
	target cli.Target
	exec   []string
	expect []string
	within time.Duration
	linger time.Duration
	jq     string
	record string
	replay string
	speed  float64
	save   string
	retry  bool
	json   bool

	in       io.Reader
	out, err io.Writer
}

// Command returns the command.
func Command(stdout, stderr io.Writer) *cobra.Command {
	o := &options{out: stdout, err: stderr}
	cmd := &cobra.Command{
		Use:   "connect URL",
		Short: "Talk to a server: a terminal, or NDJSON for programs",
		Long: `connect joins a namespace of a Socket.IO server. At a terminal it reads commands
(emit, call, on, off; help lists them) and shows what comes. In a pipe it reads
and writes a JSON object a line.

The path of the URL is the namespace. With --expect it waits for an event and its
exit code says whether it came: 0 seen, 1 not in time, 2 no connection.`,
		Example: `  sockeye connect localhost:3000                        a terminal
  sockeye connect https://example.com/chat --auth '{"token":"abc"}'
  sockeye connect :3000 --eio3                          a server of Socket.IO 2
  sockeye connect :3000 -e 'call join lobby'            one question, its answer, the end
  sockeye connect :3000 -e 'emit ping' --expect pong --within 2s
  sockeye connect :3000 --expect 'news={"kind":"sport"}' --expect 'tick|.[0] > 3'
  echo '["chat message","hi"]' | sockeye connect :3000
  sockeye connect :3000 --jq 'select(.type=="event") | .args[0]' | head
  sockeye connect :3000 --record talk.ndjson            keep what is said
  sockeye connect :3000 --replay talk.ndjson --speed 10 say it again, ten times as fast`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.target.Parse(args[0]); err != nil {
				return err
			}
			o.in = cmd.InOrStdin()
			return o.run(cmd.Context())
		},
	}
	o.target.Flags(cmd)
	f := cmd.Flags()
	f.StringArrayVarP(&o.exec, "exec", "e", nil, "carry out this command after connecting, and end; may be repeated")
	f.StringArrayVar(&o.expect, "expect", nil, "wait for an event: NAME, NAME=JSON that its arguments contain, or 'NAME|jq filter' over its arguments; may be repeated")
	f.DurationVar(&o.within, "within", 5*time.Second, "how long --expect and acks may take")
	f.DurationVar(&o.linger, "linger", 0, "go on for this long after the end of the input")
	f.StringVar(&o.jq, "jq", "", "write what this jq filter makes of each line of output")
	f.StringVar(&o.record, "record", "", "keep what is said in this file")
	f.StringVar(&o.replay, "replay", "", "say again what was said in this recording")
	f.Float64Var(&o.speed, "speed", 1, "of --replay: 2 is twice as fast, 0 without pauses")
	f.StringVar(&o.save, "save", "", "save received binary attachments in this folder")
	f.BoolVar(&o.retry, "retry", false, "go on trying when the first attempt to connect fails")
	f.BoolVar(&o.json, "json", false, "NDJSON at a terminal too")
	return cmd
}

// run connects and does what the flags say.
func (o *options) run(ctx context.Context) (err error) {
	expect, err := parseExpectations(o.expect)
	if err != nil {
		return err
	}
	filter, err := o.filter()
	if err != nil {
		return err
	}
	var replay []record
	if o.replay != "" {
		if replay, err = loadRecording(o.replay); err != nil {
			return err
		}
	}
	if o.speed < 0 || o.within <= 0 || o.linger < 0 {
		return cli.Usagef("", "--speed, --within and --linger are not negative")
	}
	m, err := o.target.Dial(func(c *client.Options) { c.RetryConnect = o.retry })
	if err != nil {
		return err
	}
	s := &shell{within: o.within, out: o.err}
	var sinks []sink
	if o.record != "" {
		f, to, err := createRecording(o.record, &o.target)
		if err != nil {
			return err
		}
		defer func() {
			if failed := errors.Join(to.err, f.Close()); failed != nil && err == nil {
				err = cli.Failf("the recording is not complete", "--record: %v", failed)
			}
		}()
		sinks = append(sinks, to)
	}
	s.session = newSession(&o.target, m, expect, append(sinks, names{s})...)
	// Files and the terminal outlive the connection.
	defer s.leave()
	s.saver = &saver{dir: o.save}

	atTerminal := !o.json && o.jq == "" && cli.IsTerminal(o.out)
	if atTerminal && cli.IsTerminal(o.in) && len(o.exec) == 0 && expect == nil && replay == nil {
		return o.terminal(ctx, s)
	}
	if atTerminal {
		s.sinks = append(s.sinks, &human{out: o.out, style: cli.StyleOf(o.out), width: func() int { return 100 }, shows: s.shows, now: time.Now})
	} else {
		s.sinks = append(s.sinks, &ndjson{out: o.out, filter: filter})
	}
	return o.batch(ctx, s, replay)
}

func (o *options) filter() (*gojq.Code, error) {
	if o.jq == "" {
		return nil, nil
	}
	return compile(o.jq)
}

// terminal is the conversation with a person.
func (o *options) terminal(ctx context.Context, s *shell) error {
	c, err := openConsole(o.in.(*os.File), o.out.(*os.File))
	if err != nil {
		return err
	}
	defer c.close()
	style := cli.StyleOf(o.out)
	s.out = c
	s.sinks = append(s.sinks, &human{out: c, style: style, width: c.width, shows: s.shows, now: time.Now}, promptSink{c, s, style})
	c.edit(s, loadHistory(historyPath()), style)
	if err := s.socket.Connect(ctx); err != nil {
		return o.target.Connecting(err)
	}
	return s.interact(ctx, c, style)
}

// batch is the conversation with a program.
func (o *options) batch(ctx context.Context, s *shell, replay []record) error {
	connecting, cancel := ctx, context.CancelFunc(func() {})
	if o.retry && s.expect != nil {
		connecting, cancel = context.WithTimeout(ctx, o.within)
	}
	err := s.socket.Connect(connecting)
	cancel()
	if err != nil {
		return o.target.Connecting(err)
	}
	select {
	case <-s.noted:
	case <-s.ended:
	case <-ctx.Done():
	}
	input := make(chan error, 1)
	go func() { input <- o.input(ctx, s, replay) }()
	if s.expect != nil {
		return o.awaitExpected(ctx, s, input)
	}
	select {
	case err := <-input:
		if err != nil {
			return err
		}
	case <-s.ended:
		return &cli.Error{Code: cli.Unreachable, Err: s.lastError(), Hint: "the server ended it, and a client does not come back from that by itself"}
	case <-ctx.Done():
		return nil
	}
	if n := s.failures(); n > 0 {
		return cli.Failf("a handler has to call its ack; --within gives it more time", "%d of the calls had no answer", n)
	}
	return nil
}

// input carries out what there is to do, and returns when it is done with.
func (o *options) input(ctx context.Context, s *shell, replay []record) error {
	lines := 0
	switch {
	case len(o.exec) > 0:
		for _, text := range o.exec {
			lines++
			if err := s.do(ctx, text); err != nil {
				return cli.Usagef("", "%s: %v", text, err)
			}
		}
	case replay != nil:
		lines = len(replay)
		if err := s.replay(ctx, replay, o.speed, func(r record) error { return s.sendRecord(ctx, r) }); err != nil {
			return err
		}
	case !cli.IsTerminal(o.in):
		var err error
		lines, err = readRecords(o.in, func(r record) error { return s.sendRecord(ctx, r) })
		if err != nil {
			return cli.Usagef(`a line is {"event":"name","args":[…]} or ["name",…]`, "standard input: %v", err)
		}
	}
	if lines == 0 && o.linger == 0 {
		// Nobody has said anything, so that what there is to do is to listen.
		<-ctx.Done()
		return nil
	}
	<-s.answers() // each has its timeout
	select {
	case <-time.After(o.linger):
	case <-ctx.Done():
	}
	return nil
}

// awaitExpected waits for what --expect says. The end of the input is not the end.
func (o *options) awaitExpected(ctx context.Context, s *shell, input <-chan error) error {
	timeout := time.NewTimer(o.within)
	defer timeout.Stop()
	for {
		select {
		case <-s.expect.done:
			<-s.answers() // each has its timeout
			return nil
		case err := <-input:
			if err != nil {
				return err
			}
			input = nil
		case <-s.ended:
			// It may have come just before the end.
			select {
			case <-s.expect.done:
				return nil
			default:
			}
			return &cli.Error{Code: cli.Unreachable, Err: errors.Join(s.lastError(), s.expect.missing(o.within))}
		case <-timeout.C:
			return s.expect.missing(o.within)
		case <-ctx.Done():
			return cli.Failf("", "interrupted before it was seen: %s", strings.Join(o.expect, ", "))
		}
	}
}
