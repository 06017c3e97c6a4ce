package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReleaseTargets holds the platforms of the releases to what is promised. In its
// long form it checks the binary for each, without making code: types are what
// differs between platforms.
func TestReleaseTargets(t *testing.T) {
	config, err := os.ReadFile("../../.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(config), "targets:\n")
	var targets []string
	for line := range strings.Lines(rest) {
		target, found := strings.CutPrefix(strings.TrimSpace(line), "- ")
		if !found {
			break
		}
		targets = append(targets, target)
	}
	want := []string{"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64"}
	if !slices.Equal(targets, want) {
		t.Fatalf("the configuration has %q; want %q", targets, want)
	}
	if os.Getenv("SOCKEYE_LONG") == "" {
		return // minutes of CPU; make cross builds the binary for each, make test for each system
	}
	for _, target := range targets {
		system, arch, _ := strings.Cut(target, "_")
		cmd := exec.Command("go", "vet", "-printf=false", "./...")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+arch)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", target, err, out)
		}
	}
}

// TestCompletion runs the script for bash through bash, and asks what the scripts
// of all shells ask.
func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if code, stdout, stderr := sockeye(t, "", "completion", shell); code != 0 || !strings.Contains(stdout, "__complete") {
			t.Errorf("%s: code %d, %s", shell, code, stderr)
		}
	}
	if code, _, _ := sockeye(t, "", "completion", "tcsh"); code != 64 {
		t.Errorf("an unknown shell: code %d", code)
	}
	_, script, _ := sockeye(t, "", "completion", "bash")
	if bash, err := exec.LookPath("bash"); err == nil {
		cmd := exec.Command(bash, "-n")
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("bash does not take it: %v\n%s", err, out)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"con"}, "connect\t"},
		{[]string{"connect", "--transport", ""}, "websocket"},
		{[]string{"bench", "--scenario", ""}, "broadcast\t"},
		{[]string{"completion", ""}, "fish"},
		{[]string{"man", ""}, "doctor\t"},
	} {
		if _, stdout, _ := sockeye(t, "", append([]string{"__complete"}, c.args...)...); !strings.Contains(stdout, c.want) {
			t.Errorf("%q: %q is not among\n%s", c.args, c.want, stdout)
		}
	}
}

func TestMan(t *testing.T) {
	code, stdout, _ := sockeye(t, "", "man", "connect")
	if code != 0 || !strings.Contains(stdout, ".TH") || !strings.Contains(stdout, "expect") {
		t.Errorf("code %d\n%s", code, stdout)
	}
	dir := t.TempDir()
	if code, _, stderr := sockeye(t, "", "man", "--dir", dir); code != 0 {
		t.Fatal(stderr)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil || len(pages) < 9 {
		t.Errorf("%q, %v", pages, err)
	}
	for _, page := range pages {
		if b, err := os.ReadFile(page); err != nil || bytes.Contains(b, []byte("bench-worker")) {
			t.Errorf("%s: %v", page, err)
		}
	}
	if code, _, _ := sockeye(t, "", "man", "nothing"); code != 64 {
		t.Errorf("an unknown command: code %d", code)
	}
}

// TestHelp: each command shows how it is called, by examples.
func TestHelp(t *testing.T) {
	for _, c := range newRoot(nil, nil).Commands() {
		if c.Hidden || c.Name() == "version" {
			continue
		}
		code, stdout, _ := sockeye(t, "", c.Name(), "--help")
		if code != 0 || !strings.Contains(stdout, "Examples:\n  ") || strings.Contains(stdout, "\x1b") {
			t.Errorf("%s: code %d\n%s", c.Name(), code, stdout)
		}
	}
}
