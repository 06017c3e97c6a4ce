// Package top is `sockeye top`: who and what is on a server, live, by the protocol
// of the official Admin UI.
package top

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

type options struct {
	target         cli.Target
	user, password string
	once           bool
}

// Command returns the command.
func Command(stdout, stderr io.Writer) *cobra.Command {
	o := new(options)
	cmd := &cobra.Command{
		Use:   "top URL",
		Short: "Watch sockets, rooms and events of a server",
		Long: `top shows sockets, rooms, events, namespaces and servers, as top does for
processes. The server shows itself by the protocol of the official Admin UI: in Go
admin.Instrument, in Node instrument of @socket.io/admin-ui. While it counts more
sockets than it likes to list (MaxSockets in Go, mode "production" in Node) there
are sums only.

The password can come by the environment: SOCKEYE_ADMIN_PASSWORD.`,
		Example: `  sockeye top :3000
  SOCKEYE_ADMIN_PASSWORD=… sockeye top https://example.com --user admin
  sockeye top :3000 -n /secret-admin
  sockeye top :3000 --once | jq .servers      what there is now, as JSON`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.target.Parse(args[0]); err != nil {
				return err
			}
			if o.target.Namespace == "/" {
				o.target.Namespace = "/admin"
			}
			return o.run(cmd.Context(), cmd.InOrStdin(), stdout)
		},
	}
	o.target.Flags(cmd)
	cmd.Flags().StringVarP(&o.user, "user", "u", "admin", "name to log in with")
	cmd.Flags().StringVar(&o.password, "password", "", "password to log in with; others can read it in the list of processes")
	cmd.Flags().BoolVar(&o.once, "once", false, "print what there is as JSON, and end")
	return cmd
}

func (o *options) run(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	if !o.once && (!cli.IsTerminal(stdout) || !cli.IsTerminal(stdin)) {
		return cli.Usagef("add --once to print what there is as JSON", "top needs a terminal")
	}
	password := o.password
	if password == "" {
		password = os.Getenv("SOCKEYE_ADMIN_PASSWORD")
	}
	login := o.target.Auth == ""
	m, err := o.target.Dial(func(c *client.Options) {
		if login {
			c.AuthFunc = func(context.Context) (any, error) {
				return map[string]any{"username": o.user, "password": password}, nil
			}
		}
	})
	if err != nil {
		return err
	}
	defer m.Close()
	s := m.Socket(o.target.Namespace)
	if o.once {
		return o.printOnce(ctx, s, stdout)
	}
	return o.watch(ctx, s, stdin.(*os.File), stdout.(*os.File))
}

// connecting gives the errors of a login their hint.
func (o *options) connecting(err error) error {
	err = o.target.Connecting(err)
	e, ok := errors.AsType[*cli.Error](err)
	if refused, is := errors.AsType[*client.ConnectError](err); ok && is {
		if refused.Message == "Invalid namespace" {
			e.Hint = "the server does not show itself: in Go call admin.Instrument, in Node instrument of @socket.io/admin-ui; -n names another namespace than /admin"
		} else {
			e.Hint = "log in with --user and the environment variable SOCKEYE_ADMIN_PASSWORD"
		}
	}
	return err
}

func rawArgs(m *socketio.Message) []json.RawMessage {
	args, err := m.Args()
	if err != nil {
		return nil
	}
	list := make([]json.RawMessage, len(args))
	for i, a := range args {
		list[i], _ = json.Marshal(a) // it was decoded from JSON, or from what is like it
	}
	return list
}

func (o *options) watch(ctx context.Context, s *client.Socket, in, out *os.File) error {
	sc := &screen{state: newState(), style: cli.StyleOf(out), place: o.target.URL.Host + o.target.Namespace, says: "connecting", now: time.Now()}
	p := tea.NewProgram(sc, tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out), tea.WithoutSignalHandler())
	// Send waits for the program to run, and does nothing when it has ended.
	s.OnAny(func(_ context.Context, m *socketio.Message) error {
		p.Send(told{m.Event(), rawArgs(m)})
		return nil
	})
	s.OnConnect(func() { p.Send(link{true, "live"}) })
	s.OnDisconnect(func(reason socketio.DisconnectReason, _ error) { p.Send(link{false, string(reason)}) })
	s.OnConnectError(func(err error) { p.Send(link{false, cli.Printable(err.Error())}) })
	failed := make(chan error, 1)
	go func() {
		err := s.Connect(ctx)
		failed <- err
		if err != nil {
			p.Quit()
		}
	}()
	_, err := p.Run()
	// What still comes must not wait for a program that is gone.
	s.Disconnect()
	select {
	case connect := <-failed:
		if connect != nil && ctx.Err() == nil {
			return o.connecting(connect)
		}
	default:
	}
	if err != nil && ctx.Err() == nil {
		return cli.Failf("", "%v", err)
	}
	return nil
}

// printOnce waits for the first report and the first list, and prints both.
func (o *options) printOnce(ctx context.Context, s *client.Socket, stdout io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, o.target.Timeout)
	defer cancel()
	st := newState()
	type message = told
	messages := make(chan message, 64)
	s.OnAny(func(ctx context.Context, m *socketio.Message) error {
		select {
		case messages <- message{m.Event(), rawArgs(m)}:
		case <-ctx.Done():
		}
		return nil
	})
	if err := s.Connect(ctx); err != nil {
		return o.connecting(err)
	}
	for stats, sockets := false, false; !stats || !sockets && st.details; {
		select {
		case m := <-messages:
			st.apply(m.event, m.args, time.Now())
			stats = stats || m.event == "server_stats"
			sockets = sockets || m.event == "all_sockets"
		case <-ctx.Done():
			return cli.Failf("", "the server has let us in and reports nothing")
		}
	}
	type roomOut struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
		Sockets   int    `json:"sockets"`
	}
	rooms := []roomOut{}
	for _, r := range st.rooms() {
		rooms = append(rooms, roomOut{r.namespace, r.name, r.sockets})
	}
	b, err := json.MarshalIndent(map[string]any{"details": st.details, "servers": st.servers, "namespaces": st.namespaces(), "sockets": st.sockets, "rooms": rooms}, "", "  ")
	if err != nil {
		return cli.Failf("", "%v", err)
	}
	_, err = fmt.Fprintln(stdout, string(b))
	return err
}
