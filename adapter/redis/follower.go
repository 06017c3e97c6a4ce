package redis

import "sync"

// A follower has subscriptions follow rooms that come and go, on a goroutine that
// exists while there is something to do. What counts is whether a room is wanted
// when its turn comes, so that it does not matter how often that changed. While Redis
// does not answer, what waits is no more than about twice the rooms that there are.
type follower struct {
	wants  func(room string) bool
	change func(room string, wanted bool)

	mu       sync.Mutex
	changed  map[string]uint64 // when, as added counts
	added    uint64
	enough   int             // changes at which those are looked for that are none any more
	followed map[string]bool // rooms that are subscribed to
	working  bool
	pruning  bool
	closed   bool
	idle     sync.WaitGroup
}

// someChanges is how many are kept without a look.
const someChanges = 1024

// add has a room looked at.
func (f *follower) add(room string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	if f.changed == nil {
		f.changed = make(map[string]uint64)
	}
	f.added++
	f.changed[room] = f.added
	if !f.working {
		f.working = true
		f.idle.Go(f.run)
	}
	if len(f.changed) >= max(f.enough, someChanges) && !f.pruning {
		f.pruning = true
		f.idle.Go(f.prune) // whoever is here may hold a lock of the rooms
	}
}

func (f *follower) run() {
	for {
		f.mu.Lock()
		if len(f.changed) == 0 || f.closed {
			f.working = false
			f.mu.Unlock()
			return
		}
		changed := f.changed
		f.changed = nil
		f.mu.Unlock()
		for room := range changed {
			f.look(room)
		}
	}
}

func (f *follower) look(room string) {
	wanted := f.wants(room)
	f.mu.Lock()
	was := f.followed[room]
	if wanted && !was {
		if f.followed == nil {
			f.followed = make(map[string]bool)
		}
		f.followed[room] = true
	}
	f.mu.Unlock()
	if wanted == was {
		return
	}
	f.change(room, wanted)
	if !wanted {
		f.mu.Lock()
		delete(f.followed, room)
		f.mu.Unlock()
	}
}

// prune forgets rooms that came and went unfollowed.
func (f *follower) prune() {
	f.mu.Lock()
	rooms := make(map[string]uint64, len(f.changed))
	for room, when := range f.changed {
		if !f.followed[room] {
			rooms[room] = when
		}
	}
	f.mu.Unlock()
	for room := range rooms {
		if f.wants(room) {
			delete(rooms, room)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for room, when := range rooms {
		if f.changed[room] == when { // otherwise it may have come again
			delete(f.changed, room)
		}
	}
	f.enough = 2 * len(f.changed)
	f.pruning = false
}

// close ends that, and returns the rooms that are subscribed to. Nothing is changed
// when it has returned.
func (f *follower) close() map[string]bool {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.idle.Wait()
	return f.followed
}

func (f *follower) busy() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.working
}
