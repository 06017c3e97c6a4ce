// Package interop holds the server to the official client and to our browser
// client, that to the official server, and the expectations themselves to the
// official pair. See README.md.
package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A result is one line of node/run.mjs.
type result struct {
	Scenario, Transport string
	OK                  bool
	Error, Stderr       string

	Passed, Failed *int // of the last line
}

// TestServer runs the scenarios against our server: over WebTransport too, which no
// server in Node has without more, and Node's client by way of wtbridge.
func TestServer(t *testing.T) {
	needParts(t)
	exe := filepath.Join(t.TempDir(), "goserver")
	// With the race detector, as what it serves is as concurrent as it gets.
	if out, err := exec.Command("go", "build", "-race", "-o", exe, "./goserver").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	bridge := filepath.Join(t.TempDir(), "wtbridge")
	if out, err := exec.Command("go", "build", "-o", bridge, "./wtbridge").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	t.Run("official client", func(t *testing.T) { scenarios(t, exe, "official", "--bridge", bridge) })
	t.Run("our client", func(t *testing.T) { scenarios(t, exe, ourClient, "--bridge", bridge) })
}

// ourClient is the browser client as Node loads it, from the folder node.
const ourClient = "../../web/dist/node.js"

// TestControl runs them against the official server, so that an expectation
// that is wrong shows.
func TestControl(t *testing.T) {
	needParts(t)
	scenarios(t, "node", "official")
}

// TestClient runs them with our client against the official server.
func TestClient(t *testing.T) {
	needParts(t)
	scenarios(t, "node", ourClient)
}

func needParts(t *testing.T) {
	t.Helper()
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs Node and the packages of interop/node: set SOCKEYE_PARTS=all")
	}
	if _, err := os.Stat("node/node_modules/socket.io-client"); err != nil {
		t.Fatal("run npm ci in interop/node first: ", err)
	}
	if _, err := os.Stat("../web/node_modules/ws"); err != nil {
		t.Fatal("run npm ci in web first: ", err)
	}
}

func scenarios(t *testing.T, server, client string, more ...string) {
	cmd := exec.Command("node", append([]string{"run.mjs", "--server", server, "--client", client, "--jobs", "4"}, more...)...)
	cmd.Dir = "node"
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen, ended := 0, false
	in := bufio.NewScanner(out)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var r result
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", in.Text(), err)
		}
		if r.Passed != nil {
			ended = true
			continue
		}
		seen++
		t.Run(r.Transport+"/"+r.Scenario, func(t *testing.T) {
			if !r.OK {
				t.Errorf("%s\nthe server says:\n%s", r.Error, r.Stderr)
			}
		})
	}
	err = cmd.Wait()
	if !ended || seen == 0 {
		t.Errorf("the run ended early after %d scenarios: %v\n%s", seen, err, &stderr)
	} else if err != nil && !t.Failed() {
		t.Errorf("%v\n%s", err, &stderr)
	}
}
