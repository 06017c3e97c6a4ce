package adapter

import (
	"sync"
	"sync/atomic"
)

// roomEvents tells an observer what happens to rooms. Events are queued under
// the lock of the room's shard, so that those of one room stay in order, and
// told without any lock, so that the observer may use the adapter. Without an
// observer they cost a load.
type roomEvents struct {
	f atomic.Pointer[func(RoomEvent)]

	mu      sync.Mutex // taken after a shard's
	queue   []RoomEvent
	telling bool
}

func (e *roomEvents) observe(f func(RoomEvent)) {
	if f == nil {
		e.f.Store(nil)
		return
	}
	e.f.Store(&f)
}

// joined and left are called with the room's shard locked.

func (e *roomEvents) joined(r *room, m Member) {
	if e.f.Load() == nil {
		return
	}
	if len(r.members) == 1 {
		e.push(RoomEvent{Kind: RoomCreated, Room: r.name})
	}
	e.push(RoomEvent{Kind: RoomJoined, Room: r.name, ID: m.ID()})
}

func (e *roomEvents) left(r *room, m Member) {
	if e.f.Load() == nil {
		return
	}
	e.push(RoomEvent{Kind: RoomLeft, Room: r.name, ID: m.ID()})
	if len(r.members) == 0 {
		e.push(RoomEvent{Kind: RoomDeleted, Room: r.name})
	}
}

func (e *roomEvents) push(ev RoomEvent) {
	e.mu.Lock()
	e.queue = append(e.queue, ev)
	e.mu.Unlock()
}

// drain tells what is queued, unless somebody is at it already.
func (e *roomEvents) drain() {
	f := e.f.Load()
	if f == nil {
		return
	}
	queue := e.take(false)
	if queue == nil {
		return
	}
	finished := false
	defer func() {
		if !finished { // f panicked: somebody else goes on with the rest
			e.mu.Lock()
			e.telling = false
			e.mu.Unlock()
		}
	}()
	for ; queue != nil; queue = e.take(true) {
		for _, ev := range queue {
			(*f)(ev)
		}
	}
	finished = true
}

// take returns what is queued, or nil and lets go of the queue: in one step, so
// that no event is left behind between the two.
func (e *roomEvents) take(mine bool) []RoomEvent {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.telling && !mine {
		return nil
	}
	queue := e.queue
	e.queue = nil
	e.telling = queue != nil
	return queue
}
