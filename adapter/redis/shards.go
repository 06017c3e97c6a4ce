package redis

import (
	"context"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// A subscribing is where a bus subscribes: a subscriber, or shards.
type subscribing interface {
	add(ctx context.Context, k kind, name string, h *handler) error
	want(ctx context.Context, k kind, name string, h *handler) error
	remove(k kind, name string)
	settled() bool
}

// newSubscribing returns where to subscribe. A connection to a Redis Cluster can have
// sharded channels of one master only.
func newSubscribing(client goredis.UniversalClient, sharded bool) subscribing {
	if c, ok := client.(*goredis.ClusterClient); ok && sharded {
		return &shards{client: c, at: make(map[string]*subscriber), where: make(map[string]place), lost: make(map[string]error)}
	}
	return &subscriber{client: client}
}

// shards subscribe to each channel on the master of a Redis Cluster that has its slot,
// and follow slots that go over to another.
type shards struct {
	client *goredis.ClusterClient

	telling sync.Mutex // held while handlers are told, in order; taken before mu
	mu      sync.Mutex
	at      map[string]*subscriber // by address
	where   map[string]place       // channels that are wanted
	lost    map[string]error       // of masters
	told    bool                   // that something is lost
	looking bool
	again   bool // there may be more to see than was seen
}

type place struct {
	addr string // "" if no master is known
	h    *handler
}

func (s *shards) add(ctx context.Context, k kind, name string, h *handler) error {
	return addTo(ctx, s, k, name, h)
}

func (s *shards) want(ctx context.Context, _ kind, name string, h *handler) error {
	h.ready = make(chan struct{})
	m, err := s.client.MasterForKey(ctx, name)
	s.mu.Lock()
	if err != nil {
		s.where[name] = place{"", h}
		s.mu.Unlock()
		s.look()
		return err
	}
	sub := s.masterLocked(m)
	s.where[name] = place{m.Options().Addr, h}
	s.mu.Unlock()
	return sub.want(ctx, shard, name, h.there())
}

// there is a handler for one master, which is heard of the subscription by itself.
func (h *handler) there() *handler { return &handler{receive: h.receive, confirmed: h.isThere} }

// isThere notes the first confirmation, of whichever master.
func (h *handler) isThere() {
	h.once.Do(func() { close(h.ready) })
}

func (s *shards) masterLocked(m *goredis.Client) *subscriber {
	addr := m.Options().Addr
	sub := s.at[addr]
	if sub == nil {
		sub = &subscriber{client: m, moved: s.look}
		sub.state = func(err error) {
			s.heard(addr, err)
			if err != nil {
				s.look()
			}
		}
		s.at[addr] = sub
	}
	return sub
}

func (s *shards) remove(_ kind, name string) {
	s.mu.Lock()
	sub := s.at[s.where[name].addr]
	delete(s.where, name)
	s.mu.Unlock()
	if sub != nil {
		sub.remove(shard, name)
	}
}

// heard notes that a master cannot be reached, or can be again. All is well when all
// can be.
func (s *shards) heard(addr string, err error) {
	s.telling.Lock()
	defer s.telling.Unlock()
	s.mu.Lock()
	if err != nil {
		s.lost[addr] = err
	} else {
		delete(s.lost, addr)
	}
	lost := len(s.lost) > 0
	var hs []*handler
	if lost != s.told {
		s.told = lost
		for _, p := range s.where {
			if p.h.lost != nil {
				hs = append(hs, p.h)
			}
		}
	}
	s.mu.Unlock()
	for _, h := range hs {
		h.lost(err)
	}
}

// look has channels follow their slots, on a goroutine that exists meanwhile.
func (s *shards) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.again = true; s.looking {
		return
	}
	s.looking = true
	go func() {
		for s.another() {
			if !s.move() { // masters are being elected, or slots moved
				time.AfterFunc(retryInterval, s.look)
			}
		}
	}()
}

// another reports whether to look once more.
func (s *shards) another() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looking = s.again && (len(s.where) > 0 || len(s.lost) > 0)
	s.again = false
	return s.looking
}

// move has channels follow their slots, and forgets masters that have none of ours. It
// reports whether there is no more to be done.
func (s *shards) move() bool {
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	s.client.ReloadState(ctx)
	s.mu.Lock()
	names := make([]string, 0, len(s.where))
	for name := range s.where {
		names = append(names, name)
	}
	s.mu.Unlock()
	all := true
	for _, name := range names {
		m, err := s.client.MasterForKey(ctx, name)
		if err != nil {
			all = false
			continue
		}
		s.mu.Lock()
		p, wanted := s.where[name]
		if !wanted {
			s.mu.Unlock()
			continue
		}
		if p.addr == m.Options().Addr {
			sub := s.at[p.addr]
			s.mu.Unlock()
			if sub.refused(shard, name) { // this master did not know yet that it is the one
				_ = sub.want(ctx, shard, name, p.h.there())
				all = false
			}
			continue
		}
		from, to := s.at[p.addr], s.masterLocked(m)
		s.where[name] = place{m.Options().Addr, p.h}
		s.mu.Unlock()
		if from != nil {
			from.remove(shard, name)
		}
		_ = to.want(ctx, shard, name, p.h.there())
		s.mu.Lock()
		if now, wanted := s.where[name]; !wanted || now.h != p.h { // it was removed meanwhile
			s.mu.Unlock()
			if !wanted {
				to.remove(shard, name)
			}
			continue
		}
		s.mu.Unlock()
	}
	s.mu.Lock()
	used := make(map[string]bool)
	for _, p := range s.where {
		used[p.addr] = true
	}
	var idle []string // masters that are none any more, or have none of our slots
	for addr := range s.lost {
		if !used[addr] {
			idle = append(idle, addr)
		}
	}
	s.mu.Unlock()
	for _, addr := range idle {
		s.heard(addr, nil)
	}
	return all
}

// settled reports whether Redis knows of all that is wanted.
func (s *shards) settled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.at {
		if !sub.settled() {
			return false
		}
	}
	return true
}
