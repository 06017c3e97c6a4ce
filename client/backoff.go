package client

import (
	"math"
	"math/rand/v2"
	"time"
)

// backoff returns the pause before attempt n, from 0, in whole milliseconds as
// the original: one random number decides how far and to which side of the
// doubled delay, and the maximum comes last. It falls below 1 only where it is
// said to.
func (o *Options) backoff(n int) time.Duration { return o.backoffWith(n, rand.Float64()) }

func (o *Options) backoffWith(n int, random float64) time.Duration {
	ms := float64(o.ReconnectionDelay.Milliseconds()) * math.Pow(2, float64(min(n, 62)))
	deviation := math.Floor(random * o.RandomizationFactor * ms)
	if int(random*10)&1 == 0 {
		ms -= deviation
	} else {
		ms += deviation
	}
	return time.Duration(min(ms, float64(o.ReconnectionDelayMax.Milliseconds()))) * time.Millisecond
}
