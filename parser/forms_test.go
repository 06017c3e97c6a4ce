package parser_test

import (
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/parser"
)

// Event names that are numbers which JavaScript writes in its own way.
func TestNumbersAsNames(t *testing.T) {
	for raw, want := range map[string]string{
		`0`: "0", `-0`: "0", `1.0`: "1", `1e400`: "Infinity", `-1e400`: "-Infinity", `1e-400`: "0",
		`123456789012345678901234567890`: "1.2345678901234568e+29", `0.1e1`: "1", `-1.50`: "-1.5",
	} {
		p, err := parser.JSON.Decode([]byte(`2[`+raw+`]`), false, nil)
		if err != nil || string(p.Event) != want {
			t.Errorf("%s: %q, %v; want %q", raw, p.Event, err, want)
		}
	}
}

type label string

type level int

func (l level) MarshalText() ([]byte, error) {
	if l < 0 {
		return nil, errors.New("no such level")
	}
	return []byte{'L', '0' + byte(l)}, nil
}

func TestEncodeForms(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{int32(-3), `-3`},
		{int64(math.MinInt64), `-9223372036854775808`},
		{uint64(math.MaxUint64), `18446744073709551615`},
		{int8(5), `5`},
		{uint16(6), `6`},
		{float32(0.1), `0.1`},
		{1e-9, `1e-9`},
		{label("<"), `"<"`},
		{true, `true`},
		{[]any(nil), `null`},
		{[]any{}, `[]`},
		{map[string]any(nil), `null`},
		{map[string]any{}, `{}`},
		{[]string(nil), `null`},
		{[]string{"a", "b"}, `["a","b"]`},
		{[]int{1}, `[1]`},
		{[][]byte(nil), `null`},
		{map[string][]byte(nil), `null`},
		{(*[]byte)(nil), `null`},
		{map[level][]byte{2: nil, 1: nil}, `{"L1":null,"L2":null}`},
		{map[uint8][]byte{200: nil}, `{"200":null}`},
		{map[*netip.Addr][]byte{nil: nil}, `{"":null}`},
		{map[label]any{"x": error(nil)}, `{"x":null}`},
		{json.Number("1.50"), `1.50`},
		{map[string]any{"n": json.Number("10")}, `{"n":10}`},
		{struct {
			A any        `json:",omitzero"`
			B *time.Time `json:",omitzero"`
			C blob       `json:",omitzero"`
			D [0]blob    `json:",omitempty"`
			E *[]byte    `json:",omitempty"`
			F any        `json:",omitempty"`
			G time.Time  `json:",omitzero"`
			H inner      `json:",omitempty"`
		}{}, `{"H":{"deep":null}}`},
	} {
		if head, _ := encodeEvent(t, c.value); head != `2["e",`+c.want+`]` {
			t.Errorf("%T: got %s, want %s", c.value, head, c.want)
		}
	}
}

func TestEncodeNames(t *testing.T) {
	for _, c := range []struct {
		name any
		want string
	}{
		{"plain", `2["plain"]`}, {label("named"), `2["named"]`}, {7, `2[7]`}, {level(3), `2[3]`}, {"", `2[""]`}, {"\x00", `2["\u0000"]`},
	} {
		e, err := parser.JSON.Encode(parser.Header{Type: parser.BinaryEvent, Namespace: "/", ID: parser.NoID}, c.name)
		if err != nil || string(e.Head) != c.want {
			t.Errorf("%v: %s, %v", c.name, e.Head, err)
		}
	}
	if _, err := parser.JSON.Encode(parser.Header{Type: parser.Event, ID: parser.NoID}, label("disconnect")); err == nil {
		t.Error("a reserved name of another type passes")
	}
	e, err := parser.JSON.Encode(parser.Header{Type: parser.Event, Namespace: "/\xff", ID: parser.NoID}, "e")
	if err != nil || string(e.Head) != "2/\uFFFD,[\"e\"]" {
		t.Errorf("%s, %v", e.Head, err)
	}
}

// An error inside of a value is the error of the packet, wherever it is.
func TestErrorsInside(t *testing.T) {
	bad := math.NaN()
	for _, v := range []any{
		[]any{bad},
		map[string]any{"a": bad},
		[][]any{{bad}},
		map[string][]any{"a": {bad}},
		struct{ A any }{bad},
		&struct{ A *any }{new(any(bad))},
		struct {
			Q float64 `json:",string"`
			B []byte
		}{Q: bad},
		map[level][]byte{-1: nil},
		map[struct{ X int }][]byte{{1}: nil},
		struct {
			B []byte
			C chan int
		}{},
	} {
		if e, err := parser.JSON.Encode(parser.Header{Type: parser.Ack, ID: 1}, v); err == nil {
			t.Errorf("%T: got %s", v, e.Head)
		}
	}
}

// What is not JSON is an error at every place of a type that is walked.
func TestUnmarshalBrokenJSON(t *testing.T) {
	for _, raw := range []string{
		`{"Name"`, `{"Name":`, `{"Name":"x`, `{"Name":nul}`, `{"Name":"x",}`, `{"Name":"x" 1}`, `{Name:1}`, `{"Na`, `{"X":}`,
		`{"Data":nul}`, `{"Data":x}`, `{"List":[`, `{"List":[null`, `{"List":[null 1]}`, `{"List":nul}`, `{"List":x}`, `{"Pair":[null,null,x]}`, `{"Pair":nul}`,
		`{"ByName":{`, `{"ByName":{"a"`, `{"ByName":{"a":null`, `{"ByName":{"a":null,}}`, `{"ByName":nul}`, `{"ByName":x}`,
		`{"Any":x}`, `{"Any":[1,]}`, `{"Any":[1`, `{"Any":{"a"}}`, `{"Any":{"a":1,}}`, `{"Any":{"a":x}}`, `{"Any":{"a":1 "b":2}}`, `{"Next":nul}`, `{"Next":x}`, `nul`, `x`, `{`, `[`,
	} {
		if err := parser.JSON.Unmarshal([]byte(raw), two, new(outer)); err == nil {
			t.Errorf("%s passes", raw)
		}
	}
	for _, raw := range []string{`{"Pair":null}`, `{"List":null}`, `{"ByName":null,"Any":null,"Next":null}`, `null`, `{}`} {
		if err := parser.JSON.Unmarshal([]byte(raw), two, new(outer)); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

// A value that does not fit names the place.
func TestUnmarshalMismatch(t *testing.T) {
	for raw, want := range map[string]string{
		`{"Name":1}`:           "json: cannot unmarshal number into Go struct field outer.name of type string",
		`{"next":{"name":{}}}`: "json: cannot unmarshal object into Go struct field outer.next.name of type string",
		`{"list":true}`:        "json: cannot unmarshal bool into Go struct field outer.list of type [][]uint8",
		`{"by_name":"x"}`:      "json: cannot unmarshal string into Go struct field outer.by_name of type map[string][]uint8",
		`{"next":5}`:           "json: cannot unmarshal number into Go struct field outer.next of type parser_test.outer",
		`{"name":` + ph0 + `}`: `field "name": got binary data where string is expected`,
		`{"any":1e999}`:        "json: cannot unmarshal number 1e999 into Go struct field outer.any of type float64",
	} {
		if err := parser.JSON.Unmarshal([]byte(raw), two, new(outer)); err == nil || err.Error() != want {
			t.Errorf("%s:\ngot  %v\nwant %s", raw, err, want)
		}
	}
	var stringer struct {
		S interface{ String() string }
		B []byte
	}
	if err := parser.JSON.Unmarshal([]byte(`{"S":null}`), nil, &stringer); err != nil {
		t.Error(err)
	}
	if err := parser.JSON.Unmarshal([]byte(`{"S":1}`), nil, &stringer); err == nil {
		t.Error("a number became a Stringer")
	}
}

func TestTypeNames(t *testing.T) {
	if got := parser.BinaryAck.String() + " " + parser.Type(9).String(); got != "BINARY_ACK Type(9)" {
		t.Error(got)
	}
}
