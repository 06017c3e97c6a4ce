package faults

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/internal/leak"
	"github.com/sockeye-go/socketio/interop/internal/page"
)

func TestMain(m *testing.M) { leak.Main(m) }

// TestFaults runs the matrix. SOCKEYE_LONG makes it long, FAULTS_RESULTS names a
// file for the table, FAULTS_SEED another seed; FAULTS_ONLY is a part of the names of
// the cells that are run.
func TestFaults(t *testing.T) {
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs Node and the packages of interop/node, redis-server and PostgreSQL: set SOCKEYE_PARTS=all")
	}
	long, seconds, seed := os.Getenv("SOCKEYE_LONG") != "", 2.5, uint64(1)
	if long {
		seconds = 10
	}
	if s := os.Getenv("FAULTS_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &seed); err != nil {
			t.Fatal(err)
		}
	}
	cells := Matrix(long, seconds, seed)
	if only := os.Getenv("FAULTS_ONLY"); only != "" {
		cells = slices.DeleteFunc(cells, func(s Setting) bool { return !strings.Contains(s.name(), only) })
	}
	brokers := NewBrokers()
	defer brokers.Close()
	outcomes, errs := make([]Outcome, len(cells)), make([]error, len(cells))
	var all sync.WaitGroup
	slots := make(chan struct{}, 6) // most of a cell's time is waiting
	for i, s := range cells {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			outcomes[i], errs[i] = Run(s, brokers)
		})
	}
	all.Wait()
	rows := ""
	for i, s := range cells {
		t.Run(s.name(), func(t *testing.T) {
			o := outcomes[i]
			defer func() { rows += o.row(s, t.Failed()) }()
			t.Log(o)
			if errs[i] != nil {
				t.Fatalf("seed %d: %v", s.Seed, errs[i])
			}
			for name, v := range map[string]Verdict{"from the server": o.Down, "to the server": o.Up, "each once": o.Deduped} {
				if !v.Good() {
					t.Errorf("seed %d, %s: %v", s.Seed, name, v)
				}
			}
			if o.Zombies != 0 || o.Sockets != s.Clients || o.GaveUp != 0 {
				t.Errorf("seed %d: %d zombies, %d sockets for %d clients, %d sends given up", s.Seed, o.Zombies, o.Sockets, s.Clients, o.GaveUp)
			}
			if o.Cuts == 0 || o.Down.Comebacks == 0 || o.Down.Received == 0 || o.Up.Received == 0 {
				t.Errorf("nothing happened: %v", o)
			}
			// In one process nothing stands in the way of a recovery.
			if s.Recovery && s.Broker == "" && 100*o.Down.Recoveries < 99*o.Down.Comebacks {
				t.Errorf("seed %d: %d of %d comebacks were recovered", s.Seed, o.Down.Recoveries, o.Down.Comebacks)
			}
		})
	}
	if path := os.Getenv("FAULTS_RESULTS"); path != "" {
		text := fmt.Sprintf(matrixHead, time.Now().UTC().Format("2006-01-02 15:04"), runtime.Version(), len(cells), seconds, seed) + rows
		if err := results.Write(path, matrix, text); err != nil {
			t.Fatal(err)
		}
	}
}

// The parts of the page of results.
const (
	matrix = "Every transport, broker and level"
	killed = "Nodes and stores that are killed"
)

var results = page.Page{
	Head: "# The last long run of faults\n\n`make faults` writes this page; [guarantees.md](guarantees.md) says what is promised. Figures of\n" +
		"messages say how much was judged, and nothing about speed.\n",
	Parts: []string{matrix, killed},
}

const matrixHead = `%s, %s: ` + "`TestFaults`" + `, %d cells, %.0f s of faults in each, 4 clients, seed %d.

A cell is a client over a transport. *Restart*: the server goes and comes back. *Shaped*:
delays and segments of single bytes. With a broker there are two nodes; one emits, clients
are on both. *Links*: the links of the nodes to the broker are cut too. *Moves*: halfway all
clients come back to the other node. *Excused* are messages beside a disconnect, which at
most once may lose; with a broker that stores nothing, those beside a cut link, too. *Retries*
is at least once, and the same judged as exactly once, copies told apart by their numbers.

| Cell | Cuts | Comebacks (recovered) | From the server: received, excused | To the server: received, excused | Lost, twice, out of order | Promise |
|---|---:|---:|---:|---:|---:|---|
`

func (o Outcome) row(s Setting, failed bool) string {
	all := Merge(o.Down, o.Up, o.Deduped)
	verdict := "kept"
	if failed {
		verdict = "**broken**"
	}
	return fmt.Sprintf("| %s | %d | %d (%d) | %d, %d | %d, %d | %d, %d, %d | %s |\n", s.name(), o.Cuts, o.Down.Comebacks, o.Down.Recoveries,
		o.Down.Received, o.Down.Excused, o.Up.Received, o.Up.Excused, all.Lost, all.Twice, all.OutOfOrder+all.Invented, verdict)
}
