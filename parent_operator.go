package socketio

import (
	"errors"
)

// A ParentOperator selects sockets in all namespaces of a parent that this node
// has, as a [BroadcastOperator] does in one. It is immutable.
type ParentOperator struct {
	parent *ParentNamespace
	build  func(*Namespace) *BroadcastOperator
}

func (p *ParentNamespace) op() *ParentOperator {
	return &ParentOperator{parent: p, build: (*Namespace).op}
}

// To selects the sockets in any of rooms of each namespace.
func (p *ParentNamespace) To(rooms ...string) *ParentOperator { return p.op().To(rooms...) }

// In is another name for To.
func (p *ParentNamespace) In(rooms ...string) *ParentOperator { return p.op().To(rooms...) }

// Except selects the sockets in none of rooms.
func (p *ParentNamespace) Except(rooms ...string) *ParentOperator { return p.op().Except(rooms...) }

// Local selects the sockets of this node.
func (p *ParentNamespace) Local() *ParentOperator { return p.op().Local() }

// Volatile emits to those who are ready for it.
func (p *ParentNamespace) Volatile() *ParentOperator { return p.op().Volatile() }

// Compress says whether what is emitted may be compressed.
func (p *ParentNamespace) Compress(yes bool) *ParentOperator { return p.op().Compress(yes) }

// Emit sends an event to all sockets of the namespaces of this parent that this
// node has; other nodes may have others of which it does not know.
func (p *ParentNamespace) Emit(event string, args ...any) error { return p.op().Emit(event, args...) }

func (o *ParentOperator) with(f func(*BroadcastOperator) *BroadcastOperator) *ParentOperator {
	return &ParentOperator{o.parent, func(n *Namespace) *BroadcastOperator { return f(o.build(n)) }}
}

// To adds the sockets in any of rooms to the selection.
func (o *ParentOperator) To(rooms ...string) *ParentOperator {
	return o.with(func(op *BroadcastOperator) *BroadcastOperator { return op.To(rooms...) })
}

// In is another name for To.
func (o *ParentOperator) In(rooms ...string) *ParentOperator { return o.To(rooms...) }

// Except takes the sockets in any of rooms out of the selection.
func (o *ParentOperator) Except(rooms ...string) *ParentOperator {
	return o.with(func(op *BroadcastOperator) *BroadcastOperator { return op.Except(rooms...) })
}

// Local restricts the selection to this node.
func (o *ParentOperator) Local() *ParentOperator { return o.with((*BroadcastOperator).Local) }

// Volatile drops what is emitted for those who are not ready for it.
func (o *ParentOperator) Volatile() *ParentOperator { return o.with((*BroadcastOperator).Volatile) }

// Compress says whether what is emitted may be compressed.
func (o *ParentOperator) Compress(yes bool) *ParentOperator {
	return o.with(func(op *BroadcastOperator) *BroadcastOperator { return op.Compress(yes) })
}

// Emit sends an event to the selected sockets; see [BroadcastOperator.Emit].
func (o *ParentOperator) Emit(event string, args ...any) error {
	return o.each(func(op *BroadcastOperator) error { return op.Emit(event, args...) })
}

// SocketsJoin puts the selected sockets into rooms.
func (o *ParentOperator) SocketsJoin(rooms ...string) error {
	return o.each(func(op *BroadcastOperator) error { return op.SocketsJoin(rooms...) })
}

// SocketsLeave takes the selected sockets out of rooms.
func (o *ParentOperator) SocketsLeave(rooms ...string) error {
	return o.each(func(op *BroadcastOperator) error { return op.SocketsLeave(rooms...) })
}

// DisconnectSockets disconnects the selected sockets; see [Socket.Disconnect].
func (o *ParentOperator) DisconnectSockets(closeConnection bool) error {
	return o.each(func(op *BroadcastOperator) error { return op.DisconnectSockets(closeConnection) })
}

func (o *ParentOperator) each(f func(*BroadcastOperator) error) error {
	var errs []error
	for _, n := range o.parent.Namespaces() {
		errs = append(errs, f(o.build(n)))
	}
	return errors.Join(errs...)
}
