//go:build race

package parser_test

const raceEnabled = true // sync.Pool drops at random then
