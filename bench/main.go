//go:build linux

// Command bench measures this server, a hard-coded Go server (the limit) and
// the official server in one interleaved run, each on the first core with the
// load on the second, and checks every answer. Linux only.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

var servers = []string{"sockeye", "reference", "node"}

type result struct {
	Scenario string              `json:"scenario"`
	Runs     map[string][]figure `json:"runs"` // by server, in order
}

func main() {
	if name := os.Getenv("BENCH_SERVE"); name != "" {
		log.Fatal(serve(name))
	}
	quick := flag.Bool("quick", false, "a tenth of the operations, once: shows that it works, and no figures worth having")
	repeats := flag.Int("repeats", 3, "runs of each scenario")
	scaleFlag := flag.Int("scale", 20, "how many operations; memory is that of 500 times as many connections")
	only := flag.String("only", "", "run the scenarios whose name matches this regular expression")
	which := flag.String("servers", strings.Join(servers, ","), "which servers")
	profiles := flag.String("profiles", "", "write CPU, allocation, mutex and block profiles of the Go servers into this directory")
	flag.Parse()
	pin()
	scale := *scaleFlag
	if *quick {
		scale, *repeats = 2, 1
	}
	servers = strings.Split(*which, ",")
	matching, err := regexp.Compile(*only)
	if err != nil {
		log.Fatal(err)
	}
	scenarios = slices.DeleteFunc(scenarios, func(s scenario) bool { return !matching.MatchString(s.name) })
	results, err := runAll(scale, *repeats, *profiles, os.Stderr)
	if err != nil {
		log.Fatal(err)
	}
	table := markdown(results, scale, *repeats)
	fmt.Print(table)
	if *quick || *only != "" || *profiles != "" {
		return
	}
	raw, err := json.MarshalIndent(results, "", "\t")
	if err != nil {
		log.Fatal(err)
	}
	name := "results/" + time.Now().UTC().Format(time.DateOnly)
	for ext, b := range map[string][]byte{".md": []byte(table), ".json": append(raw, '\n')} {
		if err := os.WriteFile(name+ext, b, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// pin runs this program again on the second core, where there is one.
func pin() {
	taskset, err := exec.LookPath("taskset")
	if err != nil || runtime.NumCPU() < 2 || os.Getenv("BENCH_PINNED") != "" {
		return
	}
	self, err := os.Executable()
	if err == nil {
		err = syscall.Exec(taskset, append([]string{taskset, "-c", "1", self}, os.Args[1:]...), append(os.Environ(), "BENCH_PINNED=1"))
	}
	log.Fatal(err)
}

// runAll takes the servers in turn within each repeat, so that what disturbs
// the machine for a while disturbs them all.
func runAll(scale, repeats int, profiles string, progress io.Writer) ([]result, error) {
	var results []result
	for _, s := range scenarios {
		r := result{s.name, map[string][]figure{}}
		for range repeats {
			for _, server := range servers {
				if s.noPolled && server == "reference" {
					continue
				}
				f, err := runOne(s, server, scale, profiles)
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", s.name, server, err)
				}
				r.Runs[server] = append(r.Runs[server], f)
				fmt.Fprintf(progress, "%s, %s: %.1f %.1f\n", s.name, server, f.Value, f.Collected)
			}
		}
		results = append(results, r)
	}
	return results, nil
}

func runOne(s scenario, server string, scale int, profiles string) (figure, error) {
	if profiles != "" {
		profiles = filepath.Join(profiles, server+"-"+strings.ReplaceAll(strings.ReplaceAll(s.name, " ", "_"), ",", ""))
	}
	p, err := start(server, profiles)
	if err != nil {
		return figure{}, err
	}
	defer p.stop()
	return s.run(p, scale)
}

func median(fs []figure, get func(figure) float64) float64 {
	var vs []float64
	for _, f := range fs {
		vs = append(vs, get(f))
	}
	slices.Sort(vs)
	return vs[len(vs)/2]
}

func markdown(results []result, scale, repeats int) string {
	var b strings.Builder
	node, _ := exec.Command("node", "--version").Output()
	fmt.Fprintf(&b, "%s, %s, Node %s, socket.io 4.8.4, %d cores. Medians of %d interleaved runs, scale %d; server on one core, load on another where there are two.\n\n",
		time.Now().UTC().Format(time.DateOnly), runtime.Version(), strings.TrimSpace(string(node)), len(cpus()), repeats, scale)
	b.WriteString("| server CPU µs per operation (p50 / p99 of one round trip of the load, µs; with 16 in flight of all 16) | this server | hard-coded Go | Node |\n|---|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s |", r.Scenario)
		for _, server := range servers {
			fs := r.Runs[server]
			if len(fs) == 0 {
				b.WriteString(" – |")
				continue
			}
			fmt.Fprintf(&b, " %.1f", median(fs, func(f figure) float64 { return f.Value }))
			if p99 := median(fs, func(f figure) float64 { return f.P99 }); p99 > 0 {
				fmt.Fprintf(&b, " (%.0f / %.0f)", median(fs, func(f figure) float64 { return f.P50 }), p99)
			}
			b.WriteString(" |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// cpus are the cores of the machine, also those this process is kept from.
func cpus() []string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	var out []string
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "processor") {
			out = append(out, line)
		}
	}
	return out
}
