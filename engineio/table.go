package engineio

import (
	"hash/maphash"
	"sync"
)

// A table holds the sessions of a server by sid. It is sharded, so that
// handshakes and polls on many cores do not queue for one lock.
type table struct {
	seed   maphash.Seed
	shards [32]shard
}

type shard struct {
	mu       sync.Mutex
	sessions map[string]*Session
	_        [40]byte // a cache line of its own
}

func newTable() *table {
	t := &table{seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].sessions = make(map[string]*Session)
	}
	return t
}

func (t *table) shard(sid string) *shard {
	return &t.shards[maphash.String(t.seed, sid)%uint64(len(t.shards))]
}

func (t *table) get(sid string) *Session {
	sh := t.shard(sid)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.sessions[sid]
}

// reserve takes a sid that is free; get does not find it before put.
func (t *table) reserve(sid string) bool {
	sh := t.shard(sid)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if _, taken := sh.sessions[sid]; taken {
		return false
	}
	sh.sessions[sid] = nil
	return true
}

// put adds the session whose sid is reserved.
func (t *table) put(s *Session) {
	sh := t.shard(s.id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.sessions[s.id] = s
}

func (t *table) remove(sid string) {
	sh := t.shard(sid)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	delete(sh.sessions, sid)
}

// all returns the sessions at one moment.
func (t *table) all() []*Session {
	var out []*Session
	for i := range t.shards {
		out = t.shards[i].list(out)
	}
	return out
}

func (sh *shard) list(out []*Session) []*Session {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, s := range sh.sessions {
		if s != nil {
			out = append(out, s)
		}
	}
	return out
}
