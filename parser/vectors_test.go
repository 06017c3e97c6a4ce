package parser_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"testing"

	"github.com/sockeye-go/socketio/parser"
)

// vectors is testdata/vectors/packets.json; the README there has its schema.
type vectors struct {
	Decode []vector
	Encode []vector
}

type vector struct {
	Name     string
	Messages []message
	Packet   *wanted
	Error    string
	Pending  int
}

type wanted struct {
	Type      string
	Namespace string
	ID        *int64
	Event     *string
	Data      any
}

// message is a string, or {"binary": base64}.
type message struct {
	data   []byte
	binary bool
}

func (m *message) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		var s string
		err := json.Unmarshal(b, &s)
		m.data = []byte(s)
		return err
	}
	var o struct{ Binary []byte }
	err := json.Unmarshal(b, &o)
	m.data, m.binary = o.Binary, true
	return err
}

func (w *wanted) id() int64 {
	if w.ID == nil {
		return parser.NoID
	}
	return *w.ID
}

func readVectors(t testing.TB) vectors {
	t.Helper()
	raw, err := os.ReadFile("../testdata/vectors/packets.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Decode) < 100 || len(v.Encode) < 20 {
		t.Fatalf("%d and %d vectors: some are missing", len(v.Decode), len(v.Encode))
	}
	return v
}

// revive replaces {"$binary": base64} by the bytes.
func revive(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = revive(v[i])
		}
	case map[string]any:
		if s, ok := v["$binary"].(string); ok {
			b, _ := base64.StdEncoding.DecodeString(s)
			return b
		}
		for k := range v {
			v[k] = revive(v[k])
		}
	}
	return v
}

func add(r *parser.Reassembler, messages []message, lim *parser.Limits) (p parser.Packet, ok bool, err error) {
	for _, m := range messages {
		if p, ok, err = r.Add(parser.JSON, m.data, m.binary, lim); err != nil {
			return p, ok, err
		}
	}
	return p, ok, err
}

// values decodes what a packet carries, the name of an event first.
func values(t *testing.T, p parser.Packet) []any {
	t.Helper()
	var out []any
	if p.Event != nil {
		out = append(out, string(p.Event))
	}
	for _, raw := range p.Args {
		var v any
		if err := parser.JSON.Unmarshal(raw, p.Attachments, &v); err != nil {
			t.Fatalf("unmarshal %s: %v", raw, err)
		}
		out = append(out, v)
	}
	return out
}

func TestDecodeVectors(t *testing.T) {
	for _, c := range readVectors(t).Decode {
		t.Run(c.Name, func(t *testing.T) {
			var r parser.Reassembler
			p, ok, err := add(&r, c.Messages, nil)
			if c.Error != "" {
				var e *parser.Error
				if !errors.As(err, &e) || e.Message != c.Error {
					t.Fatalf("got %+v, %v; want the error %q", p, err, c.Error)
				}
				if r.Waiting() {
					t.Error("still waits after an error")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.Pending > 0 {
				if ok || !r.Waiting() {
					t.Fatalf("complete, but %d attachments are due", c.Pending)
				}
				for i := range c.Pending {
					if _, ok, err = r.Add(parser.JSON, []byte{1}, true, nil); err != nil || ok != (i == c.Pending-1) {
						t.Fatalf("attachment %d of %d: complete %v, %v", i+1, c.Pending, ok, err)
					}
				}
				return
			}
			if !ok || r.Waiting() {
				t.Fatal("not complete")
			}
			if p.Type.String() != c.Packet.Type || string(p.Namespace) != c.Packet.Namespace || p.ID != c.Packet.id() || p.Pending != 0 {
				t.Errorf("got %v %q %d, want %+v", p.Type, p.Namespace, p.ID, c.Packet)
			}
			want, _ := c.Packet.Data.([]any)
			if p.Type == parser.Connect || p.Type == parser.ConnectError {
				if c.Packet.Data != nil {
					want = []any{c.Packet.Data}
				}
			}
			if c.Packet.Event != nil {
				want[0] = *c.Packet.Event
			} else if p.Event != nil {
				t.Errorf("event %q in a %v", p.Event, p.Type)
			}
			got := values(t, p)
			if revive(want); len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
				t.Errorf("got %#v, want %#v", got, want)
			}
		})
	}
}

func TestEncodeVectors(t *testing.T) {
	for _, c := range readVectors(t).Encode {
		t.Run(c.Name, func(t *testing.T) {
			types := map[string]parser.Type{"CONNECT": parser.Connect, "DISCONNECT": parser.Disconnect, "EVENT": parser.Event, "ACK": parser.Ack, "CONNECT_ERROR": parser.ConnectError}
			data, isList := revive(c.Packet.Data).([]any)
			if !isList && c.Packet.Data != nil {
				data = []any{c.Packet.Data}
			}
			kind := types[c.Packet.Type]
			if kind == parser.Event {
				if n, ok := data[0].(float64); ok {
					data[0] = int(n)
				}
			}
			e, err := parser.JSON.Encode(parser.Header{Type: kind, Namespace: c.Packet.Namespace, ID: c.Packet.id()}, data...)
			if err != nil {
				t.Fatal(err)
			}
			if string(e.Head) != string(c.Messages[0].data) || e.HeadBinary {
				t.Errorf("got  %s\nwant %s", e.Head, c.Messages[0].data)
			}
			if cap(e.Head) != len(e.Head) && cap(e.Head) > len(e.Head)+len(e.Head)/4+16 {
				t.Errorf("a head of %d bytes holds on to %d", len(e.Head), cap(e.Head))
			}
			if len(e.Attachments) != len(c.Messages)-1 {
				t.Fatalf("%d attachments, want %d", len(e.Attachments), len(c.Messages)-1)
			}
			for i, a := range e.Attachments {
				if !bytes.Equal(a, c.Messages[i+1].data) {
					t.Errorf("attachment %d: %x, want %x", i, a, c.Messages[i+1].data)
				}
			}
		})
	}
}

// TestSessions reads the Socket.IO packets of whole sessions.
func TestSessions(t *testing.T) {
	raw, err := os.ReadFile("../testdata/vectors/sessions.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Sessions []struct {
			Name  string
			Steps []struct {
				From   string
				Text   *string
				Binary *[]byte
				Close  bool
			}
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	packets := 0
	for _, s := range file.Sessions {
		t.Run(s.Name, func(t *testing.T) {
			both := map[string]*parser.Reassembler{"client": {}, "server": {}}
			for i, step := range s.Steps {
				var m message
				switch {
				case step.Binary != nil:
					m = message{*step.Binary, true}
				case step.Text != nil && (*step.Text)[0] == '4':
					m.data = []byte((*step.Text)[1:])
				default:
					continue
				}
				p, ok, err := both[step.From].Add(parser.JSON, m.data, m.binary, nil)
				if err != nil {
					// What the parser refuses must be what the server hung up on.
					if i != len(s.Steps)-2 || !s.Steps[i+1].Close || step.From != "client" {
						t.Errorf("step %d: %v", i, err)
					}
					continue
				}
				if !ok || step.From == "client" {
					continue
				}
				// What the official server says we say byte for byte.
				packets++
				h := parser.Header{Type: p.Type, Namespace: string(p.Namespace), ID: p.ID}
				e, err := parser.JSON.Encode(h, values(t, p)...)
				if err != nil {
					t.Fatal(err)
				}
				if len(p.Attachments) != len(e.Attachments) {
					t.Errorf("%d attachments, want %d", len(e.Attachments), len(p.Attachments))
				} else if len(e.Attachments) == 0 && p.Type != parser.ConnectError && string(e.Head) != string(m.data) {
					t.Errorf("encoded %s, want %s", e.Head, m.data)
				}
			}
		})
	}
	if packets < 40 {
		t.Errorf("%d packets in all the sessions", packets)
	}
}
