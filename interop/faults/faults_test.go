package faults

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

var transports = [][]string{{"websocket"}, {"polling"}, {"polling", "websocket"}}

// matrix is every transport at every level, and each client.
func matrix(seconds float64, seed uint64) (all []Setting) {
	for _, who := range []Client{Official, OurBrowser, OurGo} {
		for _, ts := range transports {
			base := Setting{Transports: ts, Client: who, Clients: 4, Seconds: seconds, Seed: seed}
			plain, shaped, restarted, retried, recovered := base, base, base, base, base
			shaped.Shape = true
			restarted.Restarts = true
			retried.Retries, retried.Restarts = true, true
			recovered.Recovery = true
			if who != Official {
				all = append(all, shaped, retried, recovered)
			} else {
				all = append(all, plain, shaped, restarted, retried, recovered)
			}
		}
	}
	return all
}

func (s Setting) name() string {
	name := string(s.Client) + " " + strings.Join(s.Transports, "→")
	for _, f := range []struct {
		on   bool
		name string
	}{{s.Shape, "shaped"}, {s.Restarts, "restart"}, {s.Retries, "retries"}, {s.Recovery, "recovery"}} {
		if f.on {
			name += ", " + f.name
		}
	}
	return name
}

// TestFaults runs the matrix. SOCKEYE_LONG makes it long, FAULTS_RESULTS names a
// file for the table, FAULTS_SEED another seed.
func TestFaults(t *testing.T) {
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs Node and the packages of interop/node: set SOCKEYE_PARTS=all")
	}
	seconds, seed := 2.5, uint64(1)
	if os.Getenv("SOCKEYE_LONG") != "" {
		seconds = 20
	}
	if s := os.Getenv("FAULTS_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &seed); err != nil {
			t.Fatal(err)
		}
	}
	cells := matrix(seconds, seed)
	outcomes, errs := make([]Outcome, len(cells)), make([]error, len(cells))
	var all sync.WaitGroup
	slots := make(chan struct{}, 6) // most of a cell's time is waiting
	for i, s := range cells {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			outcomes[i], errs[i] = Run(s)
		})
	}
	all.Wait()
	rows := ""
	for i, s := range cells {
		t.Run(s.name(), func(t *testing.T) {
			o := outcomes[i]
			t.Log(o)
			if errs[i] != nil {
				t.Fatalf("seed %d: %v", s.Seed, errs[i])
			}
			rows += o.row(s)
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
		})
	}
	if path := os.Getenv("FAULTS_RESULTS"); path != "" {
		table := fmt.Sprintf("%s, %.0f s of faults in each cell, 4 clients, seed %d.\n\n"+
			"| Cell | Cuts | Comebacks (recovered) | From the server: received, excused | To the server: received, excused | Lost, twice, out of order |\n|---|---:|---:|---:|---:|---:|\n%s",
			time.Now().UTC().Format("2006-01-02 15:04"), seconds, seed, rows)
		if err := os.WriteFile(path, []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (o Outcome) row(s Setting) string {
	all := Merge(o.Down, o.Up, o.Deduped)
	return fmt.Sprintf("| %s | %d | %d (%d) | %d, %d | %d, %d | %d, %d, %d |\n", s.name(), o.Cuts, o.Down.Comebacks, o.Down.Recoveries,
		o.Down.Received, o.Down.Excused, o.Up.Received, o.Up.Excused, all.Lost, all.Twice, all.OutOfOrder)
}
