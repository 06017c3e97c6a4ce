package ratelimit

import (
	"fmt"
	"time"
)

// A Kind says how a [Rate] counts.
type Kind uint8

const (
	// Window lets Events through in any Per: those of the running window, and of
	// the one before as much as it still overlaps.
	Window Kind = iota
	// TokenBucket lets one through every Per/Events, and up to Events at once
	// after a rest.
	TokenBucket
)

// A Rate is how many events there may be in how much time. The zero Rate has no
// limit.
type Rate struct {
	Events int
	Per    time.Duration
	Kind   Kind
}

func (r Rate) none() bool { return r == Rate{} }

// check panics with the name of the field if r makes no sense.
func (r Rate) check(field string) {
	if !r.none() && (r.Events <= 0 || r.Per <= 0 || r.Kind > TokenBucket || r.Per/time.Duration(r.Events) == 0) {
		panic(fmt.Sprintf("ratelimit: %s: %d events in %v is no rate", field, r.Events, r.Per))
	}
}

// A Budget is what is left of a Rate for one key. The zero Budget is full. It
// must be used with one Rate only, and by one goroutine at a time.
type Budget struct {
	// Of a window: its beginning. Of a bucket: when it will be full again (the
	// theoretical arrival time of the generic cell rate algorithm). In
	// nanoseconds since 1970.
	at            int64
	before, count int32 // of the last window and this one
}

// A Result says whether an event may be.
type Result struct {
	OK bool
	// RetryAfter is how long to wait if not.
	RetryAfter time.Duration
}

// Take spends one event of b at a time.
func (b *Budget) Take(r Rate, now time.Time) Result {
	if r.none() {
		return Result{OK: true}
	}
	t := now.UnixNano()
	if r.Kind == TokenBucket {
		step := int64(r.Per) / int64(r.Events)
		at := max(b.at, t)
		if at > t+int64(r.Per) { // the clock was set back
			at = t
		}
		if wait := at + step - t - step*int64(r.Events); wait > 0 {
			return Result{RetryAfter: time.Duration(wait)}
		}
		b.at = at + step
		return Result{OK: true}
	}
	b.slide(r, t)
	if b.used(r, t) > float64(r.Events-1)+1e-9 { // there would be no room for a whole one
		return Result{RetryAfter: b.until(r, t)}
	}
	b.count++
	return Result{OK: true}
}

// Full reports whether there is nothing left.
func (b *Budget) Full(r Rate, now time.Time) (Result, bool) {
	copied := *b
	res := copied.Take(r, now)
	return res, !res.OK
}

// Return gives back an event that was taken.
func (b *Budget) Return(r Rate) {
	switch {
	case r.none():
	case r.Kind == TokenBucket:
		b.at -= int64(r.Per) / int64(r.Events)
	case b.count > 0:
		b.count--
	}
}

// slide begins the window of t.
func (b *Budget) slide(r Rate, t int64) {
	switch passed := t - b.at; {
	case passed >= 2*int64(r.Per) || passed < 0: // or the clock was set back
		b.at, b.before, b.count = t, 0, 0
	case passed >= int64(r.Per):
		b.at, b.before, b.count = b.at+int64(r.Per), b.count, 0
	}
}

func (b *Budget) used(r Rate, t int64) float64 {
	overlap := 1 - float64(t-b.at)/float64(r.Per)
	return float64(b.before)*overlap + float64(b.count)
}

// until is when one event has left the window.
func (b *Budget) until(r Rate, t int64) time.Duration {
	end := b.at + int64(r.Per) - t
	if int(b.count) >= r.Events {
		// The count becomes before at the end of the window and fades from then.
		return time.Duration(end + int64(float64(r.Per)*(1-float64(r.Events-1)/float64(b.count))))
	}
	// before*(1-x) + count <= Events-1
	x := 1 - float64(r.Events-1-int(b.count))/float64(b.before)
	return time.Duration(float64(r.Per)*x) - time.Duration(t-b.at)
}

// idle is when b is as good as new.
func (b *Budget) idle(r Rate) int64 {
	if r.Kind == TokenBucket {
		return b.at
	}
	return b.at + 2*int64(r.Per)
}

// A clock tells the time by what has passed since it was started, so that nobody
// is let in or shut out because somebody set the clock of the machine.
type clock struct{ start time.Time }

func startClock() clock { return clock{time.Now()} }

func (c clock) now() time.Time { return c.start.Add(time.Since(c.start)) }
