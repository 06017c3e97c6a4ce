// Command runtests runs all tests of the repository, those of other languages
// too, and ends with one line of totals. See the Makefile.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sockeye-go/socketio/internal/parity"
)

// A step is a part of the run. It adds what it found to the totals; an error is
// for a step that could not be carried out.
type step struct {
	name string
	run  func(*runner) error
}

var steps = []step{
	{"format", format},
	{"go", goTests},
	{"allocations", allocations},
	{"modules", nestedModules},
	{"interop", only("interop")},
	{"browser", only("interop/browser")},
	{"web", webTests},
	{"vectors", vectors},
	{"parity", parityTable}, // after all that it names
	{"fuzz", fuzz},
	{"systems", systems},
	{"cross", cross},
}

// A runner carries the options, and the totals of what has been run.
type runner struct {
	count    int
	fuzzTime time.Duration
	allParts bool

	passed, failed, skipped int
	unsteady                []failure // that passed when they ran again

	results parity.Results // of Go tests
}

func main() {
	r := &runner{allParts: os.Getenv("SOCKEYE_PARTS") == "all", results: parity.Results{}}
	names := flag.String("only", "", "comma-separated `steps`; default all")
	flag.IntVar(&r.count, "count", 1, "how often to run each Go test")
	flag.DurationVar(&r.fuzzTime, "fuzztime", 5*time.Second, "for each fuzz target")
	flag.Parse()

	chosen := strings.Split(*names, ",")
	if *names == "" {
		// The Go step covers interop and browser already, and systems most of cross.
		chosen = []string{"format", "go", "allocations", "modules", "web", "vectors", "parity", "fuzz", "systems"}
	}
	versions()
	for _, s := range steps {
		if !slices.Contains(chosen, s.name) {
			continue
		}
		start := time.Now()
		fmt.Printf("\n== %s\n", s.name)
		if err := s.run(r); err != nil {
			fmt.Printf("FAIL %s: %v\n", s.name, err)
			r.failed++
		}
		fmt.Printf("== %s: %.1f s\n", s.name, time.Since(start).Seconds())
	}
	bad := r.failed > 0 || r.passed == 0
	if r.allParts && r.skipped > 0 {
		fmt.Println("\nwith SOCKEYE_PARTS=all nothing may be skipped")
		bad = true
	}
	if len(r.unsteady) > 0 {
		fmt.Println("\nunsteady, which passed only when they ran again:")
		for _, f := range r.unsteady {
			fmt.Printf("     %s %s\n", f.pkg, f.test)
		}
	}
	fmt.Printf("\n%d passed, %d failed, %d skipped, %d unsteady\n", r.passed, r.failed, r.skipped, len(r.unsteady))
	if bad {
		os.Exit(1)
	}
}
