package redis

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// ShardedOptions configure [NewSharded]. Zero stands for the default.
type ShardedOptions struct {
	// ChannelPrefix begins the names of the channels. Default "socket.io".
	ChannelPrefix string
	// Mode is which channels there are (subscriptionMode); all nodes must agree.
	// Default [Dynamic], as in Node.
	Mode SubscriptionMode
	// RequestTimeout, PublishTimeout and MaxQueued are as in [Options].
	RequestTimeout time.Duration
	PublishTimeout time.Duration
	MaxQueued      int
}

// A SubscriptionMode says which channels nodes subscribe to.
type SubscriptionMode uint8

const (
	// Dynamic has a channel for each room that has members, so that a node
	// receives what it needs. What is for a socket alone goes to all nodes.
	Dynamic SubscriptionMode = iota
	// Static has two channels per namespace and node.
	Static
	// DynamicPrivate has a channel for each socket too: what is for one goes to
	// its node alone, and Redis keeps a subscription per socket.
	DynamicPrivate
)

// NewSharded returns the adapter for sharded pub/sub, which Redis has since
// version 7. Nodes with createShardedAdapter of @socket.io/redis-adapter
// understand it; those with the classic adapter do not.
func NewSharded(client goredis.UniversalClient, o *ShardedOptions) adapter.Factory {
	if o == nil {
		o = new(ShardedOptions)
	}
	return cluster.NewFactory(newSharded(client, o), &cluster.Options{RequestTimeout: o.RequestTimeout, PublishTimeout: o.PublishTimeout, MaxQueued: o.MaxQueued})
}

func newSharded(client goredis.UniversalClient, o *ShardedOptions) *sharded {
	return &sharded{
		own: &ownClient{from: client}, sub: newSubscribing(client, true), prefix: cmp.Or(o.ChannelPrefix, "socket.io"), mode: o.Mode,
	}
}

type sharded struct {
	own    *ownClient
	sub    subscribing
	prefix string
	mode   SubscriptionMode

	mu   sync.Mutex
	open []*shardedChannel
}

// Open implements [cluster.Bus].
func (b *sharded) Open(nsp, uid string, r cluster.Receiver) (cluster.Channel, error) {
	c := &shardedChannel{sharded: b, client: b.own.use(), r: r}
	c.common = b.prefix + "#" + nsp + "#"
	c.private = c.common + uid + "#"
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	if err := b.sub.add(ctx, shard, c.common, &handler{receive: c.receive, lost: r.Lost}); err != nil {
		b.own.release()
		return nil, err
	}
	if err := b.sub.add(ctx, shard, c.private, &handler{receive: c.receive}); err != nil {
		b.sub.remove(shard, c.common)
		b.own.release()
		return nil, err
	}
	c.follow = follower{wants: func(room string) bool { return r.Local().RoomSize(room) > 0 }, change: c.change}
	if b.mode != Static {
		r.Rooms(func(room string, _ bool) { c.interest(room) })
	}
	if b.mode == DynamicPrivate {
		r.Sockets(c.interest)
	}
	b.mu.Lock()
	b.open = append(b.open, c)
	b.mu.Unlock()
	return c, nil
}

// channels returns the namespaces that there are.
func (b *sharded) channels() []*shardedChannel {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.open)
}

// A shardedChannel is one namespace.
type shardedChannel struct {
	*sharded
	client          goredis.UniversalClient
	r               cluster.Receiver
	common, private string

	follow follower
}

// hasChannel reports whether a room has a channel of its own. What is as long
// as the id of a socket is taken for one, as in Node.
func (c *shardedChannel) hasChannel(room string) bool {
	return c.mode == DynamicPrivate || c.mode == Dynamic && len(room) != 20
}

// Publish implements [cluster.Channel].
func (c *shardedChannel) Publish(ctx context.Context, ms []*cluster.Message) error {
	return publishAll(ctx, c.client, true, ms, func(m *cluster.Message) (string, []byte, error) {
		channel := c.common
		if rooms := m.Target.Rooms; m.Type == cluster.Broadcast && m.RequestID == "" && len(rooms) == 1 && c.hasChannel(rooms[0]) {
			channel += rooms[0] + "#"
		}
		b, err := cluster.Encode(m)
		return channel, b, err
	})
}

// Respond implements [cluster.Channel].
func (c *shardedChannel) Respond(ctx context.Context, to string, m *cluster.Message) error {
	return publishAll(ctx, c.client, true, []*cluster.Message{m}, func(m *cluster.Message) (string, []byte, error) {
		b, err := cluster.Encode(m)
		return c.common + to + "#", b, err
	})
}

// ServerCount implements [cluster.Counter].
func (c *shardedChannel) ServerCount(ctx context.Context) (int, error) {
	return subscribers(ctx, c.client, c.common, true)
}

// Close implements [cluster.Channel].
func (c *shardedChannel) Close() error {
	rooms := c.follow.close()
	c.sharded.mu.Lock()
	c.open = slices.DeleteFunc(c.open, func(other *shardedChannel) bool { return other == c })
	c.sharded.mu.Unlock()
	for room := range rooms {
		c.sub.remove(shard, c.common+room+"#")
	}
	c.sub.remove(shard, c.private)
	c.sub.remove(shard, c.common)
	c.own.release()
	return nil
}

func (c *shardedChannel) receive(_, payload string) {
	if m, err := cluster.Decode([]byte(payload)); err == nil {
		c.r.Receive(m)
	}
}

// interest is told of rooms, and sockets, that come and go.
func (c *shardedChannel) interest(room string) {
	if c.hasChannel(room) {
		c.follow.add(room)
	}
}

func (c *shardedChannel) change(room string, wanted bool) {
	if !wanted {
		c.sub.remove(shard, c.common+room+"#")
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	// An error says that Redis is away; it is told when it is back.
	_ = c.sub.want(ctx, shard, c.common+room+"#", &handler{receive: c.receive})
}
