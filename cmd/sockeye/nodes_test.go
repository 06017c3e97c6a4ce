package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/examples/nodes"
)

// startNodes starts demo --nodes as a person does, and returns where it is. interrupt
// ends it and returns its exit code.
func startNodes(t *testing.T) (url string, interrupt func() int) {
	t.Helper()
	cmd := command(t, "demo", "--nodes", "3", "--no-open", "--addr", "127.0.0.1:0", "--drain-delay", "0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ok {
		t.Fatalf("first line = %q, %v; want ready and an address\n%s", line, err, &errs)
	}
	return strings.TrimSuffix(url, "nodes/"), func() int {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		t.Log(errs.String())
		return cmd.ProcessState.ExitCode()
	}
}

// A watcher is a window of the page, as to what counts.
type watcher struct {
	s *client.Socket

	mu          sync.Mutex
	next        map[string]int
	got         int
	lost, twice int
	moves       int
	unrecovered int
}

func (w *watcher) tick(k nodes.Tick) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got++
	key := fmt.Sprint(k.Node, k.Boot)
	want, seen := w.next[key]
	switch {
	case seen && k.Seq < want:
		w.twice++
		return
	case seen:
		w.lost += k.Seq - want
	}
	w.next[key] = k.Seq + 1
}

func watch(t *testing.T, ctx context.Context, url string, transports ...string) *watcher {
	t.Helper()
	m, err := client.New(url, &client.Options{
		Transports: transports, ReconnectionDelay: 50 * time.Millisecond, ReconnectionDelayMax: 200 * time.Millisecond,
		SocketOptions: client.SocketOptions{Auth: map[string]string{"name": "tester"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	w := &watcher{s: m.Socket("/nodes"), next: make(map[string]int)}
	connects := 0
	w.s.OnConnect(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if connects++; connects > 1 {
			w.moves++
			if !w.s.Recovered() {
				w.unrecovered++
			}
		}
	})
	w.s.On("tick", func(_ context.Context, m *socketio.Message) error {
		var k nodes.Tick
		err := m.Decode(&k)
		w.tick(k)
		return err
	})
	if err := w.s.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *watcher) look(ctx context.Context) (c nodes.Cluster, err error) {
	m, err := w.s.EmitWithAck(ctx, "look")
	if err != nil {
		return c, err
	}
	return c, m.Decode(&c)
}

// TestNodes: three processes, of which the one that serves most is killed. Everybody
// goes on with the same session, nothing is lost, and the node comes back.
func TestNodes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 55*time.Second)
	defer cancel()
	url, interrupt := startNodes(t)
	if err := check(ctx, url, io.Discard); err != nil {
		t.Error(err)
	}
	var windows []*watcher
	for i := range 6 {
		windows = append(windows, watch(t, ctx, url, [][]string{{"polling"}, {"websocket"}, {"polling", "websocket"}}[i%3]...))
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	until := func(what string, f func() bool) {
		t.Helper()
		for !f() {
			select {
			case <-tick.C:
			case <-ctx.Done():
				t.Fatalf("waited in vain: %s", what)
			}
		}
	}
	serves := map[string]int{}
	until("all nodes are known to tick, and who is where", func() bool {
		c, err := windows[0].look(ctx)
		if err != nil || len(c.Visitors) != len(windows) {
			return false
		}
		clear(serves)
		for _, v := range c.Visitors {
			serves[v.Node]++
		}
		for _, w := range windows { // the Go client asks for its session when it has had an event
			w.mu.Lock()
			all := len(w.next) == 3
			w.mu.Unlock()
			if !all {
				return false
			}
		}
		return true
	})
	victim := ""
	for node, n := range serves {
		if n > serves[victim] {
			victim = node
		}
	}
	if err := windows[0].s.Emit("kill", victim); err != nil {
		t.Fatal(err)
	}
	until("the node is started again", func() bool {
		windows[0].mu.Lock()
		defer windows[0].mu.Unlock()
		return len(windows[0].next) == 4 // another boot
	})
	until("everybody is there again", func() bool {
		c, err := windows[0].look(ctx)
		return err == nil && len(c.Visitors) == len(windows) && c.Missing == 0
	})
	moves := 0
	for i, w := range windows {
		w.mu.Lock()
		moves += w.moves
		if w.lost+w.twice+w.unrecovered > 0 || w.got == 0 {
			t.Errorf("window %d: %d received, %d lost, %d twice, %d of %d moves not recovered", i, w.got, w.lost, w.twice, w.unrecovered, w.moves)
		}
		w.mu.Unlock()
	}
	if moves < serves[victim] {
		t.Errorf("%d moved; %s served %d", moves, victim, serves[victim])
	}
	for _, w := range windows {
		w.s.Disconnect()
	}
	if code := interrupt(); code != 0 {
		t.Errorf("interrupted demo = %d; want 0", code)
	}
}

func TestNodesRefused(t *testing.T) {
	for _, n := range []string{"1", "2", "10", "-1"} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"demo", "--nodes", n, "--check"}, &out, &errs); code != 1 || !strings.Contains(errs.String(), "3 to 9") {
			t.Errorf("--nodes %s = %d: %s", n, code, &errs)
		}
	}
	var errs bytes.Buffer
	if err := runNode(t.Context(), strings.NewReader("nothing"), io.Discard, &errs); err == nil {
		t.Error("a node starts without its configuration")
	}
}

// TestFrontDrains: whoever asks the door whether it is ready is told that it will close,
// while it serves on.
func TestFrontDrains(t *testing.T) {
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }))
	defer node.Close()
	f := newFront()
	f.set(node.Listener.Addr().String(), true)
	ask := func(path string) (int, string) {
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	if code, text := ask("/readyz"); code != http.StatusOK || text != "/readyz" {
		t.Errorf("before: %d %s; want what the node says", code, text)
	}
	f.drain()
	if code, text := ask("/readyz"); code != http.StatusServiceUnavailable || text != "draining" {
		t.Errorf("while it drains: %d %s", code, text)
	}
	if code, text := ask("/chat/"); code != http.StatusOK || text != "/chat/" {
		t.Errorf("while it drains, a page: %d %s", code, text)
	}
}
