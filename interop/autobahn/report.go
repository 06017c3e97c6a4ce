package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A result is what the suite says about one case.
type result struct {
	Behavior      string `json:"behavior"`
	BehaviorClose string `json:"behaviorClose"`
	Duration      int    `json:"duration"`
}

// fine reports whether the case is none of failures. INFORMATIONAL cases have no
// right answer, and NON-STRICT is another that the RFC allows.
func (r result) fine() bool {
	ok := func(s string) bool {
		return s == "OK" || s == "NON-STRICT" || s == "INFORMATIONAL" || s == "UNIMPLEMENTED"
	}
	return ok(r.Behavior) && ok(r.BehaviorClose)
}

type direction struct {
	name    string
	results map[string]result
}

func results(dir string) (map[string]result, error) {
	b, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		return nil, err
	}
	var all map[string]map[string]result
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	for _, r := range all { // there is one agent
		return r, nil
	}
	return nil, fmt.Errorf("%s: no results", dir)
}

var sections = map[int]string{
	1: "framing", 2: "pings and pongs", 3: "reserved bits", 4: "reserved opcodes", 5: "fragmentation",
	6: "UTF-8", 7: "close handshake", 9: "limits and large messages", 10: "auto-fragmentation",
	12: "permessage-deflate", 13: "permessage-deflate, parameters",
}

// report writes the table, and reports whether nothing failed.
func report(directions []direction, started time.Time) (string, bool) {
	var b strings.Builder
	fmt.Fprintf(&b, `# Autobahn

What the [Autobahn test suite](https://github.com/crossbario/autobahn-testsuite) says of
our WebSocket layer as an echo (interop/autobahn), in both directions. %s, %s, %.0f s.
`+"`make autobahn`"+` writes this page; it needs Python 2.7, which is why the suite is no part of
`+"`make test`"+`. There the same rules are a table test: internal/ws, `+"`TestParser`"+`.

| Cases | | Server | Client |
|---|---|---|---|
`, started.UTC().Format("2006-01-02"), runtime.Version(), time.Since(started).Seconds())
	ok := true
	counts := make(map[int][]map[string]int)
	for i, d := range directions {
		for id, r := range d.results {
			section := major(id)
			for len(counts[section]) < len(directions) {
				counts[section] = append(counts[section], make(map[string]int))
			}
			counts[section][i][r.Behavior]++
			ok = ok && r.fine()
		}
	}
	for _, section := range sorted(counts) {
		fmt.Fprintf(&b, "| %d.* | %s |", section, sections[section])
		for _, c := range counts[section] {
			fmt.Fprintf(&b, " %s |", summary(c))
		}
		b.WriteString("\n")
	}
	b.WriteString("\nEach case that is not `OK`:\n\n")
	for _, d := range directions {
		var odd []string
		for id, r := range d.results {
			if r.Behavior != "OK" || r.BehaviorClose != "OK" && r.BehaviorClose != "INFORMATIONAL" {
				odd = append(odd, id)
			}
		}
		slices.SortFunc(odd, compareIDs)
		fmt.Fprintf(&b, "- %s: ", d.name)
		if len(odd) == 0 {
			b.WriteString("none")
		}
		odd = collapse(odd, d.results)
		last := ""
		for i, id := range odd {
			r := d.results[id]
			if head, whole := strings.CutSuffix(id, ".*"); whole {
				r = d.results[firstOf(head, d.results)]
			}
			what := r.Behavior
			if r.BehaviorClose != "OK" && r.BehaviorClose != "INFORMATIONAL" {
				what += ", closing " + r.BehaviorClose
			}
			if what != last && i > 0 {
				b.WriteString("; ")
			} else if i > 0 {
				b.WriteString(", ")
			}
			if what != last {
				b.WriteString("`" + what + "` ")
			}
			last = what
			b.WriteString(id)
		}
		b.WriteString("\n")
	}
	b.WriteString(`
` + "`INFORMATIONAL`" + ` cases have no right answer. ` + "`NON-STRICT`" + ` is text that is found not to be UTF-8
when its message is complete, and not with the first bad byte. ` + "`UNIMPLEMENTED`" + ` is an
extension that was not agreed upon: our client offers no compression.
`)
	return b.String(), ok
}

// collapse writes a section all of whose cases went alike as one.
func collapse(ids []string, results map[string]result) (out []string) {
	alike := make(map[int]map[string]int)
	for id, r := range results {
		if alike[major(id)] == nil {
			alike[major(id)] = make(map[string]int)
		}
		alike[major(id)][r.Behavior]++
	}
	for _, id := range ids {
		section := major(id)
		if len(alike[section]) > 1 {
			out = append(out, id)
		} else if whole := fmt.Sprint(section, ".*"); !slices.Contains(out, whole) {
			out = append(out, whole)
		}
	}
	return out
}

func firstOf(section string, results map[string]result) string {
	for id := range results {
		if strings.HasPrefix(id, section+".") {
			return id
		}
	}
	return ""
}

func summary(c map[string]int) string {
	var parts []string
	for _, s := range []string{"OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED"} {
		if c[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c[s], s))
		}
		delete(c, s)
	}
	for s, n := range c {
		parts = append(parts, fmt.Sprintf("**%d %s**", n, s))
	}
	return strings.Join(parts, ", ")
}

func major(id string) int {
	head, _, _ := strings.Cut(id, ".")
	n, _ := strconv.Atoi(head)
	return n
}

func compareIDs(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		i, _ := strconv.Atoi(x)
		j, _ := strconv.Atoi(y)
		return i - j
	})
}

func sorted[V any](m map[int]V) []int {
	var keys []int
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
