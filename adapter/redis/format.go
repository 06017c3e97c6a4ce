package redis

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/sockeye-go/socketio/adapter/cluster"
	"github.com/sockeye-go/socketio/internal/msgpack"
	"github.com/sockeye-go/socketio/parser"
)

// The requests of the classic adapter, with their numbers on the wire.
const (
	requestSockets  = 0
	requestAllRooms = 1
	requestJoin     = 2
	requestLeave    = 3
	requestClose    = 4
	requestFetch    = 5
	requestServer   = 6
	requestAsk      = 7
	responseCount   = 8
	responseAck     = 9
)

type wirePacket struct {
	Type int    `json:"type"`
	Data any    `json:"data"`
	NSP  string `json:"nsp"`
}

type wireTarget struct {
	Rooms  []string `json:"rooms"`
	Except []string `json:"except"`
}

type wireRequest struct {
	UID       string      `json:"uid,omitempty"`
	RequestID string      `json:"requestId,omitempty"`
	Type      int         `json:"type"`
	Opts      any         `json:"opts,omitempty"`
	Rooms     []string    `json:"rooms,omitempty"`
	Close     *bool       `json:"close,omitempty"`
	Data      any         `json:"data,omitempty"`
	Packet    *wirePacket `json:"packet,omitempty"`
}

type wireResponse struct {
	Type        *int            `json:"type,omitempty"`
	RequestID   string          `json:"requestId"`
	Sockets     json.RawMessage `json:"sockets,omitempty"`
	Rooms       []string        `json:"rooms,omitempty"`
	Data        any             `json:"data,omitempty"`
	ClientCount *int            `json:"clientCount,omitempty"`
	Packet      any             `json:"packet,omitempty"`
}

var errBinary = errors.New("redis: binary data between servers is not possible with the classic adapter")

var errNotBroadcast = errors.New("redis: not a broadcast")

func packetOf(m *cluster.Message) (*wirePacket, error) {
	data, err := msgpack.FromJSON(nil, m.Values.JSON, m.Values.Attachments)
	return &wirePacket{Type: int(parser.Event), Data: msgpack.Raw(data), NSP: m.NSP}, err
}

// encodeBroadcast is what goes over the channels of broadcasts: the UID, the
// packet, the options.
func encodeBroadcast(m *cluster.Message) ([]byte, error) {
	size := 128 + len(m.Values.JSON)
	for _, a := range m.Values.Attachments {
		size += len(a)
	}
	b := msgpack.AppendArray(make([]byte, 0, size), 3)
	b = msgpack.AppendString(b, m.UID)
	b = msgpack.AppendMap(b, 3)
	b = msgpack.AppendInt(msgpack.AppendString(b, "type"), int64(parser.Event))
	b, err := msgpack.FromJSON(msgpack.AppendString(b, "data"), m.Values.JSON, m.Values.Attachments)
	if err != nil {
		return nil, err
	}
	b = msgpack.AppendString(msgpack.AppendString(b, "nsp"), m.NSP)
	return cluster.NewWireOptions(m.Target, m.Flags, m.Timeout).Append(b)
}

// encodeRequest is what goes over the channel of requests.
func encodeRequest(m *cluster.Message) ([]byte, error) {
	r := wireRequest{UID: m.UID, RequestID: m.RequestID}
	target := wireTarget{notNil(m.Target.Rooms), notNil(m.Target.Except)}
	switch m.Type {
	case cluster.SocketsJoin:
		r.Type, r.Opts, r.Rooms = requestJoin, target, m.Rooms
	case cluster.SocketsLeave:
		r.Type, r.Opts, r.Rooms = requestLeave, target, m.Rooms
	case cluster.DisconnectSockets:
		r.Type, r.Opts, r.Close = requestClose, target, &m.CloseConnection
	case cluster.FetchSockets:
		r.Type, r.Opts = requestFetch, target
	case cluster.ServerSideEmit:
		if len(m.Values.Attachments) > 0 {
			return nil, errBinary
		}
		r.Type, r.Data = requestServer, m.Values.JSON
	case cluster.Broadcast:
		p, err := packetOf(m)
		if err != nil {
			return nil, err
		}
		r.Type, r.Packet, r.Opts = requestAsk, p, cluster.NewWireOptions(m.Target, m.Flags, m.Timeout)
		return msgpack.Append(nil, r)
	default:
		return nil, nil // heartbeats do not exist here
	}
	return json.Marshal(r)
}

// encodeResponse is what goes over the channels of responses.
func encodeResponse(m *cluster.Message) ([]byte, error) {
	r := wireResponse{RequestID: m.RequestID}
	number := func(n int) { r.Type = &n }
	switch m.Type {
	case cluster.FetchSocketsResponse:
		r.Sockets = cluster.NewWireSockets(m.Sockets)
	case cluster.ServerSideEmitResponse:
		number(requestServer)
		r.Data = m.Values.JSON[1 : len(m.Values.JSON)-1]
	case cluster.BroadcastClientCount:
		number(responseCount)
		r.ClientCount = &m.ClientCount
	case cluster.BroadcastAck:
		number(responseAck)
		packet, err := msgpack.FromJSON(nil, m.Values.JSON[1:len(m.Values.JSON)-1], m.Values.Attachments)
		if err != nil {
			return nil, err
		}
		r.Packet = msgpack.Raw(packet)
		return msgpack.Append(nil, r)
	default:
		return nil, nil
	}
	return json.Marshal(r)
}

// maxDepth bounds how deep what another node sends may nest.
const maxDepth = 1000

// decodeBroadcast reads what comes most without a way through other forms.
func decodeBroadcast(b []byte) (*cluster.Message, error) {
	h := msgpack.ReadHead(b)
	if h.Kind != msgpack.Array || h.Len < 3 || msgpack.Skip(b, maxDepth) != len(b) {
		return nil, errNotBroadcast
	}
	uid := msgpack.ReadHead(b[h.Size:])
	packet := b[h.Size+msgpack.Skip(b[h.Size:], maxDepth):]
	n := msgpack.Skip(packet, maxDepth)
	packet, rest := packet[:n], packet[n:]
	opts, err := cluster.ReadWireOptions(rest[:msgpack.Skip(rest, maxDepth)])
	if err != nil {
		return nil, err
	}
	if uid.Kind != msgpack.String || msgpack.ReadHead(packet).Kind != msgpack.Map {
		return nil, errNotBroadcast
	}
	m := &cluster.Message{Type: cluster.Broadcast, UID: string(uid.Data), NSP: "/"}
	opts.Into(m)
	for key, value := range msgpack.Members(packet) {
		switch string(key) {
		case "data":
			m.Values.JSON, m.Values.Attachments, err = msgpack.ToJSON(value, maxDepth)
		case "nsp":
			if nsp := msgpack.ReadHead(value); len(nsp.Data) > 0 {
				m.NSP = string(nsp.Data)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return m, nil
}

func readPacket(m *cluster.Message, raw json.RawMessage, attachments [][]byte) error {
	var p struct {
		Data json.RawMessage
		NSP  string
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return err
	}
	m.NSP = p.NSP
	if m.NSP == "" {
		m.NSP = "/"
	}
	m.Values = cluster.Values{JSON: p.Data, Attachments: attachments}
	return nil
}

// A request as it comes.
type request struct {
	UID       string
	RequestID string
	Type      int
	Opts      cluster.WireOptions
	Rooms     cluster.RoomNames
	Close     bool
	Data      json.RawMessage
	Packet    json.RawMessage
}

// decodeRequest returns a message without type for what only the classic adapter
// knows: requestSockets and requestAllRooms.
func decodeRequest(nsp string, b []byte) (*cluster.Message, *request, error) {
	text, attachments, err := cluster.ToJSON(b)
	if err != nil {
		return nil, nil, err
	}
	var r request
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, nil, err
	}
	m := &cluster.Message{UID: r.UID, NSP: nsp, RequestID: r.RequestID, Rooms: r.Rooms, CloseConnection: r.Close}
	r.Opts.Into(m)
	switch r.Type {
	case requestSockets, requestAllRooms:
	case requestJoin:
		m.Type = cluster.SocketsJoin
	case requestLeave:
		m.Type = cluster.SocketsLeave
	case requestClose:
		m.Type = cluster.DisconnectSockets
	case requestFetch:
		m.Type = cluster.FetchSockets
	case requestServer:
		m.Type, m.Values = cluster.ServerSideEmit, cluster.Values{JSON: r.Data, Attachments: attachments}
	case requestAsk:
		m.Type = cluster.Broadcast
		err = readPacket(m, r.Packet, attachments)
		m.NSP = nsp
	default:
		err = fmt.Errorf("redis: request of unknown type %d", r.Type)
	}
	return m, &r, err
}

func decodeResponse(nsp string, b []byte) (*cluster.Message, error) {
	text, attachments, err := cluster.ToJSON(b)
	if err != nil {
		return nil, err
	}
	var r struct {
		Type        *int
		RequestID   string
		Sockets     json.RawMessage
		Data        json.RawMessage
		ClientCount int
		Packet      json.RawMessage
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, err
	}
	m := &cluster.Message{NSP: nsp, RequestID: r.RequestID, ClientCount: r.ClientCount}
	one := func(raw json.RawMessage) {
		if len(raw) == 0 {
			raw = json.RawMessage("null")
		}
		m.Values = cluster.Values{JSON: slices.Concat([]byte("["), raw, []byte("]")), Attachments: attachments}
	}
	switch {
	case r.Type == nil && r.Sockets != nil:
		m.Type = cluster.FetchSocketsResponse
		if m.Sockets, err = cluster.ReadWireSockets(r.Sockets); err != nil {
			return nil, err
		}
	case r.Type == nil:
		return nil, nil
	case *r.Type == requestServer:
		m.Type = cluster.ServerSideEmitResponse
		one(r.Data)
	case *r.Type == responseCount:
		m.Type = cluster.BroadcastClientCount
	case *r.Type == responseAck:
		m.Type = cluster.BroadcastAck
		one(r.Packet)
	default:
		return nil, nil
	}
	return m, nil
}

func notNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
