package parser_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/parser"
)

// Types without a []byte are written here too, where encoding/json has no rules of
// its own for them, and must come out as it writes them.

type node struct {
	N    int
	Next *node `json:",omitempty"`
}

type bytesless struct {
	Base
	other
	*Named2
	Role   role
	Quoted int64 `json:",string"`
	F32    float32
	F64    float64 `json:",omitempty"`
	Time   time.Time
	Zero   time.Time `json:",omitzero"`
	Raw    json.RawMessage
	Num    json.Number `json:",omitempty"`
	Ptr    **int
	Map    map[string][]int
	ByInt  map[int8]*node
	ByTime map[time.Month]bool `json:",omitempty"`
	List   []node
	Arr    [2]bool
	Nested struct{ A, B string }
}

type Named2 struct{ Deep *string }

// A throughPointer has a form of its own only where it has an address.
type throughPointer struct {
	N big.Int
	S string
}

func TestPlainTypesAgreeWithEncodingJSON(t *testing.T) {
	n, s := 7, "deep \u00e9\t\"<&>"
	p := &n
	long := &node{}
	for at, i := long, deep; i > 0; i-- {
		at.Next = &node{N: i}
		at = at.Next
	}
	full := bytesless{
		Base: Base{ID: 1, Shadow: "x", Twice: 2}, other: other{3, true, 4}, Named2: &Named2{&s},
		Role: "r<", Quoted: -9, F32: 0.1, F64: 1e-7, Time: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Raw: json.RawMessage(`{ "a" : 1 }`),
		Num: "1.50", Ptr: &p, Map: map[string][]int{"b": nil, "a": {1}}, ByInt: map[int8]*node{-1: {N: 1, Next: &node{}}, 10: nil},
		ByTime: map[time.Month]bool{3: true}, List: []node{{}, {N: 2}}, Nested: struct{ A, B string }{s, ""},
	}
	for i, v := range []any{
		bytesless{}, &bytesless{}, full, &full, []bytesless{full, {}}, map[string]bytesless{"k": full}, (*bytesless)(nil), []int(nil), [3]string{},
		map[role]int(nil), throughPointer{N: *big.NewInt(5)}, &throughPointer{N: *big.NewInt(5), S: s}, long,
		[]float64{1, 1e21, 1e-7, math.MaxFloat64}, [][]string{{s}, nil},
	} {
		head, _ := encodeEvent(t, v)
		if got, want := head[len(`2["e",`):len(head)-1], plainJSON(t, v); got != want {
			t.Errorf("%d, %T:\ngot  %.500s\nwant %.500s", i, v, got, want)
		}
	}
}

// deep is a length beyond which encoding/json looks for cycles.
const deep = 3000

func TestPlainTypesFailAsWithEncodingJSON(t *testing.T) {
	cycle := &node{}
	cycle.Next = cycle
	for _, v := range []any{
		cycle, struct{ C chan int }{}, struct{ M map[struct{}]int }{}, []float64{math.NaN()}, struct{ F float32 }{float32(math.Inf(1))},
	} {
		_, want := json.Marshal(v)
		_, got := parser.JSON.Encode(parser.Header{Type: parser.Event, ID: parser.NoID}, "e", v)
		if got == nil || want == nil {
			t.Fatalf("%T: got %v, want %v", v, got, want)
		}
		if wv, ok := errors.AsType[*json.UnsupportedValueError](want); ok {
			gv, ok := errors.AsType[*json.UnsupportedValueError](got)
			if !ok || gv.Str != wv.Str {
				t.Errorf("%T: got %v, want %v", v, got, want)
			}
		} else if got.Error() != want.Error() {
			t.Errorf("%T: got %v, want %v", v, got, want)
		}
	}
}

// EncodeTo is Encode in memory that is given.
func TestEncodeTo(t *testing.T) {
	to := parser.JSON.(interface {
		EncodeTo([]byte, parser.Header, ...any) (parser.Encoded, error)
	})
	buf := make([]byte, 0, 512)
	for _, namespace := range []string{"", "/", "/chat", "/\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
		for _, values := range [][]any{{"e"}, {"e", []byte{1}, "x"}, {"e", json.RawMessage("\"\xff\"")}, {"e", string(make([]byte, 2000))}} {
			h := parser.Header{Type: parser.Event, Namespace: namespace, ID: parser.MaxID}
			want, err := parser.JSON.Encode(h, values...)
			if err != nil {
				t.Fatal(err)
			}
			got, err := to.EncodeTo(buf, h, values...)
			if err != nil || string(got.Head) != string(want.Head) || len(got.Attachments) != len(want.Attachments) {
				t.Errorf("got %q, %v; want %q", got.Head, err, want.Head)
			}
		}
	}
	h := parser.Header{Type: parser.Ack, ID: 1}
	if n := testing.AllocsPerRun(100, func() { _, _ = to.EncodeTo(buf, h, "text", 12) }); n > 1 && !raceEnabled {
		t.Errorf("%v allocations; want none but of the values", n)
	}
}

// TestEveryPlaceOfAnEscape: strings are looked at 8 and 32 bytes at a time.
func TestEveryPlaceOfAnEscape(t *testing.T) {
	for length := range 80 {
		for at := range length {
			for _, c := range []string{`"`, `\`, "\x00", "\x1f", "\n", " ", "!", "\x7f", "é", "\u07ff", "😀"} {
				s := strings.Repeat("x", at) + c + strings.Repeat("y", length-at-1)
				head, _ := encodeEvent(t, s)
				var got string
				if err := json.Unmarshal([]byte(head[len(`2["e",`):len(head)-1]), &got); err != nil || got != s {
					t.Fatalf("%q was encoded as %s (%v)", s, head, err)
				}
				p, err := parser.JSON.Decode([]byte(head), false, nil)
				if err != nil {
					t.Fatal(err)
				}
				if err := parser.JSON.Unmarshal(p.Args[0], nil, &got); err != nil || got != s {
					t.Fatalf("%s was decoded as %q (%v)", head, got, err)
				}
				if c < " " { // as it is in JSON, a control character is an error
					if _, err := parser.JSON.Decode([]byte(`2["e","`+s+`"]`), false, nil); err == nil {
						t.Fatalf("%q passed", s)
					}
				}
			}
		}
	}
}
