package parser_test

import (
	"encoding/json"
	"fmt"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/parser"
)

// plain is the parser of socket.io-json-parser: the whole packet as one text of
// JSON, without attachments.
type plain struct{}

// packet is what is on the wire.
type packet struct {
	Type parser.Type     `json:"type"`
	Nsp  string          `json:"nsp"`
	ID   *int64          `json:"id,omitempty"`
	Data json.RawMessage `json:"data,omitempty"`
}

func (plain) Encode(h parser.Header, values ...any) (e parser.Encoded, err error) {
	if err := h.Check(values); err != nil {
		return e, err
	}
	p := packet{Type: h.Type, Nsp: h.Namespace}
	if p.Nsp == "" {
		p.Nsp = "/"
	}
	if h.ID != parser.NoID {
		p.ID = &h.ID
	}
	switch h.Type {
	case parser.Event, parser.Ack:
		p.Data, err = json.Marshal(append([]any{}, values...))
	default:
		if len(values) == 1 {
			p.Data, err = json.Marshal(values[0])
		}
	}
	if err == nil {
		e.Head, err = json.Marshal(p)
	}
	return e, err
}

func (plain) Decode(data []byte, binary bool, lim *parser.Limits) (parser.Packet, error) {
	var p packet
	if binary || json.Unmarshal(data, &p) != nil || p.Nsp == "" || p.Nsp[0] != '/' {
		return parser.Packet{}, &parser.Error{Message: "not a packet"}
	}
	out := parser.Packet{Type: p.Type, Namespace: []byte(p.Nsp), ID: parser.NoID}
	if p.ID != nil {
		out.ID = *p.ID
	}
	switch p.Type {
	case parser.Event, parser.Ack:
		var args []json.RawMessage
		if json.Unmarshal(p.Data, &args) != nil || len(args) > lim.OrDefault().MaxArguments {
			return parser.Packet{}, parser.ErrInvalidPayload
		}
		if p.Type == parser.Event {
			var name string
			if len(args) == 0 || json.Unmarshal(args[0], &name) != nil || parser.IsReserved(name) {
				return parser.Packet{}, parser.ErrInvalidPayload
			}
			out.Event, args = []byte(name), args[1:]
		}
		for _, a := range args {
			out.Args = append(out.Args, a)
		}
	case parser.Connect, parser.ConnectError:
		if p.Data != nil {
			out.Args = [][]byte{p.Data}
		}
	case parser.Disconnect:
	default:
		return parser.Packet{}, &parser.Error{Message: "unknown packet type"}
	}
	return out, nil
}

func (plain) Unmarshal(raw []byte, _ [][]byte, v any) error { return json.Unmarshal(raw, v) }

// A program may bring its own parser. This one does what socket.io-json-parser
// does in JavaScript; clients must use the same.
func Example_custom() {
	srv := socketio.NewServer(&socketio.Options{Parser: plain{}})
	defer srv.Close()

	e, _ := plain{}.Encode(parser.Header{Type: parser.Event, ID: 7}, "move", 1, 2)
	fmt.Printf("%s\n", e.Head)
	p, _ := plain{}.Decode(e.Head, false, nil)
	fmt.Printf("%s %s %d\n", p.Event, p.Args, p.ID)
	// Output:
	// {"type":2,"nsp":"/","id":7,"data":["move",1,2]}
	// move [1 2] 7
}
