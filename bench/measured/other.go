//go:build !linux

// Package measured has the Go servers that are measured, on Linux alone.
package measured
