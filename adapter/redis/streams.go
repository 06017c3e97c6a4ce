package redis

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"
	"unicode/utf16"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// StreamsOptions configure [NewStreams]. Zero stands for the default, which is
// that of @socket.io/redis-streams-adapter unless it says otherwise. Where the
// name is not the same, the one in JavaScript is in parentheses.
type StreamsOptions struct {
	// Stream is the key of the stream (streamName). Default "socket.io".
	Stream string
	// Streams is how many there are (streamCount); each namespace is in one.
	// Default 1.
	Streams int
	// ChannelPrefix begins the names of the channels for what is not in the
	// stream: requests, and broadcasts with acks. Default "socket.io".
	ChannelPrefix string
	// Sharded has those go over the sharded pub/sub of Redis 7 (useShardedPubSub).
	Sharded bool
	// MaxLen is about how many messages a stream keeps. Default 10,000, or
	// Recovery.MaxPackets of the server if clients recover; with Node servers in
	// the cluster the smallest counts.
	MaxLen int
	// ReadCount is how many messages are read in one go. Default 100.
	ReadCount int
	// Block is how long Redis waits for a message (blockTimeInMs). Default 5 s.
	Block time.Duration
	// SessionPrefix begins the keys of sessions (sessionKeyPrefix). Default
	// "sio:session:".
	SessionPrefix string
	// RequestTimeout, PublishTimeout and MaxQueued are as in [Options].
	RequestTimeout time.Duration
	PublishTimeout time.Duration
	MaxQueued      int
}

// NewStreams returns the adapter over Redis Streams, from which clients can
// recover on any node ([github.com/sockeye-go/socketio.Options].Recovery). It is
// compatible with @socket.io/redis-streams-adapter 0.3, and its sessions too. All
// nodes must use it. It needs Redis 6.2, and 7 with Sharded.
//
// Of client it makes one of its own, which does not repeat commands, and closes
// that; client stays open.
func NewStreams(client goredis.UniversalClient, o *StreamsOptions) adapter.Factory {
	s := newStreams(client, o)
	return cluster.NewOrderedFactory(streamsBus{s}, s, &cluster.Options{
		RequestTimeout: s.o.RequestTimeout, PublishTimeout: s.o.PublishTimeout, MaxQueued: s.o.MaxQueued,
	})
}

func newStreams(client goredis.UniversalClient, o *StreamsOptions) *streams {
	var c StreamsOptions
	if o != nil {
		c = *o
	}
	for _, n := range []struct {
		v    *int
		def  int
		name string
	}{{&c.Streams, 1, "Streams"}, {&c.MaxLen, 0, "MaxLen"}, {&c.ReadCount, 100, "ReadCount"}} {
		if *n.v < 0 {
			panic(fmt.Sprintf("redis: StreamsOptions.%s: %d is negative", n.name, *n.v))
		}
		*n.v = cmp.Or(*n.v, n.def)
	}
	if c.Block < 0 {
		panic(fmt.Sprintf("redis: StreamsOptions.Block: %v is negative", c.Block))
	}
	c.Block = cmp.Or(c.Block, 5*time.Second)
	c.Stream = cmp.Or(c.Stream, "socket.io")
	c.ChannelPrefix = cmp.Or(c.ChannelPrefix, "socket.io")
	c.SessionPrefix = cmp.Or(c.SessionPrefix, "sio:session:")
	return &streams{
		o: c, own: &ownClient{from: client}, sub: newSubscribing(client, c.Sharded),
		readers: make(map[string]*streamReader),
	}
}

// streamName is the stream of a namespace. As in Node it may have a negative
// number, by which Node servers write and do not read.
func (s *streams) streamName(nsp string) string {
	if s.o.Streams == 1 {
		return s.o.Stream
	}
	var hash int32
	for _, c := range utf16.Encode([]rune(nsp)) {
		hash = hash*31 + int32(c)
	}
	return s.o.Stream + "-" + strconv.Itoa(int(hash)%s.o.Streams)
}

// A streamsBus carries what is not in the stream.
type streamsBus struct{ *streams }

// Open implements [cluster.Bus].
func (b streamsBus) Open(nsp, uid string, r cluster.Receiver) (cluster.Channel, error) {
	c := &streamsChannel{streams: b.streams, r: r, client: b.own.use(), uid: uid, common: b.o.ChannelPrefix + "#" + nsp + "#"}
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	if err := b.sub.add(ctx, c.kind(), c.common, &handler{receive: c.receive, lost: r.Lost}); err != nil {
		b.own.release()
		return nil, err
	}
	if err := b.sub.add(ctx, c.kind(), c.channel(uid), &handler{receive: c.receive}); err != nil {
		b.sub.remove(c.kind(), c.common)
		b.own.release()
		return nil, err
	}
	return c, nil
}

// A streamsChannel is one namespace.
type streamsChannel struct {
	*streams
	r           cluster.Receiver
	client      goredis.UniversalClient
	uid, common string
}

func (c *streamsChannel) kind() kind {
	if c.o.Sharded {
		return shard
	}
	return exact
}

// channel is that of one node.
func (c *streamsChannel) channel(uid string) string { return c.common + uid + "#" }

func (c *streamsChannel) publish(ctx context.Context, channel string, ms []*cluster.Message) error {
	return publishAll(ctx, c.client, c.o.Sharded, ms, func(m *cluster.Message) (string, []byte, error) {
		b, err := cluster.EncodeBinary(m)
		return channel, b, err
	})
}

// Publish implements [cluster.Channel].
func (c *streamsChannel) Publish(ctx context.Context, ms []*cluster.Message) error {
	return c.publish(ctx, c.common, ms)
}

// Respond implements [cluster.Channel].
func (c *streamsChannel) Respond(ctx context.Context, to string, m *cluster.Message) error {
	return c.publish(ctx, c.channel(to), []*cluster.Message{m})
}

// ServerCount implements [cluster.Counter].
func (c *streamsChannel) ServerCount(ctx context.Context) (int, error) {
	return subscribers(ctx, c.client, c.common, c.o.Sharded)
}

// Reaches implements [cluster.Reacher].
func (c *streamsChannel) Reaches(ctx context.Context, uid string) (bool, error) {
	n, err := subscribers(ctx, c.client, c.channel(uid), c.o.Sharded)
	return n > 0, err
}

// Close implements [cluster.Channel].
func (c *streamsChannel) Close() error {
	c.sub.remove(c.kind(), c.channel(c.uid))
	c.sub.remove(c.kind(), c.common)
	c.own.release()
	return nil
}

func (c *streamsChannel) receive(_, payload string) {
	if m, err := cluster.Decode([]byte(payload)); err == nil {
		c.r.Receive(m)
	}
}
