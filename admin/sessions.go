package admin

import (
	"context"
	"sync"
	"time"
)

// A SessionStore remembers logins. Its methods are called concurrently.
type SessionStore interface {
	// Save keeps an id, for as long as a login is to last.
	Save(ctx context.Context, id string) error
	// Exists reports whether the id was saved and is still good.
	Exists(ctx context.Context, id string) (bool, error)
}

const (
	sessionTime = 24 * time.Hour
	maxSessions = 1000
)

// memorySessions keeps the newest logins of this node.
type memorySessions struct {
	mu    sync.Mutex
	until map[string]time.Time
	order []string // oldest first
}

func newMemorySessions() *memorySessions {
	return &memorySessions{until: make(map[string]time.Time)}
}

func (m *memorySessions) Save(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.order) == maxSessions {
		delete(m.until, m.order[0])
		m.order = m.order[1:]
	}
	m.until[id] = time.Now().Add(sessionTime)
	m.order = append(m.order, id)
	return nil
}

func (m *memorySessions) Exists(_ context.Context, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	until, ok := m.until[id]
	return ok && time.Now().Before(until), nil
}
