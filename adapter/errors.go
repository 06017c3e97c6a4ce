package adapter

import (
	"fmt"
	"strings"
)

// A MissingError ends the answers to a broadcast that not all sockets answered.
type MissingError struct {
	Missing int // how many sockets did not answer, as far as is known
	// Nodes are those that did not say how many sockets they had asked.
	Nodes []string
	Err   error // why nobody waits for them any longer; nil if they all left
}

func (e *MissingError) Error() string {
	s := fmt.Sprintf("%d sockets left without an answer", e.Missing)
	if e.Err != nil {
		s = fmt.Sprintf("%d answers missing: %v", e.Missing, e.Err)
	}
	return s + ofNodes(", and those of", e.Nodes)
}

func (e *MissingError) Unwrap() error { return e.Err }

// A PartialError says that some nodes did not answer a request. What the others
// answered comes with it.
type PartialError struct {
	Missing int // how many nodes did not answer
	// Nodes are their ids, where the adapter knows them.
	Nodes []string
	Err   error // why nobody waits for them any longer
}

func (e *PartialError) Error() string {
	return fmt.Sprintf("%d nodes did not answer: %v%s", e.Missing, e.Err, ofNodes(":", e.Nodes))
}

func (e *PartialError) Unwrap() error { return e.Err }

func ofNodes(what string, nodes []string) string {
	if len(nodes) == 0 {
		return ""
	}
	return what + " " + strings.Join(nodes, ", ")
}
