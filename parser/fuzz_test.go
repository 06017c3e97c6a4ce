package parser_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sockeye-go/socketio/parser"
)

// FuzzDecode: nothing panics, what is accepted is within the limits, and what
// has been decoded encodes to a packet that decodes to the same.
func FuzzDecode(f *testing.F) {
	v := readVectors(f)
	for _, c := range append(v.Decode, v.Encode...) {
		for _, m := range c.Messages {
			f.Add(m.data, m.binary)
		}
	}
	f.Add([]byte(`2["e",`+strings.Repeat("[", 600)+strings.Repeat("]", 600)+`]`), false)
	lim := &parser.Limits{MaxAttachments: 4, MaxArguments: 6, MaxDepth: 8, MaxEventName: 16, MaxNamespace: 16}
	f.Fuzz(func(t *testing.T, data []byte, isBinary bool) {
		p, err := parser.JSON.Decode(data, isBinary, lim)
		if err != nil {
			if _, ok := errors.AsType[*parser.Error](err); !ok {
				t.Fatalf("%T", err)
			}
			return
		}
		if p.Type > parser.ConnectError || p.ID < parser.NoID || p.ID > parser.MaxID ||
			p.Pending < 0 || p.Pending > 4 || len(p.Args) > 6 || len(p.Event) > 16 || len(p.Namespace) > 16 ||
			p.Namespace[0] != '/' || parser.IsReserved(string(p.Event)) || p.Event != nil && p.Type != parser.Event {
			t.Fatalf("%q: %+v", data, p)
		}
		for _, a := range p.Args {
			if !json.Valid(a) || depth(a) > 8 {
				t.Fatalf("%q: argument %s", data, a)
			}
		}
		if clone := p.Clone(); !same(p, clone) {
			t.Fatalf("clone of %+v: %+v", p, clone)
		}
		if p.Type == parser.Event && p.Event == nil {
			return // "2", which no encoder writes
		}
		var vs []any
		if p.Type == parser.Event {
			vs = append(vs, string(p.Event))
		}
		for _, a := range p.Args {
			vs = append(vs, json.RawMessage(a))
		}
		h := parser.Header{Type: p.Type, Namespace: string(p.Namespace), ID: p.ID}
		e, err := parser.JSON.Encode(h, vs...)
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		again, err := parser.JSON.Decode(e.Head, false, lim)
		pending := p.Pending
		p.Pending = 0 // raw arguments have no attachments
		if err != nil || !same(p, again) {
			t.Fatalf("%q: %+v\nencoded %q: %+v, %v", data, p, e.Head, again, err)
		}
		if pending == 0 {
			return
		}
		attachments := [][]byte{{0}, {1}, {2}, {3}}[:pending]
		for i, a := range p.Args {
			var v any
			if err := parser.JSON.Unmarshal(a, attachments, &v); errors.Is(err, parser.ErrIllegalAttachments) {
				t.Fatalf("%q: Decode has let an illegal placeholder pass", data)
			} else if err != nil {
				return // a number out of range
			}
			vs[len(vs)-len(p.Args)+i] = v
		}
		e, err = parser.JSON.Encode(h, vs...)
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		if got := values(t, reassemble(t, e)); !reflect.DeepEqual(got, vs) {
			t.Fatalf("%q: %q, want %q", data, got, vs)
		}
	})
}

func same(a, b parser.Packet) bool {
	return a.Type == b.Type && bytes.Equal(a.Namespace, b.Namespace) && a.ID == b.ID && a.Pending == b.Pending &&
		bytes.Equal(a.Event, b.Event) && (a.Event == nil) == (b.Event == nil) && bytes.Equal(bytes.Join(a.Args, []byte{0}), bytes.Join(b.Args, []byte{0})) && len(a.Args) == len(b.Args)
}

func depth(b []byte) int {
	deepest, now := 0, 0
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	for {
		tok, err := d.Token()
		if err != nil {
			return deepest
		}
		switch tok {
		case json.Delim('['), json.Delim('{'):
			now++
			deepest = max(deepest, now)
		case json.Delim(']'), json.Delim('}'):
			now--
		}
	}
}

func reassemble(t testing.TB, e parser.Encoded) parser.Packet {
	t.Helper()
	lim := &parser.Limits{MaxAttachments: math.MaxInt32, MaxDepth: 2000, MaxArguments: math.MaxInt32, MaxEventName: math.MaxInt32}
	var r parser.Reassembler
	p, ok, err := r.Add(parser.JSON, e.Head, e.HeadBinary, lim)
	for _, a := range e.Attachments {
		if ok || err != nil {
			break
		}
		p, ok, err = r.Add(parser.JSON, a, true, lim)
	}
	if !ok || err != nil {
		t.Errorf("%q: complete %v, %v", e.Head, ok, err)
	}
	return p
}

// source makes values out of fuzz input.
type source struct {
	b []byte
}

func (s *source) byte() byte {
	if len(s.b) == 0 {
		return 0
	}
	c := s.b[0]
	s.b = s.b[1:]
	return c
}

func (s *source) take(n int) []byte {
	n = min(n, len(s.b))
	out := s.b[:n:n]
	s.b = s.b[n:]
	return out
}

var trickyStrings = []string{"_placeholder", "num", `{"_placeholder":true,"num":0}`, `\u005fplaceholder`, "$binary", "", "\u2028", "<&>", `"`, `\`, "\x00"}

func (s *source) text() string {
	if c := s.byte(); c < 128 {
		return trickyStrings[int(c)%len(trickyStrings)]
	}
	return strings.ToValidUTF8(string(s.take(int(s.byte())%16)), "\uFFFD")
}

func (s *source) value(depth int) any {
	kind := s.byte() % 8
	if depth > 20 {
		kind %= 6
	}
	switch kind {
	case 0:
		return nil
	case 1:
		return s.byte()%2 == 0
	case 2:
		var b [8]byte
		copy(b[:], s.take(8))
		if f := math.Float64frombits(binary.LittleEndian.Uint64(b[:])); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
		return 0.5
	case 3:
		return float64(int8(s.byte()))
	case 4:
		return s.text()
	case 5:
		return append([]byte{}, s.take(int(s.byte())%16)...)
	case 6:
		list := make([]any, 0, 4)
		for range s.byte() % 6 {
			list = append(list, s.value(depth+1))
		}
		return list
	}
	m := map[string]any{}
	for range s.byte() % 6 {
		m[s.text()] = s.value(depth + 1)
	}
	if m["_placeholder"] == true {
		delete(m, "_placeholder") // that one no Socket.IO peer can send beside attachments
	}
	return m
}

// binaries counts the attachments in a value.
func binaries(v any) (n int) {
	switch v := v.(type) {
	case []byte:
		return 1
	case []any:
		for _, x := range v {
			n += binaries(x)
		}
	case map[string]any:
		for _, x := range v {
			n += binaries(x)
		}
	}
	return n
}

// FuzzEncodeDecode: values with binary data anywhere arrive as they were, by
// way of an interface and of a struct.
func FuzzEncodeDecode(f *testing.F) {
	f.Add([]byte{7, 3, 0, 5, 3, 'a', 'b', 'c', 6, 2, 5, 0, 4, 0})
	f.Add([]byte{6, 5, 5, 1, 1, 5, 1, 2, 5, 1, 3, 5, 1, 4, 5, 1, 5})
	f.Add([]byte{7, 2, 0, 4, 2, 1, 3, 9})
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\xf0?\x04\xff\x05hello"))
	type carrier struct {
		Any  any            `json:"any"`
		Data []byte         `json:"data"`
		Map  map[string]any `json:"map"`
		List []any          `json:"list,omitempty"`
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &source{b: b}
		name := "e" + s.text()
		v := s.value(0)
		inV := binaries(v)
		c := carrier{Any: v, Map: map[string]any{"v": v}}
		attachments := 3 * inV
		if inV > 0 {
			c.Data = b
			c.List = []any{v}
			attachments += 1 + inV
		}
		h := parser.Header{Type: parser.Event, Namespace: "/n", ID: int64(s.byte())}
		e, err := parser.JSON.Encode(h, name, v, &c)
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(e.Head) || len(e.Attachments) != attachments {
			t.Fatalf("%q with %d attachments, want %d", e.Head, len(e.Attachments), attachments)
		}
		if want := strconv.Itoa(len(e.Attachments)); len(e.Attachments) > 0 && !strings.HasPrefix(string(e.Head), "5"+want+"-/n,") {
			t.Fatalf("%q", e.Head)
		}
		p := reassemble(t, e)
		if string(p.Event) != name || p.ID != h.ID || len(p.Args) != 2 {
			t.Fatalf("%q: %+v", e.Head, p)
		}
		var got any
		if err := parser.JSON.Unmarshal(p.Args[0], p.Attachments, &got); err != nil || !reflect.DeepEqual(got, v) {
			t.Fatalf("%q: %#v, %v; want %#v", e.Head, got, err, v)
		}
		var gotC carrier
		if err := parser.JSON.Unmarshal(p.Args[1], p.Attachments, &gotC); err != nil || !reflect.DeepEqual(gotC, c) {
			t.Fatalf("%q: %#v, %v; want %#v", e.Head, gotC, err, c)
		}
	})
}

// FuzzUnmarshal: nothing panics on any input, and beside binary data a type is
// read as encoding/json reads it.
func FuzzUnmarshal(f *testing.F) {
	for _, s := range []string{
		`{"A":1,"b":"x","C":[1,2],"d":{"k":1.5},"e":{"A":2},"F":null,"g":[],"H":"3","bytes":null}`, `{"A":"x"}`, `[]`, `null`, `"s"`, `{}`,
		ph0, `{"bytes":` + ph0 + `}`, `{"F":[` + ph1 + `,{"x":` + ph0 + `}]}`, `{"_placeholder":true}`, `{"_placeholder":true,"num":1e400}`, `{"F":1e400}`, `{"F":"\ud800"}`, "{\"F\":\"\xff\"}", `{"H":3}`, `{"e":{"e":{"e":null}}}`,
	} {
		f.Add([]byte(s), uint8(0))
		f.Add([]byte(s), uint8(2))
	}
	type without struct {
		A int
		B string
		C [3]int
		D map[string]float64
		E *without
		F any
		G []int
		H int `json:",string"`
	}
	type with struct {
		A     int
		B     string
		C     [3]int
		D     map[string]float64
		E     *without
		F     any
		G     []int
		H     int `json:",string"`
		Bytes []byte
	}
	f.Fuzz(func(t *testing.T, raw []byte, n uint8) {
		attachments := make([][]byte, n%4)
		for i := range attachments {
			attachments[i] = []byte{byte(i)}
		}
		for _, into := range []any{new(any), new([]byte), new(string), new(int), new(map[string]any), new([]any), new([][]byte), new(map[int][]byte), new(with), new(without), new(struct{ A, B *[]byte })} {
			if err := parser.JSON.Unmarshal(raw, attachments, into); err == nil && !json.Valid(raw) {
				t.Fatalf("%T accepts %q", into, raw)
			}
		}
		lower := strings.ToLower(string(raw))
		if strings.Contains(lower, "bytes") || strings.Contains(lower, `\u`) || strings.Contains(lower, "_placeholder") || strings.Contains(lower, "ſ") {
			return
		}
		var a with
		var b without
		errA, errB := parser.JSON.Unmarshal(raw, attachments, &a), json.Unmarshal(raw, &b)
		if (errA == nil) != (errB == nil) {
			t.Fatalf("%q: %v; encoding/json: %v", raw, errA, errB)
		}
		if got := (without{a.A, a.B, a.C, a.D, a.E, a.F, a.G, a.H}); errA == nil && !reflect.DeepEqual(got, b) {
			t.Fatalf("%q: %+v; encoding/json: %+v", raw, got, b)
		}
	})
}
