package nats

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// New returns a factory of adapters whose messages go over conn, which the caller
// opens and closes, after the server. It should reconnect for ever
// (MaxReconnects -1). Several servers of one process may share it.
func New(conn *natsgo.Conn, o *Options) adapter.Factory {
	opts := o.withDefaults()
	return cluster.NewFactory(&bus{conn: conn, o: &opts}, opts.Cluster)
}

// A bus is a connection to NATS, for all namespaces of a server.
type bus struct {
	conn *natsgo.Conn
	o    *Options

	mu       sync.Mutex
	channels map[*channel]bool
	status   chan natsgo.Status // nil while there is no channel
}

// maxPending is how many messages may wait for a namespace to take them. They
// take microseconds each; a node that falls behind by so many loses what follows.
const maxPending = 1 << 14

// openTimeout is how long NATS may take to know of a new namespace.
const openTimeout = 10 * time.Second

// Open implements [cluster.Bus].
func (b *bus) Open(nsp, uid string, r cluster.Receiver) (cluster.Channel, error) {
	c := &channel{
		bus: b, r: r, subjects: b.o.subjects(nsp),
		in: make(chan *natsgo.Msg, maxPending), done: make(chan struct{}),
		rooms: make(map[string]*natsgo.Subscription),
	}
	if !b.o.OneSubject {
		r.Rooms(c.follow)
	}
	for _, subject := range []string{c.subjects.all(), c.subjects.node(uid)} {
		sub, err := b.conn.ChanSubscribe(subject, c.in)
		if err != nil {
			return nil, fmt.Errorf("nats: subscribe to %s: %w", subject, err)
		}
		c.fixed = append(c.fixed, sub)
	}
	go c.run()
	b.add(c)
	if b.conn.Status() != natsgo.CONNECTED {
		return c, nil // it will subscribe when it connects
	}
	// Others may speak to this node as soon as this returns.
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	if err := b.conn.FlushWithContext(ctx); err != nil && b.conn.Status() == natsgo.CONNECTED {
		_ = c.Close()
		return nil, fmt.Errorf("nats: %w", err)
	}
	return c, nil
}

func (b *bus) add(c *channel) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.channels == nil {
		b.channels = make(map[*channel]bool)
	}
	b.channels[c] = true
	if b.status == nil {
		b.status = b.conn.StatusChanged(natsgo.CONNECTED, natsgo.DISCONNECTED, natsgo.RECONNECTING, natsgo.CLOSED)
		go b.watch(b.status)
	}
	if b.conn.Status() != natsgo.CONNECTED {
		// The channel is not there yet for the one who would be told.
		go c.r.Lost(errAway)
	}
}

func (b *bus) remove(c *channel) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.channels, c)
	if len(b.channels) == 0 && b.status != nil {
		b.conn.RemoveStatusListener(b.status)
		b.status = nil
	}
}

var errAway = errors.New("nats: not connected")

// watch tells the channels whether NATS is there, until nobody listens. NATS'
// client subscribes to everything again before it says that it is connected.
func (b *bus) watch(status <-chan natsgo.Status) {
	for s := range status {
		var err error
		if s != natsgo.CONNECTED {
			err = errAway
			if last := b.conn.LastError(); last != nil {
				err = fmt.Errorf("%w: %w", errAway, last)
			}
		}
		b.mu.Lock()
		all := make([]*channel, 0, len(b.channels))
		for c := range b.channels {
			all = append(all, c)
		}
		b.mu.Unlock()
		for _, c := range all {
			c.r.Lost(err)
		}
	}
}

// A channel is one namespace on one node.
type channel struct {
	bus      *bus
	r        cluster.Receiver
	subjects subjects
	in       chan *natsgo.Msg // of all subscriptions, so that the order of a sender stays
	done     chan struct{}    // closed when run has returned
	fixed    []*natsgo.Subscription

	mu     sync.Mutex
	rooms  map[string]*natsgo.Subscription
	closed bool
}

// follow subscribes to the rooms that this node has.
func (c *channel) follow(room string, exists bool) {
	if len(room) == idLength {
		return // comes with what is for all
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	sub := c.rooms[room]
	switch {
	case c.closed || exists == (sub != nil):
	case exists:
		if sub, err := c.bus.conn.ChanSubscribe(c.subjects.room(room), c.in); err == nil {
			c.rooms[room] = sub
		}
	default:
		delete(c.rooms, room)
		_ = sub.Unsubscribe()
	}
}

// run hands over what comes. What cannot be read is from somebody who is no node
// of ours.
func (c *channel) run() {
	defer close(c.done)
	dropped := 0
	for m := range c.in {
		b, ok := c.bus.o.open(m.Subject, m.Data)
		if !ok {
			continue
		}
		if message, err := cluster.Decode(b); err == nil {
			c.r.Receive(message)
		}
		if len(c.in) == 0 {
			if n := c.dropped(); n > dropped {
				c.r.Lost(fmt.Errorf("nats: %d messages were dropped, since this node is too slow", n-dropped))
				c.r.Lost(nil)
				dropped = n
			}
		}
	}
}

func (c *channel) dropped() int {
	n := 0
	for _, sub := range c.fixed {
		d, _ := sub.Dropped()
		n += d
	}
	return n
}

// Publish implements [cluster.Channel]. One that NATS does not take does not keep
// back the others.
func (c *channel) Publish(ctx context.Context, ms []*cluster.Message) error {
	var errs []error
	for _, m := range ms {
		subject := c.subjects.all()
		if !c.bus.o.OneSubject {
			subject = c.subjects.of(m)
		}
		errs = append(errs, c.publish(subject, m))
	}
	return errors.Join(append(errs, c.bus.conn.FlushWithContext(ctx))...)
}

// Respond implements [cluster.Channel].
func (c *channel) Respond(ctx context.Context, to string, m *cluster.Message) error {
	return errors.Join(c.publish(c.subjects.node(to), m), c.bus.conn.FlushWithContext(ctx))
}

func (c *channel) publish(subject string, m *cluster.Message) error {
	b, err := cluster.Encode(m)
	if err != nil {
		return err
	}
	return c.bus.conn.Publish(subject, c.bus.o.seal(subject, b))
}

// Close implements [cluster.Channel].
func (c *channel) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	subs := c.fixed
	for _, sub := range c.rooms {
		subs = append(subs, sub)
	}
	c.mu.Unlock()
	c.bus.remove(c)
	for _, sub := range subs {
		_ = sub.Unsubscribe() // nothing is sent into the channel any more
	}
	close(c.in)
	<-c.done
	return nil
}
