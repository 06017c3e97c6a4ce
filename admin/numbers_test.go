package admin

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/middleware/auth"
)

func TestUserRoom(t *testing.T) {
	if userRoom != auth.UserRoom {
		t.Errorf("userRoom = %q; middleware/auth has %q", userRoom, auth.UserRoom)
	}
}

// TestHistogram: every step begins where the last one ends, and percentiles are
// true to a tenth or so.
func TestHistogram(t *testing.T) {
	for us := 1; us < 1<<20; us += 1 + us/64 {
		s := step(time.Duration(us) * time.Microsecond)
		if float64(us) < floor(s) || float64(us) >= floor(s+1) {
			t.Fatalf("%d µs fell into step %d, from %v to %v", us, s, floor(s), floor(s+1))
		}
	}
	if s := step(time.Hour); s != steps-1 {
		t.Errorf("an hour fell into step %d", s)
	}
	var h histogram
	before := h.load()
	for ms := range 1000 {
		h.add(time.Duration(ms+1) * time.Millisecond)
	}
	now := h.load()
	diff, n := now.since(&before)
	for part, want := range map[float64]float64{.01: 10, .5: 500, .95: 950, .99: 990, 1: 1000} {
		if got := diff.percentile(n, part); math.Abs(got-want) > want*.13 {
			t.Errorf("%v of 1 to 1000 ms = %v; want %v", part, got, want)
		}
	}
	if got := (&tallied{}).percentile(0, .5); got != 0 {
		t.Errorf("nothing at all = %v", got)
	}
}

// TestCounters: names that a client makes up take no memory, and do not push out
// those that are used.
func TestCounters(t *testing.T) {
	c := newCounters(8)
	real := []string{"a", "b", "c"}
	for round := range 50 {
		for _, name := range real {
			for range 10 {
				c.of("/", name).in.Add(1)
			}
		}
		for i := range 100 {
			c.of("/", fmt.Sprint("junk", round, i)).in.Add(1)
		}
		c.sweep()
		if n := len(c.all()); n > 9 {
			t.Fatalf("round %d: %d counters", round, n)
		}
	}
	for _, name := range real {
		if got := c.of("/", name).in.Load(); got != 500 {
			t.Errorf("%s was counted %d times; want 500", name, got)
		}
	}
	if c.other.in.Load() == 0 {
		t.Error("nothing else was counted")
	}
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		`{"password":"a\"b","x":1}`:            `{"password":"•••","x":1}`,
		`"say", {"accessToken": "abc"}`:        `"say", {"accessToken": "•••"}`,
		`{"pin":1234,"spin":1}`:                `{"pin":"•••","spin":1}`,
		`{"Authorization":"Bearer x`:           `{"Authorization":"•••"`,
		`"eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJ"`: `"•••"`,
		`{"tokens":["a]","b"],"x":1}`:          `{"tokens":"•••","x":1}`,
		`{"session":{"id":[1],"k":"}"}},2`:     `{"session":"•••"},2`,
		`{"cookies" : {"a":"b","c":"d`:         `{"cookies" : "•••"`,
		`{"name":"Ada","text":"a token"}`:      `{"name":"Ada","text":"a token"}`,
	} {
		if got := maskText(in); got != want {
			t.Errorf("maskText(%s) = %s; want %s", in, got, want)
		}
	}
}

// TestPaced: the longer a walk takes, the rarer it is.
func TestPaced(t *testing.T) {
	var p paced
	now := time.Now()
	walks := 0
	quick := func() { walks++ }
	p.run(now, time.Second, quick)
	p.run(now.Add(time.Second/2), time.Second, quick)
	if walks != 1 {
		t.Errorf("%d walks within a second; want 1", walks)
	}
	var took time.Duration
	p.run(now.Add(time.Minute), time.Millisecond, func() {
		for start := time.Now(); took < 5*time.Millisecond; {
			took = time.Since(start)
		}
	})
	if wait := p.next.Sub(now.Add(time.Minute)); wait < share*took {
		t.Errorf("after %v the next one comes in %v; want %v at the least", took, wait, share*took)
	}
}

// TestNodes hears of other nodes, and forgets them.
func TestNodes(t *testing.T) {
	n := &nodes{others: make(map[string]heard)}
	now := time.Now()
	for i := range maxNodes + 10 {
		n.hear(now, nodeView{ID: fmt.Sprint(i)})
	}
	if len(n.others) != maxNodes || !n.watched.IsZero() {
		t.Errorf("%d nodes, watched %v", len(n.others), n.watched)
	}
	later := now.Add(forgetTime + time.Second)
	n.hear(later, nodeView{ID: "new", Watching: true})
	all := n.view(later)
	if len(all) != 2 || all[1].ID != "new" || !all[0].Self || !n.watched.After(later) {
		t.Errorf("view = %+v", all)
	}
}
