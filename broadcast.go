package socketio

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// A BroadcastOperator selects sockets, and does something to them all. It is
// immutable: each of its selecting methods returns another, which may be kept
// and used by several goroutines.
type BroadcastOperator struct {
	nsp    *Namespace
	target adapter.Target
	flags  engineio.Flags

	// self is set on an operator that has only flags so far and was made from a
	// socket: it emits to that one. With a room chosen it is left out instead.
	self *Socket
	// nobody: rooms were named, but none. A list that happens to be empty must
	// not reach everybody.
	nobody bool
}

func (n *Namespace) op() *BroadcastOperator { return &BroadcastOperator{nsp: n} }

// To selects the sockets in any of rooms. Several calls add up; a socket in
// several of the rooms is selected once. Rooms can be ids of sockets.
func (n *Namespace) To(rooms ...string) *BroadcastOperator { return n.op().To(rooms...) }

// In is another name for To.
func (n *Namespace) In(rooms ...string) *BroadcastOperator { return n.op().To(rooms...) }

// Except selects all sockets but those in any of rooms.
func (n *Namespace) Except(rooms ...string) *BroadcastOperator { return n.op().Except(rooms...) }

// Local selects the sockets of this node.
func (n *Namespace) Local() *BroadcastOperator { return n.op().Local() }

// Volatile emits to those who are ready for it, and drops it for others.
func (n *Namespace) Volatile() *BroadcastOperator { return n.op().Volatile() }

// Lossy emits what may be dropped for a client whose queue is full. See
// [BroadcastOperator.Lossy].
func (n *Namespace) Lossy() *BroadcastOperator { return n.op().Lossy() }

// Compress says whether what is emitted may be compressed; the default is yes.
func (n *Namespace) Compress(yes bool) *BroadcastOperator { return n.op().Compress(yes) }

// Emit sends an event to all sockets of the namespace, on all nodes. See
// [BroadcastOperator.Emit].
func (n *Namespace) Emit(event string, args ...any) error { return n.op().Emit(event, args...) }

// EmitWithAcks sends an event to all sockets of the namespace. See
// [BroadcastOperator.EmitWithAcks].
func (n *Namespace) EmitWithAcks(ctx context.Context, event string, args ...any) iter.Seq2[*Message, error] {
	return n.op().EmitWithAcks(ctx, event, args...)
}

// FetchSockets returns all sockets of the namespace, on all nodes.
func (n *Namespace) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	return n.op().FetchSockets(ctx)
}

// SocketsJoin puts all sockets of the namespace into rooms.
func (n *Namespace) SocketsJoin(rooms ...string) error { return n.op().SocketsJoin(rooms...) }

// SocketsLeave takes all sockets of the namespace out of rooms.
func (n *Namespace) SocketsLeave(rooms ...string) error { return n.op().SocketsLeave(rooms...) }

// DisconnectSockets disconnects all sockets of the namespace.
func (n *Namespace) DisconnectSockets(closeConnection bool) error {
	return n.op().DisconnectSockets(closeConnection)
}

func (s *Socket) op() *BroadcastOperator { return &BroadcastOperator{nsp: s.nsp, self: s} }

// To selects the sockets in any of rooms, without this one.
func (s *Socket) To(rooms ...string) *BroadcastOperator { return s.op().To(rooms...) }

// In is another name for To.
func (s *Socket) In(rooms ...string) *BroadcastOperator { return s.op().To(rooms...) }

// Except selects the sockets that are in none of rooms, without this one.
func (s *Socket) Except(rooms ...string) *BroadcastOperator { return s.op().Except(rooms...) }

// Broadcast selects all sockets of the namespace but this one.
func (s *Socket) Broadcast() *BroadcastOperator { return s.op().others() }

// Local selects the sockets of this node, without this one.
func (s *Socket) Local() *BroadcastOperator { return s.op().Local() }

// Volatile emits to this socket if its client is ready for it, and drops the
// event otherwise. With To behind it, it does so for the sockets of a room.
func (s *Socket) Volatile() *BroadcastOperator { return s.op().Volatile() }

// Lossy emits what may be dropped if the queue of this client is full. See
// [BroadcastOperator.Lossy].
func (s *Socket) Lossy() *BroadcastOperator { return s.op().Lossy() }

// Compress says whether what is emitted to this socket may be compressed.
func (s *Socket) Compress(yes bool) *BroadcastOperator { return s.op().Compress(yes) }

// others turns an operator of a socket into one of all others.
func (op *BroadcastOperator) others() *BroadcastOperator {
	c := *op
	if c.self != nil {
		c.target.Except = extend(c.target.Except, c.self.id)
		c.self = nil
	}
	return &c
}

// To adds the sockets in any of rooms to the selection.
func (op *BroadcastOperator) To(rooms ...string) *BroadcastOperator {
	c := op.others()
	c.target.Rooms = append(slices.Clip(c.target.Rooms), rooms...)
	c.nobody = len(c.target.Rooms) == 0
	return c
}

// In is another name for To.
func (op *BroadcastOperator) In(rooms ...string) *BroadcastOperator { return op.To(rooms...) }

// Except takes the sockets in any of rooms out of the selection.
func (op *BroadcastOperator) Except(rooms ...string) *BroadcastOperator {
	c := op.others()
	c.target.Except = append(slices.Clip(c.target.Except), rooms...)
	return c
}

// Local restricts the selection to this node.
func (op *BroadcastOperator) Local() *BroadcastOperator {
	c := op.others()
	c.target.Local = true
	return c
}

// Volatile drops what is emitted for those who are not ready for it.
func (op *BroadcastOperator) Volatile() *BroadcastOperator {
	c := *op
	c.flags |= engineio.Volatile
	return &c
}

// Lossy has what is emitted queue like anything else, but when a client's queue
// is full, the oldest of it is dropped to make room, where the client would be
// cut otherwise: for positions, prices, whatever is soon replaced. How much was
// is in Stats. [BroadcastOperator.Volatile] drops sooner: whatever cannot leave
// at once.
func (op *BroadcastOperator) Lossy() *BroadcastOperator {
	c := *op
	c.flags |= engineio.Lossy
	return &c
}

// Compress says whether what is emitted may be compressed.
func (op *BroadcastOperator) Compress(yes bool) *BroadcastOperator {
	c := *op
	c.flags &^= engineio.NoCompress
	if !yes {
		c.flags |= engineio.NoCompress
	}
	return &c
}

// Emit sends an event to the selected sockets. It is encoded once, and has been
// handed to the sockets of this node when Emit returns. The error concerns the
// encoding, or the way to other nodes, and never a single recipient.
func (op *BroadcastOperator) Emit(event string, args ...any) error {
	if op.self != nil {
		return op.self.emit(op.flags, event, args)
	}
	p, err := op.packet(event, parser.NoID, args)
	if err != nil || op.nobody {
		return err
	}
	return op.nsp.adapter.Broadcast(op.target, p)
}

// EmitWithAcks sends an event to the selected sockets when it is ranged over,
// and yields their answers as they come. It ends when all have answered; if
// some left before, or ctx ended, the last pair is a [*PartialAckError] that
// says how many are missing. Breaking out of the loop stops listening.
func (op *BroadcastOperator) EmitWithAcks(ctx context.Context, event string, args ...any) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		if op.self != nil {
			yield(op.self.EmitWithAck(ctx, event, args...))
			return
		}
		p, err := op.packet(event, op.nsp.ackIDs.Add(1)-1, args)
		if err != nil {
			yield(nil, err)
			return
		}
		if op.nobody {
			return
		}
		var failed error
		answers, asked := 0, op.nsp.ask(ctx, nil, event)
		defer func() { asked.answered(answers, failed) }()
		for a, err := range op.nsp.adapter.BroadcastWithAck(ctx, op.target, p) {
			if err != nil {
				failed = ackSequenceError(err)
				yield(nil, failed)
				return
			}
			answers++
			if !yield(op.nsp.answer(event, a)) {
				return
			}
		}
	}
}

func (op *BroadcastOperator) packet(event string, id int64, args []any) (*adapter.Packet, error) {
	p := &adapter.Packet{Event: event, Args: args, ID: id, Flags: op.flags}
	if op.nsp.recoverer != nil {
		p.Offset = offsetFor(p)
	}
	if op.nsp.late && p.Offset != "" { // it is encoded when its place is known
		return p, checkEvent(event)
	}
	return p, host{op.nsp}.Prepare(p)
}

// selected is the target of the methods that are not emissions. To them an
// operator of a socket means that socket.
func (op *BroadcastOperator) selected() (t adapter.Target, ok bool) {
	if op.self != nil {
		return adapter.Target{Rooms: []string{op.self.id}}, true
	}
	return op.target, !op.nobody
}

// LocalSockets yields the selected sockets of this node.
func (op *BroadcastOperator) LocalSockets() iter.Seq[*Socket] {
	return func(yield func(*Socket) bool) {
		t, ok := op.selected()
		if !ok {
			return
		}
		for m := range op.nsp.adapter.Local(t) {
			if s := m.(*Socket); s.Connected() && !yield(s) {
				return
			}
		}
	}
}

// SocketsJoin puts the selected sockets into rooms. The error is
// [ErrRoomNameTooLong], and then none joined; [ErrTooManyRooms] if a socket of
// this node would be in more than Options.MaxRooms, and then the others joined;
// or it concerns the way to other nodes.
func (op *BroadcastOperator) SocketsJoin(rooms ...string) error {
	if err := op.nsp.srv.checkRooms(rooms); err != nil {
		return err
	}
	t, ok := op.selected()
	if !ok {
		return nil
	}
	err := op.nsp.adapter.SocketsJoin(t, rooms...)
	if errors.Is(err, adapter.ErrTooManyRooms) {
		op.nsp.srv.hit("MaxRooms")
		return ErrTooManyRooms
	}
	return err
}

// SocketsLeave takes the selected sockets out of rooms.
func (op *BroadcastOperator) SocketsLeave(rooms ...string) error {
	t, ok := op.selected()
	if !ok {
		return nil
	}
	return op.nsp.adapter.SocketsLeave(t, rooms...)
}

// DisconnectSockets disconnects the selected sockets; see [Socket.Disconnect].
func (op *BroadcastOperator) DisconnectSockets(closeConnection bool) error {
	t, ok := op.selected()
	if !ok {
		return nil
	}
	return op.nsp.adapter.DisconnectSockets(t, closeConnection)
}
