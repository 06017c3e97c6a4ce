package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestUpToDate: what is committed is what web/dist has.
func TestUpToDate(t *testing.T) {
	if err := run("../compressed", true); err != nil {
		t.Error(err)
	}
}

// TestStale: the check notices a file of another build, and one that is missing.
func TestStale(t *testing.T) {
	dir := t.TempDir()
	if err := run(dir, false); err != nil {
		t.Fatal(err)
	}
	if err := run(dir, true); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "socket.io.js.br")
	if err := os.WriteFile(name, asBrotli([]byte("older")), 0o644); err != nil {
		t.Fatal(err)
	}
	if run(dir, true) == nil {
		t.Error("an older file passed")
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if run(dir, true) == nil {
		t.Error("a missing file passed")
	}
}
