// Command autobahn runs the Autobahn test suite against the WebSocket layer in
// both directions, as an echo, and writes the results into docs/autobahn.md. It
// needs Python 2.7 with the package autobahntestsuite; `make autobahn` sees to
// that. It exits with 1 if a case failed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const agent = "sockeye"

func main() {
	log.SetFlags(0)
	wstest := flag.String("wstest", "wstest", "the program of the suite")
	out := flag.String("o", "docs/autobahn.md", "where the table goes")
	cases := flag.String("cases", "*", "which cases")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	ok, err := run(ctx, *wstest, *out, *cases)
	if err != nil {
		log.Fatal(err)
	}
	if !ok {
		os.Exit(1)
	}
}

func run(ctx context.Context, wstest, out, cases string) (ok bool, err error) {
	dir, err := os.MkdirTemp("", "autobahn")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	started := time.Now()
	log.Print("our server, their client")
	server, err := testServer(ctx, wstest, dir, cases)
	if err != nil {
		return false, err
	}
	log.Print("our client, their server")
	client, err := testClient(ctx, wstest, dir, cases)
	if err != nil {
		return false, err
	}
	rows := []direction{{"server", server}, {"client", client}}
	for _, d := range rows {
		for id, r := range d.results {
			if !r.fine() {
				log.Printf("%s: case %s: %s, %s", d.name, id, r.Behavior, r.BehaviorClose)
			}
		}
	}
	doc, ok := report(rows, started)
	return ok, os.WriteFile(out, []byte(doc), 0o644)
}

// testServer runs the suite's client against our echo.
func testServer(ctx context.Context, wstest, dir, cases string) (map[string]result, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	hs := &http.Server{Handler: http.HandlerFunc(serveEcho), ReadHeaderTimeout: 10 * time.Second}
	go hs.Serve(l)
	defer hs.Close()
	spec := map[string]any{
		"outdir":  filepath.Join(dir, "servers"),
		"servers": []any{map[string]any{"agent": agent, "url": "ws://" + l.Addr().String()}},
		"cases":   []string{cases}, "exclude-cases": []string{}, "exclude-agent-cases": map[string]any{},
		"options": map[string]any{"failByDrop": false},
	}
	cmd, err := suite(ctx, wstest, dir, "fuzzingclient", spec)
	if err != nil {
		return nil, err
	}
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("fuzzingclient: %w", err)
	}
	return results(filepath.Join(dir, "servers"))
}

// testClient runs our client against the suite's server.
func testClient(ctx context.Context, wstest, dir, cases string) (map[string]result, error) {
	addr, err := freePort()
	if err != nil {
		return nil, err
	}
	spec := map[string]any{
		"url": "ws://" + addr, "outdir": filepath.Join(dir, "clients"), "webport": 0,
		"cases": []string{cases}, "exclude-cases": []string{}, "exclude-agent-cases": map[string]any{},
	}
	cmd, err := suite(ctx, wstest, dir, "fuzzingserver", spec)
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	if err := awaitPort(ctx, addr); err != nil {
		return nil, err
	}
	if err := runClient(ctx, "ws://"+addr); err != nil {
		return nil, err
	}
	return results(filepath.Join(dir, "clients"))
}

// suite returns the command that runs the suite in a mode.
func suite(ctx context.Context, wstest, dir, mode string, spec any) (*exec.Cmd, error) {
	b, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, mode+".json")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, wstest, "-m", mode, "-s", path)
	cmd.Dir = dir
	logFile, err := os.Create(filepath.Join(dir, mode+".log"))
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = logFile, os.Stderr
	return cmd, nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func awaitPort(ctx context.Context, addr string) error {
	for range 300 {
		if c, err := net.Dial("tcp", addr); err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return errors.New("the suite's server does not listen")
}
