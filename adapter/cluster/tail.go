package cluster

import (
	"context"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio/adapter"
)

// A tail is what this node has read of a log: how far it came, and the end of it
// in memory, from which clients catch up.
type tail struct {
	maxPackets int
	maxBytes   int64
	maxAge     time.Duration

	mu      sync.Mutex // taken after a session's
	pos     Position   // of the message that is delivered now, or was last
	done    Position   // of the last that was delivered
	from    Position   // what is behind it is in entries
	entries []*logged
	skip    int // of entries, were trimmed
	bytes   int64
	moved   chan struct{} // closed at the next message; nil unless somebody waits
}

// A logged message, with what is sent to clients if that was needed already.
type logged struct {
	m    *Message
	at   time.Time
	size int64
	p    atomic.Pointer[adapter.Packet]
}

// entryOverhead is what a message costs beside its bytes.
const entryOverhead = 400

func (t *tail) limit(max *adapter.Recovery) {
	if max != nil {
		t.maxPackets, t.maxBytes, t.maxAge = max.MaxPackets, max.MaxBytes, max.MaxAge
	}
}

// reset forgets everything: reading goes on behind pos.
func (t *tail) reset(pos Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pos, t.done, t.from = pos, pos, pos
	t.entries, t.skip, t.bytes = nil, 0, 0
	t.wake()
}

// begun returns the position of the message that is delivered now, or was last;
// settled that of the last that is delivered.
func (t *tail) begun() Position {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pos
}

func (t *tail) settled() Position {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.done
}

// begin notes that a message is delivered from now on. It returns nil if that
// has been already.
func (t *tail) begin(m *Message) *logged {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !m.Position.After(t.pos) {
		return nil
	}
	t.pos = m.Position
	e := &logged{m: m}
	if t.maxPackets == 0 || !replayed(m) {
		return e
	}
	e.at = time.Now()
	// What clients are sent is encoded once more.
	e.size = int64(2*len(m.Values.JSON)) + entryOverhead
	for _, b := range m.Values.Attachments {
		e.size += int64(len(b))
	}
	t.entries = append(t.entries, e)
	t.bytes += e.size
	t.trim(e.at)
	return e
}

// replayed reports whether a message counts for a client that was away.
func replayed(m *Message) bool {
	switch m.Type {
	case Broadcast, broadcastHere:
		return m.RequestID == "" && !m.asks
	case SocketsJoin, SocketsLeave, DisconnectSockets:
		return true
	}
	return false
}

func (t *tail) end(pos Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done = pos
	t.wake()
}

func (t *tail) wake() {
	if t.moved != nil {
		close(t.moved)
		t.moved = nil
	}
}

// trim lets go of what is too old, or too much. t.mu is held.
func (t *tail) trim(now time.Time) {
	oldest := now.Add(-t.maxAge)
	for t.skip < len(t.entries) {
		e := t.entries[t.skip]
		if t.bytes <= t.maxBytes && len(t.entries)-t.skip <= t.maxPackets && !e.at.Before(oldest) {
			break
		}
		t.bytes -= e.size
		t.from = e.m.Position
		t.entries[t.skip] = nil
		t.skip++
	}
	if t.skip >= 64 && t.skip*2 >= len(t.entries) {
		// Not in place: replays read what they were given.
		t.entries = slices.Clone(t.entries[t.skip:])
		t.skip = 0
	}
}

func (t *tail) expire(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trim(now)
}

// after returns what is in memory behind a position, and up to where that is. It
// reports false if it does not reach back so far.
func (t *tail) after(p Position) (entries []*logged, to Position, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.from.After(p) {
		return nil, t.pos, !t.pos.After(p)
	}
	kept := t.entries[t.skip:]
	i := sort.Search(len(kept), func(i int) bool { return kept[i].m.Position.After(p) })
	return slices.Clone(kept[i:]), t.pos, true
}

// wait returns when everything up to a position has been delivered.
func (t *tail) wait(ctx context.Context, p Position) error {
	for {
		t.mu.Lock()
		if !p.After(t.done) {
			t.mu.Unlock()
			return nil
		}
		if t.moved == nil {
			t.moved = make(chan struct{})
		}
		moved := t.moved
		t.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (t *tail) stats() (packets int, bytes int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.entries) - t.skip, t.bytes
}
