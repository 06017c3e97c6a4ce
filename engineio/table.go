package engineio

import (
	"hash/maphash"
	"slices"
	"sync"

	"github.com/sockeye-go/socketio/internal/index"
)

// A table holds the sessions of a server by sid. It is sharded, so that
// handshakes and polls on many cores do not queue for one lock.
type table struct {
	seed   maphash.Seed
	shards [32]shard
}

type shard struct { // the size of a line of the cache
	mu       sync.Mutex
	sessions index.Index[Session]
	reserved map[string]struct{} // sids of handshakes that are being answered
}

func newTable() *table {
	t := &table{seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].sessions = index.New(func(s *Session) string { return s.ID() })
		t.shards[i].reserved = make(map[string]struct{})
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
	return sh.sessions.Get(sid)
}

// reserve takes a sid that is free; get does not find it before put.
func (t *table) reserve(sid string) bool {
	sh := t.shard(sid)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if _, taken := sh.reserved[sid]; taken || sh.sessions.Get(sid) != nil {
		return false
	}
	sh.reserved[sid] = struct{}{}
	return true
}

// put adds the session whose sid is reserved.
func (t *table) put(s *Session) {
	sh := t.shard(s.ID())
	sh.mu.Lock()
	defer sh.mu.Unlock()
	delete(sh.reserved, s.ID())
	sh.sessions.Set(s)
}

func (t *table) remove(sid string) {
	sh := t.shard(sid)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	delete(sh.reserved, sid)
	sh.sessions.Delete(sid)
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
	return slices.AppendSeq(out, sh.sessions.All())
}
