// Package leak lets the tests of a package end with the goroutines that they
// began with. Call [Main] from TestMain.
package leak

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Main runs the tests, then cleanup, and exits. If the tests passed and
// goroutines are left that were not there before, it prints their stacks and
// exits with 1. What is about to end gets some seconds to do so.
func Main(m *testing.M, cleanup ...func()) {
	before := stacks()
	code := m.Run()
	for _, f := range cleanup {
		f()
	}
	if code == 0 {
		if left := wait(before, 5*time.Second); len(left) > 0 {
			fmt.Fprintf(os.Stderr, "leak: %d goroutines are left:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
			code = 1
		}
	}
	os.Exit(code)
}

// wait looks until nothing is left or the time is over.
func wait(before map[string]bool, limit time.Duration) []string {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); ; <-tick.C {
		var left []string
		for id, stack := range all() {
			if !before[id] && !harmless(stack) {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
	}
}

// Count returns how many goroutines there are, this one and the harmless ones
// apart.
func Count() (n int) {
	for _, stack := range all() {
		if !harmless(stack) {
			n++
		}
	}
	return n
}

// stacks returns the ids of the goroutines that there are.
func stacks() map[string]bool {
	ids := make(map[string]bool)
	for id := range all() {
		ids[id] = true
	}
	return ids
}

// all returns the stack of each goroutine but this one, by its id.
func all() map[string]string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	found := make(map[string]string)
	for i, stack := range strings.Split(strings.TrimSpace(string(buf)), "\n\n") {
		if i == 0 { // the caller
			continue
		}
		id, _, _ := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " ")
		found[id] = stack
	}
	return found
}

// harmless are goroutines that live as long as the process: of the testing
// package and the runtime, and those that wait for events of the kernel, or rest
// until one comes, for all connections there will ever be.
func harmless(stack string) bool {
	for _, part := range []string{
		"testing.(*M).", "testing.runFuzzing", "os/signal.", "runtime.ReadTrace",
		"internal/poll.(*epollSet).loop", "internal/poll.rest(",
	} {
		if strings.Contains(stack, part) {
			return true
		}
	}
	return false
}
