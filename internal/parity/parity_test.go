package parity

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTable: the table is whole, and what it names exists. Whether that has
// passed is for the end of make test.
func TestTable(t *testing.T) {
	doc, err := os.ReadFile("../../docs/parity.md")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := Parse(string(doc))
	if err != nil {
		t.Fatal(err)
	}
	scenarios := read(t, "../../interop/node/scenarios/*.mjs")
	sources := map[string]string{}
	for _, r := range rows {
		for _, name := range r.Tests {
			dir, test, _ := strings.Cut(name, ".")
			if dir == "socketio" {
				dir = "."
			}
			if _, ok := sources[dir]; !ok {
				sources[dir] = read(t, filepath.Join("../..", dir, "*_test.go"))
			}
			if !strings.Contains(sources[dir], "\nfunc "+test+"(") {
				t.Errorf("%s: there is no %s", r.Number, name)
			}
		}
		for _, name := range r.Scenarios {
			if !regexp.MustCompile(`(?m)^ +name: "` + regexp.QuoteMeta(name) + `",$`).MatchString(scenarios) {
				t.Errorf("%s: there is no scenario %q", r.Number, name)
			}
		}
	}
}

func read(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files, %v", pattern, err)
	}
	var b strings.Builder
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(src)
	}
	return b.String()
}

func TestParse(t *testing.T) {
	doc, err := os.ReadFile("../../docs/parity.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"a row is missing":      {"| 1.1.2 |", "| 9.9.9 |"},
		"no such kind":          {"| same |", "| equal |"},
		"same without a test":   {"| 1.1.11 | initialPacket | same |", "| 1.1.11 | initialPacket | same | | | \n| x |"},
		"better without words":  {"| 1.1.4 | destroyUpgrade, destroyUpgradeTimeout | better |", "| 1.1.4 | x | better | | `engineio.TestX` |\n| x |"},
		"open with a test":      {"| n/a |", "| open | x | `engineio.TestX` |\n| x |"},
		"what looks like none":  {"`engineio.TestCookie`", "`engineio.Cookie`"},
		"a row too many":        {"\n## 2.1", "\n| 1.11.1 | x | n/a | y | |\n## 2.1"},
		"a cell too many":       {"| same |", "| same | |"},
		"no number of the line": {"| 3.6.20 |", "| 3.6.21 |"},
	} {
		broken := strings.Replace(string(doc), change[0], change[1], 1)
		if broken == string(doc) {
			t.Fatalf("%s: the table has no %q", name, change[0])
		}
		if _, err := Parse(broken); err == nil {
			t.Errorf("%s: it is not noticed", name)
		}
	}
}

func TestVerify(t *testing.T) {
	r := Row{Number: "1.1.1", Tests: []string{"engineio.TestA"}, Scenarios: []string{"a b, / c"}}
	good := Results{
		"engineio.TestA": true,
		"interop.TestServer/official_client/polling/a_b,_/_c":   true,
		"interop.TestServer/official_client/websocket/a_b,_/_c": true,
		"interop.TestControl/polling/a_b,_/_c":                  true,
		"interop.TestServer/official_client/polling/other":      false,
	}
	if p := r.Verify(good); p != nil {
		t.Errorf("problems %q", p)
	}
	for change, want := range map[string]int{"engineio.TestA": 1, "interop.TestServer/official_client/websocket/a_b,_/_c": 1, "interop.TestControl/polling/a_b,_/_c": 1} {
		failed, gone := Results{}, Results{}
		for k, v := range good {
			failed[k] = v && k != change
			if k != change {
				gone[k] = v
			}
		}
		if p := r.Verify(failed); len(p) != want {
			t.Errorf("%s failed: problems %q", change, p)
		}
		// A scenario that ran over one transport at least has run.
		if p := r.Verify(gone); len(p) != want && change != "interop.TestServer/official_client/websocket/a_b,_/_c" {
			t.Errorf("%s did not run: problems %q", change, p)
		}
	}
}
