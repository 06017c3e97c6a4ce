package admin

import (
	"context"
	"encoding/json"

	"github.com/sockeye-go/socketio"
)

// The features that pages ask for before they show a button or a list.
const (
	featureEmit        = "EMIT"
	featureJoin        = "JOIN"
	featureLeave       = "LEAVE"
	featureDisconnect  = "DISCONNECT"
	featureMJoin       = "MJOIN"
	featureMLeave      = "MLEAVE"
	featureMDisconnect = "MDISCONNECT"
	featureAggregated  = "AGGREGATED_EVENTS"
	featureAllEvents   = "ALL_EVENTS"
)

// commands registers what a page may do. With ReadOnly there is nothing that
// would listen.
func (i *Instrumentation) commands() {
	if i.opts.ReadOnly {
		return
	}
	i.on("emit", func(a args) error {
		event, values, err := a.event(2)
		if err != nil {
			return err
		}
		return i.target(a.text(0), a.text(1)).Emit(event, values...)
	})
	i.on("join", func(a args) error { return i.target(a.text(0), a.text(2)).SocketsJoin(a.text(1)) })
	i.on("leave", func(a args) error { return i.target(a.text(0), a.text(2)).SocketsLeave(a.text(1)) })
	i.on("_disconnect", func(a args) error {
		closeConnection, _ := a.value(1).(bool)
		return i.target(a.text(0), a.text(2)).DisconnectSockets(closeConnection)
	})
}

// on registers a command. One that does not fit is an error for the log.
func (i *Instrumentation) on(event string, do func(args) error) {
	i.nsp.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On(event, func(_ context.Context, m *socketio.Message) error {
			values, err := m.Args()
			if err != nil {
				return err
			}
			a := args(values)
			if !i.exists(a.text(0)) {
				return &socketio.ArgumentError{Event: event, Err: errNoNamespace}
			}
			return do(a)
		})
		return nil
	})
}

// target selects the sockets of a namespace, or those of a room, which can be
// the id of a socket.
func (i *Instrumentation) target(namespace, room string) target {
	n := i.srv.Of(namespace)
	if room == "" {
		return n
	}
	return n.To(room)
}

type target interface {
	Emit(event string, args ...any) error
	SocketsJoin(rooms ...string) error
	SocketsLeave(rooms ...string) error
	DisconnectSockets(closeConnection bool) error
}

// exists keeps a page from making namespaces by naming them.
func (i *Instrumentation) exists(namespace string) bool {
	for _, n := range i.srv.Namespaces() {
		if n.Name() == namespace {
			return true
		}
	}
	return false
}

// args are the arguments of a command, as JavaScript has them: those that are
// missing, or null, stand for nothing.
type args []any

func (a args) value(n int) any {
	if n < len(a) {
		return a[n]
	}
	return nil
}

func (a args) text(n int) string {
	s, _ := a.value(n).(string)
	return s
}

// event returns the name and the values of an event to emit.
func (a args) event(from int) (string, []any, error) {
	name := a.text(from)
	if name == "" {
		return "", nil, &socketio.ArgumentError{Event: "emit", Index: from, Err: errNoEvent}
	}
	return name, a[from+1:], nil
}

func features(readOnly, details bool) []string {
	var f []string
	if !readOnly {
		f = []string{featureEmit, featureJoin, featureLeave, featureDisconnect, featureMJoin, featureMLeave, featureMDisconnect}
	}
	f = append(f, featureAggregated)
	if details {
		f = append(f, featureAllEvents)
	}
	return f
}

// rawOr returns v, or an empty object for nothing.
func rawOr(v json.RawMessage) json.RawMessage {
	if len(v) == 0 {
		return json.RawMessage("{}")
	}
	return v
}
