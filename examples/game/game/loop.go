package game

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// step calls frame at a fixed rate until it returns false or stop is closed. Frame n
// is due at start + n/Rate: what one frame takes too long the next ones make up for,
// so that the rate does not drift. A program that stood still does not run after all
// the frames that it missed.
func step(stop <-chan struct{}, clock *Clock, frame func() bool) {
	start, n := time.Now(), 0
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		n++
		due := start.Add(time.Duration(n) * time.Second / Rate)
		wait := time.Until(due)
		if wait < -maxBehind {
			skipped := int(-wait * Rate / time.Second)
			clock.skipped.Add(int64(skipped))
			n += skipped
			due = start.Add(time.Duration(n) * time.Second / Rate)
			wait = time.Until(due)
		}
		if wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-stop:
				return
			}
		} else {
			select {
			case <-stop:
				return
			default:
			}
		}
		if !frame() {
			return
		}
		clock.add(time.Since(due))
	}
}

// maxBehind is how far a loop may be behind and still make up for it.
const maxBehind = 250 * time.Millisecond

// A Clock says how well the loops keep their time. A frame counts from when it was
// due to when all of it had been sent. It is safe for concurrent use, and all zero at
// the beginning.
type Clock struct {
	buckets [256]atomic.Int64 // by powers of two of a microsecond, each in 8 parts
	frames  atomic.Int64
	late    atomic.Int64 // that ended after the next was due
	skipped atomic.Int64
}

func (c *Clock) add(d time.Duration) {
	c.frames.Add(1)
	if d > time.Second/Rate {
		c.late.Add(1)
	}
	c.buckets[bucketOf(d)].Add(1)
}

func bucketOf(d time.Duration) int {
	us := uint64(max(0, d.Microseconds()))
	if us < 8 {
		return int(us)
	}
	high := bits.Len64(us) - 4
	return min(255, high*8+int(us>>high))
}

func bucketEnd(i int) time.Duration {
	if i < 16 {
		return time.Duration(i+1) * time.Microsecond
	}
	high := i/8 - 1
	return time.Duration(uint64(i%8+8+1)<<high) * time.Microsecond
}

// Reset begins anew.
func (c *Clock) Reset() {
	c.frames.Store(0)
	c.late.Store(0)
	c.skipped.Store(0)
	for i := range c.buckets {
		c.buckets[i].Store(0)
	}
}

// A Timing is what a Clock says.
type Timing struct {
	Frames, Late, Skipped int64
	P50, P99              time.Duration // at most an eighth too high
}

// Timing returns what was measured since the start, or since Reset.
func (c *Clock) Timing() Timing {
	t := Timing{Frames: c.frames.Load(), Late: c.late.Load(), Skipped: c.skipped.Load()}
	var seen int64
	for i := range c.buckets {
		seen += c.buckets[i].Load()
		if t.P50 == 0 && seen*2 >= t.Frames {
			t.P50 = bucketEnd(i)
		}
		if seen*100 >= t.Frames*99 {
			t.P99 = bucketEnd(i)
			break
		}
	}
	return t
}
