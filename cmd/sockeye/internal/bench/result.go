package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// A result is what a run came to. It is written as JSON, and compared.
type result struct {
	Version  int              `json:"version"`
	Sockeye  string           `json:"sockeye,omitempty"`
	Time     string           `json:"time"`
	Config   config           `json:"config"`
	Clients  int              `json:"clients"`
	Seconds  float64          `json:"seconds"` // of the hold
	Rate     float64          `json:"rate"`    // operations, or deliveries, a second that came to an end
	Counts   counts           `json:"counts"`
	Errors   map[string]int64 `json:"errors"`
	Connect  quantiles        `json:"connect"`
	Latency  quantiles        `json:"latency"`
	Tool     tool             `json:"tool"`
	Series   []point          `json:"series"`
	Promises []promise        `json:"slo,omitempty"`
}

// A tool says how sockeye itself did: what it measures is the server's only as long
// as it keeps up.
type tool struct {
	Lag   quantiles `json:"lag"`   // how late operations were sent, ms
	Cores float64   `json:"cores"` // that it used, on average during the hold
	Limit string    `json:"limit"` // why the result says more of the tool; "" if it does not
}

// A point is a moment of a run.
type point struct {
	T       float64 `json:"t"` // seconds
	Clients int     `json:"clients"`
	Rate    float64 `json:"rate"`
	P50     float64 `json:"p50"`
	P99     float64 `json:"p99"`
}

type promise struct {
	SLO   string `json:"slo"`
	Found string `json:"found"`
	Kept  bool   `json:"kept"`
}

func (r *result) failures() int64 {
	var n int64
	for _, c := range r.Errors {
		n += c
	}
	return n
}

// errorShare is the part of all attempts that failed.
func (r *result) errorShare() float64 {
	tries := r.Counts.Sent + int64(r.Config.Clients)
	if tries == 0 {
		return 0
	}
	return float64(r.failures()) / float64(tries)
}

func (r *result) lostShare() float64 {
	if r.Counts.Expected == 0 {
		return 0
	}
	return float64(max(r.Counts.Expected-r.Counts.Delivered, 0)) / float64(r.Counts.Expected)
}

// judgeTool says whether the tool was the limit. Its lateness is part of each time
// that was measured, since they count from when an operation was due; a millisecond
// is what the timers of a system allow.
func (r *result) judgeTool(cores int) {
	t := &r.Tool
	switch {
	case t.Lag.Count > 0 && t.Lag.P99 > 2 && t.Lag.P99 > r.Latency.P99/4:
		t.Limit = fmt.Sprintf("operations were sent up to %.1f ms late (p99), which is a good part of the %.1f ms measured", t.Lag.P99, r.Latency.P99)
	case t.Cores > 0.85*float64(cores):
		t.Limit = fmt.Sprintf("sockeye used %.1f of the %d cores", t.Cores, cores)
	case r.Errors[kindOf(errShed)] > 0:
		t.Limit = fmt.Sprintf("%d operations were not sent, because %d were in flight", r.Errors[kindOf(errShed)], maxInFlight)
	}
}

const limitHint = "lower --rate, raise --processes, or run sockeye on another machine than the server"

// write shows the result to a person.
func (r *result) write(w io.Writer, s cli.Style) {
	c := r.Config
	fmt.Fprintf(w, "%s %s, %d of %d clients, %d bytes, %.0f s\n", s.Bold(c.Scenario), c.URL+c.Namespace, r.Clients, c.Clients, c.Size, r.Seconds)
	what := "operations"
	if scenarios[c.Scenario].delivers {
		what = "deliveries"
	}
	fmt.Fprintf(w, "\n%-11s %9s %9s %9s %9s %9s %9s\n", "ms", "mean", "p50", "p90", "p99", "p99.9", "max")
	row := func(name string, q quantiles) {
		if q.Count > 0 {
			fmt.Fprintf(w, "%-11s %9.2f %9.2f %9.2f %9.2f %9.2f %9.2f\n", name, q.Mean, q.P50, q.P90, q.P99, q.P999, q.Max)
		}
	}
	row("connect", r.Connect)
	row(c.Scenario, r.Latency)
	row("tool's lag", r.Tool.Lag)
	if !scenarios[c.Scenario].silent {
		fmt.Fprintf(w, "\n%.1f %s a second; %d sent", r.Rate, what, r.Counts.Sent)
		if r.Counts.Expected > 0 {
			fmt.Fprintf(w, "; %d of %d delivered", r.Counts.Delivered, r.Counts.Expected)
		}
		fmt.Fprintln(w)
	}
	for kind, n := range r.Errors {
		fmt.Fprintf(w, "%s %d × %s\n", s.Red("✗"), n, kind)
	}
	if r.Tool.Limit != "" {
		fmt.Fprintf(w, "\n%s %s\n%s %s\n", s.Yellow("! the tool was the limit, not the server:"), r.Tool.Limit, s.Dim("→"), limitHint)
	} else if r.Tool.Lag.Count > 0 {
		fmt.Fprintf(w, "%s\n", s.Dim(fmt.Sprintf("sockeye kept up: %.1f cores, sent at most %.1f ms late (p99)", r.Tool.Cores, r.Tool.Lag.P99)))
	}
	for _, p := range r.Promises {
		mark := s.Green("✓")
		if !p.Kept {
			mark = s.Red("✗")
		}
		fmt.Fprintf(w, "%s %s: %s\n", mark, p.SLO, p.Found)
	}
}

func (r *result) save(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

func load(path string) (*result, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, cli.Usagef("", "%v", err)
	}
	return parseResult(b, path)
}

func parseResult(b []byte, path string) (*result, error) {
	r := new(result)
	if err := json.Unmarshal(b, r); err != nil || r.Version != 1 || strings.TrimSpace(r.Config.Scenario) == "" {
		return nil, cli.Usagef("it is written by sockeye bench --json FILE", "%s is no result of a run", path)
	}
	return r, nil
}
