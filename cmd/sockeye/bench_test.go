package main

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/cmd/sockeye/internal/bench"
)

// TestBench runs each scenario for a moment, against this module's server and an
// official one with the lines of the guide. No figure is looked at, since the
// machine may be busy: that operations end, and all that is said arrives, is.
func TestBench(t *testing.T) {
	for _, s := range []struct {
		name  string
		flags []string
		start func(*testing.T) string
	}{
		{"ours", nil, func(t *testing.T) string {
			srv := bench.NewServer(&socketio.Options{AllowEIO3: true})
			hs := httptest.NewServer(srv)
			t.Cleanup(func() { srv.Close(); hs.Close() })
			return hs.URL
		}},
		{"Node 4", nil, func(t *testing.T) string { return nodeServer(t, "bench.mjs", "4") }},
		{"Node 2", []string{"--eio3"}, func(t *testing.T) string { return nodeServer(t, "bench.mjs", "2") }},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			url := s.start(t)
			for _, c := range []struct{ name, args string }{
				{"connect", "-s connect"},
				{"echo", "-s echo -r 100"},
				{"binary", "-s binary -r 50"},
				{"broadcast", "-s broadcast -r 20"},
				{"rooms", "-s rooms --room-size 3 -r 50"},
				{"churn", "-s churn -r 20"},
				{"emit", "-s emit --event bench:echo --ack -r 50"},
				{"polling", "-s echo --polling 0.5 -r 50"},
			} {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					file := filepath.Join(t.TempDir(), "r.json")
					args := append([]string{"bench", url, "-c", "8", "--ramp", "100ms", "--hold", "500ms", "--json", file, "--html", file + ".html", "--slo", "errors<0.001%"}, s.flags...)
					code, stdout, stderr := sockeye(t, "", append(args, strings.Fields(c.args)...)...)
					if code != 0 {
						t.Fatalf("code %d\n%s%s", code, stdout, stderr)
					}
					var r struct {
						Clients          int
						Counts           struct{ Sent, Expected, Delivered int64 }
						Connect, Latency struct{ Count int64 }
					}
					b, err := os.ReadFile(file)
					if err != nil {
						t.Fatal(err)
					}
					if err := json.Unmarshal(b, &r); err != nil {
						t.Fatal(err)
					}
					if r.Clients != 8 || r.Connect.Count != 8 {
						t.Errorf("%d clients\n%s", r.Clients, stdout)
					}
					if r.Counts.Expected != r.Counts.Delivered || c.name != "connect" && r.Latency.Count == 0 {
						t.Errorf("%+v\n%s", r, stdout)
					}
					if page, err := os.ReadFile(file + ".html"); err != nil || strings.Count(string(page), "<svg") != 3 {
						t.Errorf("the report: %v", err)
					}
				})
			}
		})
	}
}

// TestBenchProcesses: the clients are shared among processes, which are this
// program again.
func TestBenchProcesses(t *testing.T) {
	srv := bench.NewServer(nil)
	hs := httptest.NewServer(srv)
	defer hs.Close()
	defer srv.Close()
	cmd := command(t, "bench", hs.URL, "-s", "broadcast", "-p", "2", "-c", "6", "-r", "20", "--ramp", "100ms", "--hold", "500ms", "--slo", "lost<1%", "--slo", "p99>10m")
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "6 of 6 clients") || !strings.Contains(string(out), "✗ p99>10m") || !strings.Contains(string(out), "✓ lost<1%") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestBenchRefuses(t *testing.T) {
	url := wordServer(t)
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{url + " -s nothing", 64, "broadcast, churn"},
		{url + " -c 0", 64, "--clients"},
		{url + " -r 0", 64, "--rate"},
		{url + " -p 200", 64, "--processes"},
		{url + " -s emit", 64, "--event"},
		{url + " --slo p99", 64, "--slo"},
		{url + " --timeout 500ms", 1, "sockeye bench serve"},
		{"http://127.0.0.1:1", 2, "nothing listens"},
		{"compare a b", 64, "no such file"},
	} {
		if code, _, stderr := sockeye(t, "", append([]string{"bench"}, strings.Fields(c.args)...)...); code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: code %d, %q; want %d, %q", c.args, code, stderr, c.code, c.says)
		}
	}
}
