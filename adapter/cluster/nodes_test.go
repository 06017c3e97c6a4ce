package cluster

import (
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// TestLateMessage: what a node left in the log, or on another way, and comes behind
// its goodbye does not bring it back. Requests would wait for it.
func TestLateMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n nodes
		there := func(want ...string) {
			t.Helper()
			if got := n.ids(); !slices.Equal(got, want) {
				t.Errorf("nodes %q; want %q", got, want)
			}
		}
		n.heard(&Message{UID: "a", Type: Heartbeat, Seq: 1}, false)
		n.heard(&Message{UID: "b", Type: Heartbeat, Seq: 1}, false)
		there("a", "b")
		if !n.leave("a") || n.leave("a") || n.leave("stranger") {
			t.Error("leave does not say who was there")
		}
		for _, uid := range []string{"a", "stranger"} {
			for _, logged := range []bool{true, false} {
				if fresh, _, _ := n.heard(&Message{UID: uid, Type: Broadcast, Seq: 7}, logged); fresh {
					t.Errorf("%s is new, logged %v", uid, logged)
				}
			}
		}
		there("b")
		if dead := n.silent(-1, true); !slices.Equal(dead, []string{"b"}) {
			t.Errorf("silent %q; want b alone", dead)
		}
		for i := range 5000 { // they are not kept for ever
			n.leave(strconv.Itoa(i))
			time.Sleep(time.Second)
		}
		if len(n.seen) > 2*int(leftFor/time.Second) {
			t.Errorf("%d nodes are remembered", len(n.seen))
		}
	})
}
