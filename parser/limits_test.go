package parser_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio/parser"
)

// Every limit, as the default and as an option: what is just within passes,
// one more does not.
func TestLimits(t *testing.T) {
	nested := func(n int) string { // n levels, the list of arguments included
		return `2["e",` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `]`
	}
	objects := func(n int) string {
		return `0` + strings.Repeat(`{"a":`, n-1) + `{}` + strings.Repeat("}", n-1)
	}
	for _, c := range []struct {
		name    string
		byDef   int
		lim     func(n int) *parser.Limits
		message func(n int) string
		err     error
	}{
		{"attachments", 10, func(n int) *parser.Limits { return &parser.Limits{MaxAttachments: n} }, func(n int) string { return fmt.Sprintf(`5%d-["e"]`, n) }, parser.ErrTooManyAttachments},
		{"arguments", 4096, func(n int) *parser.Limits { return &parser.Limits{MaxArguments: n} }, func(n int) string { return `2["e"` + strings.Repeat(",1", n) + `]` }, parser.ErrTooManyArguments},
		{"arguments of an ack", 4096, func(n int) *parser.Limits { return &parser.Limits{MaxArguments: n} }, func(n int) string { return `31[1` + strings.Repeat(",1", n-1) + `]` }, parser.ErrTooManyArguments},
		{"depth", 512, func(n int) *parser.Limits { return &parser.Limits{MaxDepth: n} }, nested, parser.ErrTooDeep},
		{"depth of a connect", 512, func(n int) *parser.Limits { return &parser.Limits{MaxDepth: n} }, objects, parser.ErrTooDeep},
		{"event name", 4096, func(n int) *parser.Limits { return &parser.Limits{MaxEventName: n} }, func(n int) string { return `2["` + strings.Repeat("x", n) + `"]` }, parser.ErrEventNameTooLong},
		{"event name with escapes", 4096, func(n int) *parser.Limits { return &parser.Limits{MaxEventName: n} }, func(n int) string { return `2["` + strings.Repeat(`\u0061`, n) + `"]` }, parser.ErrEventNameTooLong},
		{"namespace", 4096, func(n int) *parser.Limits { return &parser.Limits{MaxNamespace: n} }, func(n int) string { return `0/` + strings.Repeat("x", n-1) + `,` }, parser.ErrNamespaceTooLong},
		{"namespace without a comma", 4096, func(n int) *parser.Limits { return &parser.Limits{MaxNamespace: n} }, func(n int) string { return `1/` + strings.Repeat("x", n-1) }, parser.ErrNamespaceTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			try := func(lim *parser.Limits, n int) {
				t.Helper()
				if _, err := parser.JSON.Decode([]byte(c.message(n)), false, lim); err != nil {
					t.Errorf("%d: %v", n, err)
				}
				if _, err := parser.JSON.Decode([]byte(c.message(n+1)), false, lim); !errors.Is(err, c.err) {
					t.Errorf("%d: got %v, want %v", n+1, err, c.err)
				}
			}
			try(nil, c.byDef)
			try(&parser.Limits{}, c.byDef)
			try(c.lim(3), 3)
			try(c.lim(c.byDef*3), c.byDef*3)
		})
	}
}

func TestLimitOfAttachmentBytes(t *testing.T) {
	half := make([]byte, 5_000_000)
	for _, c := range []struct {
		lim  *parser.Limits
		a, b []byte
		err  error
	}{
		{nil, half, half, nil},
		{nil, half, append(half[:len(half):len(half)], 0), parser.ErrAttachmentsTooLarge},
		{&parser.Limits{MaxAttachmentBytes: 4}, []byte("ab"), []byte("cd"), nil},
		{&parser.Limits{MaxAttachmentBytes: 4}, []byte("ab"), []byte("cde"), parser.ErrAttachmentsTooLarge},
		{&parser.Limits{MaxAttachmentBytes: 4}, []byte("abcde"), nil, parser.ErrAttachmentsTooLarge},
	} {
		var r parser.Reassembler
		_, ok, err := add(&r, []message{{data: []byte(`52-["e"]`)}, {c.a, true}, {c.b, true}}, c.lim)
		if !errors.Is(err, c.err) || ok != (c.err == nil) || r.Waiting() {
			t.Errorf("%d and %d bytes: %v, %v", len(c.a), len(c.b), ok, err)
		}
	}
}

// A declared count must not decide about memory.
func TestCountAllocatesNothing(t *testing.T) {
	lim := &parser.Limits{MaxAttachments: 1 << 40}
	wire := []byte(fmt.Sprintf(`5%d-["e"]`, 1<<40))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var r parser.Reassembler
	if _, _, err := r.Add(parser.JSON, wire, false, lim); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	allocated := after.TotalAlloc - before.TotalAlloc
	if allocated > 16<<10 {
		t.Errorf("%d bytes for a packet that waits", allocated)
	}
}

func TestIDs(t *testing.T) {
	for wire, want := range map[string]int64{
		`20["a"]`:                        0,
		`29007199254740991["a"]`:         parser.MaxID,
		`20000000000000000000000007`:     7,
		`3` + strings.Repeat("0", 1<<20): 0,
	} {
		p, err := parser.JSON.Decode([]byte(wire), false, nil)
		if err != nil || p.ID != want {
			t.Errorf("%.40s: %d, %v", wire, p.ID, err)
		}
	}
	for _, wire := range []string{`29007199254740992["a"]`, `29223372036854775808["a"]`, `2` + strings.Repeat("9", 1<<20)} {
		if _, err := parser.JSON.Decode([]byte(wire), false, nil); !errors.Is(err, parser.ErrInvalidID) {
			t.Errorf("%.40s: %v", wire, err)
		}
	}
}

func TestReassemblerOwnsWhatItHolds(t *testing.T) {
	var r parser.Reassembler
	head := []byte(`51-/chat,5["ev",{"_placeholder":true,"num":0},"x"]`)
	if _, ok, err := r.Add(parser.JSON, head, false, nil); ok || err != nil {
		t.Fatal(ok, err)
	}
	clear(head)
	attachment := []byte("data")
	p, ok, err := r.Add(parser.JSON, attachment, true, nil)
	clear(attachment)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if string(p.Namespace) != "/chat" || string(p.Event) != "ev" || string(p.Args[1]) != `"x"` || p.ID != 5 {
		t.Errorf("got %s %s %s %d", p.Namespace, p.Event, p.Args, p.ID)
	}
	if len(p.Attachments) != 1 || string(p.Attachments[0]) != "data" {
		t.Errorf("attachments %q", p.Attachments)
	}
	if r.Waiting() {
		t.Error("still holds it")
	}
}

func TestReset(t *testing.T) {
	var r parser.Reassembler
	if _, _, err := r.Add(parser.JSON, []byte(`51-["e"]`), false, nil); err != nil || !r.Waiting() {
		t.Fatal(err, r.Waiting())
	}
	r.Reset()
	if p, ok, err := r.Add(parser.JSON, []byte(`2["f"]`), false, nil); !ok || err != nil || string(p.Event) != "f" {
		t.Error(p, ok, err)
	}
}

func TestClone(t *testing.T) {
	wire := []byte(`2/chat,12["ev",{"a":1},"x"]`)
	p, err := parser.JSON.Decode(wire, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := p.Clone()
	clear(wire)
	got := fmt.Sprintf("%v %s %d %s %s", c.Type, c.Namespace, c.ID, c.Event, c.Args)
	if want := `EVENT /chat 12 ev [{"a":1} "x"]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	c.Args[0] = append(c.Args[0], '!')
	if string(c.Args[1]) != `"x"` {
		t.Errorf("arguments share room: %s", c.Args[1])
	}
}

func TestInvalidUTF8(t *testing.T) {
	p, err := parser.JSON.Decode([]byte("2/\xff,[\"a\xc0\",\"\xed\xa0\x80b\"]"), false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if string(p.Namespace) != "/\uFFFD" || string(p.Event) != "a\uFFFD" || !bytes.HasSuffix(p.Args[0], []byte("\uFFFDb\"")) {
		t.Errorf("%q %q %q", p.Namespace, p.Event, p.Args)
	}
}

func TestDecodeAllocatesOnlyTheListOfArguments(t *testing.T) {
	for wire, want := range map[string]float64{
		`2["hello"]`: 0, `2/chat,12["hello"]`: 0, `0`: 0, `1/chat,`: 0, `31[]`: 0,
		`2["hello",1]`: 1, `2/chat,12["hello",{"a":[1,2,{"b":null}]},"x",3]`: 1,
	} {
		data := []byte(wire)
		if got := testing.AllocsPerRun(100, func() {
			if _, err := parser.JSON.Decode(data, false, nil); err != nil {
				t.Fatal(err)
			}
		}); got != want {
			t.Errorf("%s: %v allocations, want %v", wire, got, want)
		}
	}
}
