package redis

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// InterestOptions configure [NewInterest]. Zero stands for the default. Prefix,
// Channels and Key must be the same on all nodes.
type InterestOptions struct {
	// Prefix begins the names of the channels. Default "sockeye".
	Prefix string
	// Channels is among how many channels of a namespace its rooms are spread: so
	// many Redis has to know at most. More of them bring a node less of what it
	// does not need. Default 4096.
	Channels int
	// Key has nodes prove by HMAC-SHA256 that what they publish comes from one of
	// them. Default none: whoever may publish is believed.
	Key []byte
	// HeartbeatInterval and HeartbeatTimeout are as in [cluster.Options].
	HeartbeatInterval time.Duration
	HeartbeatTimeout  time.Duration
	// RequestTimeout, PublishTimeout and MaxQueued are as in [Options].
	RequestTimeout time.Duration
	PublishTimeout time.Duration
	MaxQueued      int
}

// NewInterest returns an adapter that brings a node what it needs: nodes subscribe
// to the channels of rooms that have members there, and what is for one socket
// goes to its node alone, which is in the ids of sockets. Node servers do not
// understand it.
//
// What is for several rooms, of several channels, goes to all nodes, and so do
// broadcasts with acks. Between a join and the confirmation of Redis, a round
// trip, a node misses what others emit to that room alone.
func NewInterest(client goredis.UniversalClient, o *InterestOptions) adapter.Factory {
	if o == nil {
		o = new(InterestOptions)
	}
	return cluster.NewFactory(newInterest(client, o), &cluster.Options{
		HeartbeatInterval: o.HeartbeatInterval, HeartbeatTimeout: o.HeartbeatTimeout,
		RequestTimeout: o.RequestTimeout, PublishTimeout: o.PublishTimeout, MaxQueued: o.MaxQueued,
	})
}

func newInterest(client goredis.UniversalClient, o *InterestOptions) *interest {
	if o.Channels < 0 {
		panic(fmt.Sprintf("redis: InterestOptions.Channels: %d is negative", o.Channels))
	}
	if o.Key != nil && len(o.Key) < 16 {
		panic("redis: InterestOptions.Key: is shorter than 16 bytes")
	}
	return &interest{
		own: &ownClient{from: client}, sub: &subscriber{client: client}, key: slices.Clone(o.Key),
		prefix: cmp.Or(o.Prefix, "sockeye"), channels: cmp.Or(o.Channels, 4096),
	}
}

type interest struct {
	own      *ownClient
	sub      *subscriber
	prefix   string
	channels int
	key      cluster.Key

	mu   sync.Mutex
	open []*interestChannel // for tests
}

// Open implements [cluster.Bus].
func (b *interest) Open(nsp, uid string, r cluster.Receiver) (cluster.Channel, error) {
	c := &interestChannel{
		interest: b, client: b.own.use(), r: r, tag: tag(uid), common: b.prefix + "#" + nsp + "#",
		counts: make(map[string]int),
	}
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	if err := b.sub.add(ctx, exact, c.common, &handler{receive: c.receive, lost: r.Lost}); err != nil {
		b.own.release()
		return nil, err
	}
	c.counts[c.node(c.tag)] = 1 // for good
	if err := b.sub.add(ctx, exact, c.node(c.tag), &handler{receive: c.receive}); err != nil {
		b.sub.remove(exact, c.common)
		b.own.release()
		return nil, err
	}
	c.follow = follower{wants: func(room string) bool { return r.Local().RoomSize(room) > 0 }, change: c.change}
	r.Rooms(func(room string, _ bool) {
		if c.channelOf(room) != c.common {
			c.follow.add(room)
		}
	})
	b.mu.Lock()
	b.open = append(b.open, c)
	b.mu.Unlock()
	return c, nil
}

// An interestChannel is one namespace.
type interestChannel struct {
	*interest
	client      goredis.UniversalClient
	r           cluster.Receiver
	tag, common string
	follow      follower

	counts map[string]int // rooms of a channel; of the goroutine that follows
}

// tagSize is how many characters of an id say on which node the socket is.
const tagSize = 6

// tag is what a node is called in the ids of its sockets.
func tag(uid string) string {
	sum := sha256.Sum256([]byte(uid))
	return base64.RawURLEncoding.EncodeToString(sum[:])[:tagSize]
}

// NewID implements [adapter.Namer]: a tilde, the node, and 78 random bits.
func (c *interestChannel) NewID() string {
	var b [10]byte
	rand.Read(b[:])
	return "~" + c.tag + base64.RawURLEncoding.EncodeToString(b[:])[:20-1-tagSize]
}

// channelOf is where a room is spoken to. What is an id, but not one of ours, may
// be anywhere.
func (c *interestChannel) channelOf(room string) string {
	switch {
	case len(room) == 20 && room[0] == '~':
		return c.node(room[1 : 1+tagSize])
	case len(room) == 20, strings.ContainsAny(room, "#~"):
		return c.common
	}
	h := fnv.New32a()
	h.Write([]byte(room))
	return c.common + strconv.Itoa(int(h.Sum32()%uint32(c.channels)))
}

func (c *interestChannel) node(tag string) string { return c.common + "@" + tag }

// of returns the channel of a message.
func (c *interestChannel) of(m *cluster.Message) string {
	switch m.Type {
	case cluster.Broadcast, cluster.SocketsJoin, cluster.SocketsLeave, cluster.DisconnectSockets:
	default:
		return c.common
	}
	if m.RequestID != "" || len(m.Target.Rooms) == 0 {
		return c.common // all are asked, or meant
	}
	first := c.channelOf(m.Target.Rooms[0])
	for _, room := range m.Target.Rooms[1:] {
		if c.channelOf(room) != first {
			return c.common
		}
	}
	return first
}

// Publish implements [cluster.Channel].
func (c *interestChannel) Publish(ctx context.Context, ms []*cluster.Message) error {
	return publishAll(ctx, c.client, false, ms, func(m *cluster.Message) (string, []byte, error) {
		channel := c.of(m)
		b, err := cluster.Encode(m)
		return channel, c.key.Seal(channel, b), err
	})
}

// Respond implements [cluster.Channel].
func (c *interestChannel) Respond(ctx context.Context, to string, m *cluster.Message) error {
	return publishAll(ctx, c.client, false, []*cluster.Message{m}, func(m *cluster.Message) (string, []byte, error) {
		channel := c.node(tag(to))
		b, err := cluster.Encode(m)
		return channel, c.key.Seal(channel, b), err
	})
}

// Close implements [cluster.Channel].
func (c *interestChannel) Close() error {
	c.follow.close()
	c.mu.Lock()
	c.open = slices.DeleteFunc(c.open, func(other *interestChannel) bool { return other == c })
	c.mu.Unlock()
	for channel := range c.counts {
		c.sub.remove(exact, channel)
	}
	c.sub.remove(exact, c.common)
	c.own.release()
	return nil
}

func (c *interestChannel) receive(channel, payload string) {
	b, ok := c.key.Open(channel, []byte(payload))
	if !ok {
		return
	}
	if m, err := cluster.Decode(b); err == nil {
		c.r.Receive(m)
	}
}

// change subscribes to the channel of a room, or ends that with the last of its
// rooms.
func (c *interestChannel) change(room string, wanted bool) {
	channel := c.channelOf(room)
	if wanted {
		if c.counts[channel]++; c.counts[channel] == 1 {
			ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
			defer cancel()
			// An error says that Redis is away; it is told when it is back.
			_ = c.sub.want(ctx, exact, channel, &handler{receive: c.receive})
		}
		return
	}
	if c.counts[channel]--; c.counts[channel] == 0 {
		delete(c.counts, channel)
		c.sub.remove(exact, channel)
	}
}
