package adapter

import (
	"context"
	"iter"
	"sync"
)

// BroadcastWithAck implements [Adapter].
func (a *Memory) BroadcastWithAck(ctx context.Context, t Target, p *Packet) iter.Seq2[Answer, error] {
	return func(yield func(Answer, error) bool) {
		c := collector{arrived: make(chan struct{}, 1)}
		asked, cancel := a.Ask(t, p, c.add)
		defer cancel()
		c.collect(ctx, asked, yield)
	}
}

// Ask sends p to the sockets of this node that t selects, and returns how many
// there are. answer is called once for each of them, unless cancel is called
// before; it may be called before Ask returns.
func (a *Memory) Ask(t Target, p *Packet, answer func(Answer)) (n int, cancel func()) {
	var asked []Member
	for m := range a.Local(t) {
		if m.DeliverWithAck(p, answer) {
			asked = append(asked, m)
		}
	}
	// Sockets that answered have nothing to cancel; telling them costs less than
	// keeping track of who did.
	return len(asked), func() {
		for _, m := range asked {
			m.CancelAck(p.ID)
		}
	}
}

// A collector gathers answers that come from many goroutines.
type collector struct {
	mu      sync.Mutex
	answers []Answer
	arrived chan struct{} // has room for one: something is there
}

func (c *collector) add(answer Answer) {
	c.mu.Lock()
	c.answers = append(c.answers, answer)
	c.mu.Unlock()
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

func (c *collector) take() []Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	answers := c.answers
	c.answers = nil
	return answers
}

func (c *collector) collect(ctx context.Context, expected int, yield func(Answer, error) bool) {
	missing := 0
	for expected > 0 {
		var ended error
		select {
		case <-c.arrived:
		case <-ctx.Done():
			ended = context.Cause(ctx)
		}
		for _, answer := range c.take() {
			expected--
			if answer.Err != nil {
				missing++
			} else if !yield(answer, nil) {
				return
			}
		}
		if ended != nil && expected > 0 {
			yield(Answer{}, &MissingError{Missing: missing + expected, Err: ended})
			return
		}
	}
	if missing > 0 {
		yield(Answer{}, &MissingError{Missing: missing})
	}
}
