package connect

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestValues(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a file")
	if err := os.WriteFile(file, []byte{1, 2}, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		want []any
		says string
	}{
		{"", nil, ""},
		{"1 -2.5 true null", []any{int64(1), -2.5, true, nil}, ""},
		{"hi 'two words' \"3\"", []any{"hi", "two words", "3"}, ""},
		{`{"a":[1,{"b":2}]} [] x`, []any{map[string]any{"a": []any{int64(1), map[string]any{"b": int64(2)}}}, []any{}, "x"}, ""},
		{"9007199254740993", []any{int64(9007199254740993)}, ""},
		{"01 1e5 1x", []any{"01", 1e5, "1x"}, ""},
		{`\@home`, []any{"@home"}, ""},
		{`@"` + file + `" after`, []any{[]byte{1, 2}, "after"}, ""},
		{"@", nil, "name of a file"},
		{"@/nowhere", nil, "no such file"},
		{`{"a":1`, nil, "not complete"},
		{"{a: 1}", nil, "double quotes"},
		{"'a", nil, "not closed"},
		{`"a"b`, nil, "a space is missing"},
	} {
		got, err := values(c.text)
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, %v; want %q", c.text, got, err, c.says)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %#v, %v; want %#v", c.text, got, err, c.want)
		}
	}
}

func TestName(t *testing.T) {
	for text, want := range map[string][2]string{
		`chat hi`:            {"chat", " hi"},
		`"chat message" hi`:  {"chat message", " hi"},
		`'chat message'`:     {"chat message", ""},
		`{"not":"quoted"} x`: {`{"not":"quoted"}`, " x"},
	} {
		if n, rest, err := name(text); err != nil || n != want[0] || rest != want[1] {
			t.Errorf("%s: %q %q %v", text, n, rest, err)
		}
	}
	if _, _, err := name(" "); err == nil {
		t.Error("no name is no error")
	}
}

func TestDecodeRecord(t *testing.T) {
	for _, c := range []struct {
		text string
		want record
		says string
	}{
		{`["x",1,{"$binary":"AQI="}]`, record{Type: typeEmit, Event: "x", Args: []any{int64(1), []byte{1, 2}}}, ""},
		{`{"event":"x","args":[],"id":7}`, record{Type: typeEmit, Event: "x", Args: []any{}, ID: int64(7)}, ""},
		{`{"type":"answer","id":3,"args":["ok"]}`, record{Type: typeAnswer, ID: int64(3), Args: []any{"ok"}}, ""},
		{`{"type":"event","event":"x","t":1.5}`, record{T: 1.5, Type: typeEvent, Event: "x"}, ""},
		{`[]`, record{}, "first element"},
		{`[1]`, record{}, "first element"},
		{`{"args":[1]}`, record{}, `needs "event"`},
		{`{"type":"answer"}`, record{}, `needs the "id"`},
		{`{"event":"x","id":{}}`, record{}, "string or a number"},
		{`{"event":"x"} 1`, record{}, "one value"},
		{`["x",{"$binary":"?"}]`, record{}, "$binary"},
		{`nonsense`, record{}, "invalid"},
	} {
		got, err := decodeRecord([]byte(c.text))
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %+v, %v; want %q", c.text, got, err, c.says)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", c.text, got, err, c.want)
		}
	}
}

func TestExpectation(t *testing.T) {
	bin := map[string]any{"b": []byte{1}, "n": int64(4), "s": "x"}
	for _, c := range []struct {
		text  string
		event string
		args  []any
		want  bool
	}{
		{"a", "a", nil, true},
		{"a", "b", nil, false},
		{`a={"n":4}`, "a", []any{bin}, true},
		{`a={"n":5}`, "a", []any{bin}, false},
		{`a={"z":null}`, "a", []any{bin}, false},
		{`a=[1,"two"]`, "a", []any{int64(1), "two", "three"}, true},
		{`a=[1,2]`, "a", []any{int64(1)}, false},
		{`a=hello`, "a", []any{"hello"}, true},
		{`a=`, "a", []any{""}, true},
		{`a|.[0].n > 3`, "a", []any{bin}, true},
		{`a|.[0].n > 4`, "a", []any{bin}, false},
		{`a|.[0].b["$binary"] == "AQ=="`, "a", []any{bin}, true},
		{`a|error`, "a", nil, false},
		{`a|empty`, "a", nil, false},
		{`a|range(1e12)|select(. < 0)`, "a", nil, false},
	} {
		e, err := parseExpectation(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := e.matches(t.Context(), c.event, c.args); got != c.want {
			t.Errorf("%s with %q %v: %v", c.text, c.event, c.args, got)
		}
	}
	for _, text := range []string{"", "=1", "|.", "a|.[", "a|nofunc"} {
		if _, err := parseExpectation(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

// FuzzRecord: what is read can be written, and read again as the same.
func FuzzRecord(f *testing.F) {
	for _, text := range []string{`["x",1,{"$binary":"AQI="}]`, `{"type":"answer","id":"a","args":[{"a":[null,1e400]}]}`, `{"event":"x","t":1e9}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := decodeRecord(text)
		if err != nil {
			return
		}
		b, err := r.encode()
		if err != nil {
			t.Fatalf("%q: does not encode: %v", text, err)
		}
		if bytes.ContainsAny(b, "\n\r") {
			t.Fatalf("%q: more than a line: %q", text, b)
		}
		again, err := decodeRecord(b)
		if err != nil {
			t.Fatalf("%q: %q does not decode: %v", text, b, err)
		}
		if len(r.Args) == 0 {
			r.Args, again.Args = nil, nil
		}
		if !reflect.DeepEqual(r, again) {
			t.Fatalf("%q: %+v, then %+v", text, r, again)
		}
	})
}

// FuzzLine: whatever is typed, nothing breaks, and what is shown holds nothing
// that a terminal obeys.
func FuzzLine(f *testing.F) {
	for _, text := range []string{`emit "a b" 1 {"x":"\u001b[2J"} 'c`, "on a b", "answer 1 x", `x @`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "@") {
			return // it would read files
		}
		l := parseLine(text)
		_, rest, err := name(l.rest)
		if err != nil {
			return
		}
		args, err := values(rest)
		if err != nil {
			return
		}
		for _, a := range args {
			if s := render(plainStyle, a, -1); strings.ContainsAny(s, "\x1b\x07\r\n") {
				t.Fatalf("%q is shown as %q", text, s)
			}
		}
		_ = (&shell{}).complete(text)
	})
}

// FuzzExpectation: what is understood can be tried.
func FuzzExpectation(f *testing.F) {
	for _, text := range []string{"a", "a={\"b\":[1]}", "a|.[0]|length > 2", "a|.[0] as $x | {$x}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parseExpectation(text)
		if err != nil || e.filter != nil {
			return // the filters are gojq's to test
		}
		e.matches(t.Context(), e.event, []any{map[string]any{"a": 1.0}, "x"})
	})
}
