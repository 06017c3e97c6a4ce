package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
)

// An Ordered is an [Adapter] whose broadcasts, and what is done to sockets from
// afar, go into the log of a [Store] and are delivered on each node in the order
// of the log: on this one too, when they have come back. From it a client can
// catch up that comes back to any node ([adapter.Recoverer]).
type Ordered struct {
	*Adapter
	max  *adapter.Recovery // nil if nobody wants to recover
	tail tail
	save saver

	away atomic.Int64 // clients of this node's sessions

	sessionsMu sync.Mutex // taken before a session's
	sessions   map[string]*session
	absences   []absence           // in order of leaving
	handed     map[string]handover // by pid, of the last moments
	closing    bool
	keeper     *time.Timer

	life    context.Context // until Close, which calls stop
	stop    context.CancelFunc
	letting sync.WaitGroup // sessions be taken by other nodes

	lostMu           sync.Mutex
	lostBus, lostLog error

	own      ownMessages
	patience patience // of claims
}

var _ adapter.Recoverer = (*Ordered)(nil)

// NewOrderedFactory returns a factory of adapters whose messages go over bus, and
// in the order of store where order counts.
func NewOrderedFactory(bus Bus, store Store, o *Options) adapter.Factory {
	o = o.withDefaults()
	return func(h adapter.Host) (adapter.Adapter, error) {
		a := &Ordered{Adapter: makeAdapter(o, h), max: h.Recovery(), sessions: make(map[string]*session), handed: make(map[string]handover)}
		a.life, a.stop = context.WithCancel(context.Background())
		a.handle = a.handleOrdered
		a.setLostFrom = a.lostFrom
		a.leftOut = a.own.skip
		a.tail.limit(a.max)
		a.save = saver{a: a}
		a.ordered = true
		if err := a.open(bus); err != nil {
			return nil, err
		}
		ready := make(chan struct{})
		defer close(ready)
		log, err := store.Open(a.nsp, a.uid, a.max, logReader{a, ready})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("cluster: namespace %q: %w", a.nsp, err), a.Adapter.Close())
		}
		a.log = log
		a.tail.reset(log.Start())
		a.keep()
		return a, nil
	}
}

// Broadcast implements [adapter.Adapter]. Sockets of this node are served when
// the packet has come back from the log, or at once if the log cannot take it, or
// if nobody will ask for what was missed.
func (a *Ordered) Broadcast(t adapter.Target, p *adapter.Packet) error {
	if a.max == nil && t.Local {
		return a.Memory.Broadcast(t, p)
	}
	m, err := newBroadcast(t, p)
	if err != nil {
		return err
	}
	if a.max == nil {
		return errors.Join(a.append(m), a.Memory.Broadcast(t, p))
	}
	if t.Local {
		m.Type, m.Target.Local = broadcastHere, false
	}
	err = a.append(m)
	if err != nil {
		err = errors.Join(err, a.unlogged(m))
	}
	return err
}

// unlogged serves the sockets of this node with what the log has not got.
func (a *Ordered) unlogged(m *Message) error {
	if !a.anybody(m.Target) {
		return nil
	}
	pos := a.tail.begun()
	p, err := a.packet(m, pos)
	if err != nil {
		return err
	}
	for member := range a.Memory.Local(m.Target) {
		member.Announce(p)
		if s := sessionOf(member); s != nil {
			s.deliverUnlogged(member, p, pos)
		} else {
			member.Deliver(p)
		}
	}
	return nil
}

// packet makes what a broadcast delivers here, with its position behind the
// arguments if clients may come back.
func (a *Ordered) packet(m *Message, pos Position) (*adapter.Packet, error) {
	p, err := m.packet(-1)
	if err != nil {
		return nil, err
	}
	p.Quiet = true
	// A volatile one has it only where a text could be taken for it.
	if a.max != nil && (m.Flags&engineio.Volatile == 0 || m.Values.endInString()) {
		p.Offset = pos.String()
	}
	return p, a.host.Prepare(p)
}

// endInString reports whether the last of the values is a text.
func (v Values) endInString() bool {
	n := len(v.JSON)
	return n >= 2 && v.JSON[n-2] == '"'
}

// SocketsJoin implements [adapter.Adapter].
func (a *Ordered) SocketsJoin(t adapter.Target, rooms ...string) error {
	if t.Local {
		return a.joinHere(t, rooms, Position{})
	}
	if err := a.append(&Message{Type: SocketsJoin, Target: t, Rooms: rooms}); err != nil || a.max == nil {
		return errors.Join(err, a.joinHere(t, rooms, Position{}))
	}
	for m := range a.Memory.Local(t) {
		if !m.Membership().Fits(rooms...) {
			return adapter.ErrTooManyRooms
		}
	}
	return nil
}

// SocketsLeave implements [adapter.Adapter].
func (a *Ordered) SocketsLeave(t adapter.Target, rooms ...string) error {
	if t.Local {
		return a.leaveHere(t, rooms, Position{})
	}
	if err := a.append(&Message{Type: SocketsLeave, Target: t, Rooms: rooms}); err != nil || a.max == nil {
		return errors.Join(err, a.leaveHere(t, rooms, Position{}))
	}
	return nil
}

// DisconnectSockets implements [adapter.Adapter].
func (a *Ordered) DisconnectSockets(t adapter.Target, closeConnection bool) error {
	if t.Local {
		return a.Memory.DisconnectSockets(t, closeConnection)
	}
	if err := a.append(&Message{Type: DisconnectSockets, Target: t, CloseConnection: closeConnection}); err != nil || a.max == nil {
		return errors.Join(err, a.Memory.DisconnectSockets(t, closeConnection))
	}
	return nil
}

// joinHere and leaveHere change the sockets of this node that have not got what
// is at pos from a replay already. Without pos they change all.
func (a *Ordered) joinHere(t adapter.Target, rooms []string, pos Position) error {
	var err error
	for m := range a.Memory.Local(t) {
		if sessionOf(m).has(pos) {
			continue
		}
		if !m.Membership().Fits(rooms...) {
			err = adapter.ErrTooManyRooms
			continue
		}
		a.Join(m, rooms...)
	}
	return err
}

func (a *Ordered) leaveHere(t adapter.Target, rooms []string, pos Position) error {
	for m := range a.Memory.Local(t) {
		if !sessionOf(m).has(pos) {
			a.Leave(m, rooms...)
		}
	}
	return nil
}

// Flush waits until the store has what was emitted before, and the rooms and data
// of the sockets of this node.
func (a *Ordered) Flush(ctx context.Context) error {
	return errors.Join(a.save.flush(ctx), a.Adapter.Flush(ctx))
}

// CatchUp waits until this node has read all that was in the log.
func (a *Ordered) CatchUp(ctx context.Context) error {
	head, err := a.log.Head(ctx)
	if err != nil {
		return err
	}
	return a.tail.wait(ctx, head)
}

// Close implements [adapter.Adapter].
func (a *Ordered) Close() error {
	a.sessionsMu.Lock()
	if a.closing {
		a.sessionsMu.Unlock()
		return nil
	}
	a.closing = true
	a.keeper.Stop()
	a.sessionsMu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	a.save.close(ctx)
	a.stop()
	a.letting.Wait()
	err := a.Adapter.Close()
	return errors.Join(err, a.log.Close())
}

// lostFrom puts together what bus and store say.
func (a *Ordered) lostFrom(log bool, err error) {
	a.lostMu.Lock()
	defer a.lostMu.Unlock()
	if log {
		a.lostLog = err
	} else {
		a.lostBus = err
	}
	a.setLost(errors.Join(a.lostLog, a.lostBus))
}

// appendAll hands messages to the log, and does not give up: what was taken while
// the store was there is kept until it is back.
func (a *Adapter) appendAll(batch []outgoing) {
	ms := make([]*Message, len(batch))
	for i, out := range batch {
		ms[i] = out.m
	}
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		ctx, cancel := context.WithTimeout(context.Background(), a.o.PublishTimeout)
		err := a.log.Append(ctx, ms)
		cancel()
		a.sent(len(ms), err)
		if err == nil {
			a.appended.Store(ms[len(ms)-1].Seq)
			return
		}
		if _, left := errors.AsType[*EncodeError](err); left {
			a.unconfirmed(err)
			a.leftOut(ms[len(ms)-1].Seq) // it may not come back
			return
		}
		select {
		case <-time.After(pause):
		case <-a.out.stop:
			a.unconfirmed(err)
			return
		}
	}
}
