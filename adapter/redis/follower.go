package redis

import "sync"

// A follower has subscriptions follow rooms that come and go, on a goroutine that
// exists while there is something to do. What counts is whether a room is wanted
// when its turn comes, so that it does not matter how often that changed.
type follower struct {
	wants  func(room string) bool
	change func(room string, wanted bool) // may do nothing

	mu      sync.Mutex
	changed []string
	working bool
	closed  bool
	idle    sync.WaitGroup
}

// add has a room looked at.
func (f *follower) add(room string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.changed = append(f.changed, room)
	if !f.working {
		f.working = true
		f.idle.Go(f.run)
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
		for _, room := range changed {
			f.change(room, f.wants(room))
		}
	}
}

// close ends that. Nothing is changed when it has returned.
func (f *follower) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.idle.Wait()
}

func (f *follower) busy() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.working
}
