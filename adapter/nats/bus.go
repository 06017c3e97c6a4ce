package nats

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	b := &bus{conn: conn, o: &opts}
	if opts.JetStream == nil {
		return cluster.NewFactory(b, opts.Cluster)
	}
	s, err := newStore(b)
	if err != nil {
		panic(err) // without options there is nothing that could fail
	}
	return cluster.NewOrderedFactory(b, s, opts.Cluster)
}

// A bus is a connection to NATS, for all namespaces of a server.
type bus struct {
	conn *natsgo.Conn
	o    *Options

	reporting sync.Mutex // held while channels are told of NATS, so that the last word is true; taken before mu

	mu       sync.Mutex
	channels map[*channel]bool
	logs     map[*log]bool
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
	var err error
	if c.ping, err = b.conn.Subscribe(c.subjects.ping(uid), func(m *natsgo.Msg) { _ = m.Respond(nil) }); err != nil {
		return nil, fmt.Errorf("nats: subscribe to %s: %w", c.subjects.ping(uid), err)
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
		// The channel is not there yet for the one who is told.
		go b.report(c)
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

// watch tells the channels whether NATS is there, until nobody listens.
func (b *bus) watch(status <-chan natsgo.Status) {
	for range status {
		b.mu.Lock()
		channels, logs := slices.Collect(maps.Keys(b.channels)), slices.Collect(maps.Keys(b.logs))
		b.mu.Unlock()
		b.report(channels...)
		for _, l := range logs {
			l.changed()
		}
	}
}

// report tells channels how NATS is at this moment, whatever has been said of it: a
// connection may come up while a namespace opens. NATS' client subscribes to
// everything again before it says that it is connected.
func (b *bus) report(cs ...*channel) {
	b.reporting.Lock()
	defer b.reporting.Unlock()
	err := b.away()
	for _, c := range cs {
		c.r.Lost(err)
	}
}

// away returns nil if NATS is there.
func (b *bus) away() error {
	if b.conn.Status() == natsgo.CONNECTED {
		return nil
	}
	if last := b.conn.LastError(); last != nil {
		return fmt.Errorf("%w: %w", errAway, last)
	}
	return errAway
}

func (b *bus) addLog(l *log) {
	b.mu.Lock()
	if b.logs == nil {
		b.logs = make(map[*log]bool)
	}
	b.logs[l] = true
	b.mu.Unlock()
}

func (b *bus) removeLog(l *log) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.logs, l)
}

// A channel is one namespace on one node.
type channel struct {
	bus      *bus
	r        cluster.Receiver
	subjects subjects
	in       chan *natsgo.Msg // of all subscriptions, so that the order of a sender stays
	done     chan struct{}    // closed when run has returned
	fixed    []*natsgo.Subscription
	ping     *natsgo.Subscription // answers, however busy the namespace is

	mu     sync.Mutex
	rooms  map[string]*natsgo.Subscription
	gone   int // messages that were dropped for rooms that are not there any more
	closed bool
}

// follow subscribes to the rooms that this node has.
func (c *channel) follow(room string, exists bool) {
	if mayBeID(room) {
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
		dropped, _ := sub.Dropped()
		c.gone += dropped
		_ = sub.Unsubscribe()
	}
}

// run hands over what comes. What cannot be read is from somebody who is no node
// of ours.
func (c *channel) run() {
	defer close(c.done)
	dropped, full := 0, false
	for m := range c.in {
		full = full || len(c.in) >= cap(c.in)-1 // it was, before this one was taken
		b, ok := c.bus.o.open(m.Subject, m.Data)
		if ok {
			if message, err := cluster.Decode(b); err == nil {
				c.r.Receive(message)
			}
		}
		if full && len(c.in) == 0 {
			full = false
			if n := c.dropped(); n > dropped {
				c.r.Lost(fmt.Errorf("nats: %d messages were dropped, since this node is too slow", n-dropped))
				dropped = n
				c.bus.report(c)
			}
		}
	}
}

// dropped returns how many messages did not fit into the channel so far.
func (c *channel) dropped() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.gone
	for _, sub := range c.fixed {
		d, _ := sub.Dropped()
		n += d
	}
	for _, sub := range c.rooms {
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
	if err == nil {
		err = c.bus.conn.Publish(subject, c.bus.o.seal(subject, b))
		if !errors.Is(err, natsgo.ErrMaxPayload) {
			return err
		}
	}
	return &cluster.EncodeError{Err: err} // NATS is well
}

// pingTimeout is how long a node may take to say that it is there.
const pingTimeout = time.Second

// Reaches implements [cluster.Reacher]. NATS knows at once that nobody is there, and
// not when a node is there and stuck.
func (c *channel) Reaches(ctx context.Context, uid string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	_, err := c.bus.conn.RequestWithContext(ctx, c.subjects.ping(uid), nil)
	return !errors.Is(err, natsgo.ErrNoResponders), nil
}

// Close implements [cluster.Channel].
func (c *channel) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	subs := append(c.fixed, c.ping)
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
