//go:build linux

package main

import (
	"log"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if name := os.Getenv("BENCH_SERVE"); name != "" {
		log.Fatal(serve(name))
	}
	os.Exit(m.Run())
}

// Each scenario ends with every answer right, against each server.
func TestQuick(t *testing.T) {
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs the official server: SOCKEYE_PARTS=all")
	}
	results, err := runAll(1, 1, "", t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != len(scenarios) {
		t.Errorf("%d results, want %d", len(results), len(scenarios))
	}
}
