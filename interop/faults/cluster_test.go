package faults

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/interop/internal/nginx"
)

// clusterSettle is how long it may take until all is as before: servers of NATS that
// have lost one elect others, of streams and of the cluster, which takes seconds each.
const clusterSettle = time.Minute

// An emitter has one node after the other emit numbers to everybody.
type emitter struct {
	c    *Cluster
	stop chan struct{}
	done sync.WaitGroup

	mu    sync.Mutex
	node  int // that emits; -1 for none
	next  int
	began int          // the first number of this node
	maybe map[int]bool // were not confirmed when their node, or the store, was killed
}

// emitEach is the time between two numbers, and flushEach of how many are confirmed
// together.
const (
	emitEach  = 4 * time.Millisecond
	flushEach = 10
)

func newEmitter(c *Cluster) *emitter {
	e := &emitter{c: c, stop: make(chan struct{}), next: 1, began: 1, maybe: make(map[int]bool)}
	e.done.Go(func() {
		tick := time.NewTicker(emitEach)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				e.emit()
			case <-e.stop:
				return
			}
		}
	})
	return e
}

func (e *emitter) emit() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.node < 0 {
		return
	}
	e.c.Tell(e.node, "emit %d", e.next)
	if e.next%flushEach == 0 {
		e.c.Tell(e.node, "flush")
	}
	e.next++
}

// confirmed returns up to which number everything of a node is in the log.
func (e *emitter) confirmed(node int) (n int, err error) {
	for _, l := range e.c.Lines() {
		if l.Node != node || e.maybe[l.Seq] {
			continue
		}
		if l.Error != "" {
			return n, fmt.Errorf("node %d, %s %d: %s", node, l.On, l.Seq, l.Error)
		}
		if l.On == "flushed" {
			n = max(n, l.Seq)
		}
	}
	return n, nil
}

// pass has another node emit from now on, or none if it is negative. What there is
// of the first is confirmed before.
func (e *emitter) pass(to int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.node >= 0 {
		e.c.Tell(e.node, "flush")
		var failed error
		err := within(clusterSettle, "the store confirms", func() bool {
			n, err := e.confirmed(e.node)
			failed = err
			return n == e.next-1 || err != nil
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return err
		}
	}
	e.node, e.began = to, e.next
	return nil
}

// kill ends the node that emits, and has another go on.
func (e *emitter) kill(to int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.c.Kill(e.node)
	n, err := e.confirmed(e.node)
	for seq := max(n+1, e.began); seq < e.next; seq++ {
		e.maybe[seq] = true
	}
	e.node, e.began = to, e.next
	return err
}

// outage kills the store and starts it again, while the node that emits goes on.
// What was not confirmed before, and what was emitted until it can confirm again,
// may be missing.
func (e *emitter) outage(s store) error {
	e.mu.Lock()
	n, err := e.confirmed(e.node)
	from := max(n+1, e.began)
	if err == nil {
		err = s.kill()
	}
	e.mu.Unlock()
	if err != nil {
		return err
	}
	e.mu.Lock()
	away := e.next + 100
	e.mu.Unlock()
	if err := within(clusterSettle, "a hundred are emitted meanwhile", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.next >= away
	}); err != nil {
		return err
	}
	if err := s.run(); err != nil {
		return err
	}
	return within(clusterSettle, "the store confirms again", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		for seq := from; seq < e.next; seq++ {
			e.maybe[seq] = true
		}
		taken := map[int]bool{} // what failed to be emitted is not waited for by a flush
		for _, l := range e.c.Lines() {
			if l.Node != e.node || l.Seq <= away || l.Error != "" {
				continue
			}
			taken[l.Seq] = taken[l.Seq] || l.On == "emitted"
			if l.On == "flushed" && taken[l.Seq] {
				return true
			}
		}
		return false
	})
}

// stream is what a client must have got of what was emitted, and what it did. What
// was not confirmed may be missing; it is not there twice.
func (e *emitter) stream(events []Event) (s Stream, twice int) {
	var sent []int
	for seq := 1; seq < e.next; seq++ {
		sent = append(sent, seq)
	}
	return without(e.maybe, sent, events)
}

// TestCluster restarts three nodes in turn, and kills the one that emits, and the
// store, under load: nodes behind nginx in round robin, on each store. All clients
// come back with their session; of what was confirmed nothing is lost and nothing
// comes twice.
func TestCluster(t *testing.T) {
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs nginx, Node and the packages of interop/node, redis-server and PostgreSQL: set SOCKEYE_PARTS=all")
	}
	exe, err := BuildNode(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(stores))
	rowsOf := make([]string, len(names))
	t.Run("stores", func(t *testing.T) { // ends when all have
		for i, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel() // most of it is waiting
				rowsOf[i] = restartsAndKills(t, exe, name, stores[name](t))
			})
		}
	})
	rows := strings.Join(rowsOf, "")
	if path := os.Getenv("FAULTS_RESULTS"); path != "" {
		if err := results.Write(path, killed, fmt.Sprintf(killedHead, time.Now().UTC().Format("2006-01-02 15:04"), runtime.Version())+rows); err != nil {
			t.Fatal(err)
		}
	}
}

const killedHead = `%s, %s: ` + "`TestCluster`" + `, with three nodes in processes of their own behind nginx. In each round
they are restarted in turn, the one that emits is killed with -9, and so is the store, if it is
not in the nodes. *Unconfirmed* is what the store had not confirmed then, and may be missing.

| Store, clients | Rounds | Emitted, of which unconfirmed | Comebacks (recovered) | From the server: received | To the server: received, excused | Lost, twice, out of order | Promise |
|---|---:|---:|---:|---:|---:|---:|---|
`

func restartsAndKills(t *testing.T, exe, name string, st store) (rows string) {
	settings, rounds := []Setting{
		{Client: Official, Transports: []string{"polling", "websocket"}, Clients: 4, Path: "/socket.io/", Timeout: 20 * time.Second},
		{Client: OurGo, Transports: []string{"websocket"}, Clients: 4, First: 4, Path: "/socket.io/", Timeout: 20 * time.Second},
	}, 1
	if os.Getenv("SOCKEYE_LONG") != "" {
		settings = append(settings, Setting{Client: OurGo, Transports: []string{"polling"}, Clients: 4, First: 8, Path: "/socket.io/", Timeout: 20 * time.Second})
		rounds = 4
	}
	total := 0
	for _, s := range settings {
		total += s.Clients
	}
	addrs, err := FreeAddrs(3)
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := NewCluster(exe, 3, total, func(i int) any {
		config := st.config(i)
		config["Listen"], config["Key"], config["Ping"] = addrs[i], bytes.Repeat([]byte("k"), 32), time.Second
		return config
	})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	lines := nginx.Documented(t, "../../docs/behind-a-proxy.md", 2, "10.0.0.1:3000", addrs[0], "10.0.0.2:3000", addrs[1], "10.0.0.3:3000", addrs[2])
	upstream, location, _ := strings.Cut(lines, "\nlocation")
	url := "http://" + nginx.Start(t, upstream, "location"+location)
	var sets []*clients
	for _, s := range settings {
		begin := startClients
		if s.Client == OurGo {
			begin = startGo
		}
		c, err := begin(s, url)
		if err != nil {
			t.Fatal(err)
		}
		defer c.close()
		sets = append(sets, c)
	}
	all := func(f func(c *clients, i int) bool) func() bool {
		return func() bool {
			for k, c := range sets {
				if !every(settings[k].Clients, func(i int) bool { return f(c, i) }) {
					return false
				}
			}
			return true
		}
	}
	everybody := all(func(c *clients, i int) bool { _, _, yes := c.last(i); return yes })
	if err := within(clusterSettle, "everybody connects", everybody); err != nil {
		t.Fatal(err)
	}
	e := newEmitter(cluster)
	defer func() {
		close(e.stop)
		e.done.Wait()
	}()
	here := func() { // everybody, with what is new
		t.Helper()
		e.mu.Lock()
		n := e.next
		e.mu.Unlock()
		if err := within(clusterSettle, "everybody goes on", all(func(c *clients, i int) bool { _, received, yes := c.last(i); return yes && received >= n })); err != nil {
			t.Fatal(err)
		}
	}
	here()
	for round := range rounds {
		for i := range 3 {
			if err := e.pass((i + 1) % 3); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if err := cluster.Stop(i); err != nil {
				t.Error(err)
			}
			stopped := time.Since(began)
			if err := cluster.Start(i); err != nil {
				t.Fatal(err)
			}
			started := time.Since(began)
			here()
			t.Logf("round %d: node %d had stopped after %v and was there again after %v; all was as before after %v", round, i,
				stopped.Round(time.Millisecond), started.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
		}
		victim := (round + 1) % 3
		if err := e.pass(victim); err != nil {
			t.Fatal(err)
		}
		here()
		began := time.Now()
		if err := e.kill((victim + 1) % 3); err != nil {
			t.Fatal(err)
		}
		here()
		t.Logf("round %d: all went on %v after node %d was killed", round, time.Since(began).Round(time.Millisecond), victim)
		if err := cluster.Start(victim); err != nil {
			t.Fatal(err)
		}
		here()
		if st.kill == nil {
			continue
		}
		began = time.Now()
		if err := e.outage(st); err != nil {
			t.Fatal(err)
		}
		here()
		t.Logf("round %d: all went on %v after the store was killed", round, time.Since(began).Round(time.Millisecond))
	}
	if err := e.pass(-1); err != nil {
		t.Fatal(err)
	}
	if err := within(clusterSettle, "the last event", all(func(c *clients, i int) bool { _, received, yes := c.last(i); return yes && received == e.next-1 })); err != nil {
		t.Error(err)
	}
	for k, c := range sets {
		c.stop()
		if err := within(clusterSettle, "the last events of the clients", func() bool {
			return c.haveStopped(settings[k].Clients) && every(settings[k].Clients, func(i int) bool { sent, _, _ := c.last(i); return cluster.Has(settings[k].First+i, sent) })
		}); err != nil {
			t.Error(err)
		}
		c.close() // what it wrote down is complete then
		c.mu.Lock()
		var downs, ups []Verdict
		for i := range settings[k].Clients {
			s, twice := e.stream(c.events[i])
			v := Judge(s, Recovered)
			v.Twice += twice
			downs = append(downs, v)
			ups = append(ups, Judge(Stream{Sent: c.sent[i], Receiver: cluster.Up(settings[k].First + i)}, AtMostOnce))
		}
		c.mu.Unlock()
		down, up := Merge(downs...), Merge(ups...)
		t.Logf("%s\n  down: %v\n  up: %v", settings[k].name(), down, up)
		all, verdict := Merge(down, up), "kept"
		if !all.Good() {
			verdict = "**broken**"
		}
		rows += fmt.Sprintf("| %s, %s | %d | %d, %d | %d (%d) | %d | %d, %d | %d, %d, %d | %s |\n", name, settings[k].name(), rounds, e.next-1, len(e.maybe),
			down.Comebacks, down.Recoveries, down.Received, up.Received, up.Excused, all.Lost, all.Twice, all.OutOfOrder+all.Invented, verdict)
		if !down.Good() || !up.Good() {
			t.Errorf("%s: a promise was broken", settings[k].name())
		}
		if down.Comebacks == 0 || down.Recoveries < down.Comebacks {
			t.Errorf("%s: %d of %d comebacks were recovered", settings[k].name(), down.Recoveries, down.Comebacks)
		}
	}
	t.Logf("%d emitted, %d of them not confirmed when their node was killed", e.next-1, len(e.maybe))
	return rows
}
