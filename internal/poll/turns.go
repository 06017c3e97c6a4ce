package poll

import "time"

// Turns divides something long, that has many steps of some microseconds, into turns of
// a tenth of a millisecond. By time and not by steps: how long a step takes depends on
// the machine, and how busy it is, by a factor of three. The zero value is ready.
type Turns struct {
	steps int
	since time.Duration // when the turn began, since epoch; 0 before the first
}

// epoch is what the clock is read from: half as much work as to ask for the time.
var epoch = time.Now()

const (
	// turn is about what an echo takes on a quiet machine: who has to wait for one
	// notices little, and to look for who is there takes a hundredth of it.
	turn = 100 * time.Microsecond
	// Glance is how many steps are made between two looks at the clock.
	Glance = 8
)

// Next is called behind each step, or what is worth several. It lets others have their
// turn if this one is over.
func (t *Turns) Next(steps int) {
	if t.steps += steps; t.steps >= Glance {
		t.steps = 0
		t.Look()
	}
}

// Look looks at the clock at once. The first look begins the first turn.
func (t *Turns) Look() {
	if t.over() {
		Turn()
		t.since = time.Since(epoch)
	}
}

func (t *Turns) over() bool {
	now := time.Since(epoch)
	if t.since == 0 {
		t.since = now
	}
	return now-t.since >= turn
}
