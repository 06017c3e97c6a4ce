package faultproxy

import (
	"math/rand/v2"
	"time"
)

// A Fault is something that happens to a connection.
type Fault uint8

// The faults.
const (
	None      Fault = iota
	RST             // both sides get a reset
	FIN             // both sides get an orderly end
	HalfClose       // the receiver of this way gets an end; the other way goes on
	Blackhole       // what comes is swallowed, and nobody is told: neither of bytes nor of an end
	Stall           // nothing is read, so that TCP pushes back, until [Proxy.Release]
)

func (f Fault) String() string {
	return [...]string{"none", "RST", "FIN", "half-close", "blackhole", "stall"}[f]
}

// A Plan says what happens to one connection. The zero Plan is a plain proxy.
type Plan struct {
	Up   Way // from the client to the server
	Down Way // from the server to the client
}

// A Way is one direction of a connection.
type Way struct {
	// Delay holds back each piece of data, and Jitter adds up to so much more.
	Delay, Jitter time.Duration
	// Segment limits, in bytes, what is written at once; 1 is the worst. Zero
	// is no limit.
	Segment int
	// Coalesce gathers what comes within this time into one write.
	Coalesce time.Duration

	// Fault happens when At bytes of this way have gone through; at once if At
	// is zero. With a Mark they are counted from its end where it first occurs,
	// and Fault does not happen before: at byte n of a replay, of a CONNECT.
	// What a WebSocket client sends is masked, so that a Mark finds nothing in it.
	Fault Fault
	At    int64
	Mark  string
}

// A Planner chooses the plan of connection n, counted from 0 in the order in
// which first bytes arrive. opening is what the client has sent: at least a
// byte, most often the whole head of its first request.
type Planner func(n int, opening string) Plan

// Always gives every connection the same plan.
func Always(p Plan) Planner { return func(int, string) Plan { return p } }

// Chaos is a Planner that decides by seed: the n-th connection has the same
// plan in every run with the same seed.
type Chaos struct {
	Seed   uint64
	Faults []Fault // one of these happens to each connection; default RST, FIN, Blackhole
	// Spread is within how many bytes, of a random direction, the fault
	// happens. Default 16 KiB.
	Spread int64
	// Spare is the share of connections, of 1, to which nothing happens.
	Spare float64
	// Shape also varies delays and the sizes of segments.
	Shape bool
}

// Plan is the [Planner].
func (c Chaos) Plan(n int, _ string) Plan {
	r := rand.New(rand.NewPCG(c.Seed, uint64(n)))
	faults, spread := c.Faults, c.Spread
	if len(faults) == 0 {
		faults = []Fault{RST, FIN, Blackhole}
	}
	if spread == 0 {
		spread = 16 << 10
	}
	var p Plan
	// Drawn in any case, so that one setting does not shift the others.
	fault, at, up, spared := faults[r.IntN(len(faults))], 1+r.Int64N(spread), r.IntN(2) == 0, r.Float64() < c.Spare
	if c.Shape {
		for _, w := range []*Way{&p.Up, &p.Down} {
			switch r.IntN(4) {
			case 0:
				w.Segment = 1 + r.IntN(7)
			case 1:
				w.Coalesce = time.Duration(1+r.IntN(20)) * time.Millisecond
			case 2:
				w.Delay = time.Duration(r.IntN(10)) * time.Millisecond
				w.Jitter = time.Duration(1+r.IntN(10)) * time.Millisecond
			}
		}
	}
	if spared {
		return p
	}
	w := &p.Down
	if up {
		w = &p.Up
	}
	w.Fault, w.At = fault, at
	return p
}
