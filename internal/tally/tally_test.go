package tally_test

import (
	"maps"
	"sync"
	"testing"

	"github.com/sockeye-go/socketio/internal/tally"
)

func TestTally(t *testing.T) {
	var c tally.Tally[string]
	if got := c.Counts(); got == nil || len(got) != 0 {
		t.Errorf("at first %v", got)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			c.Add("a")
			c.AddN("b", 2)
			c.AddN("never", 0)
		})
	}
	all.Wait()
	got := c.Counts()
	c.Add("a")
	if want := map[string]uint64{"a": 8, "b": 16}; !maps.Equal(got, want) {
		t.Errorf("got %v; want %v", got, want)
	}
}

func TestCensus(t *testing.T) {
	var c tally.Census
	for i := range 3 {
		if got, want := c.Enter("a", 2), i < 2; got != want {
			t.Errorf("entry %d: %v", i, got)
		}
	}
	if !c.Enter("b", 2) || c.Len() != 2 {
		t.Error("one key counted for another")
	}
	c.Leave("a")
	if !c.Enter("a", 2) {
		t.Error("no room where one left")
	}
	for _, key := range []string{"a", "a", "b"} {
		c.Leave(key)
	}
	if n := c.Len(); n != 0 {
		t.Errorf("%d keys held by nobody", n)
	}
}
