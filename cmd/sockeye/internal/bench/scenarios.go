package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
)

// The events that a server speaks for the scenarios, all of them; see
// docs/sockeye.md for the same in Node.
const (
	eventEcho = "bench:echo" // any value, and an ack with the same
	eventJoin = "bench:join" // a room, and an ack
	eventSay  = "bench:say"  // a room, a time and a payload: the server says the last two to the room
	eventSaid = "bench:said" // the time and the payload
)

// A scenario is what the clients do.
type scenario struct {
	about string
	// delivers: what is measured is when others get it, not the answer.
	delivers bool
	// silent: clients connect, and that is all.
	silent bool
	// prepare makes a new client ready, in its room.
	prepare func(ctx context.Context, w *worker, c *conn) error
	// do is one operation.
	do func(ctx context.Context, w *worker, c *conn, intended time.Time) error
}

var scenarios = map[string]scenario{
	"connect":   {about: "connect and stay; any server", silent: true},
	"echo":      {about: "an event and its ack", do: echo},
	"binary":    {about: "a binary event and its ack", do: echo},
	"broadcast": {about: "an event to all clients, until each has it", delivers: true, prepare: join, do: say},
	"rooms":     {about: "an event to the room of the client, until each has it", delivers: true, prepare: join, do: say},
	"churn":     {about: "connect, echo, leave; --rate is of connections", do: churn},
	"emit":      {about: "--event, with --ack until it is acknowledged; any server", do: emitAny},
}

func scenarioNames() string { return strings.Join(slices.Sorted(maps.Keys(scenarios)), ", ") }

func echo(ctx context.Context, w *worker, c *conn, _ time.Time) error {
	_, err := c.socket.EmitWithAck(ctx, eventEcho, w.payload)
	return err
}

func join(ctx context.Context, w *worker, c *conn) error {
	c.socket.On(eventSaid, func(_ context.Context, m *socketio.Message) error {
		var at string
		if err := m.Decode(&at); err != nil {
			return err
		}
		n, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return fmt.Errorf("the server changed the time of %s: %w", eventSay, err)
		}
		w.delivered(time.Since(time.Unix(0, n)))
		return nil
	})
	_, err := c.socket.EmitWithAck(ctx, eventJoin, c.room)
	return err
}

func say(_ context.Context, w *worker, c *conn, intended time.Time) error {
	return c.socket.Emit(eventSay, c.room, strconv.FormatInt(intended.UnixNano(), 10), w.payload)
}

func churn(ctx context.Context, w *worker, _ *conn, _ time.Time) error {
	c, err := w.connect(ctx, int(w.churned.Add(1)))
	if err != nil {
		return err
	}
	defer c.manager.Close()
	_, err = c.socket.EmitWithAck(ctx, eventEcho, w.payload)
	return err
}

func emitAny(ctx context.Context, w *worker, c *conn, _ time.Time) error {
	if w.share.Config.Ack {
		_, err := c.socket.EmitWithAck(ctx, w.share.Config.Event, w.payload)
		return err
	}
	return c.socket.Emit(w.share.Config.Event, w.payload)
}

// kindOf names an error in a few words, so that they can be counted.
func kindOf(err error) string {
	var handshake *client.HandshakeError
	var refused *client.ConnectError
	switch {
	case errors.Is(err, errShed):
		return "not sent: too many in flight"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, socketio.ErrDisconnected):
		return "disconnected"
	case errors.As(err, &refused):
		return "refused by the namespace"
	case errors.As(err, &handshake) && handshake.Status > 0:
		return "handshake answered " + strconv.Itoa(handshake.Status)
	case errors.As(err, &handshake):
		return "handshake failed"
	case errors.Is(err, client.ErrBufferFull):
		return "queue full"
	}
	return "other"
}

var errShed = errors.New("too many operations in flight")
