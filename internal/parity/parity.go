// Package parity reads docs/parity.md, the table that says for each line of what
// the official server does what ours does, and which tests show it.
package parity

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// A Row is one line of the inventory.
type Row struct {
	Number    string // "1.2.3"
	Kind      string // same, better, n/a or open
	Line, How string
	Tests     []string // of Go: "engineio.TestCookie"
	Scenarios []string // of interop, by their names
}

// sections are those of the inventory, and how many lines each has.
var sections = []struct {
	name  string
	lines int
}{
	{"1.1", 19}, {"1.2", 20}, {"1.3", 9}, {"1.4", 11}, {"1.5", 8}, {"1.6", 8}, {"1.7", 2}, {"1.8", 7}, {"1.9", 7}, {"1.10", 1},
	{"2.1", 7}, {"2.2", 8}, {"2.3", 6},
	{"3.1", 5}, {"3.2", 7}, {"3.3", 5}, {"3.4", 7}, {"3.5", 7}, {"3.6", 21}, {"3.7", 8}, {"3.8", 4},
	{"5.1", 10}, {"7", 4},
}

var goTest = regexp.MustCompile("^`([a-z0-9/]+\\.(?:Test|Fuzz|Example)[A-Za-z0-9_]*)`$")

// Parse reads the table. It is an error if a line of the inventory has no row,
// or a row does not say what it should.
func Parse(doc string) ([]Row, error) {
	var rows []Row
	for line := range strings.Lines(doc) {
		if len(line) < 3 || line[:2] != "| " || line[2] < '0' || line[2] > '9' {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 5 {
			return nil, fmt.Errorf("%d cells in %q", len(cells), line)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		r := Row{Number: cells[0], Line: cells[1], Kind: cells[2], How: cells[3]}
		for name := range strings.SplitSeq(cells[4], "; `") {
			if err := r.name(name); err != nil {
				return nil, fmt.Errorf("%s: %w", r.Number, err)
			}
		}
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Number, err)
		}
		rows = append(rows, r)
	}
	i := 0
	for _, s := range sections {
		for n := 1; n <= s.lines; n++ {
			want := fmt.Sprintf("%s.%d", s.name, n)
			if i >= len(rows) || rows[i].Number != want {
				return nil, fmt.Errorf("no row %s where it should be", want)
			}
			i++
		}
	}
	if i < len(rows) {
		return nil, fmt.Errorf("row %s is of no line", rows[i].Number)
	}
	return rows, nil
}

// name adds what a cell of tests names: a Go test, and scenarios behind it.
func (r *Row) name(cell string) error {
	for part := range strings.SplitSeq(cell, "; *") {
		part = strings.TrimSpace(part)
		switch {
		case part == "":
		case strings.HasSuffix(part, "*"):
			r.Scenarios = append(r.Scenarios, strings.Trim(part, "*"))
		default:
			m := goTest.FindStringSubmatch("`" + strings.Trim(part, "`") + "`")
			if m == nil {
				return fmt.Errorf("%q is neither a Go test nor a scenario", part)
			}
			r.Tests = append(r.Tests, m[1])
		}
	}
	return nil
}

func (r *Row) check() error {
	tests := len(r.Tests) + len(r.Scenarios)
	switch r.Kind {
	case "same":
		if tests == 0 {
			return fmt.Errorf("no test")
		}
	case "better":
		if tests == 0 || r.How == "" {
			return fmt.Errorf("no test, or not how it is better")
		}
	case "n/a", "open":
		if r.How == "" || tests > 0 {
			return fmt.Errorf("no reason, or tests for what is not there")
		}
	default:
		return fmt.Errorf("kind %q", r.Kind)
	}
	return nil
}

// Results are the tests that a run has seen, as "engineio.TestCookie" and
// "interop.TestControl/polling/join_and_leave", and whether they passed.
type Results map[string]bool

// Verify returns what the tests of a row leave to be desired. Both our server
// and the official one must have passed a scenario.
func (r *Row) Verify(results Results) (problems []string) {
	for _, name := range r.Tests {
		if passed, ran := results[name]; !ran {
			problems = append(problems, fmt.Sprintf("%s: %s did not run", r.Number, name))
		} else if !passed {
			problems = append(problems, fmt.Sprintf("%s: %s failed", r.Number, name))
		}
	}
	for _, name := range r.Scenarios {
		for _, side := range []string{"interop.TestServer/official_client/", "interop.TestControl/"} {
			ran := 0
			for test, passed := range results {
				way, ok := strings.CutPrefix(test, side)
				if !ok {
					continue
				}
				if _, scenario, _ := strings.Cut(way, "/"); scenario != subtest(name) {
					continue
				}
				ran++
				if !passed {
					problems = append(problems, fmt.Sprintf("%s: %s failed", r.Number, test))
				}
			}
			if ran == 0 {
				problems = append(problems, fmt.Sprintf("%s: %s%q did not run", r.Number, side, name))
			}
		}
	}
	return problems
}

// subtest is the name that package testing makes of a scenario's.
func subtest(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return '_'
		}
		return r
	}, name)
}
