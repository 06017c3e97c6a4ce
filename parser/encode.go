package parser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/sockeye-go/socketio/internal/jsontext"
)

// Encode builds the head in a buffer that is used again, so that Head is one
// allocation of just its size. Values of the common types, and structs, lists and
// maps of them, are written without any other allocation.
func (jsonParser) Encode(h Header, values ...any) (Encoded, error) {
	e := encoders.Get().(*encoder)
	defer e.free()
	out, err := e.encode(h, values)
	out.Head = bytes.Clone(out.Head)
	return out, err
}

// EncodeTo is Encode into the memory of buf, or more if that is not enough: Head
// begins somewhere in it. It is for packets that are sent at once, to one peer.
func (jsonParser) EncodeTo(buf []byte, h Header, values ...any) (Encoded, error) {
	e := encoders.Get().(*encoder)
	defer e.free()
	own := e.buf
	e.buf = buf[:0]
	out, err := e.encode(h, values)
	e.buf = own
	return out, err
}

// encode returns a packet whose Head is in e.buf.
func (e *encoder) encode(h Header, values []any) (Encoded, error) {
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
	// What precedes the payload is written last, when the attachments are counted.
	e.buf = append(e.buf, make([]byte, maxHeader+len(h.Namespace))...)
	if err := e.payload(kind, values); err != nil {
		return Encoded{}, err
	}
	return e.finish(kind, h), nil
}

// maxHeader is the room for what precedes the payload, without the namespace: a
// type, the number of attachments and a dash, a comma, an ID.
const maxHeader = 1 + 20 + 1 + 1 + 20

// An encoder is the room in which one payload is built.
type encoder struct {
	buf         []byte
	attachments [][]byte
	noBinary    bool // attachments are not possible in this packet
	foreign     bool // something in buf was not written here
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
	e.buf, e.keys, e.attachments, e.noBinary, e.foreign = e.buf[:0], e.keys[:0], nil, false, false
	encoders.Put(e)
}

// Write makes an encoder what its json.Encoder writes to.
func (e *encoder) Write(p []byte) (int, error) {
	e.buf = append(e.buf, p...)
	return len(p), nil
}

// payload writes the values.
func (e *encoder) payload(kind Type, values []any) error {
	start := len(e.buf)
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
		if i := jsontext.SkipSpace(e.buf, start); i < len(e.buf) {
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
	e.buf = jsontext.AppendString(e.buf, name)
	return nil
}

// finish puts the header right before the payload.
func (e *encoder) finish(kind Type, h Header) Encoded {
	namespace := h.Namespace
	if namespace == "/" {
		namespace = ""
	} else if !utf8.ValidString(namespace) {
		namespace = string(jsontext.Repair([]byte(namespace)))
	}
	start := maxHeader + len(h.Namespace)
	if payload := e.buf[start:]; e.foreign && !utf8.Valid(payload) {
		e.buf = append(e.buf[:start], jsontext.Repair(payload)...)
	}
	var room [maxHeader + 64]byte // most fit
	head := append(room[:0], '0'+byte(kind))
	if n := len(e.attachments); n > 0 {
		head[0] += byte(BinaryEvent - Event)
		head = strconv.AppendInt(head, int64(n), 10)
		head = append(head, '-')
	}
	if namespace != "" {
		head = append(head, namespace...)
		head = append(head, ',')
	}
	if h.ID >= 0 {
		head = strconv.AppendInt(head, h.ID, 10)
	}
	if len(head) > start { // a repaired namespace is longer
		e.buf = slices.Concat(head, e.buf[start:])
		return Encoded{Head: e.buf, Attachments: e.attachments}
	}
	out := e.buf[start-len(head):]
	copy(out, head)
	return Encoded{Head: out, Attachments: e.attachments}
}
