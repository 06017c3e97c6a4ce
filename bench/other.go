//go:build !linux

// Command bench measures servers; it reads /proc, so it runs on Linux alone.
package main

import "log"

func main() { log.Fatal("bench runs on Linux alone") }
