package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/sockeye-go/socketio"
)

// A command is what a page wants to be done.
type command struct {
	Namespace string            `json:"ns"`
	To        string            `json:"to"` // a room, or the id of a socket
	Everybody bool              `json:"everybody"`
	Event     string            `json:"event"`
	Args      []json.RawMessage `json:"args"`
	Room      string            `json:"room"`
	Close     bool              `json:"close"`
}

// maxCommand bounds a command, in bytes.
const maxCommand = 256 << 10

// command reads one, and finds whom it is about.
func (d *Dashboard) command(w http.ResponseWriter, r *http.Request, what string) (c command, op *socketio.BroadcastOperator, err error) {
	if err = json.NewDecoder(http.MaxBytesReader(w, r.Body, maxCommand)).Decode(&c); err != nil {
		return c, nil, errors.New("the command is no JSON that fits: " + err.Error())
	}
	n, err := d.namespace(c.Namespace)
	if err != nil {
		return c, nil, err
	}
	switch {
	case c.To != "":
		op = n.To(c.To)
	case c.Everybody:
		op = n.Except()
	default:
		return c, nil, errors.New("to whom? Name a room or a socket, or say everybody")
	}
	d.opts.Logger.Info("dashboard: "+what, "remote", r.RemoteAddr, "nsp", n.Name(), "to", c.To, "everybody", c.Everybody, "event", c.Event, "room", c.Room)
	return c, op, nil
}

func (c *command) values() ([]any, error) {
	if c.Event == "" {
		return nil, errNoEvent
	}
	values := make([]any, len(c.Args))
	for i, a := range c.Args {
		if err := json.Unmarshal(a, &values[i]); err != nil {
			return nil, err
		}
	}
	return values, nil
}

type done struct {
	Done bool `json:"done"`
}

func (d *Dashboard) serveEmit(w http.ResponseWriter, r *http.Request) error {
	c, op, err := d.command(w, r, "emit")
	if err != nil {
		return err
	}
	values, err := c.values()
	if err == nil {
		err = op.Emit(c.Event, values...)
	}
	return answerTo(w, err)
}

// callTime is how long a client may take to answer, and maxAnswers how many of
// them are shown.
const (
	callTime   = 10 * time.Second
	maxAnswers = 100
)

// serveCall emits an event and shows what is answered.
func (d *Dashboard) serveCall(w http.ResponseWriter, r *http.Request) error {
	c, op, err := d.command(w, r, "call")
	if err != nil {
		return err
	}
	values, err := c.values()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	start := time.Now()
	out := struct {
		Answers []any   `json:"answers"`
		Took    float64 `json:"took"` // ms
		Error   string  `json:"error,omitempty"`
	}{Answers: []any{}}
	for m, err := range op.EmitWithAcks(ctx, c.Event, values...) {
		if err != nil {
			out.Error = err.Error()
			break
		}
		args, err := m.Args()
		if err != nil {
			args = []any{err.Error()}
		}
		if out.Answers = append(out.Answers, mask(any(args), false)); len(out.Answers) == maxAnswers {
			out.Error = "there may be more answers: no more are shown"
			break
		}
	}
	out.Took = float64(time.Since(start).Microseconds()) / 1000
	reply(w, out)
	return nil
}

func (d *Dashboard) serveJoin(w http.ResponseWriter, r *http.Request) error {
	c, op, err := d.command(w, r, "join")
	if err != nil {
		return err
	}
	if c.Room == "" {
		return errNoRoom
	}
	return answerTo(w, op.SocketsJoin(c.Room))
}

func (d *Dashboard) serveLeave(w http.ResponseWriter, r *http.Request) error {
	c, op, err := d.command(w, r, "leave")
	if err != nil {
		return err
	}
	if c.Room == "" {
		return errNoRoom
	}
	return answerTo(w, op.SocketsLeave(c.Room))
}

func (d *Dashboard) serveDisconnect(w http.ResponseWriter, r *http.Request) error {
	c, op, err := d.command(w, r, "disconnect")
	if err != nil {
		return err
	}
	return answerTo(w, op.DisconnectSockets(c.Close))
}

var errNoRoom = errors.New("admin: a room needs a name")

func answerTo(w http.ResponseWriter, err error) error {
	if err == nil {
		reply(w, done{true})
	}
	return err
}
