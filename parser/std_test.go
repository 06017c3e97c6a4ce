package parser_test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/parser"
)

// Types that contain a []byte are written and read here, and by encoding/json
// otherwise. As long as the []byte is nil both must do the same.

type Base struct {
	ID      int `json:"id"`
	Shadow  string
	Twice   int
	private int
}

type other struct {
	Twice  int
	Seen   bool `json:"seen"`
	Tagged int  `json:"Clash"`
}

type third struct{ Clash int }

type role string

type rich struct {
	Base
	other
	third
	*Named    `json:",omitempty"`
	Shadow    float64
	Role      role                   `json:"role"`
	Odd       string                 `json:"<&>"`
	BadTag    int                    `json:"a\"b"`
	Dash      int                    `json:"-,"`
	Ignored   int                    `json:"-"`
	Quoted    int64                  `json:"quoted,string"`
	QuotedStr string                 `json:",string"`
	QuotedPtr *bool                  `json:"qp,string"`
	NotQuoted []int                  `json:",string"`
	F32       float32                `json:"f32"`
	F64       float64                `json:"f64,omitempty"`
	U         uint8                  `json:"u,omitempty"`
	Zero      time.Time              `json:"zero,omitzero"`
	Empty     time.Time              `json:"empty,omitempty"`
	Addr      netip.Addr             `json:"addr"`
	Num       json.Number            `json:"num,omitempty"`
	Raw       json.RawMessage        `json:"raw,omitempty"`
	Ptr       *int                   `json:"ptr"`
	PtrPtr    **string               `json:"pp,omitempty"`
	Map       map[string]int         `json:"map"`
	ByAddr    map[netip.Addr][]*rich `json:"by_addr,omitempty"`
	ByInt     map[int]*rich          `json:"by_int,omitempty"`
	List      []rich                 `json:"list,omitempty"`
	Arr       [2]string              `json:"arr"`
	Any       any                    `json:"any"`
	Data      []byte                 `json:"data,omitempty"`
}

func plainJSON(t testing.TB, v any) string {
	t.Helper()
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(buf.String(), "\n")
}

func riches() []rich {
	yes, n, s := true, 7, "pp"
	ps := &s
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))
	full := rich{
		Base: Base{ID: 1, Shadow: "hidden", Twice: 2}, other: other{3, true, 4}, third: third{5}, Named: &Named{},
		Shadow: 1.5, Role: "r<", Odd: "o", BadTag: 6, Dash: 7, Ignored: 8, Quoted: -9, QuotedStr: `a"b<`, QuotedPtr: &yes,
		NotQuoted: []int{1}, F32: 0.1, F64: 1e-7, U: 255, Zero: now, Empty: now, Addr: netip.MustParseAddr("::1"),
		Num: "1.50", Raw: json.RawMessage(`{"a":1}`), Ptr: &n, PtrPtr: &ps, Map: map[string]int{"b": 1, "a": 2},
		ByAddr: map[netip.Addr][]*rich{netip.MustParseAddr("1.2.3.4"): {nil, {}}}, ByInt: map[int]*rich{10: {}, 9: nil},
		List: []rich{{}, {U: 1}}, Arr: [2]string{"x", "\u00e9\t\x01"}, Any: map[string]any{"k": []any{1.5, nil, "s", role("x")}},
	}
	return []rich{{}, full, {Any: &full}, {Map: map[string]int{}, Raw: json.RawMessage("null"), Any: []any{full}}}
}

func TestAgreesWithEncodingJSON(t *testing.T) {
	for i, v := range riches() {
		for _, v := range []any{v, &v} {
			head, _ := encodeEvent(t, v)
			want := plainJSON(t, v)
			if got := head[len(`2["e",`) : len(head)-1]; got != want {
				t.Errorf("%d:\ngot  %s\nwant %s", i, got, want)
			}
			var got, std rich
			if err := json.Unmarshal([]byte(want), &std); err != nil {
				t.Fatal(err)
			}
			if err := parser.JSON.Unmarshal([]byte(want), nil, &got); err != nil || !reflect.DeepEqual(got, std) {
				t.Errorf("%d: decoded %+v, %v\nwant %+v", i, got, err, std)
			}
		}
	}
}

func TestDecodesIntoWhatIsThereAlready(t *testing.T) {
	raw := []byte(`{"id":5,"map":{"new":1},"ptr":9,"arr":["z"],"data":null,"SEEN":true,"Clash":3,"Named":{"B":null},"any":{"Shadow":4}}`)
	fill := func() *rich {
		v := riches()[1]
		v.Any = &rich{Odd: "kept"}
		return &v
	}
	got, want := fill(), fill()
	if err := json.Unmarshal(raw, want); err != nil {
		t.Fatal(err)
	}
	if err := parser.JSON.Unmarshal(raw, nil, got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %s\nwant %s", plainJSON(t, got), plainJSON(t, want))
	}
}

func TestEmbeddedPointerToUnexportedStruct(t *testing.T) {
	type T struct {
		*inner
		B []byte
	}
	raw := []byte(`{"deep":null}`)
	want := json.Unmarshal(raw, new(T))
	if got := parser.JSON.Unmarshal(raw, nil, new(T)); got == nil || want == nil || got.Error() != want.Error() {
		t.Errorf("got %v, want %v", got, want)
	}
}
