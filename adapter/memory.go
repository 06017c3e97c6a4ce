package adapter

import (
	"context"
	"hash/maphash"
	"iter"
	"sync"

	"github.com/sockeye-go/socketio/internal/index"
	"github.com/sockeye-go/socketio/internal/poll"
)

// Memory is the adapter of a single process, and the local half of every other
// one. Its locks are spread over shards and none is held while a packet is
// written.
type Memory struct {
	seed   maphash.Seed
	shards [shards]shard

	allShard shard
	all      room // every socket

	events roomEvents
}

const shards = 64

// A shard guards the rooms and the ids whose names fall to it.
type shard struct {
	mu    sync.RWMutex
	rooms map[string]*room
	ids   index.Index[Membership]
}

var _ Adapter = (*Memory)(nil)

// NewMemory is the [Factory] that is used if none is given. It makes a
// [*Recovering] for a namespace with recovery, and a [*Memory] for any other.
func NewMemory(h Host) (Adapter, error) {
	if r := h.Recovery(); r != nil {
		return NewRecovering(*r), nil
	}
	return New(), nil
}

// New returns an empty Memory.
func New() *Memory {
	a := &Memory{seed: maphash.MakeSeed()}
	a.all.shard = &a.allShard
	for i := range a.shards {
		a.shards[i].ids = index.New(func(ms *Membership) string { return ms.all.m.ID() })
	}
	return a
}

func (a *Memory) shard(name string) *shard {
	return &a.shards[maphash.String(a.seed, name)%shards]
}

// Add implements [Adapter].
func (a *Memory) Add(m Member) {
	ms := m.Membership()
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if ms.gone || ms.all.room != nil {
		return
	}
	ms.all.m = m
	a.allShard.mu.Lock()
	a.all.add(&ms.all)
	a.allShard.mu.Unlock()

	s := a.shard(m.ID())
	s.mu.Lock()
	s.ids.Set(ms)
	s.mu.Unlock()
}

// Remove implements [Adapter].
func (a *Memory) Remove(m Member) []string {
	defer a.events.drain()
	ms := m.Membership()
	ms.mu.Lock()
	defer ms.mu.Unlock()
	ms.gone = true
	rooms := ms.names()
	for _, e := range ms.entries() {
		a.leave(e)
	}
	ms.in = nil
	if ms.all.room == nil {
		return rooms
	}
	a.allShard.mu.Lock()
	a.all.remove(&ms.all)
	a.allShard.mu.Unlock()
	ms.all.room = nil // and nothing else: a walk may still read the rest
	s := a.shard(m.ID())
	s.mu.Lock()
	if s.ids.Get(m.ID()) == ms {
		s.ids.Delete(m.ID())
	}
	s.mu.Unlock()
	return rooms
}

// Join implements [Adapter].
func (a *Memory) Join(m Member, rooms ...string) {
	defer a.events.drain()
	ms := m.Membership()
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if ms.gone || !ms.fits(rooms) {
		return
	}
	for _, name := range rooms {
		if name == m.ID() || ms.find(name) >= 0 {
			continue
		}
		e := &entry{m: m}
		s := a.shard(name)
		s.mu.Lock()
		r := s.rooms[name]
		if r == nil {
			r = &room{name: name, shard: s}
			if s.rooms == nil {
				s.rooms = make(map[string]*room)
			}
			s.rooms[name] = r
		}
		r.add(e)
		a.events.joined(r, m)
		s.mu.Unlock()
		ms.enter(e)
	}
}

// Leave implements [Adapter].
func (a *Memory) Leave(m Member, rooms ...string) {
	defer a.events.drain()
	ms := m.Membership()
	ms.mu.Lock()
	defer ms.mu.Unlock()
	for _, name := range rooms {
		i := ms.find(name)
		if i < 0 {
			continue
		}
		a.leave(ms.entries()[i])
		ms.exit(i)
	}
}

func (a *Memory) leave(e *entry) {
	r := e.room
	r.shard.mu.Lock()
	defer r.shard.mu.Unlock()
	r.remove(e)
	a.events.left(r, e.m)
	if len(r.members) == 0 && r.lent == 0 {
		delete(r.shard.rooms, r.name)
	}
}

// Member implements [Adapter].
func (a *Memory) Member(id string) (Member, bool) {
	s := a.shard(id)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if ms := s.ids.Get(id); ms != nil {
		return ms.all.m, true
	}
	return nil, false
}

// Size implements [Adapter].
func (a *Memory) Size() int {
	n := 0
	for i := range a.shards {
		s := &a.shards[i]
		s.mu.RLock()
		n += s.ids.Len()
		s.mu.RUnlock()
	}
	return n
}

// RoomSize implements [Adapter].
func (a *Memory) RoomSize(name string) int {
	own, isID := a.Member(name)
	s := a.shard(name)
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := 0
	if r := s.rooms[name]; r != nil {
		n = len(r.members)
	}
	if isID && own != nil {
		n++
	}
	return n
}

// RoomCount returns how many rooms Rooms would yield, or some more: those that
// their last socket has just left.
func (a *Memory) RoomCount() int {
	n := 0
	for i := range a.shards {
		s := &a.shards[i]
		s.mu.RLock()
		n += len(s.rooms)
		s.mu.RUnlock()
	}
	return n
}

// Rooms implements [Adapter].
func (a *Memory) Rooms() iter.Seq2[string, int] {
	type size struct {
		name string
		n    int
	}
	return func(yield func(string, int) bool) {
		var sizes []size
		for i := range a.shards {
			s := &a.shards[i]
			sizes = sizes[:0]
			s.mu.RLock()
			for name, r := range s.rooms {
				if n := len(r.members); n > 0 {
					sizes = append(sizes, size{name, n})
				}
			}
			s.mu.RUnlock()
			for _, r := range sizes {
				if !yield(r.name, r.n) {
					return
				}
			}
		}
	}
}

// Broadcast implements [Adapter].
func (a *Memory) Broadcast(t Target, p *Packet) error {
	var turns poll.Turns
	for m := range a.Local(t) {
		m.Deliver(p)
		turns.Next(1)
	}
	return nil
}

// Fetch implements [Adapter].
func (a *Memory) Fetch(_ context.Context, t Target) ([]SocketInfo, error) {
	var infos []SocketInfo
	for m := range a.Local(t) {
		infos = append(infos, SocketInfo{ID: m.ID(), Rooms: m.Membership().Rooms(), Member: m})
	}
	return infos, nil
}

// SocketsJoin implements [Adapter].
func (a *Memory) SocketsJoin(t Target, rooms ...string) error {
	var err error
	for m := range a.Local(t) {
		if !m.Membership().Fits(rooms...) {
			err = ErrTooManyRooms
			continue
		}
		a.Join(m, rooms...)
	}
	return err
}

// SocketsLeave implements [Adapter].
func (a *Memory) SocketsLeave(t Target, rooms ...string) error {
	for m := range a.Local(t) {
		a.Leave(m, rooms...)
	}
	return nil
}

// DisconnectSockets implements [Adapter].
func (a *Memory) DisconnectSockets(t Target, closeConnection bool) error {
	for m := range a.Local(t) {
		m.Disconnect(closeConnection)
	}
	return nil
}

// ServerCount implements [Adapter]: there is one.
func (a *Memory) ServerCount(context.Context) (int, error) { return 1, nil }

// ServerSideEmit implements [Adapter]: there is nobody to send it to.
func (a *Memory) ServerSideEmit(string, []any) error { return nil }

// ServerSideEmitWithAck implements [Adapter]: there is nobody who could answer.
func (a *Memory) ServerSideEmitWithAck(context.Context, string, []any) iter.Seq2[Answer, error] {
	return func(func(Answer, error) bool) {}
}

// Observe implements [Adapter].
func (a *Memory) Observe(f func(RoomEvent)) { a.events.observe(f) }

// Health implements [Adapter].
func (a *Memory) Health() error { return nil }

// Close implements [Adapter].
func (a *Memory) Close() error { return nil }
