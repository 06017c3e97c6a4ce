package faults

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"
)

// A Cluster is some nodes in processes of their own, of command node.
type Cluster struct {
	exe    string
	config func(node int) any // of command node
	nodes  []*node

	mu     sync.Mutex
	groups [][]*group // of each client, in the order in which they came
	lines  []NodeLine // what nodes said apart from that
}

// A group is what one connection of a client brought.
type group struct {
	node   *node
	conn   int
	events []Event
}

// A NodeLine is a line that a node wrote.
type NodeLine struct {
	Node            int `json:"-"`
	On              string
	C, Conn, Seq, N int
	Recovered       bool
	Error           string
}

// A node is one process of a Cluster.
type node struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ready chan struct{}
	ended chan struct{}
}

// BuildNode compiles command node, with the race detector, into dir.
func BuildNode(dir string) (exe string, err error) {
	exe = dir + "/node"
	if out, err := exec.Command("go", "build", "-race", "-o", exe, "./node").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return exe, nil
}

// FreeAddrs returns addresses for nodes to listen on, which keep theirs when they
// are started again.
func FreeAddrs(n int) (addrs []string, err error) {
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close() // not before all have theirs
		addrs = append(addrs, ln.Addr().String())
	}
	return addrs, nil
}

// NewCluster starts the nodes.
func NewCluster(exe string, nodes, clients int, config func(node int) any) (*Cluster, error) {
	c := &Cluster{exe: exe, config: config, nodes: make([]*node, nodes), groups: make([][]*group, clients)}
	for i := range nodes {
		if err := c.begin(i); err != nil {
			c.Close()
			return nil, err
		}
	}
	for i := range nodes {
		if err := c.Ready(i); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// begin starts a node and does not wait for it.
func (c *Cluster) begin(i int) error {
	config, err := json.Marshal(c.config(i))
	if err != nil {
		return err
	}
	n := &node{cmd: exec.Command(c.exe, string(config)), ready: make(chan struct{}), ended: make(chan struct{})}
	n.cmd.Stderr = os.Stderr
	if n.stdin, err = n.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := n.cmd.Start(); err != nil {
		return err
	}
	c.mu.Lock()
	c.nodes[i] = n
	c.mu.Unlock()
	go func() {
		defer close(n.ended)
		c.read(i, n, out)
		_ = n.cmd.Wait()
	}()
	return nil
}

// Ready waits until a node that was started serves.
func (c *Cluster) Ready(i int) error {
	n := c.node(i)
	select {
	case <-n.ready:
		return nil
	case <-n.ended:
		return fmt.Errorf("node %d ended at its start: %v", i, n.cmd.ProcessState)
	case <-time.After(2 * settleTime):
		return fmt.Errorf("node %d was not ready after %v", i, 2*settleTime)
	}
}

func (c *Cluster) node(i int) *node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[i]
}

func (c *Cluster) read(i int, n *node, out io.Reader) {
	in := bufio.NewScanner(out)
	for in.Scan() {
		l := NodeLine{Node: i}
		if json.Unmarshal(in.Bytes(), &l) != nil {
			continue // half a line, of a node that was killed
		}
		c.mu.Lock()
		switch Kind(l.On) {
		case Connected:
			c.groups[l.C] = append(c.groups[l.C], &group{n, l.Conn, []Event{{Kind: Connected, Recovered: l.Recovered}}})
		case Received, Disconnected:
			for _, g := range c.groups[l.C] {
				if g.node == n && g.conn == l.Conn {
					g.events = append(g.events, Event{Kind: Kind(l.On), Seq: l.Seq})
				}
			}
		case "ready":
			close(n.ready)
		default:
			c.lines = append(c.lines, l)
		}
		c.mu.Unlock()
	}
}

// Tell has a node do something. One that is not there does not hear it.
func (c *Cluster) Tell(i int, format string, args ...any) {
	_, _ = fmt.Fprintf(c.node(i).stdin, format+"\n", args...)
}

// Lines returns what nodes said, apart from what they saw of clients.
func (c *Cluster) Lines() []NodeLine {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lines)
}

// Up returns what a client sent and any node received, by connection.
func (c *Cluster) Up(client int) (events []Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, g := range c.groups[client] {
		events = append(events, g.events...)
		if events[len(events)-1].Kind != Disconnected {
			events = append(events, Event{Kind: Disconnected}) // a new one came before it was noticed
		}
	}
	return events
}

// Has reports whether any node received n from a client.
func (c *Cluster) Has(client, n int) bool {
	return slices.Contains(c.Up(client), Event{Kind: Received, Seq: n})
}

// Kill ends a node as the system does when memory is short.
func (c *Cluster) Kill(i int) {
	n := c.node(i)
	_ = n.cmd.Process.Kill()
	<-n.ended
}

// Stop ends a node in good order.
func (c *Cluster) Stop(i int) error {
	n := c.node(i)
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-n.ended:
	case <-time.After(settleTime):
		c.Kill(i)
		return fmt.Errorf("node %d did not end", i)
	}
	if code := n.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("node %d ended with %d", i, code)
	}
	return nil
}

// Start starts a node again.
func (c *Cluster) Start(i int) error {
	if err := c.begin(i); err != nil {
		return err
	}
	return c.Ready(i)
}

// Close ends all nodes.
func (c *Cluster) Close() {
	for i, n := range c.nodes {
		if n != nil {
			_ = n.stdin.Close()
		}
		if n != nil {
			select {
			case <-n.ended:
			case <-time.After(settleTime):
				c.Kill(i)
			}
		}
	}
}
