package faults

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/interop/internal/nginx"
)

// TestRoundRobin: three nodes behind a real nginx that sends each request to the
// next, with the lines of the guide. Clients do not notice; and when a node is
// killed and comes back, those of it come back too, in order, with nothing twice.
func TestRoundRobin(t *testing.T) {
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs nginx, Node and the packages of interop/node: set SOCKEYE_PARTS=all")
	}
	exe, err := BuildNode(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []Client{Official, OurGo} {
		for _, ts := range [][]string{{"polling"}, {"polling", "websocket"}} {
			s := Setting{Transports: ts, Client: who, Clients: 4, Path: "/socket.io/"}
			t.Run(s.name(), func(t *testing.T) {
				t.Parallel()
				roundRobin(t, exe, s)
			})
		}
	}
}

func roundRobin(t *testing.T, exe string, s Setting) {
	addrs, err := FreeAddrs(3)
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := NewCluster(exe, 3, s.Clients, func(i int) any {
		return map[string]any{
			"Listen": addrs[i], "Key": bytes.Repeat([]byte("k"), 32), "Echo": true, "Ping": pingInterval,
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	lines := nginx.Documented(t, "../../docs/behind-a-proxy.md", 2, "10.0.0.1:3000", addrs[0], "10.0.0.2:3000", addrs[1], "10.0.0.3:3000", addrs[2])
	upstream, location, _ := strings.Cut(lines, "\nlocation")
	url := "http://" + nginx.Start(t, upstream, "location"+location)
	begin := startClients
	if s.Client == OurGo {
		begin = startGo
	}
	c, err := begin(s, url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()

	far := func(n int) func() bool { // everybody has got so far
		return func() bool {
			return every(s.Clients, func(i int) bool { _, received, connected := c.last(i); return connected && received >= n })
		}
	}
	if err := until("everybody talks", far(100)); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	for i := range s.Clients {
		for _, e := range c.events[i][1:] {
			if e.Kind != Received {
				t.Errorf("client %d noticed something: %v", i, e)
			}
		}
	}
	c.mu.Unlock()
	if nodes := cluster.spread(); nodes < 2 {
		t.Fatalf("all clients are on %d node", nodes)
	}

	cluster.Kill(1)
	began := time.Now()
	sent, _, _ := c.last(0)
	if err := until("everybody goes on", far(sent+50)); err != nil {
		t.Fatal(err)
	}
	t.Logf("all went on %v after the kill", time.Since(began).Round(time.Millisecond))
	if err := cluster.Start(1); err != nil {
		t.Fatal(err)
	}
	sent, _, _ = c.last(0)
	if err := until("everybody goes on with three", far(sent+50)); err != nil {
		t.Fatal(err)
	}
	c.stop()
	if err := until("the last answers", func() bool {
		return c.haveStopped(s.Clients) && every(s.Clients, func(i int) bool { sent, received, _ := c.last(i); return sent > 0 && received == sent })
	}); err != nil {
		t.Error(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	comebacks := 0
	for i := range s.Clients {
		up := Judge(Stream{Sent: c.sent[i], Receiver: cluster.Up(i)}, AtMostOnce)
		down := Judge(Stream{Sent: c.sent[i], Receiver: c.events[i]}, AtMostOnce)
		comebacks += down.Comebacks
		for name, v := range map[string]Verdict{"to the server": up, "and back": down} {
			if !v.Good() {
				t.Errorf("client %d, %s: %v", i, name, v)
			}
		}
	}
	if comebacks == 0 {
		t.Error("nobody was on the node that was killed, or behind it")
	}
}

// spread returns how many nodes have had clients.
func (c *Cluster) spread() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	nodes := map[*node]bool{}
	for _, groups := range c.groups {
		for _, g := range groups {
			nodes[g.node] = true
		}
	}
	return len(nodes)
}
