package admin

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// A histogram counts durations in four steps per doubling, from a microsecond to
// the better part of a minute: what it says of a percentile is true to a tenth.
type histogram [steps]atomic.Uint64

const steps = 4 * 26

func (h *histogram) add(d time.Duration) { h[step(d)].Add(1) }

// step is the one that d falls into.
func step(d time.Duration) int {
	us := uint64(max(d.Microseconds(), 1))
	if us < 4 {
		return int(us) - 1
	}
	top := bits.Len64(us) - 1               // of 2, 3, …
	within := int(us>>(top-2)) & 3          // the two bits behind the first
	return min(4*(top-2)+within+3, steps-1) // 4 µs is step 3
}

// floor is the shortest time of a step, in microseconds.
func floor(step int) float64 {
	if step < 3 {
		return float64(step + 1)
	}
	step -= 3
	return float64(uint64(4+step%4) << (step / 4))
}

// A tallied is what a histogram held at one moment.
type tallied [steps]uint64

func (h *histogram) load() (t tallied) {
	for i := range h {
		t[i] = h[i].Load()
	}
	return t
}

// since returns what was added after an earlier moment, and how much that is.
func (t *tallied) since(earlier *tallied) (diff tallied, n uint64) {
	for i := range t {
		diff[i] = t[i] - earlier[i]
		n += diff[i]
	}
	return diff, n
}

// percentile returns the time, in milliseconds, that a part of n took no longer
// than; 0 if there is nothing.
func (t *tallied) percentile(n uint64, part float64) float64 {
	if n == 0 {
		return 0
	}
	want := max(uint64(part*float64(n)+0.5), 1)
	for i, c := range t {
		if c < want {
			want -= c
			continue
		}
		// Spread evenly over the step.
		low, high := floor(i), floor(i+1)
		return (low + (high-low)*float64(want)/float64(c)) / 1000
	}
	return floor(steps) / 1000
}
