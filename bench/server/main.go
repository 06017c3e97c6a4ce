//go:build linux

// Command server is one of the Go servers that are measured, as BENCH_SERVE says. It is
// a program of its own, so that it is no larger than other servers are.
package main

import (
	"log"
	"os"

	"github.com/sockeye-go/socketio/bench/measured"
)

func main() { log.Fatal(measured.Run(os.Getenv("BENCH_SERVE"), nil)) }
