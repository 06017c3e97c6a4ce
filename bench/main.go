//go:build linux

// Command bench measures Socket.IO servers in one interleaved run, each on the
// first core with the load on the second, and checks every answer: this one, two
// hard-coded ones (the limits), the official one, and any other that a command
// starts:
//
//	go run . -server 'name=command'
//
// With -cluster it measures clusters of such servers instead, ours and Node's, on
// each broker there is.
//
// The command's process prints the port that it listens on at 127.0.0.1 as its
// first line, and answers what node/server.js answers. Linux only.
package main

import (
	"context"
	"errors"
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

	"github.com/sockeye-go/socketio/bench/measured"
)

var servers = []string{"sockeye", "epoll", "reference", "node"}

func main() {
	if name := os.Getenv("BENCH_SERVE"); name != "" {
		log.Fatal(serve(name))
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	defer removeServer()
	quick := flag.Bool("quick", false, "a tenth of the operations, once: shows that it works, and no figures worth having")
	repeats := flag.Int("repeats", 3, "runs of each scenario")
	scale := flag.Int("scale", 20, "how many operations, and connections: 20 is 10,000")
	only := flag.String("only", "", "run the scenarios whose name matches this regular expression, and save nothing")
	which := flag.String("servers", "", "which servers, with commas between; default all")
	curves := flag.Bool("curves", true, "measure the curves too")
	profiles := flag.String("profiles", "", "write CPU, allocation, mutex and block profiles of the Go servers into this directory, and save nothing")
	toPublish := flag.String("publish", "", "measure nothing: put the figures of this file into the documents, with plots")
	flag.DurationVar(&settling, "settle", settling, "how long before memory is measured; the runtime collects by itself after 2m")
	clusters := flag.Bool("cluster", false, "measure clusters instead: adapters, ours and Node's, at 2, 4 and 8 nodes")
	flag.Func("server", "another server, as name=command; may be repeated", func(s string) error {
		name, command, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("want name=command")
		}
		others[name] = command
		servers = append(servers, name)
		return nil
	})
	flag.Parse()
	if *toPublish != "" {
		return publish(*toPublish, "..")
	}
	if *clusters {
		return measureClusters(*quick, *only, os.Stderr)
	}
	pin()
	if *quick {
		*scale, *repeats = 2, 1
	}
	if *which != "" {
		servers = strings.Split(*which, ",")
	}
	matching, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	scenarios = slices.DeleteFunc(scenarios, func(s scenario) bool { return !matching.MatchString(s.name) })
	whole := !*quick && *only == "" && *profiles == ""
	if *profiles != "" {
		if err := os.MkdirAll(*profiles, 0o755); err != nil {
			return err
		}
	}

	r := newReport(*scale, *repeats)
	if r.Results, err = runAll(*scale, *repeats, *profiles, os.Stderr); err != nil {
		return err
	}
	if *which == "" && *profiles == "" {
		if r.Clients, err = runClients(*scale, *repeats, matching, os.Stderr); err != nil {
			return err
		}
	}
	if whole && *curves {
		if r.Curves, err = runCurves(*scale, os.Stderr); err != nil {
			return err
		}
	}
	fmt.Print(r.tables())
	if !whole {
		return nil
	}
	fmt.Print("\n", r.goals())
	name, err := r.save("results")
	if err != nil {
		return err
	}
	fmt.Printf("\nsaved; to put it into the documents: go run . -publish %s\n", name)
	return nil
}

// serve runs what this program itself is told to be, in a process of its own, until
// the process is killed.
func serve(name string) error {
	switch name {
	case "nats-server":
		return serveNATS()
	case "go client":
		return obey(context.Background())
	}
	o, end, err := clusterOptions(os.Getenv("BENCH_ADAPTER"), os.Getenv("BENCH_BROKER"))
	if err != nil {
		return err
	}
	defer end()
	return measured.Run(name, o)
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
		r := result{s.name, s.unit, map[string][]figure{}}
		for range repeats {
			for _, server := range servers {
				if !s.includes(server) {
					continue
				}
				f, err := runOne(&s, server, scale, profiles)
				if _, other := others[server]; other && err != nil {
					// What another server cannot do is a result too.
					fmt.Fprintf(progress, "%s, %s: %v\n", s.name, server, err)
					continue
				}
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", s.name, server, err)
				}
				r.Runs[server] = append(r.Runs[server], f)
				fmt.Fprintf(progress, "%s, %s: %s\n", s.name, server, cell([]figure{f}, s.unit))
			}
		}
		results = append(results, r)
	}
	return results, nil
}

func runOne(s *scenario, server string, scale int, profiles string) (figure, error) {
	if profiles != "" {
		profiles = filepath.Join(profiles, server+"-"+strings.NewReplacer(" ", "_", ",", "").Replace(s.name))
	}
	p, err := start(server, s, profiles)
	if err != nil {
		return figure{}, err
	}
	defer p.stop()
	return s.run(p, scale)
}
