package redis

import (
	"cmp"
	"context"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio/adapter/cluster"
)

// An Emitter emits to the sockets of all servers that use the classic adapter,
// [New] or Node's, from a program that is none. It speaks what
// @socket.io/redis-emitter speaks; acks are not possible.
type Emitter = cluster.Emitter

// NewEmitter returns an emitter for the namespace "/". Of o only Key counts.
func NewEmitter(client goredis.UniversalClient, o *Options) *Emitter {
	if o == nil {
		o = new(Options)
	}
	key := cmp.Or(o.Key, "socket.io")
	return cluster.NewEmitter(func(ctx context.Context, m *cluster.Message) error {
		c := classicChannel{publisher: client}
		c.name(key, m.NSP)
		if err := c.Check(m); err != nil {
			return err
		}
		return c.Publish(ctx, []*cluster.Message{m})
	})
}
