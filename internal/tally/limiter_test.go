package tally

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Limiter{PerSecond: 3}
		for i := range 10 {
			if missed, ok := l.Allow(); ok != (i < 3) || missed != 0 {
				t.Errorf("number %d: %d, %v", i, missed, ok)
			}
		}
		time.Sleep(time.Second - 1)
		if _, ok := l.Allow(); ok {
			t.Error("the second is not over")
		}
		time.Sleep(1)
		if missed, ok := l.Allow(); !ok || missed != 8 {
			t.Errorf("afterwards: %d, %v; want 8 that were missed", missed, ok)
		}
		if missed, ok := l.Allow(); !ok || missed != 0 {
			t.Errorf("and again: %d, %v", missed, ok)
		}
	})
}
