package msgpack

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestFromJSON(t *testing.T) {
	photo := []byte{1, 2, 3}
	for name, c := range map[string]struct {
		json        string
		attachments [][]byte
		back        string // if not as it was
		err         string
	}{
		"order":                 {json: `{"z":1,"a":{"y":[],"b":{}},"m":[true,false,null]}`},
		"white space":           {json: " { \"b\" : [ 1 , 2 ] , \"a\" : [ ] , \"c\" : { } } ", back: `{"b":[1,2],"a":[],"c":{}}`},
		"numbers":               {json: `[0,-1,127,128,-33,65536,4294967296,-9007199254740991,18446744073709551615,1.5,1e+21,1e-7]`},
		"-0 is an integer":      {json: `-0`, back: `0`},
		"escapes":               {json: `["\u00e9\n\"\\\/\ud83d\ude00","\ud800"]`, back: `["é\n\"\\/😀","�"]`},
		"not UTF-8":             {json: "\"a\xff\"", back: `"a�"`},
		"keys are escaped":      {json: `{"a\"b":1}`},
		"HTML is not":           {json: `"<a href=\"x\">&amp;"`},
		"17 elements":           {json: `[` + strings.Repeat(`0,`, 16) + `0]`},
		"70,000 elements":       {json: `[` + strings.Repeat(`0,`, 69_999) + `{}]`},
		"attachments":           {json: `["photo",{"name":"x","body":{"_placeholder":true,"num":1},"a":{"_placeholder":true,"num":0}}]`, attachments: [][]byte{photo, {}}, back: `["photo",{"name":"x","body":{"_placeholder":true,"num":0},"a":{"_placeholder":true,"num":1}}]`},
		"placeholder as others": {json: `{ "num": 0, "_placeholder" : true }`, attachments: [][]byte{photo}, back: `{"_placeholder":true,"num":0}`},
		"a placeholder of none": {json: `{"_placeholder":true,"num":0}`},
		"not there":             {json: `{"_placeholder":true,"num":1}`, attachments: [][]byte{photo}, err: "a placeholder without its attachment"},
		"twice":                 {json: `[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`, attachments: [][]byte{photo}, err: "a placeholder without its attachment"},
		"no number":             {json: `{"_placeholder":true}`, attachments: [][]byte{photo}, err: "a placeholder without its attachment"},
		"nothing":               {json: ``, err: "unexpected end of JSON input"},
		"half":                  {json: `{"a":`, err: "unexpected end of JSON input"},
		"two":                   {json: `1 2`, err: "JSON with something behind it"},
		"beyond a float":        {json: `1e999`, err: `invalid number "1e999"`},
		"too deep":              {json: strings.Repeat("[", 1001) + strings.Repeat("]", 1001), err: "nested too deeply"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := FromJSON([]byte("x"), []byte(c.json), c.attachments)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want %s", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			back, attachments, err := ToJSON(b[1:], 1000)
			if err != nil {
				t.Fatal(err)
			}
			if want := c.json; string(back) != want && string(back) != c.back {
				t.Errorf("came back as %s", back)
			}
			if len(attachments) != len(c.attachments) {
				t.Errorf("%d attachments", len(attachments))
			}
		})
	}
}

// FuzzFromJSON holds the way to MessagePack and back against encoding/json, and
// against the way over values.
func FuzzFromJSON(f *testing.F) {
	for _, s := range []string{`{"z":[1,{"a":"b"}],"a":1.5}`, `["\u00e9",-1e3,null]`, ` [ ] `, `{"a":{"a":{}},"a":2}`, `1e400`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := FromJSON(nil, text, nil)
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Fatalf("%q is not JSON", text)
		}
		if Skip(b, maxEncodeDepth) != len(b) {
			t.Fatalf("%q became % x", text, b)
		}
		back, attachments, err := ToJSON(b, maxEncodeDepth)
		if err != nil || len(attachments) > 0 {
			t.Fatal(err, attachments)
		}
		var want, got any
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(back, &got); err != nil {
			t.Fatalf("%q became %q: %v", text, back, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q became %q", text, back)
		}
		again, err := FromJSON(nil, back, nil)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q became % x, then % x, %v", text, b, again, err)
		}
	})
}

// FuzzToJSON looks whether any MessagePack becomes JSON that has it all.
func FuzzToJSON(f *testing.F) {
	for _, v := range []any{[]any{"photo", map[string]any{"b": []byte{1}, "a": 1.5}}, nil, -5, []any{[]byte{}, "é"}} {
		b, err := Append(nil, v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		const depth = 100
		text, attachments, err := ToJSON(raw, depth)
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Fatalf("% x became %q", raw, text)
		}
		b, err := FromJSON(nil, text, attachments)
		if err != nil {
			if bytes.Contains(raw, []byte("_placeholder")) {
				return // data that looks like one
			}
			t.Fatalf("%q: %v", text, err)
		}
		again, more, err := ToJSON(b, depth+1)
		if err != nil || len(more) != len(attachments) || !bytes.Equal(again, text) {
			t.Fatalf("%q became %q, %v", text, again, err)
		}
	})
}
