package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
)

var fuzzFunc = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// A fuzzTarget is one function of a package.
type fuzzTarget struct{ pkg, name string }

// fuzz runs every fuzz target for a while: as many at a time as there are cores,
// each on one, since that is what they take.
func fuzz(r *runner) error {
	targets, err := fuzzTargets()
	if err != nil {
		return err
	}
	next := make(chan fuzzTarget)
	var printing sync.Mutex // and counting
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for t := range next {
				out, failed := t.run(r.fuzzTime.String())
				printing.Lock()
				if failed {
					fmt.Printf("FAIL %s %s\n%s", t.pkg, t.name, out)
					r.failed++
				} else {
					fmt.Printf("ok   %s %s for %v\n", t.pkg, t.name, r.fuzzTime)
					r.passed++
				}
				printing.Unlock()
			}
		})
	}
	for _, t := range targets {
		next <- t
	}
	close(next)
	all.Wait()
	return nil
}

func fuzzTargets() (targets []fuzzTarget, err error) {
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && path != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range fuzzFunc.FindAllSubmatch(src, -1) {
			targets = append(targets, fuzzTarget{"./" + filepath.ToSlash(filepath.Dir(path)), string(m[1])})
		}
		return nil
	})
	return targets, err
}

func (t fuzzTarget) run(length string) (out []byte, failed bool) {
	cmd := exec.Command("go", "test", "-run", "^$", "-fuzz", "^"+t.name+"$", "-fuzztime", length, "-fuzzminimizetime", "1s", "-parallel", "1", t.pkg)
	out, err := cmd.CombinedOutput()
	// A run that ends between two inputs is reported as a failure now and then.
	inTime := bytes.Contains(out, []byte("context deadline exceeded")) && !bytes.Contains(out, []byte("Failing input"))
	return out, err != nil && !inTime
}
