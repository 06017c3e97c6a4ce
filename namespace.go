package socketio

import (
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync/atomic"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// A Namespace is a part of the server with sockets, rooms, middleware and
// handlers of its own. Handlers and middleware are registered before clients
// come; those registered later count for what happens from then on. Methods are
// safe for concurrent use.
type Namespace struct {
	registry
	srv     *Server
	adapter adapter.Adapter
	// recoverer is the adapter if clients can come back, else nil.
	recoverer adapter.Recoverer
	late      bool // what is emitted comes back from a store before it is sent
	recovery  recoveryCounts
	occupancy occupancy
	ackIDs    atomic.Int64
	parent    *ParentNamespace // nil unless it is dynamic
}

func newNamespace(srv *Server, name string) *Namespace {
	n := &Namespace{srv: srv}
	n.init(name)
	a, err := srv.opts.Adapter(host{n})
	if err != nil {
		panic(fmt.Sprintf("socketio: adapter of namespace %q: %v", name, err))
	}
	n.adapter = a
	if srv.opts.Recovery != nil {
		r, ok := a.(adapter.Recoverer)
		if !ok {
			panic(fmt.Sprintf("socketio: Options.Recovery: %T, the adapter of namespace %q, has no store from which clients could recover", a, name))
		}
		n.recoverer = r
		_, here := a.(*adapter.Recovering)
		n.late = !here
	}
	n.observe = func() { a.Observe(n.roomEvent) }
	return n
}

// newID makes the id of a socket.
func (n *Namespace) newID() string {
	if a, ok := n.adapter.(adapter.Namer); ok {
		if id := a.NewID(); id != "" {
			return id
		}
	}
	return newID()
}

// Health returns nil while the other nodes can be reached. Where it does not,
// sockets of this node are served all the same.
func (n *Namespace) Health() error { return n.adapter.Health() }

// Name returns the name, with its leading slash.
func (n *Namespace) Name() string { return n.name }

// Socket returns the socket of this node with this id.
func (n *Namespace) Socket(id string) (*Socket, bool) {
	m, ok := n.adapter.Member(id)
	if !ok {
		return nil, false
	}
	return m.(*Socket), true
}

// Sockets yields the connected sockets of this node.
func (n *Namespace) Sockets() iter.Seq[*Socket] { return n.op().LocalSockets() }

// Size returns how many sockets of this node there are.
func (n *Namespace) Size() int { return n.adapter.Size() }

// RoomSize returns how many sockets of this node are in room.
func (n *Namespace) RoomSize(room string) int { return n.adapter.RoomSize(room) }

// Rooms yields the rooms that have sockets of this node in them, and how many.
func (n *Namespace) Rooms() iter.Seq2[string, int] { return n.adapter.Rooms() }

// RoomCount returns how many rooms that are.
func (n *Namespace) RoomCount() int {
	if a, ok := n.adapter.(interface{ RoomCount() int }); ok {
		return a.RoomCount()
	}
	count := 0
	for range n.adapter.Rooms() {
		count++
	}
	return count
}

// Adapter returns the adapter.
func (n *Namespace) Adapter() adapter.Adapter { return n.adapter }

// encode makes a packet of this namespace that may be kept.
func (n *Namespace) encode(t parser.Type, id int64, values ...any) (*engineio.Prepared, error) {
	e, err := n.srv.opts.Parser.Encode(parser.Header{Type: t, Namespace: n.name, ID: id}, values...)
	if err != nil {
		return nil, err
	}
	if len(e.Attachments) > 0 {
		e = ownAttachments(e) // the caller may change its bytes when the emit returns
	}
	return prepare(e), nil
}

// prepare puts the messages of a packet together.
func prepare(e parser.Encoded) *engineio.Prepared {
	head := engineio.Message{Binary: e.HeadBinary, Data: e.Head}
	if len(e.Attachments) == 0 {
		return engineio.Prepare(head)
	}
	msgs := make([]engineio.Message, 0, 1+len(e.Attachments))
	msgs = append(msgs, head)
	for _, a := range e.Attachments {
		msgs = append(msgs, engineio.Message{Binary: true, Data: a})
	}
	return engineio.Prepare(msgs...)
}

// encodeEvent is encode for an event.
func (n *Namespace) encodeEvent(event string, id int64, args []any) (*engineio.Prepared, error) {
	if err := checkEvent(event); err != nil {
		return nil, err
	}
	values := make([]any, 0, 8)
	values = append(values, event)
	values = append(values, args...)
	p, err := n.encode(parser.Event, id, values...)
	if err != nil {
		return nil, fmt.Errorf("socketio: emit %q: %w", event, err)
	}
	return p, nil
}

// A host is the namespace as its adapter sees it.
type host struct{ n *Namespace }

func (h host) Name() string { return h.n.name }

func (h host) AckID() int64 { return h.n.ackIDs.Add(1) - 1 }

func (h host) Logger() *slog.Logger { return h.n.srv.log.adapter }

func (h host) Recovery() *adapter.Recovery {
	r := h.n.srv.opts.Recovery
	if r == nil {
		return nil
	}
	return r.kept(h.n.srv.opts)
}

func (h host) Prepare(p *adapter.Packet) (err error) {
	args := p.Args
	if p.Offset != "" {
		args = append(slices.Clip(args), p.Offset)
	}
	p.Prepared, err = h.n.encodeEvent(p.Event, p.ID, args)
	return err
}
