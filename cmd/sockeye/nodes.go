package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/adapter/nats/embedded"
	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// Limits of demo --nodes: a majority of three is there when one is killed.
const (
	fewestNodes = 3
	mostNodes   = 9
)

// startAgain is how long the demo waits before it starts a node again.
const startAgain = time.Second

// endTimeout is how long a node may take to end.
const endTimeout = 3 * time.Second

// nodesTimeout is how long the nodes may take to find each other.
const nodesTimeout = time.Minute

// runNodes is demo with a cluster of processes.
func runNodes(ctx context.Context, count int, ln net.Listener, d demoRun) int {
	fail := func(err error) int {
		fmt.Fprintf(d.stderr, "sockeye demo: %v\n", err)
		return 1
	}
	if count < fewestNodes || count > mostNodes {
		return fail(fmt.Errorf("--nodes %d: %d to %d, so that most are there when one is killed", count, fewestNodes, mostNodes))
	}
	dir, err := os.MkdirTemp("", "sockeye-nodes-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	configs, err := nodeConfigs(count, dir)
	if err != nil {
		return fail(err)
	}
	f := newFront()
	up, cancel := context.WithCancel(context.WithoutCancel(ctx)) // the nodes outlast ctx by the delay
	var keeping sync.WaitGroup
	ready := make(chan struct{}, count*100)
	for _, c := range configs {
		keeping.Go(func() { keepNode(up, c, f, d.stderr, ready) })
	}
	defer keeping.Wait()
	defer cancel()
	timeout := time.After(nodesTimeout)
	for range count {
		select {
		case <-ready:
		case <-timeout:
			return fail(fmt.Errorf("the nodes did not find each other within %v", nodesTimeout))
		case <-ctx.Done():
			return 0
		}
	}
	hs := &http.Server{Handler: f, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), ReadHeaderTimeout: 10 * time.Second}
	defer hs.Close()
	code := d.serve(ctx, hs, ln, "nodes/")
	if d.delay > 0 && code == cli.OK {
		fmt.Fprintf(d.stderr, "sockeye demo: draining: not ready any more, and serving on for %v\n", d.delay)
		f.drain()
		time.Sleep(d.delay)
	}
	return code
}

// nodeConfigs gives each node its addresses, which it keeps when it is started again.
func nodeConfigs(count int, dir string) ([]nodeConfig, error) {
	key := make([]byte, 32)
	rand.Read(key)
	var addrs, names []string
	for range 2 * count {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close() // when all have theirs
		addrs = append(addrs, ln.Addr().String())
	}
	for i := range count {
		names = append(names, fmt.Sprintf("n%d", i+1))
	}
	var all []nodeConfig
	routes := addrs[count:]
	for i, name := range names {
		all = append(all, nodeConfig{
			Name: name, Names: names, Listen: addrs[i], Key: key,
			NATS: embedded.Options{
				Name: name, Listen: routes[i], Routes: slices.Delete(slices.Clone(routes), i, i+1), Dir: filepath.Join(dir, name),
			},
		})
	}
	return all, nil
}

// keepNode starts a node, and again whenever it ends, until ctx does.
func keepNode(ctx context.Context, c nodeConfig, f *front, stderr io.Writer, ready chan<- struct{}) {
	for ctx.Err() == nil {
		err := oneNode(ctx, c, f, stderr, ready)
		f.set(c.Listen, false)
		if ctx.Err() != nil {
			return
		}
		fmt.Fprintf(stderr, "sockeye demo: node %s has ended (%v), and is started again\n", c.Name, err)
		select {
		case <-time.After(startAgain):
		case <-ctx.Done():
		}
	}
}

// oneNode runs a node to its end.
func oneNode(ctx context.Context, c nodeConfig, f *front, stderr io.Writer, ready chan<- struct{}) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	config, err := json.Marshal(c)
	if err != nil {
		return err
	}
	cmd := exec.Command(exe, "demo-node")
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	// It ends when its input does, and if it does not it is ended. All end together,
	// so that there is no majority any more whose word they could wait for.
	stop := context.AfterFunc(ctx, func() {
		_ = in.Close()
		time.AfterFunc(endTimeout, func() { _ = cmd.Process.Kill() })
	})
	defer stop()
	if _, err := in.Write(append(config, '\n')); err != nil {
		return errors.Join(err, cmd.Wait())
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() == "ready" {
			f.set(c.Listen, true)
			ready <- struct{}{}
		}
	}
	return cmd.Wait()
}
