package admin

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio"
)

// counters count events by namespace and name: those of the names that occur
// most, and the rest as "other". Names come from clients: however many they make
// up, memory is bounded, and theirs cannot push out what is used.
type counters struct {
	max   int
	found sync.Map // of eventName to *counter
	last  atomic.Pointer[counter]
	other counter

	answers, handling histogram // of all events

	mu     sync.Mutex // of adding and of taking away
	n      int
	missed int64 // of other, at the last sweep
}

type eventName struct{ namespace, event string }

// A counter is what is counted of one event.
type counter struct {
	name                                  eventName
	in, out, failed, answered, unanswered atomic.Int64
	handling, answers                     histogram

	// What the sampler remembers; guarded by its lock.
	seen  reading
	base  [2]histograms // some 10 and 20 seconds ago
	swept int64
}

type histograms struct{ handling, answers tallied }

// A reading is what a counter said at one moment.
type reading struct {
	in, out int64
	at      time.Time
}

func newCounters(max int) *counters {
	c := &counters{max: max}
	c.other.name = eventName{"", other}
	return c
}

// other is the name of all events that have no counter of their own.
const other = "other"

func (c *counters) observer() socketio.Observer {
	return socketio.Observer{
		Handled: func(_ context.Context, m *socketio.Message, took time.Duration, err error) {
			e := c.of(m.Socket().Namespace().Name(), m.Event())
			e.in.Add(1)
			if err != nil {
				e.failed.Add(1)
			}
			e.handling.add(took)
			c.handling.add(took)
		},
		Sent: func(s *socketio.Socket, event string, _ []any) { c.of(s.Namespace().Name(), event).out.Add(1) },
		Answered: func(_ context.Context, q socketio.Question, o socketio.Outcome) {
			e := c.of(q.Namespace.Name(), q.Event)
			if o.Err != nil {
				e.unanswered.Add(1)
				return
			}
			e.answered.Add(1)
			e.answers.add(o.Took)
			c.answers.add(o.Took)
		},
	}
}

// of returns the counter of an event. A broadcast asks for the same one again and
// again, which is answered without the table.
func (c *counters) of(namespace, event string) *counter {
	name := eventName{namespace, event}
	if e := c.last.Load(); e != nil && e.name == name {
		return e
	}
	v, ok := c.found.Load(name)
	if !ok {
		return c.add(name)
	}
	e := v.(*counter)
	c.last.Store(e)
	return e
}

func (c *counters) add(name eventName) *counter {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n >= c.max {
		return &c.other
	}
	v, loaded := c.found.LoadOrStore(name, &counter{name: name})
	if !loaded {
		c.n++
	}
	return v.(*counter)
}

// all returns the counters that there are now; the last is that of the rest.
func (c *counters) all() []*counter {
	var all []*counter
	c.found.Range(func(_, v any) bool {
		all = append(all, v.(*counter))
		return true
	})
	return append(all, &c.other)
}

// sweep makes room for new names, if some had to do without: a quarter of those
// that were counted least since the last time. It is called now and then.
func (c *counters) sweep() {
	c.mu.Lock()
	defer c.mu.Unlock()
	type use struct {
		e *counter
		n int64
	}
	var used []use
	c.found.Range(func(_, v any) bool {
		e := v.(*counter)
		total := e.in.Load() + e.out.Load() + e.answered.Load()
		used = append(used, use{e, total - e.swept})
		e.swept = total
		return true
	})
	missed := c.other.in.Load() + c.other.out.Load() + c.other.answered.Load()
	crowded := missed > c.missed && c.n >= c.max
	c.missed = missed
	if !crowded {
		return
	}
	slices.SortFunc(used, func(a, b use) int { return cmp.Compare(a.n, b.n) })
	for _, u := range used[:max(len(used)/4, 1)] {
		c.found.Delete(u.e.name)
		c.n--
		if c.last.Load() == u.e {
			c.last.Store(nil)
		}
	}
}
