package client

import (
	"encoding/json"

	"github.com/sockeye-go/socketio/parser"
)

// batchEvent is the event in which package batch of the server's side sends several.
const batchEvent = "batch"

// maxBatch is how many events a batch may have.
const maxBatch = 10_000

// unbatch takes a batch apart: an array of {event, data} or {event, args}. It returns
// nil for what is none, an event of that name like any other. With a recovery the
// server appends an offset.
func (s *Socket) unbatch(p parser.Packet) []parser.Packet {
	if p.ID != parser.NoID || len(p.Args) == 0 || len(p.Args) > 2 {
		return nil
	}
	if s.m.opts.Parser != parser.JSON {
		return s.unbatchAny(p)
	}
	var wire []struct {
		Event *string
		Data  json.RawMessage
		Args  []json.RawMessage
	}
	if json.Unmarshal(p.Args[0], &wire) != nil || len(wire) > maxBatch {
		return nil
	}
	events := make([]parser.Packet, len(wire))
	for i, w := range wire {
		if w.Event == nil || parser.IsReserved(*w.Event) || w.Data == nil && w.Args == nil {
			return nil
		}
		e := parser.Packet{Type: parser.Event, Namespace: p.Namespace, ID: parser.NoID, Event: []byte(*w.Event), Attachments: p.Attachments}
		if w.Args == nil {
			w.Args = []json.RawMessage{w.Data}
		}
		for _, a := range w.Args {
			e.Args = append(e.Args, a)
		}
		events[i] = e
	}
	return events
}

// unbatchAny is unbatch for parsers whose values cannot be cut out as they are: each
// event is encoded again.
func (s *Socket) unbatchAny(p parser.Packet) []parser.Packet {
	codec := s.m.opts.Parser
	var wire []map[string]any
	if codec.Unmarshal(p.Args[0], p.Attachments, &wire) != nil || len(wire) > maxBatch {
		return nil
	}
	events := make([]parser.Packet, len(wire))
	for i, w := range wire {
		name, named := w["event"].(string)
		args, several := w["args"].([]any)
		if data, one := w["data"]; one {
			args, several = []any{data}, true
		}
		if !named || !several || parser.IsReserved(name) {
			return nil
		}
		e, err := codec.Encode(parser.Header{Type: parser.Event, Namespace: s.nsp, ID: parser.NoID}, append([]any{name}, args...)...)
		if err != nil {
			return nil
		}
		if events[i], err = codec.Decode(e.Head, e.HeadBinary, nil); err != nil {
			return nil
		}
		events[i].Attachments = e.Attachments
	}
	return events
}
