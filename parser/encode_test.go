package parser_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/parser"
)

func encodeEvent(t testing.TB, values ...any) (string, [][]byte) {
	t.Helper()
	e, err := parser.JSON.Encode(parser.Header{Type: parser.Event, ID: parser.NoID}, append([]any{"e"}, values...)...)
	if err != nil {
		t.Fatal(err)
	}
	return string(e.Head), e.Attachments
}

type blob []byte

type ownJSON struct{ B []byte }

func (o ownJSON) MarshalJSON() ([]byte, error) { return []byte(`"own <` + string(o.B) + `>"`), nil }

type ownText struct{ B []byte }

func (o ownText) MarshalText() ([]byte, error) { return append([]byte("text "), o.B...), nil }

type ownPointer struct{ B []byte }

func (o *ownPointer) MarshalJSON() ([]byte, error) { return []byte(`"pointer"`), nil }

type inner struct {
	Deep blob `json:"deep"`
}

type outer struct {
	inner
	*Named  `json:"named,omitempty"`
	Name    string            `json:"name"`
	Data    []byte            `json:"data,omitempty"`
	ByName  map[string][]byte `json:"by_name,omitempty"`
	ByID    map[int]blob      `json:"by_id,omitempty"`
	List    [][]byte          `json:"list,omitempty"`
	Pair    [2]blob           `json:"pair"`
	Any     any               `json:"any,omitempty"`
	Pointer *[]byte           `json:"pointer,omitempty"`
	Next    *outer            `json:"next,omitempty"`
	Skipped []byte            `json:"-"`
	hidden  []byte
}

type Named struct{ B []byte }

func TestBinaryAnywhere(t *testing.T) {
	one := []byte{1}
	ph := func(n string) string { return `{"_placeholder":true,"num":` + n + `}` }
	for _, c := range []struct {
		name  string
		value any
		want  string
		n     int
	}{
		{"bytes", one, ph("0"), 1},
		{"named bytes", blob(one), ph("0"), 1},
		{"pointer to bytes", &one, ph("0"), 1},
		{"empty bytes", []byte{}, ph("0"), 1},
		{"nil bytes", []byte(nil), "null", 0},
		{"nil named bytes", blob(nil), "null", 0},
		{"list of bytes", [][]byte{one, nil, one}, `[` + ph("0") + `,null,` + ph("1") + `]`, 2},
		{"map of bytes", map[string][]byte{"b": one, "a": one}, `{"a":` + ph("0") + `,"b":` + ph("1") + `}`, 2},
		{"map with integers for keys", map[int]blob{10: one, 9: nil}, `{"10":` + ph("0") + `,"9":null}`, 1},
		{"interface", []any{1, "s", one, []any{one}, nil}, `[1,"s",` + ph("0") + `,[` + ph("1") + `],null]`, 2},
		{"interface in a map", map[string]any{"x": map[string]any{"y": one}}, `{"x":{"y":` + ph("0") + `}}`, 1},
		{"interface with a struct in it", map[string]any{"x": inner{one}}, `{"x":{"deep":` + ph("0") + `}}`, 1},
		{"array of bytes is numbers", [2]byte{1, 2}, `[1,2]`, 0},
		{"struct", outer{inner: inner{one}, Name: "<n>", hidden: one, Skipped: one}, `{"deep":` + ph("0") + `,"name":"<n>","pair":[null,null]}`, 1},
		{"struct with all", &outer{
			Named: &Named{one}, Data: one, ByName: map[string][]byte{"k": one}, List: [][]byte{one}, Pair: [2]blob{one, one},
			Any: &one, Pointer: &one, Next: &outer{Data: one},
		}, `{"deep":null,"named":{"B":` + ph("0") + `},"name":"","data":` + ph("1") + `,"by_name":{"k":` + ph("2") + `},"list":[` + ph("3") +
			`],"pair":[` + ph("4") + `,` + ph("5") + `],"any":` + ph("6") + `,"pointer":` + ph("7") +
			`,"next":{"deep":null,"name":"","data":` + ph("8") + `,"pair":[null,null]}}`, 9},
		{"own JSON", ownJSON{one[:0]}, `"own <>"`, 0},
		{"own text", []any{ownText{[]byte("x")}}, `["text x"]`, 0},
		{"own JSON by pointer", ownPointer{one}, `"pointer"`, 0},
		{"own JSON by pointer, in a map", map[string]ownPointer{"a": {one}}, `{"a":"pointer"}`, 0},
		{"own JSON beside bytes", struct {
			A ownJSON
			B []byte
			C ownPointer
			D *ownPointer
			T time.Time
		}{B: one, T: time.Unix(0, 0).UTC()}, `{"A":"own <>","B":` + ph("0") + `,"C":"pointer","D":null,"T":"1970-01-01T00:00:00Z"}`, 1},
		{"raw JSON", json.RawMessage(" {\"a\" : \"<\"}\n"), `{"a" : "<"}`, 0},
		{"nil raw JSON", json.RawMessage(nil), `null`, 0},
		{"raw JSON in a struct with bytes", struct {
			R json.RawMessage
			B []byte
		}{json.RawMessage(`{"x":[1]}`), one}, `{"R":{"x":[1]},"B":` + ph("0") + `}`, 1},
		{"a string like a placeholder", map[string]any{"a": `{"_placeholder":true,"num":0}`, "b": one}, `{"a":"{\"_placeholder\":true,\"num\":0}","b":` + ph("0") + `}`, 1},
		{"typed nil", (*outer)(nil), `null`, 0},
		{"an error", []any{errors.New("x")}, `[{}]`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			head, attachments := encodeEvent(t, c.value)
			prefix := "2"
			if c.n > 0 {
				prefix = "5" + string(rune('0'+c.n)) + "-"
			}
			if want := prefix + `["e",` + c.want + `]`; head != want {
				t.Errorf("got  %s\nwant %s", head, want)
			}
			if len(attachments) != c.n {
				t.Errorf("%d attachments, want %d", len(attachments), c.n)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	cycle := map[string]any{}
	cycle["self"] = cycle
	type ring struct {
		Next *ring
		B    []byte
	}
	round := &ring{}
	round.Next = round
	list := []any{nil}
	list[0] = list
	event := func(values ...any) (parser.Header, []any) {
		return parser.Header{Type: parser.Event, ID: parser.NoID}, values
	}
	connect := func(kind parser.Type, values ...any) (parser.Header, []any) {
		return parser.Header{Type: kind, ID: parser.NoID}, values
	}
	for name, f := range map[string]func() (parser.Header, []any){
		"NaN":             func() (parser.Header, []any) { return event("e", math.NaN()) },
		"infinity inside": func() (parser.Header, []any) { return event("e", map[string]any{"a": math.Inf(-1)}) },
		"NaN beside bytes": func() (parser.Header, []any) {
			return event("e", struct {
				F float32
				B []byte
			}{float32(math.NaN()), nil})
		},
		"channel":               func() (parser.Header, []any) { return event("e", make(chan int)) },
		"function inside":       func() (parser.Header, []any) { return event("e", []any{func() {}}) },
		"bad raw JSON":          func() (parser.Header, []any) { return event("e", json.RawMessage(`{"a":`)) },
		"raw JSON and more":     func() (parser.Header, []any) { return event("e", json.RawMessage(`1],["x"`)) },
		"empty raw JSON":        func() (parser.Header, []any) { return event("e", json.RawMessage{}) },
		"map cycle":             func() (parser.Header, []any) { return event("e", cycle) },
		"list cycle":            func() (parser.Header, []any) { return event("e", list) },
		"pointer cycle":         func() (parser.Header, []any) { return event("e", round) },
		"no name":               func() (parser.Header, []any) { return event() },
		"name of another type":  func() (parser.Header, []any) { return event(1.5) },
		"nil name":              func() (parser.Header, []any) { return event(nil) },
		"reserved name":         func() (parser.Header, []any) { return event("connect") },
		"connect with a list":   func() (parser.Header, []any) { return connect(parser.Connect, []int{1}) },
		"connect with a string": func() (parser.Header, []any) { return connect(parser.Connect, "x") },
		"connect with bytes":    func() (parser.Header, []any) { return connect(parser.Connect, map[string]any{"a": []byte("x")}) },
		"connect with two":      func() (parser.Header, []any) { return connect(parser.Connect, map[string]any{}, map[string]any{}) },
		"connect error, number": func() (parser.Header, []any) { return connect(parser.ConnectError, 1) },
		"disconnect with one":   func() (parser.Header, []any) { return connect(parser.Disconnect, 1) },
		"unknown type":          func() (parser.Header, []any) { return connect(9) },
		"namespace, no slash":   func() (parser.Header, []any) { return parser.Header{Namespace: "chat"}, nil },
		"namespace with comma":  func() (parser.Header, []any) { return parser.Header{Namespace: "/a,b"}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			h, values := f()
			if e, err := parser.JSON.Encode(h, values...); err == nil {
				t.Errorf("got %s", e.Head)
			}
			// The room it was built in must be clean for the next.
			if head, attachments := encodeEvent(t, 1); head != `2["e",1]` || attachments != nil {
				t.Errorf("afterwards: %s, %q", head, attachments)
			}
		})
	}
	_, err := parser.JSON.Encode(parser.Header{Type: parser.Event}, "connect")
	if err == nil || err.Error() != `"connect" is a reserved event name` {
		t.Errorf("got %v", err)
	}
	_, err = parser.JSON.Encode(parser.Header{Type: parser.Event}, "e", math.NaN())
	if _, ok := errors.AsType[*json.UnsupportedValueError](err); !ok {
		t.Errorf("got %T", err)
	}
}

func TestEncodedTextIsValidUTF8(t *testing.T) {
	head, _ := encodeEvent(t, "a\xff", json.RawMessage("\"\xc0\""), map[string]any{"k\xff": "\xed\xa0\x80"}, struct{ S string }{"\x80"})
	if want := "2[\"e\",\"a\uFFFD\",\"\uFFFD\",{\"k\uFFFD\":\"\uFFFD\uFFFD\uFFFD\"},{\"S\":\"\uFFFD\"}]"; head != want {
		t.Errorf("got  %q\nwant %q", head, want)
	}
}

func TestEncodeAllocatesOnlyTheHead(t *testing.T) {
	h := parser.Header{Type: parser.Event, Namespace: "/chat", ID: 12}
	values := []any{"message", "hello", 12, true, nil, 1.5, json.RawMessage(`{"a":1}`), map[string]any{"b": []any{1, "x"}, "a": "y"}, []string{"a"}}
	encode := func() {
		if _, err := parser.JSON.Encode(h, values...); err != nil {
			t.Fatal(err)
		}
	}
	if got := testing.AllocsPerRun(200, encode); got > 1 && !raceEnabled {
		t.Errorf("%v allocations", got)
	}
}

func TestLargeValues(t *testing.T) {
	text := strings.Repeat("é\n", 1<<20)
	head, _ := encodeEvent(t, text, []byte(text))
	var r parser.Reassembler
	p, ok, err := add(&r, []message{{data: []byte(head)}, {[]byte(text), true}}, nil)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	var s string
	if err := parser.JSON.Unmarshal(p.Args[0], p.Attachments, &s); err != nil || s != text {
		t.Error(err, len(s))
	}
}

// TestCheck: what every parser refuses to encode, those that users bring too.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name   string
		h      parser.Header
		values []any
		ok     bool
	}{
		{"CONNECT", parser.Header{Type: parser.Connect}, nil, true},
		{"CONNECT with auth", parser.Header{Type: parser.Connect, Namespace: "/n"}, []any{map[string]any{}}, true},
		{"CONNECT with two", parser.Header{Type: parser.Connect}, []any{1, 2}, false},
		{"DISCONNECT", parser.Header{Type: parser.Disconnect}, nil, true},
		{"DISCONNECT with data", parser.Header{Type: parser.Disconnect}, []any{1}, false},
		{"EVENT", parser.Header{Type: parser.Event}, []any{"e", 1, 2}, true},
		{"EVENT without a name", parser.Header{Type: parser.Event}, nil, false},
		{"ACK", parser.Header{Type: parser.Ack}, nil, true},
		{"ACK of many", parser.Header{Type: parser.Ack}, []any{1, 2, 3}, true},
		{"CONNECT_ERROR", parser.Header{Type: parser.ConnectError}, []any{"no"}, true},
		{"CONNECT_ERROR of two", parser.Header{Type: parser.ConnectError}, []any{"no", 1}, false},
		{"unknown type", parser.Header{Type: 7}, nil, false},
		{"namespace without a slash", parser.Header{Type: parser.Event, Namespace: "n"}, []any{"e"}, false},
	} {
		if err := c.h.Check(c.values); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := parser.JSON.Encode(c.h, c.values...); (err == nil) != c.ok {
			t.Errorf("%s: encoding it: %v", c.name, err)
		}
	}
}
