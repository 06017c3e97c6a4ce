package hostile

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sockeye-go/socketio/internal/ws"
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

// TestLittleMemory asks a process that may have 64 MB to hold eight times as much,
// by each way there is to make a server hold something. It has to live, to serve
// who is there, and to have all of it back afterwards.
func TestLittleMemory(t *testing.T) {
	const clients, each = 600, 900_000
	// The system would end the process at 320 MB.
	s := scarce(t, "ulimit -d 320000 && export GOMEMLIMIT=64MiB TARGET_WRITE_BUFFER=65536")
	a := newArena(s)
	defer a.http.CloseIdleConnections()
	by, err := newBystander(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer by.close()
	piece := strings.Repeat("x", each)
	for _, attack := range []struct {
		name string
		hold func() net.Conn
	}{
		{"messages that are never finished", func() net.Conn {
			c := a.joined()
			if c == nil {
				return nil
			}
			_, _ = c.Write(ws.AppendMasked(nil, ws.Text, []byte(piece+"xx"), [4]byte{})[:each])
			return c
		}},
		{"attachments that wait for another", func() net.Conn {
			c := a.joined()
			if c == nil {
				return nil
			}
			c.text(`452-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
			c.binary([]byte(piece))
			return c
		}},
		{"bodies that are never finished", func() net.Conn {
			sid := a.polling()
			c := a.tcp()
			if sid == "" || c == nil {
				return nil
			}
			_, _ = fmt.Fprintf(c, "POST %spolling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", engine, sid, each+2, piece)
			return c
		}},
		{"answers that are never read", func() net.Conn {
			c := a.joined()
			if c == nil {
				return nil
			}
			_ = c.SetReadBuffer(4096)
			for range 2 {
				c.text(`42["echo","` + piece[:each/2] + `"]`)
			}
			return c
		}},
	} {
		t.Run(attack.name, func(t *testing.T) {
			served, hits := by.count(), memoryHits(t, s)
			var mu sync.Mutex
			var held []net.Conn
			together(clients, 32, func(int) {
				if c := attack.hold(); c != nil {
					mu.Lock()
					held = append(held, c)
					mu.Unlock()
				}
			})
			if !waitFor(func() bool { return memoryHits(t, s) > hits }) {
				t.Error("nobody was cut or refused: the attack was too weak")
			}
			if !waitFor(func() bool { return by.count() > served+20 }) {
				t.Error("the bystander is not served")
			}
			t.Logf("%d of %d held on; %d MB resident", len(held), clients, s.resident()>>20)
			for _, c := range held {
				_ = c.Close()
			}
			if !waitFor(func() bool { return a.works() == nil }) {
				t.Errorf("afterwards: %v", a.works())
			}
			if _, err := by.look(); err != nil || !s.alive() {
				t.Fatalf("bystander: %v; alive: %v\n%.2000s", err, s.alive(), s.stderr.String())
			}
		})
	}
	account, err := s.account()
	if err != nil {
		t.Fatal(err)
	}
	if account.Heap > 16<<20 {
		t.Errorf("%d MB of heap are left", account.Heap>>20)
	}
}

// memoryHits is how often somebody was cut or refused because there was no memory.
func memoryHits(t *testing.T, s *subject) uint64 {
	t.Helper()
	a, err := s.account()
	if err != nil {
		t.Fatalf("%v\n%.4000s", err, s.stderr.String())
	}
	return a.Stats.Engine.Limits["MaxMemory"]
}
