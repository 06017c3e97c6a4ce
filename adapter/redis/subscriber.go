package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// A kind of subscription.
type kind uint8

const (
	exact kind = iota
	pattern
	shard
)

// A subscriber is the one connection on which all namespaces of a factory
// receive. It exists while there are any.
type subscriber struct {
	client goredis.UniversalClient
	// Of shards: state is told of the connection, of each attempt and of success, and
	// moved that slots have gone over to another master.
	state func(error)
	moved func()

	mu     sync.Mutex
	subs   map[subscription]*handler
	ps     *goredis.PubSub
	cancel context.CancelFunc
	ended  chan struct{}
	lost   error
}

type subscription struct {
	kind kind
	name string
}

// A handler is whom a subscription is for.
type handler struct {
	receive func(channel, payload string)
	lost    func(error)
	ready   chan struct{} // closed when Redis has confirmed
	isReady bool
	// Of shards.
	confirmed func()
	once      sync.Once
}

// checkInterval is after how long of silence the connection is tried.
const checkInterval = 15 * time.Second

// retryInterval is how often a lost connection is tried.
const retryInterval = 100 * time.Millisecond

// add subscribes, and waits until Redis has confirmed it.
func (s *subscriber) add(ctx context.Context, k kind, name string, h *handler) error {
	return addTo(ctx, s, k, name, h)
}

func addTo(ctx context.Context, s subscribing, k kind, name string, h *handler) error {
	err := s.want(ctx, k, name, h)
	if err == nil {
		select {
		case <-h.ready:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	if err != nil {
		s.remove(k, name)
	}
	return err
}

// want subscribes. If Redis is away it will be told when it is back.
func (s *subscriber) want(ctx context.Context, k kind, name string, h *handler) error {
	h.ready = make(chan struct{})
	s.mu.Lock()
	if s.ps == nil {
		s.open()
	}
	s.subs[subscription{k, name}] = h
	ps := s.ps
	s.mu.Unlock()
	return subscribe(ctx, ps, k, name)
}

func subscribe(ctx context.Context, ps *goredis.PubSub, k kind, names ...string) error {
	switch k {
	case pattern:
		return ps.PSubscribe(ctx, names...)
	case shard:
		return ps.SSubscribe(ctx, names...)
	default:
		return ps.Subscribe(ctx, names...)
	}
}

func (s *subscriber) remove(k kind, name string) {
	s.mu.Lock()
	delete(s.subs, subscription{k, name})
	ps := s.ps
	last := len(s.subs) == 0
	var ended chan struct{}
	if last && ps != nil {
		s.cancel()
		ended, s.ps = s.ended, nil
	}
	s.mu.Unlock()
	switch {
	case ps == nil:
	case last:
		_ = ps.Close()
		<-ended
	default:
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		switch k {
		case exact:
			_ = ps.Unsubscribe(ctx, name)
		case pattern:
			_ = ps.PUnsubscribe(ctx, name)
		case shard:
			_ = ps.SUnsubscribe(ctx, name)
		}
	}
}

// open makes the connection. s.mu is held.
func (s *subscriber) open() {
	ctx, cancel := context.WithCancel(context.Background())
	s.ps, s.cancel, s.ended, s.lost = s.client.Subscribe(ctx), cancel, make(chan struct{}), nil
	if s.subs == nil {
		s.subs = make(map[subscription]*handler)
	}
	go s.receiveLoop(ctx, s.ps, s.ended)
}

// reopen replaces a connection on which Redis does not answer.
func (s *subscriber) reopen(ctx context.Context, old *goredis.PubSub) *goredis.PubSub {
	_ = old.Close()
	ps := s.client.Subscribe(ctx)
	names := make(map[kind][]string)
	s.mu.Lock()
	if s.ps == old {
		s.ps = ps
	}
	for sub := range s.subs {
		names[sub.kind] = append(names[sub.kind], sub.name)
	}
	s.mu.Unlock()
	for k, n := range names {
		_ = subscribe(ctx, ps, k, n...) // what fails is subscribed with the next connection
	}
	return ps
}

func (s *subscriber) receiveLoop(ctx context.Context, ps *goredis.PubSub, ended chan struct{}) {
	defer close(ended)
	defer func() { _ = ps.Close() }()
	silent := false // asked for a sign of life, and got none yet
	for {
		m, err := ps.ReceiveTimeout(ctx, checkInterval)
		if ctx.Err() != nil {
			return
		}
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() && !silent {
			silent = true
			err = ps.Ping(ctx)
			if err == nil {
				continue
			}
		}
		if s.moved != nil && strings.HasPrefix(fmt.Sprint(err), "MOVED ") {
			s.moved() // a channel of another master: the connection is well
			continue
		}
		if err != nil {
			s.setLost(err)
			select {
			case <-time.After(retryInterval):
			case <-ctx.Done():
				return
			}
			if silent {
				ps = s.reopen(ctx, ps)
			}
			silent = false
			continue
		}
		silent = false
		switch m := m.(type) {
		case *goredis.Subscription:
			s.confirmed(m)
		case *goredis.Message:
			s.dispatch(m)
		}
	}
}

// confirmed notes that Redis has taken a subscription. After a loss, all is well
// when the last is there again.
func (s *subscriber) confirmed(m *goredis.Subscription) {
	var k kind
	switch m.Kind {
	case "subscribe":
		k = exact
	case "psubscribe":
		k = pattern
	case "ssubscribe":
		k = shard
	case "sunsubscribe":
		s.mu.Lock()
		h := s.subs[subscription{shard, m.Channel}]
		if h != nil && s.moved != nil { // nobody here has asked for it
			h.isReady = false
		}
		s.mu.Unlock()
		if h != nil && s.moved != nil {
			s.moved()
		}
		return
	default:
		return
	}
	s.mu.Lock()
	h := s.subs[subscription{k, m.Channel}]
	if h != nil && !h.isReady {
		h.isReady = true
		select {
		case <-h.ready:
		default:
			close(h.ready)
		}
		if h.confirmed != nil {
			h.confirmed()
		}
	}
	var back []*handler
	well := s.allReady()
	if s.lost != nil && well {
		s.lost = nil
		back = s.handlers()
	}
	s.mu.Unlock()
	if well && s.state != nil {
		s.state(nil)
	}
	for _, h := range back {
		h.lost(nil)
	}
}

// refused reports whether a subscription is not there, though Redis can be reached.
func (s *subscriber) refused(k kind, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.subs[subscription{k, name}]
	return s.lost == nil && h != nil && !h.isReady
}

func (s *subscriber) settled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.allReady()
}

func (s *subscriber) allReady() bool {
	for _, h := range s.subs {
		if !h.isReady {
			return false
		}
	}
	return true
}

func (s *subscriber) handlers() []*handler {
	var all []*handler
	for _, h := range s.subs {
		if h.lost != nil {
			all = append(all, h)
		}
	}
	return all
}

func (s *subscriber) setLost(err error) {
	s.mu.Lock()
	var told []*handler
	if s.lost == nil {
		told = s.handlers()
	}
	s.lost = err
	for _, h := range s.subs {
		h.isReady = false
	}
	s.mu.Unlock()
	for _, h := range told {
		h.lost(err)
	}
	if s.state != nil {
		s.state(err)
	}
}

func (s *subscriber) dispatch(m *goredis.Message) {
	sub := subscription{exact, m.Channel}
	if m.Pattern != "" {
		sub = subscription{pattern, m.Pattern}
	}
	s.mu.Lock()
	h := s.subs[sub]
	if h == nil {
		h = s.subs[subscription{shard, m.Channel}]
	}
	s.mu.Unlock()
	if h != nil {
		h.receive(m.Channel, m.Payload)
	}
}

// subscribers counts those of a channel, on all nodes of a Redis Cluster.
func subscribers(ctx context.Context, client goredis.UniversalClient, channel string, sharded bool) (int, error) {
	ask := func(c goredis.Cmdable) (int, error) {
		cmd := c.PubSubNumSub
		if sharded {
			cmd = c.PubSubShardNumSub
		}
		counts, err := cmd(ctx, channel).Result()
		return int(counts[channel]), err
	}
	c, ok := client.(*goredis.ClusterClient)
	if !ok {
		return ask(client)
	}
	var mu sync.Mutex
	sum := 0
	err := c.ForEachMaster(ctx, func(ctx context.Context, c *goredis.Client) error {
		n, err := ask(c)
		mu.Lock()
		defer mu.Unlock()
		sum += n
		return err
	})
	return sum, err
}
