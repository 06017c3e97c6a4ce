package bench

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/engineio"
)

// Limits of a process, so that a server that is stuck does not take this machine
// with it.
const (
	maxInFlight  = 20_000
	opTimeout    = 10 * time.Second
	connectsOnce = 64 // at the same time
)

// A conn is a client.
type conn struct {
	manager *client.Manager
	socket  *client.Socket
	room    string
	members int64 // of the room
}

// A worker carries out the share of one process.
type worker struct {
	share    share
	scenario scenario
	payload  any
	inFlight atomic.Int64
	churned  atomic.Int64
	ending   atomic.Bool

	mu     sync.Mutex
	conns  []*conn                 // guarded by mu, as is all below
	ops    *hdrhistogram.Histogram // since the last snapshot
	joins  *hdrhistogram.Histogram
	lag    *hdrhistogram.Histogram // of the tool: how late operations were sent
	counts counts
	errors map[string]int64
}

// counts are totals of a process.
type counts struct {
	Clients   int     `json:"clients"`
	Sent      int64   `json:"sent"`
	Expected  int64   `json:"expected"` // deliveries
	Delivered int64   `json:"delivered"`
	Lost      int64   `json:"lost"` // connections that ended
	CPU       float64 `json:"cpu"`  // seconds of this process
}

// A snapshot is what a process reports: totals, and what was recorded since the
// last one.
type snapshot struct {
	Index  int              `json:"index"`
	Counts counts           `json:"counts"`
	Errors map[string]int64 `json:"errors,omitempty"` // totals
	Ops    []byte           `json:"ops,omitempty"`
	Joins  []byte           `json:"joins,omitempty"`
	Lag    []byte           `json:"lag,omitempty"`
	Ready  bool             `json:"ready,omitempty"` // its clients are there
	Last   bool             `json:"last,omitempty"`
}

func newWorker(s share) *worker {
	w := &worker{share: s, scenario: scenarios[s.Config.Scenario], ops: newHistogram(), joins: newHistogram(), lag: newHistogram(), errors: map[string]int64{}}
	if s.Config.Scenario == "binary" {
		w.payload = bytes.Repeat([]byte{0xa5}, s.Config.Size)
	} else {
		w.payload = strings.Repeat("x", s.Config.Size)
	}
	return w
}

// every is how often a process reports.
const every = 500 * time.Millisecond

// run connects, makes operations from the time that begin says until the end, and
// reports meanwhile.
func (w *worker) run(ctx context.Context, report func(snapshot), begin func(context.Context) (time.Time, bool)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.ramp(ctx)
		ready := w.snapshot()
		ready.Ready = true
		report(ready)
		if start, ok := begin(ctx); ok {
			w.hold(ctx, start)
		}
	}()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			report(w.snapshot())
			continue
		case <-done:
		}
		break
	}
	last := w.snapshot()
	last.Last = true
	report(last)
	w.ending.Store(true)
	w.mu.Lock()
	conns := w.conns
	w.mu.Unlock()
	for _, c := range conns {
		c.manager.Close()
	}
}

func (w *worker) snapshot() snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := snapshot{Index: w.share.Index, Counts: w.counts, Errors: map[string]int64{}}
	for k, n := range w.errors {
		s.Errors[k] = n
	}
	s.Counts.CPU = ownCPU().Seconds()
	for _, h := range []struct {
		from *hdrhistogram.Histogram
		to   *[]byte
	}{{w.ops, &s.Ops}, {w.joins, &s.Joins}, {w.lag, &s.Lag}} {
		if h.from.TotalCount() > 0 {
			*h.to, _ = encode(h.from)
			h.from.Reset()
		}
	}
	return s
}

// ramp connects the clients, spread over its time.
func (w *worker) ramp(ctx context.Context) {
	start := time.Now()
	slots := make(chan struct{}, connectsOnce)
	var all sync.WaitGroup
	for i := range w.share.Count {
		due := start.Add(time.Duration(float64(w.share.Config.Ramp) * float64(i) / float64(w.share.Count)))
		if !sleepUntil(ctx, due) {
			break
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			connecting, cancel := context.WithTimeout(ctx, w.share.Target.Timeout)
			defer cancel()
			c, err := w.connect(connecting, w.share.First+i)
			if err == nil && w.scenario.prepare != nil {
				if err = w.scenario.prepare(connecting, w, c); err != nil {
					c.manager.Close()
				}
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			if err != nil {
				w.errors["connect: "+kindOf(err)]++
				return
			}
			observe(w.joins, time.Since(due)) // from when it should have begun
			w.conns = append(w.conns, c)
			w.counts.Clients++
		})
	}
	all.Wait()
}

// connect makes client number i.
func (w *worker) connect(ctx context.Context, i int) (*conn, error) {
	t := w.share.Target
	if err := t.Parse(w.share.URL); err != nil {
		return nil, err
	}
	t.Namespace = w.share.Config.Namespace
	m, err := t.Dial(func(o *client.Options) {
		o.DisableReconnection = true
		// Spread evenly: every nth is a client of polling.
		if p := w.share.Config.Polling; int(float64(i+1)*p) > int(float64(i)*p) {
			o.Transports, o.DisableUpgrades = []string{engineio.Polling}, true
		}
	})
	if err != nil {
		return nil, err
	}
	c := &conn{manager: m, socket: m.Socket(t.Namespace), room: w.roomOf(i), members: w.members(i - w.share.First)}
	c.socket.OnDisconnect(func(socketio.DisconnectReason, error) {
		if w.ending.Load() || w.share.Config.Scenario == "churn" {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.counts.Lost++
		w.errors["disconnected"]++
	})
	if err := c.socket.Connect(ctx); err != nil {
		m.Close()
		return nil, err
	}
	return c, nil
}

// roomOf is the room of client i. Rooms do not cross processes, the one for all
// does.
func (w *worker) roomOf(i int) string {
	if w.share.Config.Scenario == "broadcast" {
		return "bench:all"
	}
	return "bench:" + strconv.Itoa(w.share.Index) + ":" + strconv.Itoa((i-w.share.First)/max(w.share.Config.RoomSize, 1))
}

// members is how many get what is said in the room of the ith client of the process.
func (w *worker) members(i int) int64 {
	if w.share.Config.Scenario == "broadcast" {
		return int64(w.share.Config.Clients)
	}
	size := max(w.share.Config.RoomSize, 1)
	if i >= w.share.Count {
		return 0 // one that comes and goes
	}
	return int64(min(size, w.share.Count-(i/size)*size))
}

// hold makes operations at the times that the rate says, whether or not earlier
// ones are answered: an answer that is late does not make the next one later, and
// is measured from when it was due (no coordinated omission).
func (w *worker) hold(ctx context.Context, start time.Time) {
	cfg := w.share.Config
	end := start.Add(cfg.Hold)
	w.mu.Lock()
	conns := w.conns
	w.mu.Unlock()
	if w.scenario.silent || w.share.Rate <= 0 || len(conns) == 0 && cfg.Scenario != "churn" {
		sleepUntil(ctx, end)
		return
	}
	gap := float64(time.Second) / w.share.Rate
	// Processes do not send in step.
	offset := rand.Float64() * gap
	var all sync.WaitGroup
	for n := 0; ; n++ {
		intended := start.Add(time.Duration(offset + float64(n)*gap))
		if !intended.Before(end) || !sleepUntil(ctx, intended) {
			break
		}
		var c *conn
		if len(conns) > 0 {
			c = conns[n%len(conns)]
		}
		late := time.Since(intended)
		w.mu.Lock()
		observe(w.lag, late)
		w.counts.Sent++
		if w.scenario.delivers {
			w.counts.Expected += c.members
		}
		w.mu.Unlock()
		if w.inFlight.Add(1) > maxInFlight {
			w.inFlight.Add(-1)
			w.failed(errShed)
			continue
		}
		if w.scenario.delivers || cfg.Scenario == "emit" && !cfg.Ack {
			w.one(ctx, c, intended) // it does not wait
			continue
		}
		all.Go(func() { w.one(ctx, c, intended) })
	}
	all.Wait()
	if w.scenario.delivers {
		w.drain(ctx)
	}
}

// drain waits for what is on its way: until nothing has come for a second.
func (w *worker) drain(ctx context.Context) {
	end := time.Now().Add(opTimeout)
	for before := int64(-1); time.Now().Before(end); {
		w.mu.Lock()
		now := w.counts.Delivered
		w.mu.Unlock()
		if now == before || !sleepUntil(ctx, time.Now().Add(time.Second)) {
			return
		}
		before = now
	}
}

func (w *worker) one(ctx context.Context, c *conn, intended time.Time) {
	defer w.inFlight.Add(-1)
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	if err := w.scenario.do(ctx, w, c, intended); err != nil {
		w.failed(err)
		return
	}
	if !w.scenario.delivers {
		took := time.Since(intended)
		w.mu.Lock()
		defer w.mu.Unlock()
		observe(w.ops, took)
	}
}

func (w *worker) failed(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errors[kindOf(err)]++
}

func (w *worker) delivered(took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts.Delivered++
	observe(w.ops, took)
}

// sleepUntil reports whether the time came before the end of ctx.
func sleepUntil(ctx context.Context, at time.Time) bool {
	d := time.Until(at)
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
