package parser

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Encode builds the head in a buffer that is used again, so that Head is one
// allocation of just its size. Values of the common types are written without
// reflection, and without any other allocation.
func (jsonParser) Encode(h Header, values ...any) (Encoded, error) {
	kind := h.Type
	if kind == BinaryEvent || kind == BinaryAck {
		kind -= BinaryEvent - Event
	}
	if err := h.Check(values); err != nil {
		return Encoded{}, err
	}
	if strings.IndexByte(h.Namespace, ',') >= 0 {
		return Encoded{}, &EncodeError{"namespace " + strconv.Quote(h.Namespace) + " has a comma"}
	}
	e := encoders.Get().(*encoder)
	defer e.free()
	if err := e.payload(kind, values); err != nil {
		return Encoded{}, err
	}
	return e.finish(kind, h), nil
}

// An encoder is the room in which one payload is built.
type encoder struct {
	buf         []byte
	attachments [][]byte
	noBinary    bool // attachments are not possible in this packet
	keys        []string
	std         *json.Encoder // writes to buf
}

var encoders = sync.Pool{New: func() any {
	e := new(encoder)
	e.std = json.NewEncoder(e)
	e.std.SetEscapeHTML(false)
	return e
}}

// maxKept bounds what an idle encoder holds on to.
const maxKept = 64 << 10

func (e *encoder) free() {
	if cap(e.buf) > maxKept || cap(e.keys) > maxKept/16 {
		return
	}
	clear(e.keys) // left there by an error
	e.buf, e.keys, e.attachments, e.noBinary = e.buf[:0], e.keys[:0], nil, false
	encoders.Put(e)
}

// Write makes an encoder what its json.Encoder writes to.
func (e *encoder) Write(p []byte) (int, error) {
	e.buf = append(e.buf, p...)
	return len(p), nil
}

// payload writes the values.
func (e *encoder) payload(kind Type, values []any) error {
	switch kind {
	case Connect, ConnectError:
		if len(values) == 0 || values[0] == nil {
			return nil
		}
		e.noBinary = true
		if err := e.value(values[0], 0); err != nil {
			return err
		}
		first := byte(0)
		if i := skipSpace(e.buf, 0); i < len(e.buf) {
			first = e.buf[i]
		}
		if first != '{' && (first != '"' || kind == Connect) {
			return &EncodeError{fmt.Sprintf("%v with a value that is not an object: %T", kind, values[0])}
		}
		return nil
	case Event:
		e.buf = append(e.buf, '[')
		if err := e.name(values[0]); err != nil {
			return err
		}
		for _, v := range values[1:] {
			e.buf = append(e.buf, ',')
			if err := e.value(v, 0); err != nil {
				return err
			}
		}
		e.buf = append(e.buf, ']')
	case Ack:
		e.buf = append(e.buf, '[')
		for i, v := range values {
			if i > 0 {
				e.buf = append(e.buf, ',')
			}
			if err := e.value(v, 0); err != nil {
				return err
			}
		}
		e.buf = append(e.buf, ']')
	}
	return nil
}

// name writes the name of an event: a string, or an integer as the protocol
// allows.
func (e *encoder) name(v any) error {
	name, ok := v.(string)
	if !ok {
		rv := reflect.ValueOf(v)
		switch {
		case rv.Kind() == reflect.String:
			name = rv.String()
		case rv.CanInt():
			e.buf = strconv.AppendInt(e.buf, rv.Int(), 10)
			return nil
		default:
			return &EncodeError{fmt.Sprintf("an EVENT whose name is a %T", v)}
		}
	}
	if IsReserved(name) {
		return &EncodeError{strconv.Quote(name) + " is a reserved event name"}
	}
	e.buf = appendString(e.buf, name)
	return nil
}

// finish puts the header before the payload.
func (e *encoder) finish(kind Type, h Header) Encoded {
	if !utf8.Valid(e.buf) { // what a MarshalJSON or a RawMessage brought
		e.buf = repair(e.buf)
	}
	var room [1 + 20 + 1]byte
	head := append(room[:0], '0'+byte(kind))
	if n := len(e.attachments); n > 0 {
		head[0] += byte(BinaryEvent - Event)
		head = strconv.AppendInt(head, int64(n), 10)
		head = append(head, '-')
	}
	namespace := h.Namespace
	if namespace == "/" {
		namespace = ""
	} else if !utf8.ValidString(namespace) {
		namespace = string(repair([]byte(namespace)))
	}
	var idRoom [20]byte
	id := idRoom[:0]
	if h.ID >= 0 {
		id = strconv.AppendInt(id, h.ID, 10)
	}
	out := make([]byte, 0, len(head)+len(namespace)+1+len(id)+len(e.buf))
	out = append(out, head...)
	if namespace != "" {
		out = append(out, namespace...)
		out = append(out, ',')
	}
	out = append(out, id...)
	out = append(out, e.buf...)
	return Encoded{Head: out, Attachments: e.attachments}
}
