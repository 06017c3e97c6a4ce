package bench

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// An slo is a promise that a result keeps or not: p99<50ms, errors<1%, rate>900.
type slo struct {
	text   string
	metric string
	less   bool
	limit  float64 // ms, a share, or a rate
}

// metrics are what an slo can be about, with the unit of its limit.
var metrics = map[string]string{
	"mean": "ms", "p50": "ms", "p90": "ms", "p99": "ms", "p999": "ms", "max": "ms",
	"connect.p50": "ms", "connect.p99": "ms", "connect.max": "ms",
	"errors": "%", "lost": "%", "rate": "",
}

const sloHint = "write 'p99<50ms', 'errors<1%', 'lost<0.1%', 'rate>900' or 'connect.p99<1s'"

func parseSLO(text string) (slo, error) {
	s := slo{text: text}
	i := strings.IndexAny(text, "<>")
	if i < 0 {
		return s, cli.Usagef(sloHint, "--slo %q has no < or >", text)
	}
	s.metric, s.less = strings.TrimSpace(text[:i]), text[i] == '<'
	unit, known := metrics[s.metric]
	if !known {
		return s, cli.Usagef(sloHint, "--slo: there is no %q", s.metric)
	}
	limit := strings.TrimSpace(text[i+1:])
	var err error
	switch unit {
	case "ms":
		var d time.Duration
		d, err = time.ParseDuration(limit)
		s.limit = float64(d) / 1e6
	case "%":
		number, percent := strings.CutSuffix(limit, "%")
		s.limit, err = strconv.ParseFloat(strings.TrimSpace(number), 64)
		if percent {
			s.limit /= 100
		}
	default:
		s.limit, err = strconv.ParseFloat(limit, 64)
	}
	if err != nil || math.IsNaN(s.limit) || s.limit < 0 {
		return s, cli.Usagef(sloHint, "--slo %q: %q is no limit", text, limit)
	}
	return s, nil
}

// value is what a result has for the metric.
func (s slo) value(r *result) float64 {
	q := r.Latency
	if rest, ok := strings.CutPrefix(s.metric, "connect."); ok {
		q = r.Connect
		return quantile(q, rest)
	}
	switch s.metric {
	case "errors":
		return r.errorShare()
	case "lost":
		return r.lostShare()
	case "rate":
		return r.Rate
	}
	return quantile(q, s.metric)
}

func quantile(q quantiles, name string) float64 {
	switch name {
	case "mean":
		return q.Mean
	case "p50":
		return q.P50
	case "p90":
		return q.P90
	case "p99":
		return q.P99
	case "p999":
		return q.P999
	}
	return q.Max
}

// kept reports whether the result is within it. A time of which nothing was
// measured is not.
func (s slo) kept(r *result) bool {
	if metrics[s.metric] == "ms" {
		q := r.Latency
		if strings.HasPrefix(s.metric, "connect.") {
			q = r.Connect
		}
		if q.Count == 0 {
			return false
		}
	}
	if s.less {
		return s.value(r) < s.limit
	}
	return s.value(r) > s.limit
}

func (s slo) String() string { return s.text }

func (s slo) found(r *result) string {
	switch metrics[s.metric] {
	case "ms":
		return fmt.Sprintf("%.2f ms", s.value(r))
	case "%":
		return fmt.Sprintf("%.2f%%", 100*s.value(r))
	}
	return fmt.Sprintf("%.1f", s.value(r))
}
