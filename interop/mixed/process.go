package mixed

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
)

// A process is a program that is told by lines and answers by lines.
type process struct {
	stdin io.Writer
	out   *bufio.Scanner
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	cmd := exec.Command("node", args...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	out := bufio.NewScanner(stdout)
	out.Buffer(nil, 1<<20)
	return &process{stdin, out}
}

func (p *process) line() string {
	if !p.out.Scan() {
		return ""
	}
	return p.out.Text()
}

type nodeServer struct {
	*process
	port int
}

// StartNode starts a script that calls serve of ops.mjs.
func StartNode(t *testing.T, args ...string) Server {
	t.Helper()
	n := &nodeServer{process: start(t, args...)}
	var first struct{ Port int }
	if err := json.Unmarshal([]byte(n.line()), &first); err != nil {
		t.Fatal(err)
	}
	n.port = first.Port
	return n
}

func (n *nodeServer) URL() string { return fmt.Sprint("http://127.0.0.1:", n.port) }

func (n *nodeServer) Do(t *testing.T, op string, args ...any) string {
	if args == nil {
		args = []any{}
	}
	b, _ := json.Marshal(map[string]any{"op": op, "args": args})
	fmt.Fprintf(n.stdin, "%s\n", b)
	return n.line()
}

// clients are the official ones.
type clients struct {
	mu  sync.Mutex
	id  [4]string
	up  [4]bool
	got map[string][4][]string // by event
}

func startClients(t *testing.T, script string, all []Server) *clients {
	args := []string{script}
	for _, s := range all {
		args = append(args, s.URL())
	}
	p := start(t, args...)
	c := &clients{got: make(map[string][4][]string)}
	go func() {
		for p.out.Scan() {
			c.heard(p.out.Bytes())
		}
	}()
	Until(t, "all clients are connected", func() bool { return !slices.Contains(c.ids(), "") })
	return c
}

func (c *clients) heard(line []byte) {
	var l struct {
		C          int
		On, ID, Ev string
		Args       json.RawMessage
	}
	if json.Unmarshal(line, &l) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch l.On {
	case "connect":
		c.id[l.C], c.up[l.C] = l.ID, true
	case "disconnect":
		c.up[l.C] = false
	case "event":
		got := c.got[l.Ev]
		got[l.C] = append(got[l.C], string(l.Args))
		c.got[l.Ev] = got
	}
}

func (c *clients) ids() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.id[:])
}

func (c *clients) gone(i int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.up[i]
}

func (c *clients) everybody(event string, v int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, got := range c.got[event] {
		if !slices.Contains(got, fmt.Sprintf("[%d]", v)) {
			return false
		}
	}
	return true
}

// want has something done and checks who gets it, once and as it was sent.
func (c *clients) want(t *testing.T, what string, who []int, event, args string, do func()) {
	t.Helper()
	c.mu.Lock()
	delete(c.got, event)
	c.mu.Unlock()
	do()
	take := func() [4][]string {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.got[event]
	}
	Until(t, what+" arrives", func() bool {
		got := take()
		return !slices.ContainsFunc(who, func(i int) bool { return len(got[i]) == 0 })
	})
	for i, got := range take() {
		var want []string
		if slices.Contains(who, i) {
			want = []string{args}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: client %d got %.200q; want %.200q", what, i, got, want)
		}
	}
}
