package msgpack

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/parser"
)

func bytesOf(t testing.TB, v any) []byte {
	t.Helper()
	b, err := Append(nil, v)
	if err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	if n := Skip(b, 2000); n != len(b) {
		t.Fatalf("%x: Skip = %d; want %d", b, n, len(b))
	}
	return b
}

type inner struct {
	Name string `json:"name"`
	Blob []byte `json:"blob,omitempty"`
}

type every struct {
	inner
	I8     int8            `json:"i8"`
	U64    uint64          `json:"u64"`
	F32    float32         `json:"f32"`
	F64    float64         `json:"f64"`
	B      bool            `json:"b"`
	S      string          `json:"s"`
	Skip   string          `json:"-"`
	Quoted int             `json:"quoted,string"`
	When   time.Time       `json:"when"`
	At     *time.Time      `json:"at"`
	List   []inner         `json:"list"`
	Arr    [3]int          `json:"arr"`
	Map    map[string]int  `json:"map"`
	Keys   map[int]string  `json:"keys"`
	Any    any             `json:"any"`
	Raw    json.RawMessage `json:"raw"`
	Num    json.Number     `json:"num"`
	Addr   netip.Addr      `json:"addr"`
	Big    *big.Int        `json:"big"`
	Ptr    *inner          `json:"ptr"`
	Nil    *inner          `json:"nil"`
	Zero   int             `json:"zero,omitzero"`
}

func sample() every {
	when := time.UnixMilli(1700000000123).UTC()
	return every{
		inner: inner{Name: "embedded", Blob: []byte{1, 2}},
		I8:    -7, U64: math.MaxUint64, F32: 0.1, F64: -2.5, B: true, S: "ä\x00", Quoted: 12, When: when, At: &when,
		List: []inner{{Name: "x"}, {Name: "y", Blob: []byte{}}}, Arr: [3]int{1, 2, 3},
		Map: map[string]int{"a": 1, "b": -1}, Keys: map[int]string{-1: "m", 2: "p"},
		Any: map[string]any{"bytes": []byte{9}, "n": 1.5, "t": when, "l": []any{nil, true, "s"}},
		Raw: json.RawMessage(`{"k":[1,2.5,null]}`), Num: "12.5", Addr: netip.MustParseAddr("::1"),
		Big: new(big.Int).Lsh(big.NewInt(1), 60), Ptr: &inner{Name: "p"},
	}
}

// TestTypes: what is written comes back, for everything that a type can have.
func TestTypes(t *testing.T) {
	in := sample()
	var out every
	if err := Unmarshal(bytesOf(t, in), &out); err != nil {
		t.Fatal(err)
	}
	in.List[0].Blob = nil
	in.List[1].Blob = nil // omitempty
	if !reflect.DeepEqual(in, out) {
		t.Errorf("got  %+v\nwant %+v", out, in)
	}
}

// TestAgreesWithJSON: a struct has the members that encoding/json gives it.
func TestAgreesWithJSON(t *testing.T) {
	in := sample()
	in.inner.Blob, in.Any = nil, nil // base64 there
	in.When, in.At = time.UnixMilli(1700000000120).UTC(), nil
	want, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := AppendJSON(nil, bytesOf(t, in))
	if err != nil {
		t.Fatal(err)
	}
	var a, b map[string]any
	if err := errors.Join(json.Unmarshal(want, &a), json.Unmarshal(got, &b)); err != nil {
		t.Fatal(err)
	}
	a["when"], b["when"] = nil, nil // three digits, as JavaScript has it
	a["f32"], b["f32"] = float32(a["f32"].(float64)), float32(b["f32"].(float64))
	if !reflect.DeepEqual(a, b) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUnmarshal(t *testing.T) {
	date := time.UnixMilli(1700000000123).UTC()
	pre := 7
	for _, c := range []struct {
		name string
		raw  string // hex
		into any
		want any
		err  string
	}{
		{name: "undefined leaves a number alone", raw: "d40000", into: &pre, want: 7},
		{name: "null leaves a number alone", raw: "c0", into: &pre, want: 7},
		{name: "undefined in a list", raw: "92d4000001", into: new([]any), want: []any{nil, 1.0}},
		{name: "undefined member", raw: "81a161d40000", into: new(map[string]any), want: map[string]any{}},
		{name: "date into any", raw: "d7000000018bcfe5687b", into: new(any), want: date},
		{name: "date into text", raw: "d7000000018bcfe5687b", into: new(string), want: "2023-11-14T22:13:20.123Z"},
		{name: "text into a time", raw: "b8323032332d31312d31345432323a31333a32302e3132335a", into: new(time.Time), want: date},
		{name: "timestamp of the standard", raw: "d6ff6553f100", into: new(time.Time), want: date.Truncate(time.Second)},
		{name: "timestamp with a second too many", raw: "d7ffffffffff00000000", into: new(time.Time), err: "cannot unmarshal extension"},
		{name: "buffer into bytes", raw: "c403010203", into: new([]byte), want: []byte{1, 2, 3}},
		{name: "array buffer into bytes", raw: "c70300010203", into: new([]byte), want: []byte{1, 2, 3}},
		{name: "bytes into any", raw: "c40101", into: new(any), want: []byte{1}},
		{name: "other extension", raw: "d50501ff", into: new(any), want: []any{5.0, []byte{1, 255}}},
		{name: "text into bytes", raw: "a141", into: new([]byte), err: "got a string where binary data"},
		{name: "array into bytes", raw: "90", into: new([]byte), err: "got an array where binary data"},
		{name: "bytes into text", raw: "c40101", into: new(string), err: "got binary data where string"},
		{name: "bytes into a field", raw: "81a46e616d65c40101", into: new(inner), err: `field "name": got binary data where string`},
		{name: "number into a field", raw: "81a46e616d6501", into: new(inner), err: "of type string"},
		{name: "number too large", raw: "cd0100", into: new(uint8), err: "number 256"},
		{name: "negative number", raw: "ff", into: new(uint8), err: "number -1"},
		{name: "float into int", raw: "cb3ff8000000000000", into: new(int), err: "number 1.5"},
		{name: "float without a fraction into int", raw: "cb4000000000000000", into: new(int), want: 2},
		{name: "uint64", raw: "cfffffffffffffffff", into: new(uint64), want: uint64(math.MaxUint64)},
		{name: "uint64 into int", raw: "cfffffffffffffffff", into: new(int64), err: "number 18446744073709551615"},
		{name: "int64", raw: "d38000000000000000", into: new(int64), want: int64(math.MinInt64)},
		{name: "float32", raw: "ca3f000000", into: new(float64), want: 0.5},
		{name: "key without regard to case", raw: "81a44e414d45a178", into: new(inner), want: inner{Name: "x"}},
		{name: "key as a number", raw: "8101a178", into: new(map[int]string), want: map[int]string{1: "x"}},
		{name: "not UTF-8", raw: "a2ff41", into: new(string), want: "\uFFFDA"},
		{name: "map into a list", raw: "80", into: new([]int), err: "object"},
		{name: "short array", raw: "9101", into: &[2]int{8, 9}, want: [2]int{1, 0}},
		{name: "long array", raw: "93010203", into: new([2]int), want: [2]int{1, 2}},
		{name: "empty list", raw: "90", into: new([]int), want: []int{}},
		{name: "raw", raw: "82a161c40101a16201", into: new(json.RawMessage), want: json.RawMessage(`{"a":"AQ==","b":1}`)},
		{name: "something behind it", raw: "0101", into: new(int), err: "invalid MessagePack"},
		{name: "nothing", raw: "", into: new(int), err: "invalid MessagePack"},
		{name: "into a channel", raw: "01", into: new(chan int), err: "chan int"},
		{name: "array declared too long", raw: "dd7fffffff", into: new([]any), err: "invalid MessagePack"},
		{name: "map declared too long", raw: "df7fffffff", into: new(any), err: "invalid MessagePack"},
		{name: "binary declared too long", raw: "c6ffffffff", into: new(any), err: "invalid MessagePack"},
		{name: "extension declared too long", raw: "c9ffffffff00", into: new(any), err: "invalid MessagePack"},
		{name: "map as a key", raw: "818001", into: new(any), err: "invalid MessagePack"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, err := hex.DecodeString(c.raw)
			if err != nil {
				t.Fatal(err)
			}
			err = Unmarshal(raw, c.into)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v; want %q", err, c.err)
				}
				return
			}
			got := reflect.ValueOf(c.into).Elem().Interface()
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%#v, %v; want %#v", got, err, c.want)
			}
		})
	}
}

func TestUnmarshalIntoNoPointer(t *testing.T) {
	for _, v := range []any{nil, 1, (*int)(nil)} {
		if _, ok := errors.AsType[*json.InvalidUnmarshalError](Unmarshal([]byte{1}, v)); !ok {
			t.Errorf("Unmarshal into %#v: no InvalidUnmarshalError", v)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	loop := []any{nil}
	loop[0] = loop
	type chain struct{ Next *chain }
	ring := &chain{}
	ring.Next = ring
	for _, v := range []any{make(chan int), func() {}, map[string]any{"a": complex(1, 1)}, loop, ring,
		struct{ F func() }{}, map[bool]int{true: 1}, json.RawMessage("{"), json.RawMessage("1 2"), json.Number("x")} {
		if b, err := Append(nil, v); err == nil {
			t.Errorf("Append(%T) = %x; want an error", v, b)
		}
	}
}

// TestLeavesOutFields: the count of a map is that of the fields written, also where
// it takes fewer bytes than that of all.
func TestLeavesOutFields(t *testing.T) {
	fields := make([]reflect.StructField, 20)
	for i := range fields {
		fields[i] = reflect.StructField{Name: "F" + string(rune('A'+i)), Type: reflect.TypeFor[int](), Tag: `json:",omitempty"`}
	}
	v := reflect.New(reflect.StructOf(fields)).Elem()
	for n := range 21 {
		if n > 0 {
			v.Field(n - 1).SetInt(int64(n))
		}
		var got map[string]int
		if err := Unmarshal(bytesOf(t, v.Interface()), &got); err != nil || len(got) != n {
			t.Fatalf("%d fields: %v, %v", n, got, err)
		}
	}
}

func TestSkipDepth(t *testing.T) {
	deep := append(bytes.Repeat([]byte{0x91}, 100), 1)
	if n := Skip(deep, 100); n != len(deep) {
		t.Errorf("Skip of 100 levels, 100 allowed = %d", n)
	}
	if n := Skip(deep, 99); n != TooDeep {
		t.Errorf("Skip of 100 levels, 99 allowed = %d; want TooDeep", n)
	}
	if err := Unmarshal(append(bytes.Repeat([]byte{0x91}, 1<<20), 1), new(any)); !errors.Is(err, parser.ErrTooDeep) {
		t.Errorf("a million levels: %v", err)
	}
}

// TestBytesAlias: binary data is a part of what it was decoded from, and cannot
// grow into what is behind it.
func TestBytesAlias(t *testing.T) {
	raw := []byte{0x92, bin8, 1, 7, bin8, 1, 8}
	var got [2][]byte
	if err := Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if &got[0][0] != &raw[3] {
		t.Error("it is a copy")
	}
	_ = append(got[0], 0xff)
	if raw[4] != bin8 {
		t.Error("append reaches what is behind")
	}
}

// FuzzUnmarshal: whatever comes, nothing panics, memory is in proportion, and what
// decodes encodes to what decodes to the same.
func FuzzUnmarshal(f *testing.F) {
	f.Add(bytesOf(f, sample()))
	for _, s := range []string{"d40000", "d7000000018bcfe5687b", "c70300010203", "dd7fffffff", "81a161c40101", "8101a178", "c1", "d6ff6553f100"} {
		b, _ := hex.DecodeString(s)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		n := Skip(raw, 64)
		if n < 0 || n != len(raw) {
			if err := Unmarshal(raw, new(any)); err == nil && n != TooDeep {
				t.Fatalf("%x: Skip = %d, but it decodes", raw, n)
			}
			return
		}
		_ = Unmarshal(raw, new(every))
		if text, err := AppendJSON(nil, raw); err != nil || !json.Valid(text) {
			t.Fatalf("%x: JSON %q, %v", raw, text, err)
		}
		var v, again any
		if err := Unmarshal(raw, &v); err != nil {
			t.Fatalf("%x: %v", raw, err)
		}
		b, err := Append(nil, v)
		if err != nil {
			t.Fatalf("%x: %#v: %v", raw, v, err)
		}
		if err := Unmarshal(b, &again); err != nil || !equal(v, again) {
			t.Fatalf("%x: %#v\nthen  %x: %#v, %v", raw, v, b, again, err)
		}
	})
}

// equal is DeepEqual for which NaN is NaN, and a Date has milliseconds.
func equal(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && (a == b || a != a && b != b)
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.UnixMilli() == b.UnixMilli()
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k := range a {
			if !equal(a[k], b[k]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}
