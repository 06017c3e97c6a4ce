package client

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestBackoff: what the formula of the original comes to. The one random number
// decides how far (its share of half the delay) and to which side (its first
// decimal), and the maximum comes last.
func TestBackoff(t *testing.T) {
	o := (*Options)(nil).withDefaults()
	for _, tt := range []struct {
		n      int
		random float64
		want   time.Duration
	}{
		{0, 0, 1000}, {0, 0.05, 975}, {0, 0.15, 1075}, {0, 0.25, 875}, {0, 0.999, 1499}, {0, 0.899, 551},
		{1, 0.15, 2150}, {1, 0.85, 1150}, {2, 0.35, 4700}, {2, 0.95, 5000}, {2, 0.8999, 2201},
		{3, 0.5, 5000}, {3, 0.8999, 4401}, {50, 0.8999, 5000}, {10_000, 0.8999, 5000},
	} {
		if got := o.backoffWith(tt.n, tt.random); got != tt.want*time.Millisecond {
			t.Errorf("attempt %d with %v: %v, want %v ms", tt.n, tt.random, got, int64(tt.want))
		}
	}
}

// TestBackoffBounds: no pause is outside of the bounds, and all between them is used.
// Below the middle they are nearer, as one number has two uses: the highest with an
// even first decimal is 0.8999….
func TestBackoffBounds(t *testing.T) {
	o := (&Options{RandomizationFactor: 0.3, ReconnectionDelay: 200 * time.Millisecond, ReconnectionDelayMax: 3 * time.Second}).withDefaults()
	for n := range 8 {
		delay := 200 * time.Millisecond << n
		low, high := min(delay*73/100, 3*time.Second), min(delay*13/10, 3*time.Second)
		least, most := time.Hour, time.Duration(0)
		for range 10_000 {
			d := o.backoff(n)
			if d < low || d > high || d%time.Millisecond != 0 {
				t.Fatalf("attempt %d: %v is not between %v and %v, in whole milliseconds", n, d, low, high)
			}
			least, most = min(least, d), max(most, d)
		}
		if spread := (high - low) / 20; least > low+spread || most < high-spread {
			t.Errorf("attempt %d: from %v to %v, of %v to %v", n, least, most, low, high)
		}
	}
}

// TestBackoffOriginal asks the original.
func TestBackoffOriginal(t *testing.T) {
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs Node and the packages of interop/node: set SOCKEYE_PARTS=all")
	}
	random := rand.New(rand.NewPCG(1, 2))
	type question struct {
		Random, Jitter float64
		Min, Max, N    int
	}
	questions := make([]question, 5000)
	for i := range questions {
		questions[i] = question{random.Float64(), random.Float64(), 1 + random.IntN(3000), 1 + random.IntN(20_000), random.IntN(20)}
	}
	in, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	const script = `
const { Backoff } = require("./node_modules/socket.io-client/build/cjs/contrib/backo2.js");
const questions = JSON.parse(require("fs").readFileSync(0));
console.log(JSON.stringify(questions.map(({ Random, Jitter, Min, Max, N }) => {
  Math.random = () => Random;
  const b = new Backoff({ min: Min, max: Max, jitter: Jitter });
  b.attempts = N;
  return b.duration();
})));`
	cmd := exec.Command("node", "-e", script)
	cmd.Dir = "../interop/node"
	cmd.Stdin = strings.NewReader(string(in))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []int
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(questions) {
		t.Fatalf("%d answers: %v", len(answers), err)
	}
	for i, q := range questions {
		o := &Options{
			ReconnectionDelay: time.Duration(q.Min) * time.Millisecond, ReconnectionDelayMax: time.Duration(q.Max) * time.Millisecond,
			RandomizationFactor: q.Jitter,
		}
		if got := o.backoffWith(q.N, q.Random); got != time.Duration(answers[i])*time.Millisecond {
			t.Fatalf("%+v: %v, the original says %d ms", q, got, answers[i])
		}
	}
}
