package jsontext

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
)

var scanSeeds = []string{
	``, ` `, `null`, `true`, `false`, `nul`, `truee`, `0`, `-0`, `01`, `1.`, `.5`, `1.5e+10`, `1E-2`, `1e`, `-`, `--1`, `+1`, `0x1`,
	`""`, `"a"`, `"a`, `"\"`, `"\\"`, `"\u00e9"`, `"\u00E"`, `"\x"`, "\"\x1f\"", "\"\x7f\"", "\"\n\"", `"01234567\"9"`, `"0123456789abcdef\u0041"`, "\"0123456\x00\"",
	`[]`, `[ ]`, `[1,2]`, `[1,]`, `[,1]`, `[1 2]`, `[`, `]`, `[[[]]]`, `[[]`, `{}`, `{ }`, `{"a":1}`, `{"a":1,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1 "b":2}`, `{"a":[{"b":{}}]}`,
	`{]`, `[}`, `{"a":[}`, `[{"a":1]`, "\t[ 1 ,\r\n2 ] ", `[1]x`, `{"a":1}}`, `{"a" : 1 , "b":null}`, "\ufeff1", `{,}`, `{"a":1,,"b":2}`, `[":"]`,
}

// agrees holds the scanner against encoding/json.
func agrees(t *testing.T, b []byte) {
	t.Helper()
	start := SkipSpace(b, 0)
	end := Skip(b, start, math.MaxInt)
	got := end >= 0 && SkipSpace(b, end) == len(b)
	if want := json.Valid(b); got != want && bytes.Count(b, []byte("["))+bytes.Count(b, []byte("{")) < 10000 {
		t.Errorf("%q: valid %v, want %v", b, got, want)
	}
}

func TestScanAgreesWithEncodingJSON(t *testing.T) {
	for _, s := range scanSeeds {
		agrees(t, []byte(s))
		for i := range s { // and all that is one byte away
			agrees(t, []byte(s[:i]+s[i+1:]))
			for _, c := range `"\{}[],:0-.e` + "\x00\x1f " {
				agrees(t, []byte(s[:i]+string(c)+s[i+1:]))
			}
		}
	}
}

func TestScanFindsEveryStop(t *testing.T) {
	for c := range 256 {
		for i := range 24 {
			s := []byte(`"` + strings.Repeat("x", 24) + `"`)
			s[1+i] = byte(c)
			agrees(t, s)
		}
	}
}

func TestScanDepth(t *testing.T) {
	for _, depth := range []int{1, 2, 63, 64, 65, 511, 512, 513, 1000, 5000} {
		for _, pair := range []string{"[]", `{"a":}`} {
			open, closing := pair[:len(pair)-1], pair[len(pair)-1:]
			inner := "1"
			b := []byte(strings.Repeat(open, depth) + inner + strings.Repeat(closing, depth))
			if end := Skip(b, 0, depth); end != len(b) {
				t.Errorf("%s at depth %d: %d", pair, depth, end)
			}
			if end := Skip(b, 0, depth-1); end != TooDeep {
				t.Errorf("%s beyond depth %d: %d", pair, depth-1, end)
			}
		}
	}
	if end := Skip([]byte(strings.Repeat("[", 1<<20)), 0, 512); end != TooDeep {
		t.Errorf("got %d", end)
	}
}

func FuzzScan(f *testing.F) {
	for _, s := range scanSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(agrees)
}
