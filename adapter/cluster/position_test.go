package cluster_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/sockeye-go/socketio/adapter/cluster"
)

func TestPosition(t *testing.T) {
	for text, want := range map[string]cluster.Position{
		"0-0": {}, "1764270000000-0": {1764270000000, 0}, "1-2": {1, 2},
		"18446744073709551615-7": {math.MaxUint64, 7},
	} {
		p, ok := cluster.ParsePosition(text)
		if !ok || p != want || p.String() != text {
			t.Errorf("ParsePosition(%q) = %v, %v; want %v", text, p, ok, want)
		}
	}
	for _, text := range []string{"", "-", "1", "1-", "-1", "1-2-3", "a-b", "+1-2", " 1-2", "18446744073709551616-0", "Z7dGhA0AAAAB"} {
		if p, ok := cluster.ParsePosition(text); ok {
			t.Errorf("ParsePosition(%q) = %v; want none", text, p)
		}
	}
	order := []cluster.Position{{}, {0, 1}, {1, 0}, {1, 1}, {2, 0}}
	for i, p := range order {
		for j, q := range order {
			if p.After(q) != (i > j) || (p.Compare(q) < 0) != (i < j) {
				t.Errorf("%v and %v: After %v, Compare %d", p, q, p.After(q), p.Compare(q))
			}
		}
	}
}

// FuzzPosition: what is read is written as what is read the same.
func FuzzPosition(f *testing.F) {
	f.Add("1-2")
	f.Fuzz(func(t *testing.T, text string) {
		p, ok := cluster.ParsePosition(text)
		if !ok {
			return
		}
		b, err := json.Marshal(p)
		var q cluster.Position
		if err != nil || json.Unmarshal(b, &q) != nil || q != p {
			t.Errorf("%q: %v, written as %s, read as %v", text, p, b, q)
		}
	})
}
