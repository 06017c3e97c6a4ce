package leak

import (
	"strings"
	"testing"
	"time"
)

func TestWait(t *testing.T) {
	before := stacks()
	stop := make(chan struct{})
	go func() { <-stop }()
	left := wait(before, 0)
	if len(left) != 1 || !strings.Contains(left[0], "leak.TestWait") {
		t.Errorf("left: %q; want the goroutine of this test", left)
	}
	close(stop)
	if left := wait(before, 10*time.Second); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
