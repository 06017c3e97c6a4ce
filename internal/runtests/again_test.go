package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio/internal/parity"
)

// TestAgain runs go test on a module with tests that fail in every way.
func TestAgain(t *testing.T) {
	const well = "func TestWell(t *testing.T) { t.Run(\"a b\", func(*testing.T) {}); t.Run(\"c\", func(*testing.T) {}) }\n"
	// once fails when it runs first.
	const once = `
func once(t *testing.T) {
	name := filepath.Join("seen", strings.ReplaceAll(t.Name(), "/", "_"))
	if _, err := os.Stat(name); err == nil {
		return
	}
	os.WriteFile(name, nil, 0o666)
	t.Error("a moment too late")
}
`
	for name, c := range map[string]struct {
		tests                    string
		passed, failed, unsteady int
	}{
		"well":            {"", 2, 0, 0},
		"late once":       {`func TestLate(t *testing.T) { t.Run("x (y)", func(t *testing.T) {}); t.Run("z+", once) }`, 4, 0, 1},
		"late, slashes":   {`func TestLate(t *testing.T) { t.Run("2/x", func(t *testing.T) { t.Run("z", once) }) }`, 3, 0, 1},
		"late, itself":    {`func TestLate(t *testing.T) { t.Run("x", func(t *testing.T) {}); once(t) }`, 4, 0, 1},
		"always":          {`func TestBad(t *testing.T) { t.Error("no") }`, 2, 1, 0},
		"one of each":     {`func TestBad(t *testing.T) { t.Error("no") }; func TestLate(t *testing.T) { once(t) }`, 3, 1, 1},
		"race":            {`func TestRace(t *testing.T) { once(t); t.Log("WARNING: DATA RACE") }`, 2, 1, 0},
		"panic":           {`func TestPanic(t *testing.T) { once(t); if t.Failed() { panic("ah") } }`, 0, 1, 0},
		"end of process":  {`func TestExit(t *testing.T) { os.Exit(3) }`, 0, 1, 0},
		"after a failure": {`func TestA(t *testing.T) { once(t) }; func TestExit(t *testing.T) { os.Exit(3) }`, 0, 2, 0},
		"too many":        {`func TestLate(t *testing.T) { for _, n := range []string{"1", "2", "3", "4"} { t.Run(n, once) } }`, 2, 4, 0},
		"does not build":  {`func TestBad(t *testing.T) { return 1 }`, 0, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write := func(name, text string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Mkdir(filepath.Join(dir, "seen"), 0o777); err != nil {
				t.Fatal(err)
			}
			write("go.mod", "module example.com/m\n\ngo 1.26\n")
			write("m_test.go", "package m\n\nimport (\"os\"; \"path/filepath\"; \"strings\"; \"testing\")\n\n"+well+once+c.tests+"\n")
			r := &runner{count: 1, results: parity.Results{}}
			if err := r.goTestWith(dir, "./..."); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(name, "process") || name == "panic" || name == "after a failure" {
				r.passed = c.passed // the order is by chance, and what comes later does not run
				r.failed = min(r.failed, c.failed)
				if r.failed == 0 {
					t.Error("taken as passed")
				}
				r.failed = c.failed
			}
			if r.passed != c.passed || r.failed != c.failed || len(r.unsteady) != c.unsteady {
				t.Errorf("%d passed, %d failed, %d unsteady; want %d, %d, %d", r.passed, r.failed, len(r.unsteady), c.passed, c.failed, c.unsteady)
			}
			if got := r.results["socketio.TestLate"]; c.unsteady == 1 && c.failed == 0 && !got {
				t.Error("the table of parity does not take what passed the second time")
			}
		})
	}
}
