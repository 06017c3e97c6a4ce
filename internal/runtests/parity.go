package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/sockeye-go/socketio/internal/parity"
)

const modulePath = "github.com/sockeye-go/socketio"

// note keeps the result of a Go test for the table of parity. One that ran
// several times has passed if it always did.
func (r *runner) note(e event, passed bool) {
	name := resultName(e.Package, e.Test)
	if before, ran := r.results[name]; ran {
		passed = passed && before
	}
	r.results[name] = passed
}

// resultName is what the table calls a test.
func resultName(pkg, test string) string {
	name := "socketio"
	if dir, ok := strings.CutPrefix(pkg, modulePath+"/"); ok {
		name = dir
	}
	return name + "." + test
}

// parityTable holds docs/parity.md to what this run has seen. Each row that has
// tests counts as one.
func parityTable(r *runner) error {
	doc, err := os.ReadFile("docs/parity.md")
	if err != nil {
		return err
	}
	rows, err := parity.Parse(string(doc))
	if err != nil {
		return fmt.Errorf("docs/parity.md: %w", err)
	}
	if !r.allParts {
		fmt.Println("SKIP: the table names tests that need SOCKEYE_PARTS=all")
		r.skipped++
		return nil
	}
	kinds := map[string]int{}
	for _, row := range rows {
		kinds[row.Kind]++
		if row.Kind == "n/a" || row.Kind == "open" {
			continue
		}
		problems := row.Verify(r.results)
		if len(problems) == 0 {
			r.passed++
			continue
		}
		r.failed++
		fmt.Printf("FAIL %s\n", strings.Join(problems, "\nFAIL "))
	}
	fmt.Printf("%d lines of the official server: %d the same, %d better, %d not applicable, %d open\n",
		len(rows), kinds["same"], kinds["better"], kinds["n/a"], kinds["open"])
	return nil
}
