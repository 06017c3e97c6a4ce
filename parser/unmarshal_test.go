package parser_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/parser"
)

const (
	ph0 = `{"_placeholder":true,"num":0}`
	ph1 = `{"_placeholder":true,"num":1}`
)

var two = [][]byte{{10}, {20, 21}}

func TestUnmarshalBinary(t *testing.T) {
	bytes0 := two[0]
	for _, c := range []struct {
		name string
		raw  string
		want any // of the type to decode into
	}{
		{"bytes", ph1, two[1]},
		{"named bytes", ph0, blob{10}},
		{"null", `null`, []byte(nil)},
		{"pointer", ph0, &bytes0},
		{"list", `[` + ph1 + `,null,` + ph0 + `]`, [][]byte{{20, 21}, nil, {10}}},
		{"array, shorter", `[` + ph1 + `]`, [2]blob{{20, 21}}},
		{"array, longer", `[` + ph1 + `,null,` + ph0 + `]`, [1]blob{{20, 21}}},
		{"map", `{"a":` + ph0 + `,"b":null}`, map[string][]byte{"a": {10}, "b": nil}},
		{"map with integers for keys", `{"-3":` + ph0 + `}`, map[int8]blob{-3: {10}}},
		{"map with unsigned keys", `{"255":` + ph0 + `}`, map[uint8]blob{255: {10}}},
		{"struct", `{"deep":` + ph0 + `,"NAME":"n","named":{"B":` + ph1 + `},"unknown":[{}],"next":{"data":` + ph0 + `},"any":{"x":[` + ph1 + `,1]}}`,
			outer{inner: inner{blob{10}}, Name: "n", Named: &Named{two[1]}, Next: &outer{Data: two[0]}, Any: map[string]any{"x": []any{two[1], 1.0}}}},
		{"fields of other kinds beside bytes", `{"N":"12","B":` + ph0 + `,"T":"1970-01-01T00:00:00Z","R":{"a" : 1},"F":null}`, struct {
			N int `json:",string"`
			B []byte
			T time.Time
			R json.RawMessage
			F *float64
		}{12, two[0], time.Unix(0, 0).UTC(), json.RawMessage(`{"a" : 1}`), nil}},
		{"a struct that null leaves alone", `null`, struct{ B []byte }{}},
		{"placeholder written in another way", ` { "x" : {} , "num" : 1.0 , "\u005fplaceholder" : true } `, two[1]},
		{"the last of repeated keys", `{"_placeholder":false,"num":7,"_placeholder":true,"num":1}`, two[1]},
	} {
		t.Run(c.name, func(t *testing.T) {
			into := reflect.New(reflect.TypeOf(c.want))
			if err := parser.JSON.Unmarshal([]byte(c.raw), two, into.Interface()); err != nil {
				t.Fatal(err)
			}
			if got := into.Elem().Interface(); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %#v, want %#v", got, c.want)
			}
		})
	}
}

func TestUnmarshalAny(t *testing.T) {
	for _, c := range []struct {
		raw         string
		attachments [][]byte
		want        any
	}{
		{`1.5`, two, 1.5},
		{`"a\u0062"`, two, "ab"},
		{`"\ud83d\ude00\ud83d\n\udc00x\ud83d"`, two, "😀\uFFFD\n\uFFFDx\uFFFD"},
		{`null`, two, nil},
		{`[]`, two, []any{}},
		{` { } `, two, map[string]any{}},
		{`{"a":[true,false,null,-1e3,{"b":""}]}`, two, map[string]any{"a": []any{true, false, nil, -1000.0, map[string]any{"b": ""}}}},
		{ph1, two, two[1]},
		{ph0, nil, map[string]any{"_placeholder": true, "num": 0.0}},
		{`{"a":` + ph0 + `,"b":` + ph0 + `}`, two, map[string]any{"a": two[0], "b": two[0]}},
		{`{"_placeholder":1,"num":0}`, two, map[string]any{"_placeholder": 1.0, "num": 0.0}},
		{`{"_placeholder":true,"num":0,"x":{"_placeholder":true,"num":9}}`, two, two[0]},
	} {
		var got any
		if err := parser.JSON.Unmarshal([]byte(c.raw), c.attachments, &got); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %#v, %v; want %#v", c.raw, got, err, c.want)
		}
	}
	if got := any(nil); parser.JSON.Unmarshal([]byte(ph1), two, &got) != nil || &got.([]byte)[0] != &two[1][0] {
		t.Error("the attachment was copied")
	}
	// What an interface points at is decoded into, as encoding/json does.
	var b []byte
	into := any(&b)
	if err := parser.JSON.Unmarshal([]byte(ph0), two, &into); err != nil || string(b) != string(two[0]) {
		t.Errorf("got %x, %v", b, err)
	}
}

func TestUnmarshalWithoutBinary(t *testing.T) {
	type point struct{ X, Y int }
	for _, c := range []struct {
		raw  string
		want any
	}{
		{`"plain"`, "plain"},
		{`"with \"escapes\" \u00e9"`, `with "escapes" é`},
		{`12`, 12},
		{`{"x":1,"Y":2}`, point{1, 2}},
		{`[{"x":1}]`, []point{{X: 1}}},
		{`{"a":1}`, map[string]int{"a": 1}},
		{`"2020-01-02T03:04:05Z"`, time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)},
		{` {"a":[1]} `, json.RawMessage(` {"a":[1]} `)},
		{`{"a":[1]}`, any(map[string]any{"a": []any{1.0}})},
	} {
		for _, attachments := range [][][]byte{nil, two} {
			into := reflect.New(reflect.TypeOf(c.want))
			if err := parser.JSON.Unmarshal([]byte(c.raw), attachments, into.Interface()); err != nil || !reflect.DeepEqual(into.Elem().Interface(), c.want) {
				t.Errorf("%s: got %#v, %v", c.raw, into.Elem().Interface(), err)
			}
		}
	}
	raw := []byte(`{"a":1}`)
	var m json.RawMessage
	if err := parser.JSON.Unmarshal(raw, nil, &m); err != nil || &m[0] == &raw[0] {
		t.Error("raw JSON points into the message:", err)
	}
}

func TestUnmarshalErrors(t *testing.T) {
	type file struct {
		Name string
		Data []byte
		Info struct{ Thumb blob }
		More map[string][]byte
		Age  int
	}
	for _, c := range []struct {
		name        string
		raw         string
		attachments [][]byte
		into        any
		want        string
	}{
		{"string for bytes", `"AQID"`, nil, new([]byte), "got a string where binary data ([]uint8) is expected"},
		{"string for bytes, among attachments", `"AQID"`, two, new(blob), "got a string where binary data (parser_test.blob) is expected"},
		{"array for bytes", `[1,2]`, two, new([]byte), "got an array where binary data ([]uint8) is expected"},
		{"object for bytes", `{}`, two, new([]byte), "got an object where binary data ([]uint8) is expected"},
		{"placeholder without attachments", ph0, nil, new([]byte), "got an object where binary data ([]uint8) is expected"},
		{"string for bytes in a struct", `{"Data":"x"}`, nil, new(file), `field "Data": got a string where binary data ([]uint8) is expected`},
		{"number for bytes deep in a struct", `{"Info":{"Thumb":1}}`, two, new(file), `field "Info.Thumb": got a number where binary data (parser_test.blob) is expected`},
		{"boolean for bytes in a map", `{"More":{"k":true}}`, two, new(file), `field "More.k": got a bool where binary data ([]uint8) is expected`},
		{"binary for a string", ph0, two, new(string), `got binary data where string is expected`},
		{"binary for a struct without bytes", ph0, two, new(struct{ A int }), `got binary data where struct { A int } is expected`},
		{"binary for a struct with bytes", ph0, two, new(file), `got binary data where parser_test.file is expected`},
		{"binary for a map", `{"More":` + ph0 + `}`, two, new(file), `field "More": got binary data where map[string][]uint8 is expected`},
		{"wrong kind in a struct", `{"Age":"x"}`, two, new(file), `json: cannot unmarshal string into Go struct field file.Age of type int`},
		{"wrong kind for a struct", `[1]`, two, new(file), `json: cannot unmarshal array into Go value of type parser_test.file`},
		{"wrong kind for a list", `{"a":1}`, two, new([][]byte), `json: cannot unmarshal object into Go value of type [][]uint8`},
		{"bad key", `{"a":null}`, two, new(map[int][]byte), `json: cannot unmarshal object key "a" into Go value of type int`},
		{"key too large", `{"300":null}`, two, new(map[uint8][]byte), `json: cannot unmarshal object key "300" into Go value of type uint8`},
		{"illegal placeholder", `{"_placeholder":true,"num":2}`, two, new([]byte), "illegal attachments"},
		{"illegal placeholder into any", `[{"_placeholder":true,"num":"splice"}]`, two, new(any), "illegal attachments"},
		{"illegal placeholder into a field", `{"Data":{"_placeholder":true}}`, two, new(file), "illegal attachments"},
		{"cut short", `{"Data":`, two, new(file), "invalid payload"},
		{"more behind it", `{} {}`, two, new(file), "invalid payload"},
		{"nothing", ``, two, new(any), "invalid payload"},
		{"not a pointer", `1`, two, 5, "json: Unmarshal(non-pointer int)"},
		{"nil", `1`, two, nil, "json: Unmarshal(nil)"},
		{"nil pointer", `1`, two, (*int)(nil), "json: Unmarshal(nil *int)"},
		{"too deep", strings.Repeat("[", 20000) + strings.Repeat("]", 20000), two, new(any), "payload is nested too deeply"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := parser.JSON.Unmarshal([]byte(c.raw), c.attachments, c.into)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %v", err, c.want)
			}
		})
	}
	err := parser.JSON.Unmarshal([]byte(`{"Data":"x"}`), nil, new(file))
	if e, ok := errors.AsType[*parser.BinaryError](err); !ok || e.Field != "Data" {
		t.Errorf("got %#v", err)
	}
}
