package adapter

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/engineio"
)

// A packetLog holds what was broadcast lately, in one order. A position is a
// number that grows by one per packet; an offset is a position in the form that
// clients are given, with a random part that is not that of another log.
type packetLog struct {
	max   Recovery
	epoch [3]byte

	mu      sync.Mutex // taken after a session's
	head    uint64     // position of the newest entry; 0 before there is one
	entries []logEntry // the last one is head
	skip    int        // of entries, were trimmed
	bytes   int64
	// walking are the broadcasts that are under way, in the order of their positions.
	walking []*walk
}

type logEntry struct {
	p     *engineio.Prepared // nil if only its place was needed
	at    time.Time
	size  int64
	rooms []string
	exc   []string
	only  *session // the one session it is for, instead of rooms
	alias uint64   // the position of the same packet that only gets here
}

// entryOverhead is what an entry costs beside its bytes, and what a Prepared
// builds of them.
const entryOverhead = 320

func newLog(max Recovery) *packetLog {
	l := &packetLog{max: max}
	rand.Read(l.epoch[:])
	return l
}

// offset returns the form that clients get: 24 bits of epoch, 48 of position.
func (l *packetLog) offset(pos uint64) string {
	var b [3 + 8]byte
	binary.BigEndian.PutUint64(b[3:], pos)
	copy(b[2:5], l.epoch[:])
	return base64.RawURLEncoding.EncodeToString(b[2:])
}

// position is the inverse. It reports false for what is not an offset of this
// log.
func (l *packetLog) position(offset string) (uint64, bool) {
	var b [3 + 8]byte
	if len(offset) != OffsetSize {
		return 0, false
	}
	if _, err := base64.RawURLEncoding.Decode(b[2:], []byte(offset)); err != nil || [3]byte(b[2:5]) != l.epoch {
		return 0, false
	}
	clear(b[2:5])
	return binary.BigEndian.Uint64(b[3:]), true
}

// now returns the position of the newest entry.
func (l *packetLog) now() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head
}

// begin gives a broadcast its place, until end has been called.
func (l *packetLog) begin(t Target, p *Packet) *walk {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := newWalk(t, l.walking)
	w.pos = l.append(logEntry{rooms: t.Rooms, exc: t.Except}, p)
	l.walking = append(l.walking, w)
	return w
}

// end says that a broadcast has met all of its sockets.
func (l *packetLog) end(w *walk) {
	w.arrived()
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.walking, w)
	l.walking = slices.Delete(l.walking, i, i+1)
}

// add gives a place to a packet for one session, whose mutex is held.
func (l *packetLog) add(s *session, alias uint64, p *Packet) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.append(logEntry{only: s, alias: alias}, p)
}

// settled returns a position up to which no broadcast is under way.
func (l *packetLog) settled() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.walking) > 0 {
		return l.walking[0].pos - 1
	}
	return l.head
}

func (l *packetLog) append(e logEntry, p *Packet) uint64 {
	e.at = time.Now()
	if p.Flags&engineio.Volatile == 0 {
		e.p = p.Prepared
		e.size = int64(2 * p.Prepared.Size())
	}
	e.size += entryOverhead
	l.head++
	p.stamp(l.offset(l.head))
	l.entries = append(l.entries, e)
	l.bytes += e.size
	l.trim(e.at)
	return l.head
}

// trim lets go of what is too old, or too much. The newest always stays.
func (l *packetLog) trim(now time.Time) {
	oldest := now.Add(-l.max.MaxAge)
	for l.skip < len(l.entries)-1 {
		e := &l.entries[l.skip]
		if l.bytes <= l.max.MaxBytes && len(l.entries)-l.skip <= l.max.MaxPackets && !e.at.Before(oldest) {
			break
		}
		l.bytes -= e.size
		*e = logEntry{}
		l.skip++
	}
	if l.skip >= 64 && l.skip*2 >= len(l.entries) {
		n := copy(l.entries, l.entries[l.skip:])
		clear(l.entries[n:])
		l.entries, l.skip = l.entries[:n], 0
		if c := cap(l.entries); c > 4096 && n < c/8 {
			l.entries = slices.Clone(l.entries)
		}
	}
}

// expire lets go of what is too old and returns when the next entry is; zero
// if there is none.
func (l *packetLog) expire(now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.skip == len(l.entries) {
		return time.Time{}
	}
	l.trim(now)
	if last := &l.entries[l.skip]; l.skip == len(l.entries)-1 && !last.at.Add(l.max.MaxAge).After(now) {
		l.entries, l.skip, l.bytes = nil, 0, 0
		return time.Time{}
	}
	return l.entries[l.skip].at.Add(l.max.MaxAge)
}

// since returns the entries behind from, with the position of the first and of
// the newest. It reports false if some of them are gone.
func (l *packetLog) since(from uint64) (entries []logEntry, first, head uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := uint64(len(l.entries) - l.skip)
	if from > l.head || l.head-from > kept {
		return nil, 0, l.head, from >= l.head
	}
	// A copy of the headers: a trim may move them.
	return slices.Clone(l.entries[len(l.entries)-int(l.head-from):]), from + 1, l.head, true
}

// oldest returns the position of the oldest entry that is kept.
func (l *packetLog) oldest() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head - uint64(len(l.entries)-l.skip) + 1
}

func (l *packetLog) stats() (packets int, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries) - l.skip, l.bytes
}
