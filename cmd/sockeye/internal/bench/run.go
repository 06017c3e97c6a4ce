package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A tally gathers what the processes report.
type tally struct {
	mu      sync.Mutex
	start   time.Time // of the hold; zero before it
	last    map[int]snapshot
	fresh   map[int]bool            // who has reported since the last point
	ops     *hdrhistogram.Histogram // since the last point
	total   *hdrhistogram.Histogram
	joins   *hdrhistogram.Histogram
	lag     *hdrhistogram.Histogram
	series  []point
	began   time.Time
	pointed time.Time
	cpuAt   float64 // of all processes when the hold began
	fatal   error
}

func newTally() *tally {
	now := time.Now()
	return &tally{last: map[int]snapshot{}, fresh: map[int]bool{}, ops: newHistogram(), total: newHistogram(), joins: newHistogram(), lag: newHistogram(), began: now, pointed: now}
}

func (t *tally) report(s snapshot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last[s.Index], t.fresh[s.Index] = s, true
	t.fatal = errors.Join(t.fatal, merge(t.ops, s.Ops), merge(t.joins, s.Joins), merge(t.lag, s.Lag))
}

func (t *tally) complete(processes int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.fresh) == processes
}

// maxPoints bounds the curves of a long run: then every second point goes.
const maxPoints = 2000

// point ends an interval.
func (t *tally) point() point {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	q := quantilesOf(t.ops)
	if n := len(t.series); n > 0 && q.Count == 0 && now.Sub(t.pointed) < every/2 {
		return t.series[n-1] // the rest of the last one, in which nothing was due
	}
	p := point{T: now.Sub(t.began).Seconds(), Rate: float64(q.Count) / max(now.Sub(t.pointed).Seconds(), 1e-3), P50: q.P50, P99: q.P99}
	var cpu float64
	for _, s := range t.last {
		p.Clients += s.Counts.Clients - int(s.Counts.Lost)
		cpu += s.Counts.CPU
	}
	if t.start.IsZero() || now.Before(t.start) || t.cpuAt == 0 {
		t.cpuAt = cpu
	}
	t.total.Merge(t.ops)
	t.ops.Reset()
	t.pointed = now
	clear(t.fresh)
	t.series = append(t.series, p)
	if len(t.series) > maxPoints {
		for i := range maxPoints / 2 {
			t.series[i] = t.series[2*i]
		}
		t.series = t.series[:maxPoints/2]
	}
	return p
}

func (t *tally) errors() map[string]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := map[string]int64{}
	for _, s := range t.last {
		for k, n := range s.Errors {
			all[k] += n
		}
	}
	return all
}

// run carries out a run, and calls live twice a second.
func run(ctx context.Context, c *config, live func(*tally, point)) (*result, error) {
	t := newTally()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	all := newBarrier(c.Processes)
	report := func(got snapshot) {
		t.report(got)
		if got.Ready {
			all.arrive()
		}
	}
	go func() {
		if start, ok := all.wait(ctx); ok {
			t.mu.Lock()
			t.start = start
			t.mu.Unlock()
		}
	}()
	done := make(chan error, c.Processes)
	for _, s := range c.split() {
		go func() {
			if c.Processes == 1 {
				newWorker(s).run(ctx, report, all.wait)
				done <- nil
				return
			}
			done <- child(ctx, s, report, all.wait)
		}()
	}
	// A point has one report of each process, or curves would show the beat of two
	// clocks.
	tick := time.NewTicker(every / 10)
	defer tick.Stop()
	var failed error
	for left := c.Processes; left > 0; {
		select {
		case <-tick.C:
			if t.complete(c.Processes) {
				live(t, t.point())
			}
		case err := <-done:
			left--
			if err != nil && failed == nil {
				failed = err
				cancel() // the others measure something else then
			}
		}
	}
	live(t, t.point())
	t.mu.Lock()
	fatal := t.fatal
	t.mu.Unlock()
	if err := errors.Join(failed, fatal); err != nil {
		return nil, err
	}
	return t.result(c), nil
}

func (t *tally) result(c *config) *result {
	failures := t.errors()
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &result{Version: 1, Time: t.began.UTC().Format(time.RFC3339), Config: *c, Errors: failures,
		Connect: quantilesOf(t.joins), Latency: quantilesOf(t.total), Series: t.series}
	for _, s := range t.last {
		r.Clients += s.Counts.Clients
		r.Counts.Clients += s.Counts.Clients
		r.Counts.Sent += s.Counts.Sent
		r.Counts.Expected += s.Counts.Expected
		r.Counts.Delivered += s.Counts.Delivered
		r.Counts.Lost += s.Counts.Lost
		r.Counts.CPU += s.Counts.CPU
	}
	if !t.start.IsZero() {
		r.Seconds = min(time.Since(t.start).Seconds(), c.Hold.Seconds())
	}
	if r.Seconds > 0 {
		r.Rate = float64(r.Latency.Count) / r.Seconds
		r.Tool.Cores = max(r.Counts.CPU-t.cpuAt, 0) / r.Seconds
	}
	r.Tool.Lag = quantilesOf(t.lag)
	r.judgeTool(runtime.NumCPU())
	return r
}

// WorkerCommand is the hidden command that a process of a run is started with.
const WorkerCommand = "bench-worker"

// child is a share in a process of its own: sockeye again, which is told by its
// standard input, so that credentials are in no list of processes.
func child(ctx context.Context, s share, report func(snapshot), begin func(context.Context) (time.Time, bool)) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, exe, WorkerCommand)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	in := json.NewEncoder(stdin)
	if err := in.Encode(s); err != nil {
		_ = cmd.Wait()
		return fmt.Errorf("process %d: %w\n%s", s.Index, err, errs.Bytes())
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	last := false
	for lines.Scan() {
		var got snapshot
		if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
			continue
		}
		last = last || got.Last
		report(got)
		if got.Ready {
			// The process waits for it, and the end of its input is the end of it.
			go func() {
				if start, ok := begin(ctx); ok {
					_ = in.Encode(signal{start.UnixNano()})
				}
				stdin.Close()
			}()
		}
	}
	if err := cmd.Wait(); err != nil && !last {
		return fmt.Errorf("process %d: %w\n%s", s.Index, err, errs.Bytes())
	}
	if !last {
		return fmt.Errorf("process %d ended early", s.Index)
	}
	return nil
}

// A signal tells a process when to begin.
type signal struct {
	Start int64 `json:"start"` // Unix ns
}

// Work is that process.
func Work(ctx context.Context, in io.Reader, out io.Writer) error {
	var s share
	orders := json.NewDecoder(in)
	if err := orders.Decode(&s); err != nil {
		return err
	}
	if _, known := scenarios[s.Config.Scenario]; !known {
		return fmt.Errorf("there is no scenario %q", s.Config.Scenario)
	}
	var mu sync.Mutex
	enc := json.NewEncoder(out)
	newWorker(s).run(ctx, func(got snapshot) {
		mu.Lock()
		defer mu.Unlock()
		got.Errors = maps.Clone(got.Errors)
		_ = enc.Encode(got) // without a parent there is nobody to tell
	}, func(context.Context) (time.Time, bool) {
		var begin signal
		err := orders.Decode(&begin)
		return time.Unix(0, begin.Start), err == nil
	})
	return nil
}
