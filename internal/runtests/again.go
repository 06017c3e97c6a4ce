package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// maxUnsteady is how many tests may fail and then pass alone in a run that is
// taken as passed. Each is listed, and is a mistake to be found: of the test, or
// of what it tests.
const maxUnsteady = 3

// again runs what failed once more, alone. With hundreds of real servers, clients
// and browsers on two cores, a test may wait in vain for a moment in which others
// had the machine. That is no excuse for a race, a panic, a goroutine that is left,
// or for many failures.
func (r *runner) again(dir string, args []string, failed []failure) {
	if len(failed) > maxUnsteady || slices.ContainsFunc(failed, failure.certain) {
		r.failed += len(failed)
		return
	}
	for _, f := range failed { // what counts for the table of parity is the second time
		for name := f.test; name != ""; name = parentOf(name) {
			delete(r.results, resultName(f.pkg, name))
		}
	}
	for _, f := range failed {
		fmt.Printf("\nonce more, alone: %s %s\n", f.pkg, f.test)
		alone := []string{"-run", f.pattern()}
		if slices.Contains(args, "-race") {
			alone = append(alone, "-race")
		}
		run, err := r.goTestRun(dir, append(alone, f.pkg)...)
		if err == nil && run.err == nil && run.passed[f.pkg+" "+f.test] {
			r.unsteady = append(r.unsteady, f)
			continue
		}
		if err != nil {
			fmt.Println(err)
		}
		r.failed++
	}
	if len(r.unsteady) > maxUnsteady {
		r.failed += len(r.unsteady)
	}
}

// certain reports whether a failure has nothing to do with time.
func (f failure) certain() bool {
	return f.test == "" || strings.Contains(f.output, "DATA RACE") || strings.Contains(f.output, "race detected") || strings.Contains(f.output, "panic: ")
}

// pattern matches this test alone.
func (f failure) pattern() string {
	parts := strings.Split(f.test, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.Join(parts, "/")
}

// parentOf returns the test around a subtest, or "".
func parentOf(test string) string {
	i := strings.LastIndexByte(test, '/')
	return test[:max(i, 0)]
}
