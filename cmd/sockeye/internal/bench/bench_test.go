package bench

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

func TestSLO(t *testing.T) {
	r := &result{Latency: quantiles{Count: 10, P99: 49, Max: 80}, Connect: quantiles{Count: 1, P99: 900}, Rate: 900,
		Config: config{Clients: 10}, Counts: counts{Sent: 90, Expected: 200, Delivered: 199}, Errors: map[string]int64{"x": 1}}
	for text, want := range map[string]bool{
		"p99<50ms": true, "p99 < 49ms": false, "max<0.1s": true, "connect.p99<1s": true, "p50>1ms": false,
		"errors<1%": false, "errors<0.02": true, "lost<0.5%": false, "lost<1%": true, "rate>899.5": true, "rate<900": false,
	} {
		s, err := parseSLO(text)
		if err != nil || s.kept(r) != want {
			t.Errorf("%s: %v, %v (%s)", text, s.kept(r), err, s.found(r))
		}
	}
	for _, text := range []string{"", "p99", "p98<1ms", "p99<1", "p99<-1ms", "errors<x", "rate>NaN"} {
		if _, err := parseSLO(text); err == nil {
			t.Errorf("%q is understood", text)
		}
	}
	if s, _ := parseSLO("p99<1h"); s.kept(&result{}) {
		t.Error("a time of which nothing was measured is kept")
	}
}

func FuzzSLO(f *testing.F) {
	for _, text := range []string{"p99<50ms", "errors<1%", "rate>900", "connect.p99<1s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSLO(text)
		if err != nil {
			return
		}
		s.kept(&result{})
		if s.found(&result{}) == "" || s.limit < 0 {
			t.Errorf("%q: %+v", text, s)
		}
	})
}

// FuzzResult: a file that is none is an error, and one that is can be compared.
func FuzzResult(f *testing.F) {
	b, _ := json.Marshal(&result{Version: 1, Config: config{Scenario: "echo"}, Latency: quantiles{Count: 1, P99: 2}})
	f.Add(b)
	f.Add([]byte(`{"version":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseResult(b, "x")
		if err != nil {
			return
		}
		var out bytes.Buffer
		if worse := compare(&out, cli.Plain, r, r, 1); worse != 0 {
			t.Errorf("worse than itself:\n%s", &out)
		}
		if err := r.writeHTML(&out); err != nil {
			t.Error(err)
		}
	})
}

func TestCompare(t *testing.T) {
	a := &result{Latency: quantiles{Count: 1, P50: 1, P99: 10, Max: 10}, Rate: 100}
	b := &result{Latency: quantiles{Count: 1, P50: 1, P99: 12, Max: 99}, Rate: 80, Tool: tool{Limit: "it was late"}}
	var out bytes.Buffer
	if worse := compare(&out, cli.Plain, a, b, 10); worse != 2 {
		t.Errorf("%d are worse; want p99 and rate", worse)
	}
	for _, want := range []string{"+20.0%", "-20.0%", "in the second run the tool was the limit"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
	if worse := compare(&out, cli.Plain, b, a, 10); worse != 0 {
		t.Errorf("%d are worse the other way round", worse)
	}
}

// TestOpenLoop: operations are due at the times of the rate whatever came of those
// before, and their time counts from then: a server that stalls for a second is
// seen by all that were due in it. A clock of its own makes it exact.
func TestOpenLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scenarios["stall"] = scenario{do: stall}
		defer delete(scenarios, "stall")
		w := newWorker(share{Config: config{Scenario: "stall", Hold: 2 * time.Second}, Count: 1, Rate: 100})
		w.conns = []*conn{{}}
		stalledUntil = time.Now().Add(time.Second)
		w.hold(t.Context(), time.Now())
		if n := w.ops.TotalCount(); n < 199 || n > 200 {
			t.Errorf("%d operations; want 200", n)
		}
		// Half of them were due in the stall, and waited half a second on average.
		if p50, p75 := time.Duration(w.ops.ValueAtQuantile(49)), time.Duration(w.ops.ValueAtQuantile(75)); p50 > 10*time.Millisecond || p75 < 490*time.Millisecond || p75 > 520*time.Millisecond {
			t.Errorf("p49 %v and p75 %v; want next to nothing and half a second", p50, p75)
		}
		if lag := time.Duration(w.lag.Max()); lag > time.Millisecond {
			t.Errorf("the tool was %v late on a clock that waits for it", lag)
		}
	})
}

func TestToolIsTheLimit(t *testing.T) {
	for _, c := range []struct {
		r    result
		says string
	}{
		{result{Tool: tool{Lag: quantiles{Count: 1, P99: 1}}, Latency: quantiles{P99: 1}}, ""},
		{result{Tool: tool{Lag: quantiles{Count: 1, P99: 10}}, Latency: quantiles{P99: 12}}, "late"},
		{result{Tool: tool{Lag: quantiles{Count: 1, P99: 10}}, Latency: quantiles{P99: 400}}, ""},
		{result{Tool: tool{Cores: 1.9}}, "of the 2 cores"},
		{result{Errors: map[string]int64{kindOf(errShed): 3}}, "not sent"},
	} {
		c.r.judgeTool(2)
		if (c.r.Tool.Limit == "") != (c.says == "") || !strings.Contains(c.r.Tool.Limit, c.says) {
			t.Errorf("%+v: %q", c.r.Tool, c.r.Tool.Limit)
		}
	}
}

func TestSplit(t *testing.T) {
	c := config{Clients: 10, Rate: 100, Processes: 3, raw: "http://u?token=secret", target: cli.Target{Auth: "{}"}}
	var counts []int
	rate := 0.0
	for i, s := range c.split() {
		counts = append(counts, s.Count)
		rate += s.Rate
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var again share
		if err := json.Unmarshal(b, &again); err != nil || again.URL != c.raw || again.Index != i || again.Target.Auth != "{}" {
			t.Errorf("%+v, %v", again, err)
		}
	}
	if !slices.Equal(counts, []int{4, 3, 3}) || rate < 99.9 || rate > 100.1 {
		t.Errorf("%v, %g a second", counts, rate)
	}
}

func TestHistogramsTravel(t *testing.T) {
	h, into := newHistogram(), newHistogram()
	for _, d := range []time.Duration{0, time.Millisecond, time.Hour} {
		observe(h, d)
	}
	b, err := encode(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := merge(into, b); err != nil || into.TotalCount() != 3 {
		t.Errorf("%d, %v", into.TotalCount(), err)
	}
	if err := merge(into, []byte("nonsense")); err == nil {
		t.Error("nonsense is merged")
	}
}

func TestSparkline(t *testing.T) {
	if got := Sparkline([]float64{0, 1, 4, 8}); got != "▁▂▅█" {
		t.Errorf("%s", got)
	}
	if got := Sparkline([]float64{0, 0}); got != "▁▁" {
		t.Errorf("%s", got)
	}
}
