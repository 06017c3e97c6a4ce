package redis

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// Options configure [New]. Zero stands for the default.
type Options struct {
	// Key begins the names of the channels. Default "socket.io".
	Key string
	// PublishOnSpecificResponseChannel has answers sent to the node that asked
	// alone, by a channel of its own. All nodes must agree. Default false, as in
	// Node.
	PublishOnSpecificResponseChannel bool
	// RequestTimeout ends requests whose context has no deadline. Default 5 s
	// (requestsTimeout in JavaScript).
	RequestTimeout time.Duration
	// PublishTimeout limits how long Redis may take for a batch. Default 5 s.
	PublishTimeout time.Duration
	// MaxQueued limits the messages of one namespace that wait for Redis.
	// Default 16,384.
	MaxQueued int
}

// New returns the classic adapter, byte-compatible with @socket.io/redis-adapter
// 8. It receives on one connection of client, and publishes by a client of its own
// that it makes of it, since client may repeat what it publishes; client stays
// open.
//
// How many nodes there are Redis says; it does not know their names, so that
// errors count those that did not answer.
func New(client goredis.UniversalClient, o *Options) adapter.Factory {
	if o == nil {
		o = new(Options)
	}
	return cluster.NewFactory(&classic{
		own: &ownClient{from: client}, sub: &subscriber{client: client},
		key: cmp.Or(o.Key, "socket.io"), specific: o.PublishOnSpecificResponseChannel,
	}, &cluster.Options{
		RequestTimeout: o.RequestTimeout, PublishTimeout: o.PublishTimeout, MaxQueued: o.MaxQueued,
		NewUID: func() string { return rand.Text()[:6] }, // as long as in Node
	})
}

type classic struct {
	own      *ownClient
	sub      *subscriber
	key      string
	specific bool
}

// openTimeout limits how long Redis may take to subscribe.
const openTimeout = 10 * time.Second

// Open implements [cluster.Bus].
func (b *classic) Open(nsp, uid string, r cluster.Receiver) (cluster.Channel, error) {
	c := &classicChannel{classic: b, publisher: b.own.use(), nsp: nsp, uid: uid, r: r}
	c.name(b.key, nsp)
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	for _, s := range []struct {
		kind    kind
		name    string
		receive func(channel, payload string)
		lost    func(error)
	}{
		{pattern, c.broadcasts + "*", c.broadcast, r.Lost},
		{exact, c.requests, c.request, nil},
		{exact, c.responses, c.response, nil},
		{exact, c.responses + uid + "#", c.response, nil},
	} {
		if err := b.sub.add(ctx, s.kind, s.name, &handler{receive: s.receive, lost: s.lost}); err != nil {
			_ = c.Close()
			return nil, err
		}
	}
	return c, nil
}

// A classicChannel is one namespace.
type classicChannel struct {
	*classic
	publisher                       goredis.UniversalClient
	nsp, uid                        string
	r                               cluster.Receiver
	broadcasts, requests, responses string
}

func (c *classicChannel) name(key, nsp string) {
	c.broadcasts = key + "#" + nsp + "#"
	c.requests = key + "-request#" + nsp + "#"
	c.responses = key + "-response#" + nsp + "#"
}

// Check implements [cluster.Checker].
func (c *classicChannel) Check(m *cluster.Message) error {
	if m.Type == cluster.ServerSideEmit && len(m.Values.Attachments) > 0 {
		return errBinary
	}
	return nil
}

// Publish implements [cluster.Channel].
func (c *classicChannel) Publish(ctx context.Context, ms []*cluster.Message) error {
	return publishAll(ctx, c.publisher, false, ms, func(m *cluster.Message) (string, []byte, error) {
		if m.Type != cluster.Broadcast || m.RequestID != "" {
			b, err := encodeRequest(m)
			return c.requests, b, err
		}
		channel := c.broadcasts
		if len(m.Target.Rooms) == 1 {
			channel += m.Target.Rooms[0] + "#"
		}
		b, err := encodeBroadcast(m)
		return channel, b, err
	})
}

// Respond implements [cluster.Channel].
func (c *classicChannel) Respond(ctx context.Context, to string, m *cluster.Message) error {
	return publishAll(ctx, c.publisher, false, []*cluster.Message{m}, func(m *cluster.Message) (string, []byte, error) {
		b, err := encodeResponse(m)
		channel := c.responses
		// Answers to server-side emits go to everybody, in Node too.
		if c.specific && to != "" && m.Type != cluster.ServerSideEmitResponse {
			channel += to + "#"
		}
		return channel, b, err
	})
}

// ServerCount implements [cluster.Counter].
func (c *classicChannel) ServerCount(ctx context.Context) (int, error) {
	return subscribers(ctx, c.publisher, c.requests, false)
}

// Close implements [cluster.Channel].
func (c *classicChannel) Close() error {
	c.sub.remove(pattern, c.broadcasts+"*")
	c.sub.remove(exact, c.requests)
	c.sub.remove(exact, c.responses)
	c.sub.remove(exact, c.responses+c.uid+"#")
	c.own.release()
	return nil
}

func (c *classicChannel) broadcast(channel, payload string) {
	room, forRoom := strings.CutSuffix(strings.TrimPrefix(channel, c.broadcasts), "#")
	if forRoom && c.r.Local().RoomSize(room) == 0 {
		return // nobody here: it need not be decoded
	}
	if m, err := decodeBroadcast([]byte(payload)); err == nil {
		c.r.Receive(m)
	}
}

func (c *classicChannel) request(_, payload string) {
	m, r, err := decodeRequest(c.nsp, []byte(payload))
	if err != nil {
		return
	}
	if m.Type != 0 {
		c.r.Receive(m)
		return
	}
	if m.UID == c.uid {
		return
	}
	// What other nodes ask that only the classic adapter knows.
	response := map[string]any{"requestId": r.RequestID}
	if r.Type == requestAllRooms {
		rooms := []string{}
		for room := range c.r.Local().Rooms() {
			rooms = append(rooms, room)
		}
		for m := range c.r.Local().Local(adapter.Target{}) {
			rooms = append(rooms, m.ID())
		}
		response["rooms"] = rooms
	} else {
		ids := []string{}
		for m := range c.r.Local().Local(m.Target) {
			ids = append(ids, m.ID())
		}
		response["sockets"] = ids
	}
	b, err := json.Marshal(response)
	if err != nil {
		return
	}
	channel := c.responses
	if c.specific {
		channel += m.UID + "#"
	}
	go func() { // what receives must not wait for Redis
		ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
		defer cancel()
		_ = c.publisher.Publish(ctx, channel, b).Err()
	}()
}

func (c *classicChannel) response(_, payload string) {
	if m, err := decodeResponse(c.nsp, []byte(payload)); err == nil && m != nil {
		c.r.Receive(m)
	}
}
