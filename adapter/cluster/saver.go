package cluster

import (
	"context"
	"encoding/json"
	"math"
	"sync"
	"time"
)

// A saver writes the sessions of a node to the store, on a goroutine that exists
// while there are any to write.
type saver struct {
	a *Ordered

	mu      sync.Mutex // taken after a session's
	queue   []*session
	running bool
	closed  bool
	added   uint64 // sessions, to the queue
	done    uint64 // of them have been written
	waiting []savedWait
	stop    chan struct{}
}

// A savedWait is told when so many sessions have been written.
type savedWait struct {
	done uint64
	told chan struct{}
}

// savedAtOnce is how many records are written in one go.
const savedAtOnce = 256

// openTTL is how much longer than an absence the record of a connected socket is
// kept, and half of it how often it is renewed.
const openTTL = time.Hour

// maxSaves bounds the sessions that are over and wait for a store that is away;
// the records of others are left to expire.
const maxSaves = 1 << 17

// add has a session written. A session that is to be written already is written
// once, as it is then. It reports false if it will not be.
func (w *saver) add(s *session) bool { return w.addUpTo(math.MaxInt, s) }

// addLast is add for a session that this node has no other use for.
func (w *saver) addLast(s *session) bool { return w.addUpTo(maxSaves, s) }

func (w *saver) addUpTo(most int, s *session) bool {
	if w.a.max == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.queued {
		return true
	}
	if w.closed || len(w.queue) >= most {
		return false
	}
	s.queued = true
	w.queue = append(w.queue, s)
	w.added++
	if !w.running {
		w.running = true
		if w.stop == nil {
			w.stop = make(chan struct{})
		}
		go w.run()
	}
	return true
}

func (w *saver) run() {
	for {
		w.mu.Lock()
		batch := w.queue[:min(len(w.queue), savedAtOnce)]
		w.queue = w.queue[len(batch):]
		for _, s := range batch {
			s.queued = false // whoever changes it from now on adds it again
		}
		if len(batch) == 0 {
			w.running, w.queue = false, nil
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		if !w.write(batch) {
			w.mu.Lock()
			w.running, w.queue = false, nil
			w.mu.Unlock()
			return
		}
		w.mu.Lock()
		w.done += uint64(len(batch))
		for len(w.waiting) > 0 && w.waiting[0].done <= w.done {
			close(w.waiting[0].told)
			w.waiting = w.waiting[1:]
		}
		w.mu.Unlock()
	}
}

// write writes a batch, as often as it takes. It reports false if it was given
// up.
func (w *saver) write(batch []*session) bool {
	rs := make([]*Record, 0, len(batch))
	of := make([]*session, 0, len(batch))
	for _, s := range batch {
		if r := s.record(); r != nil {
			rs, of = append(rs, r), append(of, s)
		}
	}
	for pause := 50 * time.Millisecond; len(rs) > 0; pause = min(2*pause, time.Second) {
		ctx, cancel := context.WithTimeout(w.a.life, w.a.o.PublishTimeout)
		err := w.a.log.Save(ctx, rs)
		cancel()
		if err == nil {
			break
		}
		select {
		case <-time.After(pause):
		case <-w.stop:
			return false
		}
	}
	for i, r := range rs {
		switch {
		case !r.Conflict:
		case r.Value == nil:
			w.deleteOwn(r)
		case w.ours(of[i], r):
			w.add(of[i])
			continue
		}
		of[i].saved(r)
	}
	for _, s := range batch {
		s.mu.Lock()
		over := s.over()
		taken, turn := over && s.ended && s.taken, s.turn
		s.mu.Unlock()
		if taken { // and that node may ask for it yet
			w.a.remember(s, nil, turn)
		}
		if over {
			w.a.dropIf(s, s.over) // or its client is back at this moment
		}
	}
	return true
}

// over reports whether this node has no use for the session any more, now that it has
// been written. s.mu is held.
func (s *session) over() bool {
	return s.ended && !s.moved && (s.version == "" || s.gone || s.taken) || s.laid && s.m == nil && !s.claimed
}

// deleteOwn deletes a record that another node had in hands and put back.
func (w *saver) deleteOwn(r *Record) {
	ctx, cancel := context.WithTimeout(w.a.life, w.a.o.PublishTimeout)
	defer cancel()
	b, version, err := w.a.log.Load(ctx, r.Key)
	if err != nil || b == nil {
		return
	}
	if s, err := decodeSession(b); err == nil && s.State != nil && s.State.Node == w.a.uid {
		_ = w.a.log.Save(ctx, []*Record{{Key: r.Key, Version: version}})
	}
}

// ours reports whether a record that is not what this node has written is its own
// all the same, and what version it has: another node put its name into it and then
// back, or was refused, or the store has let go of it.
func (w *saver) ours(s *session, r *Record) bool {
	ctx, cancel := context.WithTimeout(w.a.life, w.a.o.PublishTimeout)
	defer cancel()
	b, version, err := w.a.log.Load(ctx, r.Key)
	if err != nil {
		return true // to be seen when the store is back
	}
	var is *wireSession
	if b != nil {
		if is, err = decodeSession(b); err != nil || is.State == nil {
			return false
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if is != nil && is.State.Node != w.a.uid && is.State.Turn > s.turn { // it will ask
		return false
	}
	s.version = version
	return true
}

// record is what is to be written of a session, nil if nothing is.
func (s *session) record() *Record {
	s.mu.Lock()
	m := s.m
	if m == nil {
		m = s.prev
	}
	s.mu.Unlock()
	var data json.RawMessage
	if m != nil {
		data = describe(m) // takes the socket's lock
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &Record{Key: s.pid, Version: s.version, Always: s.always, TTL: s.a.max.MaxDuration}
	switch {
	case s.moved, s.taken, s.ended && s.version == "", !s.ended && s.claimed && s.m == nil:
		return nil // another has it, or may; or there is none
	case s.ended:
		return r
	}
	if m == nil {
		data = s.data
	}
	if s.m != nil {
		r.TTL += openTTL
	}
	b, err := s.wire(data).encode()
	if err != nil {
		s.a.host.Logger().Warn("session cannot be saved", "nsp", s.a.nsp, "socket", s.id, "error", err)
		return nil
	}
	r.Value = b
	return r
}

// saved notes what became of a record.
func (s *session) saved(r *Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Value == nil {
		s.gone, s.taken = true, r.Conflict
		return
	}
	if r.Conflict { // another node has taken it, and will perhaps ask for it
		s.taken = true
		return
	}
	s.version, s.always = r.Version, false
}

// flush waits until all that is to be written now has been. What is being written
// counts as it is when that began: who changed it since has added it again.
func (w *saver) flush(ctx context.Context) error {
	w.mu.Lock()
	if w.done == w.added {
		w.mu.Unlock()
		return nil
	}
	c := make(chan struct{})
	w.waiting = append(w.waiting, savedWait{w.added, c})
	w.mu.Unlock()
	select {
	case <-c:
		return nil
	case <-w.stop:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// close takes nothing more, and waits for what is there until ctx is done.
func (w *saver) close(ctx context.Context) {
	w.mu.Lock()
	w.closed = true
	if w.stop == nil {
		w.stop = make(chan struct{})
	}
	w.mu.Unlock()
	_ = w.flush(ctx)
	close(w.stop)
}
