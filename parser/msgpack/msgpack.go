// Package msgpack is the parser that socket.io-msgpack-parser is in JavaScript:
// each packet is one binary message of MessagePack. Both ends must use it, the
// protocol does not negotiate:
//
//	srv := socketio.NewServer(&socketio.Options{Parser: msgpack.Parser})
//
//	const socket = io({ parser: require("socket.io-msgpack-parser") })
//
// It saves bytes where there are numbers and binary data: []byte is part of the
// packet, not a message behind it. Over HTTP long-polling a packet becomes base64
// as a whole, which is a third more; use it with WebSockets.
//
// Handlers need not know of it: types, tags and errors are those of the JSON
// parser. On top of that a [time.Time] is a Date, both ways.
package msgpack

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/sockeye-go/socketio/internal/msgpack"
	"github.com/sockeye-go/socketio/parser"
)

// Parser is the MessagePack parser. It has no state.
var Parser parser.Parser = codec{}

// The errors of Decode that package parser does not have; the first two are in the
// words of the original.
var (
	ErrInvalidType      = &parser.Error{Message: "invalid packet type"}
	ErrInvalidNamespace = &parser.Error{Message: "invalid namespace"}
	ErrMalformed        = &parser.Error{Message: "invalid MessagePack"}
	ErrText             = &parser.Error{Message: "got plaintext data where MessagePack is expected"}
)

type codec struct{}

// A buffer is what a packet is built in.
type buffer struct{ b []byte }

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// maxKept bounds what an idle buffer holds on to.
const maxKept = 64 << 10

// Encode implements [parser.Parser]. Head is one allocation of just its size and
// includes copies of all binary data; there are no attachments.
func (codec) Encode(h parser.Header, values ...any) (parser.Encoded, error) {
	kind := h.Type
	if kind == parser.BinaryEvent || kind == parser.BinaryAck {
		kind -= parser.BinaryEvent - parser.Event
	}
	if err := h.Check(values); err != nil {
		return parser.Encoded{}, err
	}
	buf := buffers.Get().(*buffer)
	b, err := appendPacket(buf.b[:0], kind, h, values)
	if cap(b) <= maxKept {
		defer func() {
			buf.b = b
			buffers.Put(buf)
		}()
	}
	if err != nil {
		return parser.Encoded{}, err
	}
	return parser.Encoded{Head: bytes.Clone(b), HeadBinary: true}, nil
}

func appendPacket(b []byte, kind parser.Type, h parser.Header, values []any) ([]byte, error) {
	list := kind == parser.Event || kind == parser.Ack
	hasData := list || len(values) > 0 && values[0] != nil
	keys := 2
	if hasData {
		keys++
	}
	if h.ID >= 0 {
		keys++
	}
	b = msgpack.AppendMap(b, keys)
	b = msgpack.AppendInt(msgpack.AppendString(b, "type"), int64(kind))
	if hasData {
		b = msgpack.AppendString(b, "data")
		var err error
		if list {
			b, err = appendList(b, kind, values)
		} else {
			b, err = appendObject(b, kind, values[0])
		}
		if err != nil {
			return b, err
		}
	}
	b = msgpack.AppendString(b, "nsp")
	if h.Namespace == "" {
		b = msgpack.AppendString(b, "/")
	} else {
		b = msgpack.AppendString(b, h.Namespace)
	}
	if h.ID >= 0 {
		b = msgpack.AppendInt(msgpack.AppendString(b, "id"), h.ID)
	}
	return b, nil
}

func appendList(b []byte, kind parser.Type, values []any) ([]byte, error) {
	b = msgpack.AppendArray(b, len(values))
	for i, v := range values {
		if i == 0 && kind == parser.Event {
			var err error
			if v, err = name(v); err != nil {
				return b, err
			}
		}
		var err error
		if b, err = msgpack.Append(b, v); err != nil {
			return b, err
		}
	}
	return b, nil
}

// name checks the name of an event: a string, or an integer as the protocol
// allows.
func name(v any) (any, error) {
	rv := reflect.ValueOf(v)
	switch {
	case rv.Kind() == reflect.String:
		if parser.IsReserved(rv.String()) {
			return nil, &parser.EncodeError{Message: strconv.Quote(rv.String()) + " is a reserved event name"}
		}
		return rv.String(), nil
	case rv.CanInt():
		return rv.Int(), nil
	}
	return nil, &parser.EncodeError{Message: fmt.Sprintf("an EVENT whose name is a %T", v)}
}

// appendObject is for CONNECT and CONNECT_ERROR.
func appendObject(b []byte, kind parser.Type, v any) ([]byte, error) {
	start := len(b)
	b, err := msgpack.Append(b, v)
	if err != nil {
		return b, err
	}
	switch msgpack.ReadHead(b[start:]).Kind {
	case msgpack.Map:
		return b, nil
	case msgpack.String:
		if kind == parser.ConnectError {
			return b, nil
		}
	}
	return b, &parser.EncodeError{Message: fmt.Sprintf("%v with a value that is not an object: %T", kind, v)}
}

// Unmarshal implements [parser.Parser].
func (codec) Unmarshal(raw []byte, _ [][]byte, v any) error { return msgpack.Unmarshal(raw, v) }

// Decode implements [parser.Parser]. A message that is not all there, or nests too
// deeply, is refused before anything is allocated for it.
//
// It is more lenient than the original in one point and stricter in two. null is as
// good as a missing data or id: clients in languages without undefined send it. A
// namespace begins with a slash, and an event's name is not a reserved one, as with
// the JSON parser.
func (codec) Decode(data []byte, binary bool, lim *parser.Limits) (parser.Packet, error) {
	if !binary {
		return parser.Packet{}, ErrText
	}
	l := lim.OrDefault()
	f, err := fieldsOf(data, l.MaxDepth)
	if err != nil {
		return parser.Packet{}, err
	}
	return f.packet(&l)
}

// fields are the members of a packet that mean something.
type fields struct {
	kind, nsp, id msgpack.Head
	data          []byte // nil if there is none
}

// fieldsOf finds them, and checks all of data. Of keys that are repeated the last
// counts, as for JavaScript.
func fieldsOf(data []byte, depth int) (f fields, err error) {
	h := msgpack.ReadHead(data)
	if h.Kind == msgpack.Invalid {
		return f, ErrMalformed
	}
	if h.Kind != msgpack.Map {
		return f, ErrInvalidType
	}
	i := h.Size
	for range h.Len {
		key := msgpack.ReadHead(data[i:])
		if !key.IsKey() {
			return f, ErrMalformed
		}
		i += key.Size
		size := msgpack.Skip(data[i:], depth)
		switch size {
		case msgpack.TooDeep:
			return f, parser.ErrTooDeep
		case msgpack.Malformed:
			return f, ErrMalformed
		}
		value := data[i : i+size : i+size]
		i += size
		if key.Kind != msgpack.String {
			continue
		}
		switch string(key.Data) {
		case "type":
			f.kind = msgpack.ReadHead(value)
		case "nsp":
			f.nsp = msgpack.ReadHead(value)
		case "id":
			f.id = msgpack.ReadHead(value)
		case "data":
			f.data = value
		}
	}
	if i != len(data) {
		return f, ErrMalformed
	}
	return f, nil
}

// absent reports whether a member is as good as not there.
func absent(k msgpack.Kind) bool {
	return k == msgpack.Invalid || k == msgpack.Undefined || k == msgpack.Null
}

func (f *fields) packet(l *parser.Limits) (p parser.Packet, err error) {
	if f.kind.Kind != msgpack.Int || f.kind.Int < 0 || f.kind.Int > int64(parser.ConnectError) {
		return p, ErrInvalidType
	}
	p = parser.Packet{Type: parser.Type(f.kind.Int), ID: parser.NoID}
	if f.nsp.Kind != msgpack.String || len(f.nsp.Data) == 0 || f.nsp.Data[0] != '/' {
		return parser.Packet{}, ErrInvalidNamespace
	}
	if len(f.nsp.Data) > l.MaxNamespace {
		return parser.Packet{}, parser.ErrNamespaceTooLong
	}
	p.Namespace = valid(f.nsp.Data)
	if !absent(f.id.Kind) {
		if f.id.Kind != msgpack.Int || f.id.Int < 0 || f.id.Int > parser.MaxID {
			return parser.Packet{}, parser.ErrInvalidID
		}
		p.ID = f.id.Int
	}
	data := msgpack.ReadHead(f.data)
	fits := false
	switch p.Type {
	case parser.Connect:
		fits = absent(data.Kind) || data.Kind == msgpack.Map
	case parser.Disconnect:
		fits = absent(data.Kind)
	case parser.ConnectError:
		fits = data.Kind == msgpack.Map || data.Kind == msgpack.String
	default:
		fits = data.Kind == msgpack.Array
	}
	if !fits {
		return parser.Packet{}, parser.ErrInvalidPayload
	}
	switch {
	case data.Kind == msgpack.Array:
		if err := arguments(&p, f.data, data, l); err != nil {
			return parser.Packet{}, err
		}
	case !absent(data.Kind):
		p.Args = [][]byte{f.data}
	}
	return p, nil
}

// arguments splits the array of an EVENT or an ACK.
func arguments(p *parser.Packet, data []byte, h msgpack.Head, l *parser.Limits) error {
	i, n := h.Size, h.Len
	if p.Type == parser.Event {
		if n == 0 {
			return parser.ErrInvalidPayload
		}
		event := msgpack.ReadHead(data[i:])
		switch event.Kind {
		case msgpack.String:
			p.Event = valid(event.Data)
		case msgpack.Int:
			p.Event = strconv.AppendInt(nil, event.Int, 10)
		default:
			return parser.ErrInvalidPayload
		}
		switch {
		case parser.IsReserved(string(p.Event)):
			return parser.ErrInvalidPayload
		case len(p.Event) > l.MaxEventName:
			return parser.ErrEventNameTooLong
		}
		i += event.Size
		n--
	}
	if n > l.MaxArguments {
		return parser.ErrTooManyArguments
	}
	if n == 0 {
		return nil
	}
	p.Args = make([][]byte, n)
	for k := range p.Args {
		end := i + msgpack.Skip(data[i:], len(data))
		p.Args[k] = data[i:end:end]
		i = end
	}
	return nil
}

// valid replaces what is not UTF-8, as the original does where it makes text of
// bytes.
func valid(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	return []byte(string([]rune(string(b))))
}
