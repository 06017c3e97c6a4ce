package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/sockeye-go/socketio"
)

// Nodes with a dashboard tell each other how they are while somebody looks at one
// of them, by the bus that the adapter of "/" has.
const (
	eventNode = "sockeye:dashboard:node"
	eventFind = "sockeye:dashboard:find"
	// eventLogout tells nodes with the same Key of a session that has ended.
	eventLogout = "sockeye:dashboard:logout"

	// nodeTime is how long another node may take to answer.
	nodeTime = 3 * time.Second
	// watchedTime is how long a node goes on to tell after it was last asked.
	watchedTime = 5 * time.Second
	// forgetTime is how long a node that is silent is shown.
	forgetTime = time.Minute
	// maxNodes bounds what is remembered.
	maxNodes = 1000
)

// A nodeView is how a node is.
type nodeView struct {
	ID       string  `json:"id"`
	Host     string  `json:"host"`
	PID      int     `json:"pid"`
	Uptime   float64 `json:"uptime"` // s
	Draining bool    `json:"draining"`
	Problem  string  `json:"problem,omitempty"` // of the way to the others
	Point    point   `json:"point"`
	Watching bool    `json:"watching,omitempty"` // somebody looks through it
	Heard    int64   `json:"heard"`              // when, ms of Unix, on the clock of who shows it
	Self     bool    `json:"self,omitempty"`
	Servers  int     `json:"servers,omitempty"` // that the adapter counts, with those without a dashboard
}

type nodes struct {
	d       *Dashboard
	host    string
	started time.Time

	mu      sync.Mutex
	self    nodeView
	others  map[string]heard
	watched time.Time // until when somebody looks through another node
	servers int
	count   paced
}

// heard is what another node said, and when by the clock that nobody sets.
type heard struct {
	view nodeView
	at   time.Time
}

func newNodes(d *Dashboard) *nodes {
	n := &nodes{d: d, started: time.Now(), others: make(map[string]heard)}
	n.host, _ = os.Hostname()
	d.srv.OnServerSide(eventNode, func(_ context.Context, m *socketio.Message) error {
		var v nodeView
		if err := m.Decode(&v); err != nil {
			return err
		}
		n.hear(time.Now(), v)
		return nil
	})
	d.srv.OnServerSide(eventLogout, func(_ context.Context, m *socketio.Message) error {
		var nonce []byte
		var s session
		if err := m.Decode(&nonce, &s.until); err != nil {
			return err
		}
		copy(s.nonce[:], nonce)
		d.login.revoke(s)
		return nil
	})
	d.srv.OnServerSide(eventFind, func(ctx context.Context, m *socketio.Message) error {
		var q string
		if err := m.Decode(&q); err != nil || !m.WantsAck() || d.ending.Err() != nil {
			return err
		}
		select {
		case d.searches <- struct{}{}:
			defer func() { <-d.searches }()
		case <-time.After(nodeTime / 2):
			return nil // the one who asks does not wait so long
		}
		f := d.find(ctx, q)
		for i := range f.Sockets {
			f.Sockets[i].Node = d.opts.ServerID
		}
		return m.Ack(f)
	})
	return n
}

// tell notes how this node is, and tells the others while somebody looks.
func (n *nodes) tell(now time.Time, p point, looking bool) {
	v := nodeView{
		ID: n.d.opts.ServerID, Host: n.host, PID: os.Getpid(), Uptime: now.Sub(n.started).Seconds(),
		Draining: n.d.srv.Draining(), Point: p, Watching: looking, Heard: now.UnixMilli(),
	}
	if err := n.d.srv.Health(); err != nil {
		v.Problem = err.Error()
	}
	n.mu.Lock()
	n.self = v
	tell := looking || now.Before(n.watched)
	n.mu.Unlock()
	if tell {
		_ = n.d.srv.ServerSideEmit(eventNode, v) // that it cannot is its Problem
	}
	if looking {
		n.countServers(now)
	}
}

// tellLogout tells nodes behind the same address that a session has ended.
func (n *nodes) tellLogout(s session) {
	if err := n.d.srv.ServerSideEmit(eventLogout, s.nonce[:], s.until); err != nil {
		n.d.opts.Logger.Warn("dashboard: other nodes do not know of a logout", "error", err)
	}
}

// countServers asks the adapter, which may have to ask the others, now and then.
func (n *nodes) countServers(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.count.run(now, 5*time.Second, func() {
		go func() {
			ctx, cancel := context.WithTimeout(n.d.ending, nodeTime)
			defer cancel()
			if count, err := n.d.srv.ServerCount(ctx); err == nil {
				n.mu.Lock()
				n.servers = count
				n.mu.Unlock()
			}
		}()
	})
}

// hear notes what another node says of itself.
func (n *nodes) hear(now time.Time, v nodeView) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if v.Watching {
		n.watched = now.Add(watchedTime)
	}
	if _, known := n.others[v.ID]; !known && len(n.others) >= maxNodes {
		n.forget(now)
		if len(n.others) >= maxNodes {
			return
		}
	}
	v.Heard, v.Self = now.UnixMilli(), false
	n.others[v.ID] = heard{v, now}
}

// forget drops those that are silent for long. n.mu is held.
func (n *nodes) forget(now time.Time) {
	maps.DeleteFunc(n.others, func(_ string, h heard) bool { return now.Sub(h.at) > forgetTime })
}

// view returns this node, and the others by name.
func (n *nodes) view(now time.Time) []nodeView {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := []nodeView{n.self}
	all[0].Self, all[0].Servers = true, n.servers
	n.forget(now)
	for _, h := range n.others {
		all = append(all, h.view)
	}
	slices.SortFunc(all[1:], func(a, b nodeView) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// find asks the other nodes, and adds what they found.
func (n *nodes) find(ctx context.Context, q string, f *found) {
	ctx, cancel := context.WithTimeout(ctx, nodeTime)
	defer cancel()
	for m, err := range n.d.srv.ServerSideEmitWithAck(ctx, eventFind, q) {
		if err != nil {
			// Nodes without a dashboard never answer; nothing is missing for them.
			f.Missing = err.Error()
			return
		}
		var raw json.RawMessage
		var other found
		if m.Decode(&raw) != nil || json.Unmarshal(raw, &other) != nil {
			continue
		}
		f.Looked += other.Looked
		f.Complete, f.Exact = f.Complete && other.Complete, f.Exact && other.Exact
		f.Sockets = append(f.Sockets, other.Sockets[:min(len(other.Sockets), pageSize)]...)
		for _, r := range other.Rooms[:min(len(other.Rooms), pageSize)] {
			i := slices.IndexFunc(f.Rooms, func(have roomView) bool { return have.Namespace == r.Namespace && have.Room == r.Room })
			if i >= 0 {
				f.Rooms[i].Sockets += r.Sockets
			} else {
				f.Rooms = append(f.Rooms, r)
			}
		}
	}
}
