package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/parser"
)

// An Adapter is one namespace on one node of a cluster. What [adapter.Adapter]
// says of it holds: methods without a context do not wait for the broker.
type Adapter struct {
	*adapter.Memory
	host adapter.Host
	nsp  string
	uid  string
	ch   Channel
	o    *Options

	handle func(*Message) // a message of another node
	// Of an Ordered.
	ordered     bool
	log         Log
	leftOut     func(seq uint64)
	appended    atomic.Uint64 // Seq of the last message that the log has
	setLostFrom func(log bool, err error)

	out      outbox
	nodes    nodes
	requests requests
	lost     atomic.Pointer[DegradedError] // the broker is away
	failed   atomic.Pointer[DegradedError] // the last batch did not reach it
	early    atomic.Pointer[error]         // what was said last of the broker

	observers observers
	unflushed error // the first since the last Flush; of the goroutine that sends

	mu        sync.Mutex
	published time.Time         // the last time that the others heard of this node
	seq       uint64            // of the last message to all, in the order of the outbox
	answers   map[string]uint64 // of the last one to each node alone
	timer     *time.Timer
	closed    bool
	looking   atomic.Bool // who is still connected, for requests that wait
}

var _ adapter.Adapter = (*Adapter)(nil)

// NewFactory returns a factory of adapters whose messages go over bus.
func NewFactory(bus Bus, o *Options) adapter.Factory {
	o = o.withDefaults()
	return func(h adapter.Host) (adapter.Adapter, error) { return newAdapter(bus, o, h) }
}

func newAdapter(bus Bus, o *Options, h adapter.Host) (*Adapter, error) {
	a := makeAdapter(o, h)
	if err := a.open(bus); err != nil {
		return nil, err
	}
	return a, nil
}

func makeAdapter(o *Options, h adapter.Host) *Adapter {
	a := &Adapter{Memory: adapter.New(), host: h, nsp: h.Name(), uid: o.NewUID(), o: o}
	a.out = outbox{max: o.MaxQueued, send: a.send, stop: make(chan struct{})}
	a.handle = a.handleMessage
	return a
}

func (a *Adapter) open(bus Bus) error {
	ready := make(chan struct{}) // nothing is received before there is a channel to answer on
	ch, err := bus.Open(a.nsp, a.uid, receiver{a, ready})
	if err != nil {
		return fmt.Errorf("cluster: namespace %q: %w", a.nsp, err)
	}
	a.ch = ch
	close(ready)
	if err := a.early.Load(); err != nil {
		a.busLost(*err)
	}
	if _, counts := ch.(Counter); !counts {
		_ = a.publish(&Message{Type: InitialHeartbeat})
		a.mu.Lock()
		a.timer = time.AfterFunc(a.tick(), a.beat)
		a.mu.Unlock()
	}
	return nil
}

// UID returns the id by which other nodes know this namespace of this node.
func (a *Adapter) UID() string { return a.uid }

// NewID implements [adapter.Namer], for a [Channel] that does.
func (a *Adapter) NewID() string {
	if n, ok := a.ch.(adapter.Namer); ok {
		return n.NewID()
	}
	return ""
}

// publish queues a message for all other nodes.
func (a *Adapter) publish(m *Message) error { return a.push(outgoing{m: m}) }

// append queues a message for the log.
func (a *Adapter) append(m *Message) error { return a.push(outgoing{m: m, logged: true}) }

func (a *Adapter) push(out outgoing) error {
	out.m.UID, out.m.NSP = a.uid, a.nsp
	if lost := a.lost.Load(); lost != nil {
		return lost
	}
	if c, ok := a.ch.(Checker); ok && !out.logged {
		if err := c.Check(out.m); err != nil {
			return err
		}
	}
	return a.out.push(out)
}

// respond queues an answer for one of them.
func (a *Adapter) respond(to string, m *Message) {
	m.UID, m.NSP = a.uid, a.nsp
	if err := a.out.push(outgoing{to: to, m: m}); err != nil {
		a.host.Logger().Warn("answer to another node dropped", "nsp", a.nsp, "node", to, "type", m.Type.String(), "error", err)
	}
}

// send hands a batch to the broker. It runs on one goroutine at a time.
func (a *Adapter) send(batch []outgoing) {
	for len(batch) > 0 {
		first, n := &batch[0], 1
		all, gathers := a.ch.(Batcher)
		for n < len(batch) && first.m != nil && batch[n].goesWith(first, gathers) {
			n++
		}
		switch {
		case first.m == nil:
			err := a.unflushed
			a.unflushed = nil
			first.flushed(err)
		case first.logged:
			a.appendAll(batch[:n])
		default:
			ctx, cancel := context.WithTimeout(context.Background(), a.o.PublishTimeout)
			ms, err := a.numbered(batch[:n]), error(nil)
			switch {
			case gathers:
				to := make([]string, n)
				for i, out := range batch[:n] {
					to[i] = out.to
				}
				err = all.Send(ctx, ms, to)
			case first.to != "":
				err = a.ch.Respond(ctx, first.to, first.m)
			default:
				err = a.ch.Publish(ctx, ms)
			}
			cancel()
			a.sent(n, err)
		}
		batch = batch[n:]
	}
}

func (a *Adapter) numbered(batch []outgoing) []*Message {
	ms := make([]*Message, len(batch))
	for i, out := range batch {
		a.number(out.m, out.to)
		ms[i] = out.m
	}
	return ms
}

// number gives a message its place in what this node sends to all, or to one.
func (a *Adapter) number(m *Message, to string) {
	if !a.o.Sequence {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if to == "" {
		a.seq++
		m.Seq = a.seq
		return
	}
	if a.answers == nil {
		a.answers = make(map[string]uint64)
	}
	a.answers[to]++
	m.Seq = a.answers[to]
}

// unconfirmed notes what Flush says. It is for the goroutine that sends.
func (a *Adapter) unconfirmed(err error) {
	if a.unflushed == nil {
		a.unflushed = err
	}
}

func (a *Adapter) sent(n int, err error) {
	if !a.ordered { // whose messages are sent again
		a.unconfirmed(err)
	}
	left, err := leftOut(err)
	for _, e := range left {
		a.host.Logger().Error("message for other nodes dropped", "nsp", a.nsp, "error", e.Err)
	}
	if err == nil && len(left) > 0 {
		return // perhaps nothing was handed over, which says nothing of the broker
	}
	if err == nil {
		a.mu.Lock()
		a.published = time.Now()
		a.mu.Unlock()
		if a.failed.Swap(nil) != nil {
			a.host.Logger().Info("broker takes messages again", "nsp", a.nsp)
		}
		return
	}
	if a.failed.Swap(&DegradedError{Since: time.Now(), Err: err}) == nil {
		a.host.Logger().Error("messages did not reach the broker", "nsp", a.nsp, "messages", n, "error", err)
	}
}

// busLost is what the channel says of the broker.
func (a *Adapter) busLost(err error) {
	if a.setLostFrom != nil {
		a.setLostFrom(false, err)
		return
	}
	a.setLost(err)
}

// setLost notes that the broker is away, or is back.
func (a *Adapter) setLost(err error) {
	if err != nil {
		if a.lost.Swap(&DegradedError{Since: time.Now(), Err: err}) == nil {
			a.host.Logger().Error("broker is away: other nodes are not reached", "nsp", a.nsp, "error", err)
		}
		return
	}
	if a.lost.Swap(nil) == nil {
		return
	}
	a.failed.Store(nil)
	a.host.Logger().Info("broker is back", "nsp", a.nsp)
	if _, counts := a.ch.(Counter); !counts {
		_ = a.publish(&Message{Type: InitialHeartbeat})
	}
}

// Health implements [adapter.Adapter]: nil, or a [*DegradedError].
func (a *Adapter) Health() error { return a.failure() }

func (a *Adapter) failure() error {
	if e := a.lost.Load(); e != nil {
		return e
	}
	if e := a.failed.Load(); e != nil {
		return e
	}
	return nil
}

// Flush waits until the broker has what was emitted before. An error says that it
// has not got something that was emitted since the last Flush, or perhaps not.
func (a *Adapter) Flush(ctx context.Context) error {
	done := make(chan error, 1)
	a.out.flush(func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Observe implements [adapter.Adapter].
func (a *Adapter) Observe(f func(adapter.RoomEvent)) {
	a.observers.set(f)
	a.Memory.Observe(a.observers.tell)
}

// Broadcast implements [adapter.Adapter].
func (a *Adapter) Broadcast(t adapter.Target, p *adapter.Packet) error {
	var err error
	if !t.Local {
		err = a.broadcast(t, p, "", 0)
	}
	return errors.Join(err, a.Memory.Broadcast(t, p))
}

func (a *Adapter) broadcast(t adapter.Target, p *adapter.Packet, request string, timeout time.Duration) error {
	m, err := newBroadcast(t, p)
	if err != nil {
		return err
	}
	m.RequestID, m.Timeout = request, timeout
	return a.publish(m)
}

// newBroadcast encodes a packet for other nodes.
func newBroadcast(t adapter.Target, p *adapter.Packet) (*Message, error) {
	values, err := NewValues(append([]any{p.Event}, p.Args...)...)
	if err != nil {
		return nil, err
	}
	for i, b := range values.Attachments { // the caller may change its bytes
		values.Attachments[i] = append([]byte(nil), b...)
	}
	return &Message{Type: Broadcast, Target: t, Flags: p.Flags, Values: values}, nil
}

// withTimeout sees to it that a request ends.
func (a *Adapter) withTimeout(ctx context.Context) (context.Context, context.CancelFunc, time.Duration) {
	if deadline, ok := ctx.Deadline(); ok {
		return ctx, func() {}, max(time.Until(deadline), time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(ctx, a.o.RequestTimeout)
	return ctx, cancel, a.o.RequestTimeout
}

// BroadcastWithAck implements [adapter.Adapter]. Only the first argument of an
// answer comes from other nodes.
func (a *Adapter) BroadcastWithAck(ctx context.Context, t adapter.Target, p *adapter.Packet) iter.Seq2[adapter.Answer, error] {
	if t.Local {
		return a.Memory.BroadcastWithAck(ctx, t, p)
	}
	return func(yield func(adapter.Answer, error) bool) {
		ctx, cancel, timeout := a.withTimeout(ctx)
		defer cancel()
		uids, count, err := a.others(ctx)
		r := a.requests.add(uids, count)
		defer a.requests.remove(r)
		if count > 0 {
			err = errors.Join(err, a.broadcast(t, p, r.id, timeout))
		}
		r.update(func() { r.waiting[""] = true }) // until all of this node are asked
		asked, cancelAcks := a.Memory.Ask(t, p, r.local)
		defer cancelAcks()
		r.update(func() {
			delete(r.waiting, "")
			r.open[""] += asked
			if err != nil { // nobody there was asked
				clear(r.waiting)
				r.unnamed = 0
			}
		})
		var ended error
		for ended == nil {
			var answers []adapter.Answer
			answers, ended = r.next(ctx)
			if len(answers) == 0 {
				break
			}
			for _, answer := range answers {
				if !yield(answer, nil) {
					return
				}
			}
		}
		missing := r.missing(ended)
		if err != nil {
			if missing == nil {
				missing = &adapter.MissingError{}
			}
			missing.Nodes, missing.Err = uids, errors.Join(ended, err)
		}
		if missing != nil {
			yield(adapter.Answer{}, missing)
		}
	}
}

// Fetch implements [adapter.Adapter].
func (a *Adapter) Fetch(ctx context.Context, t adapter.Target) ([]adapter.SocketInfo, error) {
	infos, _ := a.Memory.Fetch(ctx, t)
	if t.Local {
		return infos, nil
	}
	r, err := a.ask(ctx, func(r *request, timeout time.Duration) *Message {
		return &Message{Type: FetchSockets, Target: t, RequestID: r.id, Timeout: timeout}
	})
	if r != nil {
		r.mu.Lock()
		infos = append(infos, r.infos...)
		r.mu.Unlock()
	}
	return infos, err
}

// ask makes a request of which each node answers once, and waits.
func (a *Adapter) ask(ctx context.Context, message func(*request, time.Duration) *Message) (*request, error) {
	ctx, cancel, timeout := a.withTimeout(ctx)
	defer cancel()
	uids, count, err := a.others(ctx)
	if err != nil {
		return nil, &adapter.PartialError{Missing: count, Err: err}
	}
	if count == 0 {
		if lost := a.lost.Load(); lost != nil {
			return nil, &adapter.PartialError{Err: lost}
		}
		return nil, nil
	}
	r := a.requests.add(uids, count)
	defer a.requests.remove(r)
	if err := a.publish(message(r, timeout)); err != nil {
		return r, &adapter.PartialError{Missing: count, Nodes: uids, Err: err}
	}
	if missing, nodes, err := r.wait(ctx); missing > 0 {
		return r, &adapter.PartialError{Missing: missing, Nodes: nodes, Err: err}
	}
	return r, nil
}

// SocketsJoin implements [adapter.Adapter].
func (a *Adapter) SocketsJoin(t adapter.Target, rooms ...string) error {
	return a.both(t, &Message{Type: SocketsJoin, Rooms: rooms}, func() error { return a.Memory.SocketsJoin(t, rooms...) })
}

// SocketsLeave implements [adapter.Adapter].
func (a *Adapter) SocketsLeave(t adapter.Target, rooms ...string) error {
	return a.both(t, &Message{Type: SocketsLeave, Rooms: rooms}, func() error { return a.Memory.SocketsLeave(t, rooms...) })
}

// DisconnectSockets implements [adapter.Adapter].
func (a *Adapter) DisconnectSockets(t adapter.Target, closeConnection bool) error {
	m := &Message{Type: DisconnectSockets, CloseConnection: closeConnection}
	return a.both(t, m, func() error { return a.Memory.DisconnectSockets(t, closeConnection) })
}

// both has something done on the other nodes and on this one.
func (a *Adapter) both(t adapter.Target, m *Message, here func() error) error {
	var err error
	if !t.Local {
		m.Target = t
		err = a.publish(m)
	}
	return errors.Join(err, here())
}

// ServerSideEmit implements [adapter.Adapter].
func (a *Adapter) ServerSideEmit(event string, args []any) error {
	values, err := NewValues(append([]any{event}, args...)...)
	if err != nil {
		return err
	}
	return a.publish(&Message{Type: ServerSideEmit, Values: values})
}

// ServerSideEmitWithAck implements [adapter.Adapter].
func (a *Adapter) ServerSideEmitWithAck(ctx context.Context, event string, args []any) iter.Seq2[adapter.Answer, error] {
	return func(yield func(adapter.Answer, error) bool) {
		values, err := NewValues(append([]any{event}, args...)...)
		if err != nil {
			yield(adapter.Answer{}, err)
			return
		}
		ctx, cancel, timeout := a.withTimeout(ctx)
		defer cancel()
		uids, count, err := a.others(ctx)
		if err == nil && count == 0 {
			if lost := a.lost.Load(); lost != nil {
				err = lost
			} else {
				return
			}
		}
		r := a.requests.add(uids, count)
		defer a.requests.remove(r)
		if err == nil {
			err = a.publish(&Message{Type: ServerSideEmit, Values: values, RequestID: r.id, Timeout: timeout})
		}
		if err != nil {
			yield(adapter.Answer{}, &adapter.PartialError{Missing: count, Nodes: uids, Err: err})
			return
		}
		for {
			answers, ended := r.next(ctx)
			for _, answer := range answers {
				if !yield(answer, nil) {
					return
				}
			}
			if ended == nil && len(answers) > 0 {
				continue
			}
			if missing, nodes, _ := r.wait(canceled); missing > 0 {
				yield(adapter.Answer{}, &adapter.PartialError{Missing: missing, Nodes: nodes, Err: ended})
			}
			return
		}
	}
}

// canceled is for a look without waiting.
var canceled = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// closeTimeout is how long a node waits for its last words to be sent.
const closeTimeout = 2 * time.Second

// Close implements [adapter.Adapter]. The other nodes are told, so that they do
// not wait for this one.
func (a *Adapter) Close() error {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return nil
	}
	a.closed = true
	if a.timer != nil {
		a.timer.Stop()
	}
	a.mu.Unlock()
	_ = a.publish(&Message{Type: AdapterClose})
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	a.out.close(ctx)
	return errors.Join(a.ch.Close(), a.Memory.Close())
}

// packet makes what a broadcast of another node delivers here.
func (m *Message) packet(id int64) (*adapter.Packet, error) {
	event, raw, err := m.Values.Event()
	if err != nil {
		return nil, err
	}
	p := &adapter.Packet{Event: event, ID: id, Flags: m.Flags, Args: make([]any, len(raw))}
	for i, r := range raw {
		if len(m.Values.Attachments) == 0 {
			p.Args[i] = json.RawMessage(r)
		} else if err := parser.JSON.Unmarshal(r, m.Values.Attachments, &p.Args[i]); err != nil {
			return nil, err
		}
	}
	return p, nil
}
