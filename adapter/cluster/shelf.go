package cluster

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/adapter"
)

// A Shelf is a [Store] in memory, for tests: messages are encoded and decoded, and
// arrive on other goroutines. It can be away, forget, and confirm nothing of what
// it has taken.
type Shelf struct {
	mu      sync.Mutex
	logs    map[string]*shelfLog // by namespace
	records map[string]shelfRecord
	version int
	opened  []*shelfTail
	away    error
	mute    bool
	dead    map[string]bool
}

type shelfLog struct {
	major, minor uint64
	entries      []shelfEntry
	trimmed      bool
	last         map[string]uint64 // Seq of each sender
}

type shelfEntry struct {
	pos Position
	b   []byte
}

type shelfRecord struct {
	value   []byte
	version int
	until   time.Time
}

// NewShelf returns a shelf for all nodes of a test.
func NewShelf() *Shelf {
	return &Shelf{logs: make(map[string]*shelfLog), records: make(map[string]shelfRecord), dead: make(map[string]bool)}
}

// Away makes the shelf unreachable, or ends that.
func (s *Shelf) Away(yes bool) {
	s.mu.Lock()
	s.away = nil
	if yes {
		s.away = errAway
	}
	away, opened := s.away, slices.Clone(s.opened)
	s.mu.Unlock()
	for _, t := range opened {
		t.push(func() { t.r.Lost(away) })
	}
	if !yes {
		for _, t := range opened {
			t.push(t.read)
		}
	}
}

// Mute makes the shelf take what is appended or saved and answer with an error,
// as one does whose answer is lost.
func (s *Shelf) Mute(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mute = yes
}

// Kill ends what a node has with the shelf, as if it were killed.
func (s *Shelf) Kill(uid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead[uid] = true
}

// Trim keeps the newest n messages of each log.
func (s *Shelf) Trim(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.logs {
		if cut := len(l.entries) - n; cut > 0 {
			l.entries, l.trimmed = slices.Clone(l.entries[cut:]), true
		}
	}
}

// Forget begins anew, without messages and sessions.
func (s *Shelf) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.records)
	for _, l := range s.logs {
		l.major, l.minor, l.entries, l.trimmed = l.major+1, 0, nil, false
		clear(l.last)
	}
	for _, t := range s.opened {
		t.push(func() { t.gap() })
	}
}

// Open implements [Store].
func (s *Shelf) Open(nsp, uid string, _ *adapter.Recovery, r LogReader) (Log, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away != nil {
		return nil, s.away
	}
	l := s.logs[nsp]
	if l == nil {
		l = &shelfLog{major: 1, last: make(map[string]uint64)}
		s.logs[nsp] = l
	}
	t := &shelfTail{shelf: s, log: l, uid: uid, r: r}
	t.start = l.head()
	t.at = t.start
	s.opened = append(s.opened, t)
	return t, nil
}

func (l *shelfLog) head() Position { return Position{l.major, l.minor} }

func (l *shelfLog) after(p Position) []shelfEntry {
	i, _ := slices.BinarySearchFunc(l.entries, p, func(e shelfEntry, p Position) int {
		if e.pos.After(p) {
			return 1
		}
		return -1
	})
	return l.entries[i:]
}

// A shelfTail is a [Log] as one node has it.
type shelfTail struct {
	shelf *Shelf
	log   *shelfLog
	uid   string
	r     LogReader
	start Position

	mu      sync.Mutex // taken after the shelf's
	todo    []func()
	running sync.WaitGroup
	busy    bool
	closed  bool

	at Position // what is up to there has been read
}

// push has f called on the goroutine that hands over.
func (t *shelfTail) push(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.todo = append(t.todo, f)
	if !t.busy {
		t.busy = true
		t.running.Go(t.run)
	}
}

func (t *shelfTail) run() {
	for {
		t.mu.Lock()
		todo := t.todo
		t.todo = nil
		if len(todo) == 0 || t.closed {
			t.busy = false
			t.mu.Unlock()
			return
		}
		t.mu.Unlock()
		for _, f := range todo {
			f()
		}
	}
}

func (t *shelfTail) read() {
	t.shelf.mu.Lock()
	if t.shelf.away != nil || t.shelf.dead[t.uid] {
		t.shelf.mu.Unlock()
		return
	}
	es := slices.Clone(t.log.after(t.at))
	gap := t.log.trimmed && (len(t.log.entries) == 0 || t.log.entries[0].pos.After(t.at)) && t.log.head().After(t.at)
	t.shelf.mu.Unlock()
	if gap {
		t.r.Gap(t.at, false)
	}
	if ms := decodeAll(es); len(ms) > 0 {
		t.at = ms[len(ms)-1].Position
		t.r.Read(ms)
	}
}

func (t *shelfTail) gap() {
	t.shelf.mu.Lock()
	t.at = Position{t.log.major, 0}
	t.shelf.mu.Unlock()
	t.r.Gap(t.at, true)
	t.read()
}

func decodeAll(es []shelfEntry) []*Message {
	ms := make([]*Message, len(es))
	for i, e := range es {
		m, err := Decode(e.b)
		if err != nil {
			panic(err) // Encode wrote it
		}
		m.Position = e.pos
		ms[i] = m
	}
	return ms
}

// usable reports an error if the node cannot reach the shelf. Its mutex is held.
func (t *shelfTail) usable() error {
	switch {
	case t.shelf.dead[t.uid]:
		return errAway
	case t.closed:
		return ErrNoLog
	}
	return t.shelf.away
}

// Start implements [Log].
func (t *shelfTail) Start() Position { return t.start }

// Append implements [Log].
func (t *shelfTail) Append(_ context.Context, ms []*Message) error {
	t.shelf.mu.Lock()
	defer t.shelf.mu.Unlock()
	if err := t.usable(); err != nil {
		return err
	}
	var left error
	for _, m := range ms {
		if m.Seq <= t.log.last[m.UID] && m.Seq != 0 {
			continue
		}
		b, err := Encode(m)
		if err != nil {
			left = &EncodeError{err}
			continue
		}
		t.log.last[m.UID] = m.Seq
		t.log.minor++
		t.log.entries = append(t.log.entries, shelfEntry{t.log.head(), b})
	}
	for _, other := range t.shelf.opened {
		if other.log == t.log {
			other.push(other.read)
		}
	}
	if t.shelf.mute {
		return errAway
	}
	return left
}

// After implements [Log].
func (t *shelfTail) After(_ context.Context, p Position) ([]*Message, error) {
	t.shelf.mu.Lock()
	defer t.shelf.mu.Unlock()
	if err := t.usable(); err != nil {
		return nil, err
	}
	es := t.log.after(p)
	return decodeAll(es[:min(len(es), 100)]), nil
}

// Reaches implements [Log].
func (t *shelfTail) Reaches(_ context.Context, p Position) (bool, error) {
	t.shelf.mu.Lock()
	defer t.shelf.mu.Unlock()
	l := t.log
	if p.Major != l.major {
		return false, t.usable()
	}
	return !l.trimmed || len(l.entries) > 0 && !l.entries[0].pos.After(p), t.usable()
}

// Head implements [Log].
func (t *shelfTail) Head(context.Context) (Position, error) {
	t.shelf.mu.Lock()
	defer t.shelf.mu.Unlock()
	return t.log.head(), t.usable()
}

// Save implements [Log].
func (t *shelfTail) Save(_ context.Context, rs []*Record) error {
	s := t.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := t.usable(); err != nil {
		return err
	}
	for _, r := range rs {
		old, ok := s.record(r.Key)
		is := ""
		if ok {
			is = strconv.Itoa(old.version)
		}
		switch {
		case ok && r.Value != nil && bytes.Equal(old.value, r.Value): // written before
			r.Version = is
			old.until = time.Now().Add(r.TTL)
			s.records[r.Key] = old
		case !r.Always && is != r.Version:
			r.Conflict = true
		case r.Value == nil:
			delete(s.records, r.Key)
		default:
			s.version++
			s.records[r.Key] = shelfRecord{bytes.Clone(r.Value), s.version, time.Now().Add(r.TTL)}
			r.Version = strconv.Itoa(s.version)
		}
	}
	if s.mute {
		for _, r := range rs {
			r.Conflict = false
		}
		return errAway
	}
	return nil
}

func (s *Shelf) record(key string) (shelfRecord, bool) {
	r, ok := s.records[key]
	return r, ok && time.Now().Before(r.until)
}

// Load implements [Log].
func (t *shelfTail) Load(_ context.Context, key string) ([]byte, string, error) {
	t.shelf.mu.Lock()
	defer t.shelf.mu.Unlock()
	r, ok := t.shelf.record(key)
	if err := t.usable(); err != nil || !ok {
		return nil, "", err
	}
	return r.value, strconv.Itoa(r.version), nil
}

// Close implements [Log].
func (t *shelfTail) Close() error {
	t.shelf.mu.Lock()
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.shelf.opened = slices.DeleteFunc(t.shelf.opened, func(other *shelfTail) bool { return other == t })
	t.shelf.mu.Unlock()
	t.running.Wait()
	return nil
}
