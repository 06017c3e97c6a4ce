//go:build linux

package main

import (
	"log"
	"os"
	"regexp"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if name := os.Getenv("BENCH_SERVE"); name != "" {
		log.Fatal(serve(name))
	}
	code := m.Run()
	removeServer()
	os.Exit(code)
}

// Each scenario ends with every answer right, against each server.
func TestQuick(t *testing.T) {
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs the official server: SOCKEYE_PARTS=all")
	}
	results, err := runAll(1, 1, "", t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != len(scenarios) {
		t.Errorf("%d results, want %d", len(results), len(scenarios))
	}
}

// Each client has its answers, and all of them are right.
func TestClients(t *testing.T) {
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs the official client: SOCKEYE_PARTS=all")
	}
	results, err := runClients(1, 1, regexp.MustCompile(""), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		for _, c := range clients {
			if len(r.Runs[c]) != 1 || r.Unit == clientCPU && r.Runs[c][0].Value <= 0 {
				t.Errorf("%s, %s: %+v", r.Scenario, c, r.Runs[c])
			}
		}
	}
}

// Each adapter carries every message to the other node.
func TestClusters(t *testing.T) {
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs the brokers and Node: SOCKEYE_PARTS=all")
	}
	ph := phases{100 * time.Millisecond, 50 * time.Millisecond}
	cells, err := runClusters(1, ph, []int{2}, regexp.MustCompile("sockeye|node postgres"), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cells {
		if c.Rate <= 0 || c.CPU <= 0 || c.P50 <= 0 || c.Server == "sockeye" && c.Disordered > 0 {
			t.Errorf("%+v; want figures, and order", c)
		}
	}
	if len(cells) < 6 {
		t.Errorf("%d cells", len(cells))
	}
	for _, r := range runRecoveries(50, regexp.MustCompile("streams|postgres"), t.Output()) {
		if r.Failed != "" || r.Recovered != r.Clients || r.Confirmed == 0 || r.Lost != 0 || r.Twice != 0 {
			t.Errorf("%+v; want that all recover, and nothing is lost or comes twice", r)
		}
	}
}

// What is published says nothing of where a machine keeps its files.
func TestCommandWithoutPaths(t *testing.T) {
	for _, tt := range []struct {
		want string
		args []string
	}{
		{"-repeats 2", []string{"-repeats", "2"}},
		{"-server 'oxide=exec oxide'", []string{"-server", "oxide=exec /home/me/target/release/oxide"}},
		{"-server node=server.js", []string{"-server", "node=/home/me/server.js"}},
		{"'-server=oxide=exec node oxide.js --port=1'", []string{"-server=oxide=exec /usr/bin/node ./oxide.js --port=1"}},
		{"-only 'a room|64 KiB'", []string{"-only", "a room|64 KiB"}},
	} {
		if got := command(tt.args); got != tt.want {
			t.Errorf("%q is published as %s; want %s", tt.args, got, tt.want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		want float64
		of   []float64
	}{{1, []float64{1}}, {2, []float64{3, 1}}, {2, []float64{9, 1, 2}}, {3, []float64{9, 1, 2, 4}}} {
		var fs []figure
		for _, v := range tt.of {
			fs = append(fs, figure{Value: v})
		}
		if got := median(fs, value); got != tt.want {
			t.Errorf("median of %v is %v; want %v", tt.of, got, tt.want)
		}
	}
}
