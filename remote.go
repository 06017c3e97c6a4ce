package socketio

import (
	"context"
	"slices"

	"github.com/sockeye-go/socketio/adapter"
)

// A RemoteSocket is a socket of any node, as it was when it was fetched. Its
// methods reach the socket wherever it is.
type RemoteSocket struct {
	nsp  *Namespace
	info adapter.SocketInfo
}

// FetchSockets returns the selected sockets of all nodes. It waits for the
// other nodes, until ctx is done.
func (op *BroadcastOperator) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	t, ok := op.selected()
	if !ok {
		return nil, nil
	}
	infos, err := op.nsp.adapter.Fetch(ctx, t)
	if err != nil {
		return nil, err
	}
	sockets := make([]*RemoteSocket, len(infos))
	for i, info := range infos {
		sockets[i] = &RemoteSocket{nsp: op.nsp, info: info}
	}
	return sockets, nil
}

// ID returns the socket's id.
func (r *RemoteSocket) ID() string { return r.info.ID }

// Rooms returns the rooms that the socket was in, without that of its id.
func (r *RemoteSocket) Rooms() []string { return slices.Clone(r.info.Rooms) }

// Local returns the socket itself if it is on this node.
func (r *RemoteSocket) Local() (*Socket, bool) {
	s, ok := r.info.Member.(*Socket)
	return s, ok
}

func (r *RemoteSocket) op() *BroadcastOperator { return r.nsp.To(r.info.ID) }

// Emit sends an event to the socket.
func (r *RemoteSocket) Emit(event string, args ...any) error { return r.op().Emit(event, args...) }

// EmitWithAck sends an event and waits for the answer, until ctx is done. A
// socket that is gone is [ErrDisconnected].
func (r *RemoteSocket) EmitWithAck(ctx context.Context, event string, args ...any) (*Message, error) {
	for m, err := range r.op().EmitWithAcks(ctx, event, args...) {
		return m, err
	}
	return nil, ErrDisconnected
}

// Join puts the socket into rooms.
func (r *RemoteSocket) Join(rooms ...string) error { return r.op().SocketsJoin(rooms...) }

// Leave takes the socket out of rooms.
func (r *RemoteSocket) Leave(rooms ...string) error { return r.op().SocketsLeave(rooms...) }

// Disconnect disconnects the socket; see [Socket.Disconnect].
func (r *RemoteSocket) Disconnect(closeConnection bool) error {
	return r.op().DisconnectSockets(closeConnection)
}
