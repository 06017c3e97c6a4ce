package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// servers are those that `sockeye connect` is held against: this module's, and the
// official ones of both generations.
var servers = []struct {
	name  string
	flags []string
	start func(*testing.T) string
}{
	{"ours", nil, wordServer},
	{"ours to a client of Socket.IO 2", []string{"--eio3"}, wordServer},
	{"Node 4", nil, func(t *testing.T) string { return nodeServer(t, "peer.mjs", "4") }},
	{"Node 2", []string{"--eio3"}, func(t *testing.T) string { return nodeServer(t, "peer.mjs", "2") }},
}

func TestConnect(t *testing.T) {
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			url := s.start(t)
			file := filepath.Join(t.TempDir(), "bytes")
			if err := os.WriteFile(file, []byte{0, 1, 2}, 0o600); err != nil {
				t.Fatal(err)
			}
			saved := t.TempDir()
			for _, c := range []struct {
				name, stdin string
				args        []string
				code        int
				says        string // of both outputs
			}{
				{"call", "", []string{"-e", `call echo 1 two {"a":[3]}`}, 0, `"args":[1,"two",{"a":[3]}],"id":1`},
				{"binary", "", []string{"-e", "call echo @" + file}, 0, `"args":[{"$binary":"AAEC"}]`},
				{"save", "", []string{"-e", "call echo @" + file, "--save", saved}, 0, "echo-1.bin"},
				{"polling", "", []string{"--transport", "polling", "-e", "call echo x"}, 0, `"transport":"polling"`},
				{"upgrade", "", []string{"--transport", "upgrade", "-e", "call echo x"}, 0, `"args":["x"]`},
				{"websocket", "", []string{"--transport", "websocket", "-e", "call echo x"}, 0, `"transport":"websocket"`},
				{"namespace", "", []string{"-n", "chat", "-e", "call echo x"}, 0, `"namespace":"/chat"`},
				{"expect", "", []string{"-e", "emit echo x", "--expect", "echo=x"}, 0, `"event":"echo"`},
				{"expect two", "", []string{"-e", "emit echo x", "-e", "emit echo y", "--expect", "echo", "--expect", "echo"}, 0, `"args":["y"]`},
				{"expect by filter", "", []string{"-e", "emit echo 4", "--expect", "echo|.[0] > 3"}, 0, ""},
				{"expect in vain", "", []string{"-e", "emit echo x", "--expect", "echo=y", "--within", "300ms"}, 1, `not seen within 300ms: ["echo=y"]`},
				{"thrown out", "", []string{"-e", "emit kick false", "--expect", "echo"}, 2, "io server disconnect"},
				{"no ack", "", []string{"-e", "call half 1", "--within", "300ms"}, 1, "no answer in time"},
				{"refused", "", []string{"-n", "/guarded"}, 2, "--auth"},
				{"admitted", "", []string{"-n", "/guarded", "--auth", `{"token":"good"}`, "--expect", "hello"}, 0, `"event":"hello"`},
				{"NDJSON", `["echo","a"]` + "\n" + `{"event":"echo","args":["b"],"id":"q"}` + "\n", nil, 0, `"id":"q"`},
				{"a question and its answer", "", []string{"-e", "call ask question 5", "-e", "answer 1 five", "--within", "2s"}, 64, "nothing with the number 1"},
				{"jq", `{"event":"echo","args":["b"],"id":"q"}`, []string{"--jq", `select(.type=="ack") | .args[0]`}, 0, `"b"`},
				{"nonsense", "nonsense\n", nil, 64, "line 1"},
				{"wrong filter", "", []string{"--jq", ".["}, 64, "jq"},
			} {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					args := append(append([]string{"connect", url}, s.flags...), c.args...)
					code, stdout, stderr := sockeye(t, c.stdin, args...)
					if code != c.code || !strings.Contains(stdout+stderr, c.says) {
						t.Errorf("%q: code %d; want %d and %q\n%s%s", c.args, code, c.code, c.says, stdout, stderr)
					}
					if strings.Contains(stdout+stderr, "\x1b") {
						t.Errorf("colours in a pipe: %q", stdout+stderr)
					}
				})
			}
		})
	}
}

// TestRecordAndReplay: what was said is said again, and answered again.
func TestRecordAndReplay(t *testing.T) {
	url := wordServer(t)
	file := filepath.Join(t.TempDir(), "talk.ndjson")
	in := `{"event":"echo","args":["a",{"$binary":"AQI="}],"id":1}` + "\n" + `["echo","b"]` + "\n"
	if code, stdout, stderr := sockeye(t, in, "connect", url, "--record", file, "--linger", "100ms"); code != 0 {
		t.Fatalf("code %d\n%s%s", code, stdout, stderr)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]int{}
	for line := range strings.Lines(string(text)) {
		var r struct{ Type string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		types[r.Type]++
	}
	if types["recording"] != 1 || types["emit"] != 2 || types["ack"] != 1 {
		t.Errorf("recorded %v:\n%s", types, text)
	}
	for _, speed := range []string{"0", "1", "100"} {
		code, stdout, stderr := sockeye(t, "", "connect", url, "--replay", file, "--speed", speed, "--expect", "echo=b")
		if code != 0 || !strings.Contains(stdout, `"AQI="`) {
			t.Errorf("speed %s: code %d\n%s%s", speed, code, stdout, stderr)
		}
	}
	if err := os.WriteFile(file, []byte(`{"type":"event","event":"x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := sockeye(t, "", "connect", url, "--replay", file); code != 64 || !strings.Contains(stderr, "nothing was sent") {
		t.Errorf("an empty recording: code %d, %s", code, stderr)
	}
}

// TestNobodyThere: the errors of connections say what to do.
func TestNobodyThere(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"http://127.0.0.1:1"}, 2, "nothing listens at 127.0.0.1:1"},
		{[]string{"ftp://x"}, 64, "use http"},
		{nil, 64, "accepts 1 arg"},
		{[]string{"http://127.0.0.1:1", "--transport", "pigeon"}, 64, "auto, websocket, polling or upgrade"},
	} {
		code, _, stderr := sockeye(t, "", append([]string{"connect"}, c.args...)...)
		if code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("%q: code %d, %q; want %d, %q", c.args, code, stderr, c.code, c.says)
		}
	}
}
