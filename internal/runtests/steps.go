package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// versions prints what the figures of this run depend on.
func versions() {
	for _, c := range [][]string{
		{"go", "version"}, {"node", "--version"}, {"npm", "--version"}, {"gcc", "-dumpfullversion"},
		{"chromium", "--version"}, {"nginx", "-v"}, {"redis-server", "--version"}, {"initdb", "--version"},
	} {
		if c[0] == "initdb" { // Debian keeps it out of the path
			if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(found) > 0 {
				c[0] = found[len(found)-1]
			}
		}
		out, err := exec.Command(c[0], c[1:]...).CombinedOutput()
		text := strings.TrimSpace(string(out))
		if err != nil {
			text = "not found"
		}
		fmt.Printf("%-9s %s\n", filepath.Base(c[0]), text)
	}
}

// format checks gofmt and vet. Each counts as a test.
func format(r *runner) error {
	files, err := output("git", "ls-files", "*.go")
	if err != nil {
		return err
	}
	unformatted, err := output("gofmt", append([]string{"-l"}, strings.Fields(files)...)...)
	if err != nil {
		return err
	}
	if unformatted != "" {
		fmt.Printf("not formatted:\n%s", unformatted)
		r.failed++
	} else {
		r.passed++
	}
	// With the race detector, so that the tests find compiled what vet has to compile.
	if err := r.command("", "go", "vet", "-race", "./..."); err != nil {
		return err
	}
	return r.command("", "go", "vet", "./internal/poll") // has a file that is not for the race detector
}

// goTests runs the tests of the main module.
func goTests(r *runner) error { return r.goTest("", "./...") }

// allocations runs the tests that count allocations, of which the race detector
// makes more.
func allocations(r *runner) error { return r.goTestWith("", "-run", "Alloc", ".", "./parser") }

func only(dir string) func(*runner) error {
	return func(r *runner) error { return r.goTest(dir, ".") }
}

// nestedModules runs the tests of modules inside of this one, which keep their
// dependencies to themselves.
func nestedModules(r *runner) error {
	mods, err := output("git", "ls-files", "*/go.mod")
	if err != nil {
		return err
	}
	for _, mod := range strings.Fields(mods) {
		if err := r.goTest(filepath.Dir(mod), "./..."); err != nil {
			return fmt.Errorf("%s: %w", mod, err)
		}
	}
	return nil
}

// goTest runs go test, with the race detector, in dir and counts tests.
func (r *runner) goTest(dir, pattern string) error {
	return r.goTestWith(dir, "-race", pattern)
}

// goTestWith runs go test with these arguments beside the usual ones, and once more
// what failed for want of time, perhaps.
func (r *runner) goTestWith(dir string, args ...string) error {
	run, err := r.goTestRun(dir, args...)
	if err != nil {
		return err
	}
	r.again(dir, args, run.failed)
	if run.err != nil && len(run.failed) == 0 {
		return run.err // a package that does not build is no test that fails
	}
	return nil
}

// A testRun is what became of one go test.
type testRun struct {
	err    error
	failed []failure
	passed map[string]bool // by package and test
}

// A failure is a test that failed, and not because of a test in it.
type failure struct {
	pkg, test, output string
}

func (r *runner) goTestRun(dir string, args ...string) (*testRun, error) {
	cmd := exec.Command("go", append([]string{"test", "-shuffle=on", "-count", strconv.Itoa(r.count), "-timeout", strconv.Itoa(15*r.count) + "m", "-json"}, args...)...)
	cmd.Dir = dir
	cmd.Stderr = os.Stdout
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	run := &testRun{passed: map[string]bool{}}
	r.read(out, run)
	run.err = cmd.Wait()
	return run, nil
}

// event is a line of go test -json.
type event struct {
	Action, Package, Test, Output string
}

// read counts the tests that have no subtests, and shows the output of those
// that failed or were skipped.
func (r *runner) read(out io.Reader, run *testRun) {
	output := map[string]*strings.Builder{}
	parents := map[string]bool{}
	blamed := map[string]bool{}   // tests in which another failed
	running := map[string]event{} // and perhaps will for ever
	in := bufio.NewScanner(out)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Println(in.Text())
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "run":
			around(e, parents)
			running[key] = e
		case "output", "build-output":
			if output[key] == nil {
				output[key] = new(strings.Builder)
			}
			output[key].WriteString(e.Output)
			continue
		case "pass", "fail", "skip":
			r.result(e, output[key], parents[key])
			switch {
			case e.Test != "" && e.Action == "pass":
				run.passed[key] = true
			case e.Test != "" && e.Action == "fail":
				if !blamed[key] {
					run.failed = append(run.failed, failure{e.Package, e.Test, text(output[key])})
				}
				around(e, blamed)
			case e.Action == "fail" && !blamed[key]: // its TestMain, or the end of its process
				run.failed = append(run.failed, failure{pkg: e.Package, output: text(output[key])})
			}
			delete(output, key)
			delete(parents, key)
			delete(running, key)
		}
	}
	for _, e := range running { // the process ended
		fmt.Printf("FAIL %s %s did not end\n", e.Package, e.Test)
		run.failed = append(run.failed, failure{pkg: e.Package})
	}
	for _, left := range output { // of builds that failed
		fmt.Print(left)
	}
}

// around marks all tests around one, and its package. A name may have slashes of its
// own, so not all that are marked need be tests.
func around(e event, mark map[string]bool) {
	for name := e.Test; name != ""; {
		name = parentOf(name)
		mark[e.Package+" "+name] = true
	}
}

func (r *runner) result(e event, out *strings.Builder, parent bool) {
	if e.Test != "" && e.Action != "skip" {
		r.note(e, e.Action == "pass")
	}
	switch {
	case e.Test == "" && e.Action == "fail":
		fmt.Printf("FAIL %s\n%v", e.Package, text(out))
	case e.Test == "":
		if e.Action == "pass" {
			fmt.Printf("ok   %s\n", e.Package)
		}
	case e.Action == "fail":
		fmt.Printf("FAIL %s %s\n%v", e.Package, e.Test, text(out))
	case e.Action == "skip":
		fmt.Printf("SKIP %s %s\n%v", e.Package, e.Test, text(out))
		r.skipped++
	case !parent:
		r.passed++
	}
}

func text(b *strings.Builder) string {
	if b == nil {
		return ""
	}
	return b.String()
}

// webTests checks and tests the browser client.
func webTests(r *runner) error {
	if err := r.command("web", "npm", "run", "--silent", "check"); err != nil {
		return err
	}
	return r.node("web", "npm", "test", "--silent")
}

// vectors holds the shared test data to the official parsers.
func vectors(r *runner) error {
	if err := r.command("", "node", "testdata/vectors/check.mjs"); err != nil {
		return err
	}
	return r.command("", "node", "testdata/vectors/record-msgpack.mjs", "--check")
}

// nodeTotal matches the summary of Node's test runner.
var nodeTotal = regexp.MustCompile(`(?m)^(?:# |ℹ )(pass|fail|skipped|cancelled) (\d+)$`)

// node runs a command that ends with the summary of Node's test runner.
func (r *runner) node(dir, name string, args ...string) error {
	var out bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Stdout = io.MultiWriter(os.Stdout, &out)
	cmd.Stderr = os.Stdout
	failed := cmd.Run()
	found := false
	before := r.failed
	for _, m := range nodeTotal.FindAllStringSubmatch(out.String(), -1) {
		n, _ := strconv.Atoi(m[2])
		found = true
		switch m[1] {
		case "pass":
			r.passed += n
		case "fail", "cancelled":
			r.failed += n
		case "skipped":
			r.skipped += n
		}
	}
	if !found {
		return fmt.Errorf("no totals: %v", failed)
	}
	if failed != nil && r.failed == before {
		return failed
	}
	return nil
}

// command runs something that passes or fails as a whole.
func (r *runner) command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	r.passed++
	return nil
}

func output(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return string(out), nil
}
