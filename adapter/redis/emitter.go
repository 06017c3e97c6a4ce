package redis

import (
	"cmp"
	"context"
	"slices"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
	"github.com/sockeye-go/socketio/engineio"
)

// An Emitter emits to the sockets of all servers that use the classic adapter,
// [New] or Node's, from a program that is none. Its methods that select return
// another, which may be kept and shared. It speaks what @socket.io/redis-emitter
// speaks; acks are not possible.
type Emitter struct {
	client goredis.UniversalClient
	key    string
	nsp    string
	target adapter.Target
	flags  engineio.Flags
	nobody bool // rooms were named, but none
}

// NewEmitter returns an emitter for the namespace "/". Of o only Key counts.
func NewEmitter(client goredis.UniversalClient, o *Options) *Emitter {
	if o == nil {
		o = new(Options)
	}
	return &Emitter{client: client, key: cmp.Or(o.Key, "socket.io"), nsp: "/"}
}

// Of returns an emitter for another namespace. A leading slash may be left out.
func (e *Emitter) Of(nsp string) *Emitter {
	if !strings.HasPrefix(nsp, "/") {
		nsp = "/" + nsp
	}
	return &Emitter{client: e.client, key: e.key, nsp: nsp}
}

// To selects the sockets in any of rooms.
func (e *Emitter) To(rooms ...string) *Emitter {
	c := *e
	c.target.Rooms = append(slices.Clip(c.target.Rooms), rooms...)
	c.nobody = len(c.target.Rooms) == 0
	return &c
}

// Except selects the sockets that are in none of rooms.
func (e *Emitter) Except(rooms ...string) *Emitter {
	c := *e
	c.target.Except = append(slices.Clip(c.target.Except), rooms...)
	return &c
}

// Volatile emits to those who are ready for it.
func (e *Emitter) Volatile() *Emitter {
	c := *e
	c.flags |= engineio.Volatile
	return &c
}

// Compress says whether what is emitted may be compressed.
func (e *Emitter) Compress(yes bool) *Emitter {
	c := *e
	c.flags &^= engineio.NoCompress
	if !yes {
		c.flags |= engineio.NoCompress
	}
	return &c
}

// Emit sends an event to the selected sockets. It returns when Redis has it.
func (e *Emitter) Emit(ctx context.Context, event string, args ...any) error {
	values, err := cluster.NewValues(append([]any{event}, args...)...)
	if err != nil || e.nobody {
		return err
	}
	return e.send(ctx, &cluster.Message{Type: cluster.Broadcast, Flags: e.flags, Values: values})
}

// SocketsJoin puts the selected sockets into rooms.
func (e *Emitter) SocketsJoin(ctx context.Context, rooms ...string) error {
	return e.send(ctx, &cluster.Message{Type: cluster.SocketsJoin, Rooms: rooms})
}

// SocketsLeave takes the selected sockets out of rooms.
func (e *Emitter) SocketsLeave(ctx context.Context, rooms ...string) error {
	return e.send(ctx, &cluster.Message{Type: cluster.SocketsLeave, Rooms: rooms})
}

// DisconnectSockets disconnects the selected sockets from the namespace, or
// closes their connections.
func (e *Emitter) DisconnectSockets(ctx context.Context, closeConnection bool) error {
	return e.send(ctx, &cluster.Message{Type: cluster.DisconnectSockets, CloseConnection: closeConnection})
}

// ServerSideEmit sends an event to the servers.
func (e *Emitter) ServerSideEmit(ctx context.Context, event string, args ...any) error {
	values, err := cluster.NewValues(append([]any{event}, args...)...)
	if err != nil {
		return err
	}
	return e.send(ctx, &cluster.Message{Type: cluster.ServerSideEmit, Values: values})
}

func (e *Emitter) send(ctx context.Context, m *cluster.Message) error {
	if e.nobody {
		return nil
	}
	m.UID, m.NSP, m.Target = "emitter", e.nsp, e.target
	c := classicChannel{classic: &classic{client: e.client}}
	c.name(e.key, e.nsp)
	return c.Publish(ctx, []*cluster.Message{m})
}
