package poll

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestTurns: a turn is over by the clock, however many steps it has, and the clock is
// looked at when some were made.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns Turns
		for range 100 * Glance {
			turns.Next(1)
		}
		first := turns.since
		if first == 0 {
			t.Fatal("no turn has begun")
		}
		time.Sleep(turn)
		turns.Next(Glance - 1)
		if turns.since != first {
			t.Error("the clock was looked at before its time")
		}
		turns.Next(1)
		if d := turns.since - first; d != turn {
			t.Errorf("the second turn began %v after the first; want %v", d, turn)
		}
	})
}
