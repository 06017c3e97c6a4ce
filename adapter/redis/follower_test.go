package redis

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
)

// TestFollowerBounded: while Redis does not answer, rooms that come and go under ever
// other names are not remembered, and those that stay are followed in the end.
func TestFollowerBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		there, subscribed := map[string]bool{}, map[string]bool{}
		answers := make(chan struct{})
		f := follower{
			wants: func(room string) bool {
				mu.Lock()
				defer mu.Unlock()
				return there[room]
			},
			change: func(room string, wanted bool) {
				<-answers
				mu.Lock()
				defer mu.Unlock()
				if subscribed[room] == wanted {
					t.Errorf("%s is changed to %v twice", room, wanted)
				}
				if subscribed[room] = wanted; !wanted {
					delete(subscribed, room)
				}
			},
		}
		set := func(room string, yes bool) {
			mu.Lock()
			if there[room] = yes; !yes {
				delete(there, room)
			}
			mu.Unlock()
			f.add(room)
		}
		for i := range 100 {
			set(fmt.Sprint("stays ", i), true)
		}
		synctest.Wait()
		most := 0
		for i := range 100_000 {
			room := fmt.Sprint("passes ", i)
			set(room, true)
			set(room, false)
			f.mu.Lock()
			full, n := len(f.changed) >= max(f.enough, someChanges), len(f.changed)
			f.mu.Unlock()
			if most = max(most, n); full {
				synctest.Wait()
			}
		}
		set("stays 0", false)
		set("stays 100", true)
		if most > 2*someChanges {
			t.Errorf("%d changes were kept", most)
		}
		close(answers)
		synctest.Wait()
		if len(subscribed) != 100 || subscribed["stays 0"] || !subscribed["stays 100"] {
			t.Errorf("%d rooms are subscribed to; want the 100 that there are", len(subscribed))
		}
		if followed := f.close(); len(followed) != 100 {
			t.Errorf("%d rooms are followed", len(followed))
		}
	})
}
