package hostile

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// scarce starts the target with fewer of something than it would like.
func scarce(t *testing.T, limits string) *subject {
	t.Helper()
	needParts(t)
	exe := filepath.Join(t.TempDir(), "target")
	if out, err := exec.Command("go", "build", "-o", exe, "./target").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	s, err := start(exec.Command("sh", "-c", limits+` && exec "$0"`, exe), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

// TestNoDescriptors takes all descriptors of the server's process: who is there
// is served all the while, and who comes is, as soon as there are some again.
func TestNoDescriptors(t *testing.T) {
	const limit = 120
	s := scarce(t, fmt.Sprintf("ulimit -n %d", limit))
	a := newArena(s)
	defer a.http.CloseIdleConnections()
	if err := a.works(); err != nil {
		t.Fatal(err)
	}
	by, err := newBystander(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer by.close()
	a.http.CloseIdleConnections()
	before := settled(s)

	// Half of them say nothing, half join as long as they are let in.
	var held []interface{ Close() error }
	for i := range 2 * limit {
		if c := a.tcp(); c != nil && i%2 == 0 {
			held = append(held, c)
		} else if c != nil {
			_, _ = c.Write([]byte(upgradeRequest("")))
			held = append(held, c)
		}
	}
	if n := waitFor(func() bool { return s.descriptors() >= limit-2 }); !n {
		t.Errorf("%d descriptors are open; the attack wants all %d", s.descriptors(), limit)
	}
	served := by.count()
	if !waitFor(func() bool { return by.count() > served+20 }) {
		t.Error("the bystander is not served while there are no descriptors")
	}
	for _, c := range held {
		_ = c.Close()
	}
	if !waitFor(func() bool { return a.works() == nil }) {
		t.Errorf("afterwards: %v", a.works())
	}
	a.http.CloseIdleConnections()
	if !waitFor(func() bool { return s.descriptors() <= before+maxDescriptors }) {
		t.Errorf("%d descriptors, %d before", s.descriptors(), before)
	}
	if _, err := by.look(); err != nil || !s.alive() {
		t.Errorf("bystander: %v; alive: %v\n%s", err, s.alive(), s.stderr.String())
	}
}

func waitFor(f func() bool) bool {
	for deadline := time.Now().Add(quiet); !f(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
