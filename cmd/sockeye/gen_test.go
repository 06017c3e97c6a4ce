package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGen(t *testing.T) {
	const contract = "../../examples/chat/chat.Events"
	const golden = "../../examples/chat/chat/events.ts"
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"gen", contract}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	want, err := os.ReadFile(golden)
	if err != nil || stdout.String() != string(want) {
		t.Errorf("%s is stale (%v): run sockeye gen -o %s %s. Now it is\n%s", golden, err, golden, contract, &stdout)
	}

	file := filepath.Join(t.TempDir(), "events.ts")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := run(t.Context(), []string{"gen", "-o", file, "--check", contract}, &stdout, &stderr); code != 1 || !strings.Contains(stderr.String(), "is stale") {
		t.Errorf("-check of an old file: exit code %d: %s", code, &stderr)
	}
	if code := run(t.Context(), []string{"gen", "-o", file, contract}, &stdout, &stderr); code != 0 {
		t.Errorf("-o: exit code %d: %s", code, &stderr)
	}
	if code := run(t.Context(), []string{"gen", "-o", file, "--check", contract}, &stdout, &stderr); code != 0 {
		t.Errorf("-check of a new file: exit code %d: %s", code, &stderr)
	}
}

func TestGenRefuses(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{nil, 64, "accepts 1 arg"},
		{[]string{"../../examples/chat/chat"}, 64, "exported"},
		{[]string{"../../examples/chat/chat.events"}, 64, "exported"},
		{[]string{"--check", "../../examples/chat/chat.Events"}, 64, "needs a file"},
		{[]string{"../../examples/chat/chat.Missing"}, 1, "undefined"},
		{[]string{"../../examples/hello.Events"}, 1, "nothing can import"},
		{[]string{"../../nowhere.Events"}, 1, "go list"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), append([]string{"gen"}, c.args...), &stdout, &stderr); code != c.code || !strings.Contains(stderr.String(), c.says) {
			t.Errorf("gen %q: exit code %d, %q; want %d and %q", c.args, code, &stderr, c.code, c.says)
		}
	}
}
