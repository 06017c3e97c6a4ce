package cluster

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// emitterUID is that of programs that send and are no nodes.
const emitterUID = "emitter"

// nodes are the others of which something was heard.
type nodes struct {
	mu   sync.Mutex
	seen map[string]*node
}

type node struct {
	at time.Time
	// left: it has said that it leaves, and what comes of it from now on is late.
	left bool
	// seq is the number of its last message to all, answer that of the last one to
	// this node alone, logged that of the last one in the log; 0 if it does not
	// number them.
	seq, answer, logged uint64
}

// numbered reports whether the node is one of ours, which a broker that sees who
// is connected looks after.
func (n *node) numbered() bool { return n.seq != 0 || n.answer != 0 || n.logged != 0 }

// heard notes that a node is there. It reports whether that is new, whether the
// message has been received before, and how many before it were not.
func (n *nodes) heard(m *Message, logged bool) (fresh, repeated bool, lost uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	x := n.seen[m.UID]
	if x == nil {
		if n.seen == nil {
			n.seen = make(map[string]*node)
		}
		n.forget()
		x, fresh = &node{}, true
		n.seen[m.UID] = x
	}
	if !x.left {
		x.at = time.Now()
	}
	last := &x.seq
	switch {
	case logged:
		last = &x.logged
	case m.Type.response() || m.Type == sessionRequest: // for this node alone
		last = &x.answer
	}
	if m.Seq != 0 {
		if *last != 0 && m.Seq <= *last {
			return fresh, true, 0
		}
		if *last != 0 {
			lost = m.Seq - *last - 1
		}
		*last = m.Seq
	}
	return fresh, false, lost
}

// leftFor is how long a node is known to have left. A log may lag behind a bus, and
// what comes out of it does not bring the node back.
const leftFor = time.Minute

// forget lets go of nodes that have left, and of those that have not been heard of
// for long, where there are no heartbeats by which they would be taken for dead.
// n.mu is held.
func (n *nodes) forget() {
	maps.DeleteFunc(n.seen, func(_ string, x *node) bool { return x.left && time.Since(x.at) > leftFor })
	if len(n.seen) < 1024 {
		return
	}
	maps.DeleteFunc(n.seen, func(_ string, x *node) bool { return time.Since(x.at) > time.Hour })
}

// leave notes that a node has left. It reports whether it was there.
func (n *nodes) leave(uid string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	x := n.seen[uid]
	n.forget()
	if n.seen == nil {
		n.seen = make(map[string]*node)
	}
	n.seen[uid] = &node{at: time.Now(), left: true}
	return x != nil && !x.left
}

// ids returns the nodes that are there.
func (n *nodes) ids() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	ids := make([]string, 0, len(n.seen))
	for uid, x := range n.seen {
		if !x.left {
			ids = append(ids, uid)
		}
	}
	slices.Sort(ids)
	return ids
}

// silent removes and returns those of which nothing was heard for so long.
func (n *nodes) silent(d time.Duration, numbered bool) []string {
	return n.removeIf(func(_ string, x *node) bool {
		return time.Since(x.at) > d && (numbered || !x.numbered())
	})
}

func (n *nodes) removeIf(dead func(uid string, x *node) bool) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var removed []string
	for uid, x := range n.seen {
		if !x.left && dead(uid, x) {
			removed = append(removed, uid)
			delete(n.seen, uid)
		}
	}
	return removed
}

// kinds reports whether there are nodes that number their messages, and others.
func (n *nodes) kinds() (numbered, others bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, x := range n.seen {
		numbered = numbered || !x.left && x.numbered()
		others = others || !x.left && !x.numbered()
	}
	return numbered, others
}

// beat says that this node is there, and looks who is not any more.
func (a *Adapter) beat() {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return
	}
	due := time.Since(a.published) >= a.o.HeartbeatInterval
	a.timer.Reset(a.tick())
	a.mu.Unlock()
	p, sees := a.ch.(Presence)
	if sees && !a.o.AlwaysHeartbeat {
		_, others := a.nodes.kinds()
		due = due && others
	}
	if due {
		_ = a.publish(&Message{Type: Heartbeat})
	}
	if sees && a.requests.waiting() && !a.looking.Swap(true) {
		go func() {
			defer a.looking.Store(false)
			ctx, cancel := context.WithTimeout(context.Background(), a.o.PublishTimeout)
			defer cancel()
			_ = a.look(ctx, p) // an error ends no request
		}()
	}
	for _, uid := range a.nodes.silent(a.o.HeartbeatTimeout, !sees) {
		a.host.Logger().Warn("node is silent: taken for dead", "nsp", a.nsp, "node", uid, "for", a.o.HeartbeatTimeout)
		a.gone(uid)
	}
}

// look asks the broker who is connected, and forgets who is not.
func (a *Adapter) look(ctx context.Context, p Presence) error {
	if numbered, _ := a.nodes.kinds(); !numbered || a.lost.Load() != nil {
		return nil
	}
	known := a.nodes.ids() // whoever comes meanwhile is none of those that are gone
	there, err := p.Present(ctx)
	if err != nil {
		return err
	}
	for _, uid := range a.nodes.removeIf(func(uid string, x *node) bool {
		return x.numbered() && slices.Contains(known, uid) && !there(uid)
	}) {
		a.host.Logger().Warn("node is not connected any more", "nsp", a.nsp, "node", uid)
		a.gone(uid)
	}
	return nil
}

// tick is how often beat is called.
func (a *Adapter) tick() time.Duration { return a.o.HeartbeatInterval / 5 }

// others returns the nodes whose answers a request waits for, or how many they
// are if only the broker knows.
func (a *Adapter) others(ctx context.Context) (uids []string, count int, err error) {
	c, ok := a.ch.(Counter)
	if !ok {
		if p, sees := a.ch.(Presence); sees {
			err = a.look(ctx, p)
		}
		uids = a.nodes.ids()
		return uids, len(uids), err
	}
	n, err := c.ServerCount(ctx)
	return nil, max(n-1, 0), err
}

// ServerCount implements [adapter.Adapter].
func (a *Adapter) ServerCount(ctx context.Context) (int, error) {
	_, n, err := a.others(ctx)
	return n + 1, err
}
