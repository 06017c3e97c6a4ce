package redis

import (
	"context"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio/adapter/cluster"
)

// anchor is a key on whose master a Redis Cluster is spoken to.
const anchor = "socket.io"

// publishAll publishes messages in one go, each where encode says; nil bytes are
// nothing to publish. What does not encode is left out. On a Redis Cluster one master
// carries what is not sharded to all others: over several it would lose its order.
func publishAll(ctx context.Context, c goredis.UniversalClient, sharded bool, ms []*cluster.Message, encode func(*cluster.Message) (channel string, b []byte, err error)) error {
	var left error
	n := 0
	if cc, ok := c.(*goredis.ClusterClient); ok && !sharded {
		m, err := cc.MasterForKey(ctx, anchor)
		if err != nil {
			return err
		}
		c = m
	}
	p := c.Pipeline()
	for _, m := range ms {
		channel, b, err := encode(m)
		switch {
		case err != nil:
			left = &cluster.EncodeError{Err: err}
			continue
		case b == nil:
			continue
		case sharded:
			p.SPublish(ctx, channel, b)
		default:
			p.Publish(ctx, channel, b)
		}
		n++
	}
	if n > 0 {
		if _, err := p.Exec(ctx); err != nil {
			return err
		}
	}
	return left
}
