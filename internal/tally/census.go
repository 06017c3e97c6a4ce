package tally

import "sync"

// A Census counts who is there, by key. The zero value is ready. It is safe for
// concurrent use.
type Census struct {
	mu sync.Mutex
	n  map[string]int
}

// Enter counts one more of key, unless there are max already.
func (c *Census) Enter(key string, max int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n[key] >= max {
		return false
	}
	if c.n == nil {
		c.n = make(map[string]int)
	}
	c.n[key]++
	return true
}

// Leave counts one of key less.
func (c *Census) Leave(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n[key]--; c.n[key] <= 0 {
		delete(c.n, key)
	}
}

// Len returns how many keys somebody is there of.
func (c *Census) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.n)
}
