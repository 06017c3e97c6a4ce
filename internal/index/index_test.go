package index_test

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/sockeye-go/socketio/internal/index"
)

type named struct{ name string }

// TestIndexAgreesWithMap does the same to an Index and to a map, with phases in which
// they grow and in which they shrink.
func TestIndexAgreesWithMap(t *testing.T) {
	x := index.New(func(v *named) string { return v.name })
	m := make(map[string]*named)
	rng := rand.New(rand.NewPCG(1, 2))
	for step := range 200_000 {
		name := strconv.Itoa(rng.IntN(3000))
		grow := step/20_000%2 == 0
		if rng.IntN(4) == 0 != grow {
			v := &named{name}
			x.Set(v)
			m[name] = v
		} else {
			x.Delete(name)
			delete(m, name)
		}
		if got, want := x.Len(), len(m); got != want {
			t.Fatalf("step %d: Len = %d; want %d", step, got, want)
		}
		other := strconv.Itoa(rng.IntN(3000))
		if got, want := x.Get(other), m[other]; got != want {
			t.Fatalf("step %d: Get(%q) = %v; want %v", step, other, got, want)
		}
		if step%1000 != 0 {
			continue
		}
		seen := 0
		for v := range x.All() {
			seen++
			if m[v.name] != v {
				t.Fatalf("step %d: All yields %q, which is not there", step, v.name)
			}
		}
		if seen != len(m) {
			t.Fatalf("step %d: All yields %d values; want %d", step, seen, len(m))
		}
	}
}

func TestIndexGivesMemoryBack(t *testing.T) {
	x := index.New(func(v *named) string { return v.name })
	for i := range 10_000 {
		x.Set(&named{strconv.Itoa(i)})
	}
	for i := range 10_000 {
		x.Delete(strconv.Itoa(i))
	}
	if n := x.Slots(); n > 8 {
		t.Errorf("%d slots for nothing; want 8", n)
	}
}
