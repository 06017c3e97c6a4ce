package admin

import (
	"encoding/json"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/sockeye-go/socketio"
)

// sampleEvery is how often the numbers are taken, and told to those who look.
const sampleEvery = time.Second

// historyLength is how many samples are kept for those who come later.
const historyLength = 900

// A point is what the charts show of one moment.
type point struct {
	Time        int64   `json:"t"` // ms of Unix
	Connections int     `json:"connections"`
	Sockets     int     `json:"sockets"`
	In          float64 `json:"in"` // packets a second
	Out         float64 `json:"out"`
	BytesIn     float64 `json:"bytesIn"` // a second
	BytesOut    float64 `json:"bytesOut"`
	Opened      float64 `json:"opened"` // connections a second
	Closed      float64 `json:"closed"`
	Ack50       float64 `json:"ack50"` // ms
	Ack95       float64 `json:"ack95"`
	Ack99       float64 `json:"ack99"`
	Handler50   float64 `json:"handler50"`
	Handler99   float64 `json:"handler99"`
	Memory      uint64  `json:"memory"` // bytes of heap that live, and of stacks
	CPU         float64 `json:"cpu"`    // cores
}

// A sampler takes the numbers of a server once a second, and makes what is shown
// of them while somebody looks. Whatever takes time in proportion to the number of
// sockets is paced: see [paced].
type sampler struct {
	d *Dashboard

	mu       sync.Mutex
	ring     []point // historyLength at the most
	next     int     // of ring, once it is full
	ticks    int
	last     socketio.Stats
	lastAt   time.Time
	lastCPU  time.Duration
	answers  tallied
	handling tallied

	namespaces  paced
	backlog     paced
	slow        slowClients
	spaces      []namespaceView
	spacesTotal int
	health      []healthView
	recovery    socketio.RecoveryStats

	viewers map[chan []byte]struct{}
	latest  []byte // the snapshot that viewers were told last
	done    chan struct{}
}

func newSampler(d *Dashboard) *sampler {
	s := &sampler{d: d, last: d.srv.Stats(), lastAt: time.Now(), lastCPU: cpuTime(), viewers: make(map[chan []byte]struct{}), done: make(chan struct{})}
	go s.run()
	return s
}

func (s *sampler) run() {
	defer close(s.done)
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.d.ending.Done():
			return
		case <-tick.C:
			s.sample(time.Now())
		}
	}
}

func (s *sampler) close() { <-s.done }

// sample takes the numbers, and tells those who look.
func (s *sampler) sample(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.d.srv.Stats()
	p := s.point(now, &st)
	s.keep(p)
	s.last, s.lastAt = st, now
	if s.ticks++; s.ticks%10 == 0 {
		s.d.events.sweep()
		s.rotate()
	}
	s.d.nodes.tell(now, p, len(s.viewers) > 0)
	if len(s.viewers) == 0 {
		s.latest = nil
		return
	}
	b, err := json.Marshal(s.snapshot(now, p, &st))
	if err != nil {
		s.d.opts.Logger.Error("dashboard: what should be shown does not encode", "error", err)
		return
	}
	s.latest = b
	for v := range s.viewers {
		select {
		case v <- b:
		default: // a slow viewer misses a second
		}
	}
}

func (s *sampler) point(now time.Time, st *socketio.Stats) point {
	seconds := max(now.Sub(s.lastAt).Seconds(), 0.001)
	rate := func(is, was uint64) float64 { return float64(is-was) / seconds }
	t, was := st.Traffic, s.last.Traffic
	cpu := cpuTime()
	p := point{
		Time: now.UnixMilli(), Connections: st.Engine.Sessions, Sockets: st.Sockets,
		In: rate(t.PacketsIn, was.PacketsIn), Out: rate(t.PacketsOut, was.PacketsOut),
		BytesIn: rate(t.BytesIn, was.BytesIn), BytesOut: rate(t.BytesOut, was.BytesOut),
		Opened: rate(st.Engine.Opened, s.last.Engine.Opened),
		Closed: rate(total(st.Engine.Closed), total(s.last.Engine.Closed)),
		Memory: memory(), CPU: (cpu - s.lastCPU).Seconds() / seconds,
	}
	s.lastCPU = cpu
	answers, handling := s.d.events.answers.load(), s.d.events.handling.load()
	if diff, n := answers.since(&s.answers); n > 0 {
		p.Ack50, p.Ack95, p.Ack99 = diff.percentile(n, .5), diff.percentile(n, .95), diff.percentile(n, .99)
	}
	if diff, n := handling.since(&s.handling); n > 0 {
		p.Handler50, p.Handler99 = diff.percentile(n, .5), diff.percentile(n, .99)
	}
	s.answers, s.handling = answers, handling
	return p
}

func total[K comparable](counts map[K]uint64) (sum uint64) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

func (s *sampler) keep(p point) {
	if len(s.ring) < historyLength {
		s.ring = append(s.ring, p)
		return
	}
	s.ring[s.next] = p
	s.next = (s.next + 1) % historyLength
}

// history returns what was kept, the oldest first. s.mu is held.
func (s *sampler) history() []point {
	return append(append([]point{}, s.ring[s.next:]...), s.ring[:s.next]...)
}

// rotate moves the time from which the percentiles of each event are reckoned, so
// that they are those of the last ten to twenty seconds.
func (s *sampler) rotate() {
	for _, e := range s.d.events.all() {
		e.base[1] = e.base[0]
		e.base[0] = histograms{e.handling.load(), e.answers.load()}
	}
}

// look returns what was kept and a channel for what comes, until leave.
func (s *sampler) look() (history []point, latest []byte, news chan []byte, leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	news = make(chan []byte, 2)
	s.viewers[news] = struct{}{}
	return s.history(), s.latest, news, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.viewers, news)
	}
}

// A paced walk over what there may be hundreds of thousands of takes place when
// it is due, and less often where it takes longer: its share of a core is
// bounded, whatever the size.
type paced struct{ next time.Time }

// share is the part of the time that a walk may take: 1/500.
const share = 500

func (p *paced) run(now time.Time, every time.Duration, walk func()) {
	if now.Before(p.next) {
		return
	}
	start := time.Now()
	walk()
	p.next = now.Add(max(every, share*time.Since(start)))
}

// memory returns what lives on the heap, and what stacks take, in bytes.
func memory() uint64 {
	m := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(m)
	var sum uint64
	for _, one := range m {
		if one.Value.Kind() == metrics.KindUint64 {
			sum += one.Value.Uint64()
		}
	}
	return sum
}
