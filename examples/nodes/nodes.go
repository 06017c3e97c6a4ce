// Package nodes shows a cluster from the inside: which node serves whom, what each
// node says, and that nothing is lost when a node is killed. It keeps no state of its
// own: who is there is asked of all nodes.
package nodes

import (
	"context"
	"embed"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/examples/internal/site"
)

// maxText is the longest name and message, in characters.
const maxText = 200

// A Visitor is a socket of any node.
type Visitor struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Node string `json:"node"`
}

// A Cluster is what one node knows of all.
type Cluster struct {
	Node     string    `json:"node"` // that answers
	Nodes    []string  `json:"nodes"`
	Visitors []Visitor `json:"visitors"`
	Missing  int       `json:"missing"` // nodes that did not answer
}

// A Tick is what each node says again and again. Seq counts from 1 at its start.
type Tick struct {
	Node string `json:"node"`
	Boot int64  `json:"boot"`
	Seq  int    `json:"seq"`
}

// A Saying is what a visitor says to all.
type Saying struct {
	Visitor
	Text string `json:"text"`
}

var (
	look = socketio.NewEventWithAck[socketio.None, Cluster]("look")
	say  = socketio.NewEvent[string]("say")
	kill = socketio.NewEvent[string]("kill")
	said = socketio.NewEvent[Saying]("said")
	tick = socketio.NewEvent[Tick]("tick")

	visitor = socketio.NewKey[Visitor]("visitor")
)

// Options of [New]. All are set.
type Options struct {
	Node  string   // the name of this one
	Nodes []string // of all
	Kill  func()   // ends the process of this node as kill -9 does
}

// every is the time between the ticks of a node.
const every = 500 * time.Millisecond

// New registers the page's events on n, and has this node tick until the context
// ends.
func New(ctx context.Context, n *socketio.Namespace, o Options) {
	n.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		var auth struct{ Name string }
		if err := s.DecodeAuth(&auth); err != nil {
			return err
		}
		// A session that comes back to another node is served by that now.
		v := Visitor{ID: s.ID(), Name: clip(auth.Name), Node: o.Node}
		visitor.Set(s, v)
		return nil
	})
	look.Handle(n, func(ctx context.Context, _ *socketio.Socket, _ socketio.None) (Cluster, error) {
		c := Cluster{Node: o.Node, Nodes: o.Nodes, Visitors: []Visitor{}}
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		sockets, err := n.FetchSockets(ctx)
		if partial, ok := errors.AsType[*adapter.PartialError](err); ok {
			c.Missing = partial.Missing
		}
		for _, s := range sockets {
			if v, ok, err := visitor.Remote(s); ok && err == nil {
				c.Visitors = append(c.Visitors, v)
			}
		}
		slices.SortFunc(c.Visitors, func(a, b Visitor) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
		return c, nil
	})
	say.Handle(n, func(_ context.Context, s *socketio.Socket, text string) error {
		v, _ := visitor.Get(s)
		return said.Emit(n, Saying{v, clip(text)})
	})
	kill.Handle(n, func(_ context.Context, _ *socketio.Socket, node string) error {
		if node == o.Node {
			o.Kill()
		}
		return n.ServerSideEmit("kill", node)
	})
	n.OnServerSide("kill", func(_ context.Context, m *socketio.Message) error {
		var node string
		if err := m.Decode(&node); err != nil {
			return err
		}
		if node == o.Node {
			o.Kill()
		}
		return nil
	})
	go beat(ctx, n, o.Node)
}

var boots atomic.Int64 // of nodes in this process, for tests

func beat(ctx context.Context, n *socketio.Namespace, node string) {
	t := time.NewTicker(every)
	defer t.Stop()
	boot := time.Now().UnixMilli()<<8 | boots.Add(1)&0xff
	for seq := 1; ; seq++ {
		_ = tick.Emit(n, Tick{node, boot, seq}) // what cannot be told now is missed by those alone who see the number of the next
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

func clip(text string) string {
	if utf8.RuneCountInString(text) > maxText {
		return string([]rune(text)[:maxText])
	}
	return text
}

//go:embed page
var page embed.FS

// Page serves the page.
func Page() http.Handler { return site.Page(page, "page") }
