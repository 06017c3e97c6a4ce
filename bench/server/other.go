//go:build !linux

// Command server is one of the servers that bench measures, on Linux alone.
package main

import "log"

func main() { log.Fatal("bench runs on Linux alone") }
