package engineio

import (
	"cmp"
	"net/http"
	"runtime"
	"slices"
	"time"
)

// minHeld is how many bytes a session must hold to be cut for them.
const minHeld = 16 << 10

// relieve is told of the live bytes of the heap while they are more than
// MaxMemory, and once more afterwards. A server is rather without those who make
// it hold most, be it because they do not read, or do not finish what they began,
// than without everybody.
func (s *Server) relieve(live int64) {
	excess := live - s.opts.MaxMemory
	if was := s.tight.Swap(excess > 0); was && excess <= 0 {
		s.log.Info("there is memory again", "live", live, "limit", s.opts.MaxMemory)
	} else if !was && excess > 0 {
		s.log.Warn("short of memory: no new sessions", "live", live, "limit", s.opts.MaxMemory)
	}
	if excess <= 0 {
		return
	}
	type holder struct {
		s    *Session
		held int
	}
	var all []holder
	for _, sess := range s.table.all() {
		if n := sess.held(); n >= minHeld {
			all = append(all, holder{sess, n})
		}
	}
	slices.SortFunc(all, func(a, b holder) int { return cmp.Compare(b.held, a.held) })
	cut, freed := 0, int64(0)
	for _, h := range all {
		if freed >= excess {
			break
		}
		if h.s.cutting.Swap(true) {
			continue
		}
		s.hit("MaxMemory")
		_, packets := h.s.Buffered()
		h.s.cut(DropMemory, packets, ErrMemory)
		freed += int64(h.held)
		cut++
	}
	if cut > 0 {
		s.log.Warn("short of memory: sessions that hold most are cut", "sessions", cut, "bytes", freed)
	}
	// Whether that was enough shows only when garbage has been collected, which on a
	// server that refuses everybody may not be for minutes.
	if !s.looking.Swap(true) {
		time.AfterFunc(lookAgain, func() {
			s.looking.Store(false)
			runtime.GC()
		})
	}
}

// lookAgain is how soon a server that is short of memory looks whether it still is.
const lookAgain = 200 * time.Millisecond

// held returns the bytes that the session keeps of what came in and what goes out.
func (s *Session) held() int {
	n, _ := s.Buffered()
	if t := s.ws.Load(); t != nil {
		n += int(t.held.Load()) + t.context().held()
	}
	s.mu.Lock()
	if p := s.polling; p != nil {
		n += int(p.body.Load())
		if p.probe != nil {
			n += int(p.probe.held.Load())
		}
	}
	s.mu.Unlock()
	s.recvMu.Lock()
	recv := s.recv
	s.recvMu.Unlock()
	if h, ok := recv.(Holder); ok {
		n += h.Held()
	}
	return n
}

// abortPost ends the wait for a body that is being read.
func (s *Session) abortPost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.polling; p != nil && p.posting != nil {
		_ = http.NewResponseController(p.posting).SetReadDeadline(time.Now())
	}
}
