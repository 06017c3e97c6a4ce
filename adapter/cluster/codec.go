package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/msgpack"
	"github.com/sockeye-go/socketio/parser"
)

// wireMessage is a message as Node nodes write it.
type wireMessage struct {
	UID  string    `json:"uid,omitempty"`
	NSP  string    `json:"nsp"`
	Type Type      `json:"type"`
	Data *wireData `json:"data,omitempty"`
	Seq  uint64    `json:"seq,omitempty"`
}

type wireData struct {
	RequestID   string       `json:"requestId,omitempty"`
	Packet      any          `json:"packet,omitempty"`
	Opts        *WireOptions `json:"opts,omitempty"`
	Rooms       []string     `json:"rooms,omitempty"`
	Close       *bool        `json:"close,omitempty"`
	Sockets     any          `json:"sockets,omitempty"`
	ClientCount *int         `json:"clientCount,omitempty"`
}

// WireOptions are a target and flags as Node nodes write them.
type WireOptions struct {
	Rooms  RoomNames `json:"rooms"`
	Except RoomNames `json:"except"`
	Flags  WireFlags `json:"flags"`
}

// WireFlags are the flags of an emit.
type WireFlags struct {
	Volatile             bool     `json:"volatile,omitempty"`
	Lossy                bool     `json:"lossy,omitempty"` // ours alone
	Compress             *bool    `json:"compress,omitempty"`
	Timeout              *float64 `json:"timeout,omitempty"` // ms
	ExpectSingleResponse bool     `json:"expectSingleResponse,omitempty"`
}

// WireSocket is a socket as Node nodes write it: its own id is among its rooms.
type WireSocket struct {
	ID        string          `json:"id"`
	Handshake json.RawMessage `json:"handshake"`
	Rooms     RoomNames       `json:"rooms"`
	Data      json.RawMessage `json:"data"`
}

// RoomNames are strings; in JavaScript they may be numbers too.
type RoomNames []string

// UnmarshalJSON implements [json.Unmarshaler].
func (r *RoomNames) UnmarshalJSON(b []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*r = nil
	for _, v := range raw {
		var name string
		if json.Unmarshal(v, &name) != nil {
			name = string(v)
		}
		*r = append(*r, name)
	}
	return nil
}

// NewWireOptions returns target and flags as Node nodes write them.
func NewWireOptions(t adapter.Target, f engineio.Flags, timeout time.Duration) WireOptions {
	o := WireOptions{Rooms: notNil(t.Rooms), Except: notNil(t.Except)}
	o.Flags.Volatile = f&engineio.Volatile != 0
	o.Flags.Lossy = f&engineio.Lossy != 0
	if f&engineio.NoCompress != 0 {
		o.Flags.Compress = new(bool)
	}
	if timeout > 0 {
		ms := float64(timeout.Milliseconds())
		o.Flags.Timeout = &ms
	}
	return o
}

func notNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// Into is the inverse: it fills m.
func (o WireOptions) Into(m *Message) {
	m.Target = adapter.Target{Rooms: o.Rooms, Except: o.Except}
	if o.Flags.Volatile {
		m.Flags |= engineio.Volatile
	}
	if o.Flags.Lossy {
		m.Flags |= engineio.Lossy
	}
	if o.Flags.Compress != nil && !*o.Flags.Compress {
		m.Flags |= engineio.NoCompress
	}
	if ms := o.Flags.Timeout; ms != nil && *ms > 0 && *ms < 1e12 {
		m.Timeout = time.Duration(*ms * float64(time.Millisecond))
	}
}

// NewWireSockets returns what Node nodes are told of sockets, encoded.
func NewWireSockets(infos []adapter.SocketInfo) json.RawMessage {
	sockets := make([]WireSocket, len(infos))
	for i, info := range infos {
		handshake, data := info.Handshake, info.Data
		if info.Member != nil {
			handshake, data = info.Member.Describe()
		}
		if len(handshake) == 0 {
			handshake = json.RawMessage("{}")
		}
		if len(data) == 0 {
			data = json.RawMessage("{}")
		}
		sockets[i] = WireSocket{ID: info.ID, Handshake: handshake, Data: data, Rooms: append(RoomNames{info.ID}, info.Rooms...)}
	}
	b, err := json.Marshal(sockets)
	if err != nil {
		return json.RawMessage("[]")
	}
	return b
}

// ReadWireSockets is the inverse.
func ReadWireSockets(b json.RawMessage) ([]adapter.SocketInfo, error) {
	var sockets []WireSocket
	if err := json.Unmarshal(b, &sockets); err != nil {
		return nil, err
	}
	infos := make([]adapter.SocketInfo, len(sockets))
	for i, s := range sockets {
		infos[i] = adapter.SocketInfo{
			ID: s.ID, Handshake: s.Handshake, Data: s.Data,
			Rooms: slices.DeleteFunc(s.Rooms, func(r string) bool { return r == s.ID }),
		}
	}
	return infos, nil
}

// Encode returns m in the form that Node nodes understand: JSON, or MessagePack
// if there is binary data in it. They are told apart by their first byte, which
// is '{' in JSON.
func Encode(m *Message) ([]byte, error) {
	if m.quick() {
		return appendQuick(nil, m)
	}
	w, err := m.wire()
	if err != nil {
		return nil, err
	}
	return marshal(w, len(m.Values.Attachments) > 0)
}

// EncodeBinary is Encode for who understands only MessagePack.
func EncodeBinary(m *Message) ([]byte, error) {
	w, err := m.wire()
	if err != nil {
		return nil, err
	}
	return marshal(w, true)
}

// EncodeData returns what is in the field data of the form of Encode, without
// what is beside it.
func EncodeData(m *Message) ([]byte, error) {
	if m.quick() {
		return appendQuickData(nil, m)
	}
	w, err := m.wire()
	if err != nil {
		return nil, err
	}
	return marshal(w.Data, len(m.Values.Attachments) > 0)
}

func marshal(v any, binary bool) ([]byte, error) {
	if binary {
		return msgpack.Append(nil, v)
	}
	return json.Marshal(v)
}

func (m *Message) wire() (w *wireMessage, err error) {
	binary := len(m.Values.Attachments) > 0
	w = &wireMessage{UID: m.UID, NSP: m.NSP, Type: m.Type, Seq: m.Seq}
	d := &wireData{RequestID: m.RequestID}
	switch m.Type {
	case InitialHeartbeat, Heartbeat, AdapterClose:
		d = nil
	case Broadcast, broadcastHere, SocketsJoin, SocketsLeave, DisconnectSockets, FetchSockets:
		o := NewWireOptions(m.Target, m.Flags, m.Timeout)
		d.Opts = &o
	}
	values := func(text []byte) any { return json.RawMessage(text) }
	if binary {
		values = func(text []byte) any {
			var b []byte
			if b, err = msgpack.FromJSON(nil, text, m.Values.Attachments); err != nil {
				return nil
			}
			return msgpack.Raw(b)
		}
	}
	switch m.Type {
	case Broadcast, broadcastHere:
		d.Packet = struct {
			Type int    `json:"type"`
			Data any    `json:"data"`
			NSP  string `json:"nsp"`
		}{int(parser.Event), values(m.Values.JSON), m.NSP}
	case ServerSideEmit:
		d.Packet = values(m.Values.JSON)
	case ServerSideEmitResponse, BroadcastAck, sessionRequest, sessionResponse:
		d.Packet = values(m.Values.JSON[1 : len(m.Values.JSON)-1])
	case SocketsJoin, SocketsLeave:
		d.Rooms = notNil(m.Rooms)
	case DisconnectSockets:
		d.Close = &m.CloseConnection
	case FetchSocketsResponse:
		d.Sockets = NewWireSockets(m.Sockets)
	case BroadcastClientCount:
		d.ClientCount = &m.ClientCount
	}
	w.Data = d
	return w, err
}

// maxDepth bounds how deep what another node sends may nest.
const maxDepth = 1000

var errNotMessage = errors.New("cluster: not a message")

// Decode reads what [Encode] or a Node node wrote, into a message that shares
// nothing with b.
func Decode(b []byte) (*Message, error) {
	if m := new(Message); readQuick(m, b) {
		return m, nil
	}
	return decode(b)
}

func decode(b []byte) (*Message, error) {
	text, attachments, err := ToJSON(b)
	if err != nil {
		return nil, err
	}
	var w struct {
		UID  string
		NSP  string
		Type Type
		Seq  uint64
		Data receivedData
	}
	if err := json.Unmarshal(text, &w); err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	m := &Message{UID: w.UID, NSP: w.NSP, Type: w.Type, Seq: w.Seq}
	return m, w.Data.into(m, attachments)
}

// DecodeData is the inverse of [EncodeData]: it fills m, whose type is known.
func DecodeData(m *Message, b []byte) error {
	if was := *m; valid(b) {
		if readQuickData(m, b) {
			return nil
		}
		*m = was
	}
	return decodeData(m, b)
}

func decodeData(m *Message, b []byte) error {
	var d receivedData
	var attachments [][]byte
	if len(b) > 0 {
		text, more, err := ToJSON(b)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &d); err != nil {
			return fmt.Errorf("cluster: %w", err)
		}
		attachments = more
	}
	return d.into(m, attachments)
}

// receivedData is the field data as it comes.
type receivedData struct {
	RequestID   string
	Packet      json.RawMessage
	Opts        WireOptions
	Rooms       RoomNames
	Close       bool
	Sockets     json.RawMessage
	ClientCount int
}

func (d *receivedData) into(m *Message, attachments [][]byte) (err error) {
	if m.Type < InitialHeartbeat || m.Type >= lastType {
		return fmt.Errorf("cluster: message of unknown type %d", m.Type)
	}
	switch m.Type {
	case InitialHeartbeat, Heartbeat, AdapterClose:
		return nil
	}
	m.RequestID, m.Rooms, m.CloseConnection, m.ClientCount = d.RequestID, d.Rooms, d.Close, d.ClientCount
	d.Opts.Into(m)
	switch m.Type {
	case Broadcast, broadcastHere:
		var p struct {
			Data json.RawMessage
			ID   *json.Number
		}
		if err := json.Unmarshal(d.Packet, &p); err != nil {
			return fmt.Errorf("cluster: %w", err)
		}
		m.Values = Values{p.Data, attachments}
		m.asks = p.ID != nil
	case ServerSideEmit:
		m.Values = Values{d.Packet, attachments}
	case ServerSideEmitResponse, BroadcastAck, sessionRequest, sessionResponse:
		if len(d.Packet) == 0 { // undefined in JavaScript
			d.Packet = json.RawMessage("null")
		}
		m.Values = Values{slices.Concat([]byte("["), d.Packet, []byte("]")), attachments}
	case FetchSocketsResponse:
		if m.Sockets, err = ReadWireSockets(d.Sockets); err != nil {
			return fmt.Errorf("cluster: %w", err)
		}
	}
	return nil
}

// ToJSON returns a copy of b if it is JSON, and turns MessagePack into JSON with
// placeholders for the binary attachments.
func ToJSON(b []byte) (text []byte, attachments [][]byte, err error) {
	if len(b) == 0 {
		return nil, nil, errNotMessage
	}
	if b[0] == '{' || b[0] == '[' {
		return bytes.Clone(b), nil, nil
	}
	if text, attachments, err = msgpack.ToJSON(b, maxDepth); err != nil {
		return nil, nil, fmt.Errorf("cluster: %w", err)
	}
	return text, attachments, nil
}

// String is for logs.
func (t Type) String() string {
	names := [...]string{
		"INITIAL_HEARTBEAT", "HEARTBEAT", "BROADCAST", "SOCKETS_JOIN", "SOCKETS_LEAVE", "DISCONNECT_SOCKETS",
		"FETCH_SOCKETS", "FETCH_SOCKETS_RESPONSE", "SERVER_SIDE_EMIT", "SERVER_SIDE_EMIT_RESPONSE",
		"BROADCAST_CLIENT_COUNT", "BROADCAST_ACK", "ADAPTER_CLOSE", "BROADCAST_LEFT", "BROADCAST_HERE",
		"SESSION_REQUEST", "SESSION_RESPONSE",
	}
	if t == 0 || int(t) > len(names) {
		return "Type(" + strconv.Itoa(int(t)) + ")"
	}
	return names[t-1]
}
