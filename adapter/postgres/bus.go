package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// New returns a factory of adapters whose messages go over the database of pool,
// which the caller opens and closes, after the server. Beside a connection out of
// the pool, or of Options.Connect, that stays, each batch of messages takes one
// for a moment.
func New(pool *pgxpool.Pool, o *Options) adapter.Factory {
	o = o.withDefaults()
	return cluster.NewFactory(newBus(pool, o), o.cluster())
}

// A bus is a database, for all namespaces of a server.
type bus struct {
	pool  *pgxpool.Pool
	o     *Options
	l     *listener
	table table

	mu       sync.Mutex
	channels map[string][]*channel // by name
	logs     map[string][]*logTail // by the name of their channel
}

func newBus(pool *pgxpool.Pool, o *Options) *bus {
	b := &bus{pool: pool, o: o, channels: make(map[string][]*channel), logs: make(map[string][]*logTail)}
	b.table = table{pool: pool, o: o}
	b.l = &listener{pool: pool, o: o, receive: b.receive, probeTimeout: defaultProbeTimeout}
	return b
}

// A channel is one namespace on one node.
type channel struct {
	*bus
	nsp, uid, name string
	r              cluster.Receiver
	key            presence
	sub            *subscription
}

// Open implements [cluster.Bus].
func (b *bus) Open(nsp, uid string, r cluster.Receiver) (cluster.Channel, error) {
	c := &channel{bus: b, nsp: nsp, uid: uid, name: b.o.channel(nsp), r: r}
	c.key = newPresence(c.name, uid)
	c.sub = &subscription{channel: c.name, key: c.key, tell: r.Lost}
	b.mu.Lock()
	if len(b.channels) == 0 {
		b.table.open()
	}
	b.channels[c.name] = append(slices.Clip(b.channels[c.name]), c)
	b.mu.Unlock()
	err := b.l.add(c.sub)
	if err == nil {
		err = b.table.ensure()
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// Close implements [cluster.Channel].
func (c *channel) Close() error {
	c.l.remove(c.sub)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.channels[c.name], c) {
		return nil
	}
	rest := remove(c.channels[c.name], c)
	if c.channels[c.name] = rest; len(rest) == 0 {
		delete(c.channels, c.name)
	}
	if len(c.channels) == 0 {
		c.table.close()
	}
	return nil
}

// remove returns a new list: the old one may be walked just now.
func remove(cs []*channel, c *channel) []*channel {
	var rest []*channel
	for _, other := range cs {
		if other != c {
			rest = append(rest, other)
		}
	}
	return rest
}

// Publish implements [cluster.Channel].
func (c *channel) Publish(ctx context.Context, ms []*cluster.Message) error {
	return c.Send(ctx, ms, make([]string, len(ms)))
}

// Respond implements [cluster.Channel].
func (c *channel) Respond(ctx context.Context, to string, m *cluster.Message) error {
	return c.Send(ctx, []*cluster.Message{m}, []string{to})
}

// maxBatchBytes is about how much goes into one transaction.
const maxBatchBytes = 4 << 20

// Send implements [cluster.Batcher]: a batch is one round trip and one
// transaction. What does not encode does not keep back the others.
func (c *channel) Send(ctx context.Context, ms []*cluster.Message, to []string) error {
	var errs []error
	var notices []notice
	size := 0
	flush := func() {
		if len(notices) > 0 {
			errs = append(errs, c.send(ctx, notices))
			notices, size = nil, 0
		}
	}
	for i, m := range ms {
		n, err := c.o.encode(m, c.name, to[i])
		if err != nil {
			errs = append(errs, &cluster.EncodeError{Err: err})
			continue
		}
		notices = append(notices, n)
		if size += len(n.payload) + len(n.attachment); size > maxBatchBytes {
			flush()
		}
	}
	flush()
	return errors.Join(errs...)
}

func (c *channel) send(ctx context.Context, notices []notice) error {
	batch := &pgx.Batch{}
	// A notification that a crash of the server takes with it is lost either way:
	// nobody has to wait for the disk.
	batch.Queue("SELECT set_config('synchronous_commit', 'off', true)")
	for _, s := range c.o.statements(c.name, notices) {
		batch.Queue(s.sql, s.args...)
	}
	err := c.pool.SendBatch(ctx, batch).Close()
	if slices.ContainsFunc(notices, func(n notice) bool { return n.attachment != nil }) {
		c.table.seen()
	}
	if err != nil {
		return fmt.Errorf("postgres: publish: %w", inWords(c.pool, err))
	}
	return nil
}

// receive hands a batch of notifications to those they are for.
func (b *bus) receive(ctx context.Context, batch []*pgconn.Notification) {
	type delivery struct {
		c     *channel
		n     *pgconn.Notification
		id    int64
		alone bool
	}
	var all []delivery
	var ids []int64
	for _, n := range batch {
		b.mu.Lock()
		channels, logs := b.channels[n.Channel], b.logs[n.Channel]
		b.mu.Unlock()
		for _, l := range logs {
			l.notified(n.Payload)
		}
		for _, c := range channels {
			id, alone, mine := readHeader(n.Payload, c.uid)
			if id != 0 {
				b.table.seen()
			}
			if !mine {
				continue
			}
			if id != 0 {
				ids = append(ids, id)
			}
			all = append(all, delivery{c, n, id, alone})
		}
	}
	attachments, err := b.table.fetch(ctx, ids)
	for _, d := range all {
		var payload []byte
		ours := false
		if d.id == 0 {
			payload, ours = b.o.openText(d.n.Channel, d.n.Payload)
		} else {
			if payload = attachments[d.id]; payload == nil {
				if ctx.Err() != nil {
					continue // the last namespace is closed
				}
				if err == nil {
					err = fmt.Errorf("postgres: message %d was removed from %s before it was read", d.id, b.o.Table)
				}
				b.o.Logger.Error("message of another node was lost", "nsp", d.c.nsp, "error", err)
				continue
			}
			to := ""
			if d.alone {
				to = d.c.uid
			}
			payload, ours = b.o.key().Open(attachmentPlace(d.n.Channel, to), payload)
		}
		if !ours {
			b.o.Logger.Warn("message dropped: it is not from a node with this key", "nsp", d.c.nsp)
			continue
		}
		m, err := decode(payload, d.c.nsp)
		if err != nil {
			b.o.Logger.Debug("notification is no message", "nsp", d.c.nsp, "error", err)
			continue
		}
		d.c.r.Receive(m)
	}
}
