package msgpack_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	wire "github.com/sockeye-go/socketio/internal/msgpack"
	"github.com/sockeye-go/socketio/parser"
	"github.com/sockeye-go/socketio/parser/msgpack"
)

// A vector is a case of msgpack.json, which socket.io-msgpack-parser has written.
type vector struct {
	Name    string
	Message []byte
	Packet  *struct {
		Type int
		Nsp  string
		ID   any
		Data any
	}
	Error string
}

func vectors(t testing.TB) (v struct{ Encode, Decode []vector }) {
	t.Helper()
	b, err := os.ReadFile("../../testdata/vectors/msgpack.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Encode) < 20 || len(v.Decode) < 20 {
		t.Fatal("vectors are missing")
	}
	return v
}

// revive makes the values of a vector. exact reports whether Go has the value too,
// and would write the same bytes.
func revive(v any) (out any, exact bool) {
	exact = true
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			var ok bool
			list[i], ok = revive(v[i])
			exact = exact && ok
		}
		return list, exact
	case map[string]any:
		if ms, ok := v["$date"]; ok {
			return time.UnixMilli(int64(ms.(float64))).UTC(), true
		}
		if n, ok := v["$number"]; ok {
			f, _ := strconv.ParseFloat(n.(string), 64)
			return f, true
		}
		if b, ok := v["$binary"]; ok {
			raw, _ := base64.StdEncoding.DecodeString(b.(string))
			return raw, true
		}
		if b, ok := v["$buffer"]; ok { // an ArrayBuffer
			raw, _ := base64.StdEncoding.DecodeString(b.(string))
			return raw, false
		}
		if _, ok := v["$undefined"]; ok {
			return nil, false
		}
		m := map[string]any{}
		for k, x := range v {
			y, ok := revive(x)
			exact = exact && ok
			if o, is := x.(map[string]any); is && o["$undefined"] != nil {
				continue
			}
			m[k] = y
		}
		return m, exact
	}
	return v, true
}

func values(t testing.TB, p parser.Packet) []any {
	t.Helper()
	out := make([]any, len(p.Args))
	for i, a := range p.Args {
		if err := msgpack.Parser.Unmarshal(a, p.Attachments, &out[i]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestVectors: what the original writes is read as it means it, and written with
// the same bytes.
func TestVectors(t *testing.T) {
	compared := 0
	for _, c := range vectors(t).Encode {
		t.Run(c.Name, func(t *testing.T) {
			p, err := msgpack.Parser.Decode(c.Message, true, nil)
			if err != nil {
				t.Fatal(err)
			}
			id := parser.NoID
			if f, ok := c.Packet.ID.(float64); ok {
				id = int64(f)
			}
			if int(p.Type) != c.Packet.Type || string(p.Namespace) != c.Packet.Nsp || p.ID != id || p.Pending != 0 {
				t.Errorf("got %+v; want %+v", p, c.Packet)
			}
			want, exact := revive(c.Packet.Data)
			list, _ := want.([]any)
			if c.Packet.Type == int(parser.Event) {
				if name, ok := list[0].(string); ok && string(p.Event) != name {
					t.Errorf("event %q; want %q", p.Event, name)
				}
				list = list[1:]
			} else if list == nil && want != nil {
				list = []any{want}
			}
			got := values(t, p)
			if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", list) && len(list)+len(got) > 0 { // NaN is NaN there
				t.Errorf("got %#v\nwant %#v", got, list)
			}
			if !exact {
				return
			}
			for i, a := range p.Args {
				b, err := wire.Append(nil, got[i])
				if err != nil || !bytes.Equal(b, a) {
					t.Errorf("argument %d: %x, %v; want %x", i, b, err, a)
				}
				compared++
			}
		})
	}
	if compared < 50 {
		t.Errorf("only %d arguments were compared", compared)
	}
}

func TestDecodeVectors(t *testing.T) {
	for _, c := range vectors(t).Decode {
		t.Run(c.Name, func(t *testing.T) {
			_, err := msgpack.Parser.Decode(c.Message, true, nil)
			if c.Error == "" {
				if err != nil {
					t.Fatalf("error %v; want none", err)
				}
				return
			}
			want := c.Error
			if want == "Could not parse" || strings.HasSuffix(want, "trailing bytes") {
				want = msgpack.ErrMalformed.Message
			}
			if _, ok := errors.AsType[*parser.Error](err); !ok || err.Error() != want {
				t.Errorf("error %v; want %q", err, want)
			}
		})
	}
}

// decode is Decode of a packet made of members in order.
func decode(t *testing.T, lim *parser.Limits, members ...any) (parser.Packet, error) {
	t.Helper()
	b := wire.AppendMap(nil, len(members)/2)
	for _, m := range members {
		var err error
		if b, err = wire.Append(b, m); err != nil {
			t.Fatal(err)
		}
	}
	return msgpack.Parser.Decode(b, true, lim)
}

func TestDecodeDiffers(t *testing.T) {
	nested := any(1)
	for range 6 {
		nested = []any{nested}
	}
	lim := &parser.Limits{MaxArguments: 2, MaxDepth: 6, MaxEventName: 4, MaxNamespace: 4}
	for _, c := range []struct {
		name    string
		members []any
		err     error
	}{
		{"null is no auth", []any{"type", 0, "nsp", "/", "data", nil}, nil},
		{"null is no payload", []any{"type", 1, "nsp", "/", "data", nil}, nil},
		{"null is no id", []any{"type", 2, "nsp", "/", "data", []any{"e"}, "id", nil}, nil},
		{"other members", []any{"type", 2, "options", map[string]any{"compress": true}, "nsp", "/", "data", []any{"e"}, 1, 2}, nil},
		{"negative id", []any{"type", 2, "nsp", "/", "data", []any{"e"}, "id", -1}, parser.ErrInvalidID},
		{"id beyond 2^53", []any{"type", 2, "nsp", "/", "data", []any{"e"}, "id", 1 << 53}, parser.ErrInvalidID},
		{"namespace without a slash", []any{"type", 0, "nsp", "chat"}, msgpack.ErrInvalidNamespace},
		{"no namespace", []any{"type", 0, "nsp", ""}, msgpack.ErrInvalidNamespace},
		{"long namespace", []any{"type", 0, "nsp", "/1234"}, parser.ErrNamespaceTooLong},
		{"reserved name", []any{"type", 2, "nsp", "/", "data", []any{"disconnect"}}, parser.ErrInvalidPayload},
		{"event without a name", []any{"type", 2, "nsp", "/", "data", []any{}}, parser.ErrInvalidPayload},
		{"event named by an object", []any{"type", 2, "nsp", "/", "data", []any{map[string]any{}}}, parser.ErrInvalidPayload},
		{"long name", []any{"type", 2, "nsp", "/", "data", []any{"12345"}}, parser.ErrEventNameTooLong},
		{"as many arguments as allowed", []any{"type", 2, "nsp", "/", "data", []any{"e", 1, 2}}, nil},
		{"too many arguments", []any{"type", 2, "nsp", "/", "data", []any{"e", 1, 2, 3}}, parser.ErrTooManyArguments},
		{"too many arguments of an ack", []any{"type", 3, "nsp", "/", "id", 1, "data", []any{1, 2, 3}}, parser.ErrTooManyArguments},
		{"as deep as allowed", []any{"type", 2, "nsp", "/", "data", []any{"e", nested.([]any)[0]}}, nil},
		{"too deep", []any{"type", 2, "nsp", "/", "data", []any{"e", nested}}, parser.ErrTooDeep},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := decode(t, lim, c.members...); !errors.Is(err, c.err) {
				t.Errorf("error %v; want %v", err, c.err)
			}
		})
	}
	if _, err := msgpack.Parser.Decode([]byte("2[]"), false, nil); !errors.Is(err, msgpack.ErrText) {
		t.Errorf("text: %v", err)
	}
}

func TestEncode(t *testing.T) {
	h := parser.Header{Type: parser.Event, Namespace: "/chat", ID: 7}
	body := []byte{1, 2, 3}
	e, err := msgpack.Parser.Encode(h, "photo", map[string]any{"body": body})
	if err != nil || !e.HeadBinary || e.Attachments != nil {
		t.Fatalf("%+v, %v", e, err)
	}
	body[0] = 9 // the head has a copy
	p, err := msgpack.Parser.Decode(e.Head, true, nil)
	if err != nil || p.Type != parser.Event || string(p.Event) != "photo" || string(p.Namespace) != "/chat" || p.ID != 7 {
		t.Fatalf("%+v, %v", p, err)
	}
	if got := values(t, p); !reflect.DeepEqual(got, []any{map[string]any{"body": []byte{1, 2, 3}}}) {
		t.Errorf("%#v", got)
	}
}

func TestEncodeRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		h      parser.Header
		values []any
	}{
		{"namespace", parser.Header{Type: parser.Event, Namespace: "chat"}, []any{"e"}},
		{"no name", parser.Header{Type: parser.Event}, nil},
		{"reserved name", parser.Header{Type: parser.Event}, []any{"connect"}},
		{"name of another type", parser.Header{Type: parser.Event}, []any{1.5}},
		{"connect with a list", parser.Header{Type: parser.Connect}, []any{[]int{1}}},
		{"connect with text", parser.Header{Type: parser.Connect}, []any{"x"}},
		{"disconnect with a value", parser.Header{Type: parser.Disconnect}, []any{1}},
		{"type", parser.Header{Type: 9}, nil},
		{"value", parser.Header{Type: parser.Ack}, []any{make(chan int)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if e, err := msgpack.Parser.Encode(c.h, c.values...); err == nil {
				t.Errorf("%x; want an error", e.Head)
			}
		})
	}
}

// FuzzDecode: nothing panics, what is accepted is within the limits, and its
// arguments decode, and encode to a packet that decodes to the same.
func FuzzDecode(f *testing.F) {
	v := vectors(f)
	for _, c := range append(v.Encode, v.Decode...) {
		f.Add(c.Message)
	}
	lim := &parser.Limits{MaxArguments: 6, MaxDepth: 8, MaxEventName: 16, MaxNamespace: 16}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := msgpack.Parser.Decode(data, true, lim)
		if err != nil {
			if _, ok := errors.AsType[*parser.Error](err); !ok {
				t.Fatalf("%T", err)
			}
			return
		}
		if p.Type > parser.ConnectError || p.ID < parser.NoID || p.ID > parser.MaxID || p.Pending != 0 ||
			len(p.Args) > 6 || p.Namespace[0] != '/' || parser.IsReserved(string(p.Event)) || p.Event != nil && p.Type != parser.Event {
			t.Fatalf("%x: %+v", data, p)
		}
		got := values(t, p)
		if p.Type == parser.Event {
			got = append([]any{string(p.Event)}, got...)
		}
		e, err := msgpack.Parser.Encode(parser.Header{Type: p.Type, Namespace: string(p.Namespace), ID: p.ID}, got...)
		if err != nil {
			t.Fatalf("%x: %#v: %v", data, got, err)
		}
		again, err := msgpack.Parser.Decode(e.Head, true, nil)
		if err != nil || again.Type != p.Type || again.ID != p.ID || !bytes.Equal(again.Namespace, p.Namespace) ||
			!bytes.Equal(again.Event, p.Event) || len(again.Args) != len(p.Args) {
			t.Fatalf("%x: %+v\nthen  %+v, %v", data, p, again, err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	type said struct {
		From string `json:"from"`
		Text string `json:"text"`
		At   int64  `json:"at"`
	}
	v := said{"ann", strings.Repeat("hello ", 10), 1700000000123}
	for name, p := range map[string]parser.Parser{"json": parser.JSON, "msgpack": msgpack.Parser} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Encode(parser.Header{Type: parser.Event, ID: parser.NoID}, "chat message", v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	type said struct {
		From string `json:"from"`
		Text string `json:"text"`
		At   int64  `json:"at"`
	}
	v := said{"ann", strings.Repeat("hello ", 10), 1700000000123}
	for name, p := range map[string]parser.Parser{"json": parser.JSON, "msgpack": msgpack.Parser} {
		e, err := p.Encode(parser.Header{Type: parser.Event, ID: parser.NoID}, "chat message", v)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				packet, err := p.Decode(e.Head, e.HeadBinary, nil)
				if err != nil {
					b.Fatal(err)
				}
				var v said
				if err := p.Unmarshal(packet.Args[0], nil, &v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
