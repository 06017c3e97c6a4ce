package socketio

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sockeye-go/socketio/adapter"
)

// A RemoteSocket is a socket of any node, as it was when it was fetched. Its
// methods reach the socket wherever it is.
type RemoteSocket struct {
	nsp  *Namespace
	info adapter.SocketInfo
}

// FetchSockets returns the selected sockets of all nodes. It waits for the
// other nodes until ctx is done; then it returns what has arrived together with
// a [*PartialError] that says who is missing.
func (op *BroadcastOperator) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	t, ok := op.selected()
	if !ok {
		return nil, nil
	}
	infos, err := op.nsp.adapter.Fetch(ctx, t)
	sockets := make([]*RemoteSocket, len(infos))
	for i, info := range infos {
		sockets[i] = &RemoteSocket{nsp: op.nsp, info: info}
	}
	return sockets, clusterError(err)
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

// Handshake returns what is known from the first request of the connection, in
// JSON as in socket.handshake of the JavaScript API.
func (r *RemoteSocket) Handshake() json.RawMessage {
	if s, ok := r.Local(); ok {
		return s.describeHandshake()
	}
	return r.info.Handshake
}

// Remote returns the value that r had when it was fetched, and whether there
// was one. The error says that what the other node sent does not fit T.
func (k Key[T]) Remote(r *RemoteSocket) (T, bool, error) {
	var v T
	if s, ok := r.Local(); ok {
		v, ok = k.Get(s)
		return v, ok, nil
	}
	var data map[string]json.RawMessage
	if len(r.info.Data) > 0 {
		if err := json.Unmarshal(r.info.Data, &data); err != nil {
			return v, false, fmt.Errorf("socketio: data of socket %s: %w", r.info.ID, err)
		}
	}
	raw, ok := data[k.name]
	if !ok {
		return v, false, nil
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, false, fmt.Errorf("socketio: data %q of socket %s: %w", k.name, r.info.ID, err)
	}
	return v, true, nil
}

// Describe implements [adapter.Member].
func (s *Socket) Describe() (handshake, data json.RawMessage) {
	s.mu.Lock()
	values := maps.Clone(s.look().data)
	s.mu.Unlock()
	fields := make(map[string]json.RawMessage, len(values))
	for name, v := range values {
		b, err := json.Marshal(v)
		if err != nil {
			s.nsp.srv.opts.Logger.Warn("data of a socket does not encode", "socket", s, "key", name, "error", err)
			continue
		}
		fields[name] = b
	}
	data, _ = json.Marshal(fields)
	return s.describeHandshake(), data
}

func (s *Socket) describeHandshake() json.RawMessage {
	h := s.Handshake()
	flat := func(values map[string][]string) map[string]string {
		m := make(map[string]string, len(values))
		for k, v := range values {
			if len(v) > 0 {
				m[k] = v[len(v)-1]
			}
		}
		return m
	}
	headers := make(map[string]string)
	for k, v := range flat(h.kept) {
		headers[strings.ToLower(k)] = v
	}
	auth := s.auth()
	if auth == nil {
		auth = []byte("{}")
	}
	b, err := json.Marshal(map[string]any{
		"headers": headers, "time": h.Time.UTC().Format(time.RFC1123), "issued": h.Time.UnixMilli(),
		"address": h.Address, "xdomain": h.CrossOrigin, "secure": h.Secure, "url": h.URL,
		"query": flat(h.Query()), "auth": json.RawMessage(auth),
	})
	if err != nil { // auth that is not JSON, with another parser
		return json.RawMessage("{}")
	}
	return b
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

// Data returns the values of all keys of the socket, by name, in JSON.
func (r *RemoteSocket) Data() json.RawMessage {
	if s, ok := r.Local(); ok {
		_, data := s.Describe()
		return data
	}
	return r.info.Data
}
