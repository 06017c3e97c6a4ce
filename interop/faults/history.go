// Package faults puts a bad network between clients and a server, has both write
// down what they see, and judges the history afterwards: not what a test
// expects at some moment, but whether anything in all of it breaks a promise of
// docs/guarantees.md. Faults come from a seed, so that a failure can be had
// again.
package faults

import (
	"fmt"
	"slices"
)

// A Level is what was promised for a stream of messages.
type Level int

// The levels, each with all that the one before promises about order.
const (
	// AtMostOnce: in order, none twice; one that is missing has a disconnect of
	// the receiver beside it.
	AtMostOnce Level = iota
	// Recovered: as long as comebacks are recovered, none is missing.
	Recovered
	// AtLeastOnce: none is missing in the end. One may come twice, and late.
	AtLeastOnce
	// ExactlyOnce: none is missing in the end, none comes twice.
	ExactlyOnce
)

func (l Level) String() string {
	return [...]string{"at most once", "recovered", "at least once", "exactly once"}[l]
}

// A Kind is what happened.
type Kind string

// What a receiver writes down; Sent is the sender's.
const (
	Sent         Kind = "sent"
	Received     Kind = "received"
	Connected    Kind = "connected"
	Disconnected Kind = "disconnected"
)

// An Event is one line of a history.
type Event struct {
	Kind      Kind
	Seq       int  // of Sent and Received
	Recovered bool // of Connected
}

// A Stream is what was sent one way between two ends, and what the receiver
// saw, in the receiver's order. Sequence numbers are sent in rising order.
type Stream struct {
	Name     string
	Sent     []int
	Receiver []Event
}

// A Verdict counts what broke the promise.
type Verdict struct {
	Received    int
	Lost        int // beyond what the level allows
	Excused     int // missing, and allowed to be
	Twice       int
	OutOfOrder  int
	Invented    int      // received and never sent
	Comebacks   int      // connects after the first
	Recoveries  int      // of these
	Observation []string // the first few faults, in words
}

// Good reports whether the promise was kept.
func (v Verdict) Good() bool { return v.Lost+v.Twice+v.OutOfOrder+v.Invented == 0 }

func (v Verdict) String() string {
	return fmt.Sprintf("%d received, %d comebacks of which %d recovered, lost %d, excused %d, twice %d, out of order %d, invented %d %q",
		v.Received, v.Comebacks, v.Recoveries, v.Lost, v.Excused, v.Twice, v.OutOfOrder, v.Invented, v.Observation)
}

func (v *Verdict) note(format string, args ...any) {
	if len(v.Observation) < 5 {
		v.Observation = append(v.Observation, fmt.Sprintf(format, args...))
	}
}

// Judge holds a stream to a level. The history must have been closed in quiet:
// everything that could still arrive has.
func Judge(s Stream, level Level) Verdict {
	var v Verdict
	sent := make(map[int]int, len(s.Sent)) // place in the order of sending
	for i, seq := range s.Sent {
		sent[seq] = i
	}
	seen := make(map[int]bool)
	next := 0          // the place expected next; -1 before the first connect counts nothing
	excuse := true     // what was sent before the receiver was there is not its to have
	connectedOnce := 0 // connects so far
	for i, e := range s.Receiver {
		switch e.Kind {
		case Connected:
			connectedOnce++
			if connectedOnce > 1 {
				v.Comebacks++
				if e.Recovered {
					v.Recoveries++
				}
			}
			if level == Recovered && connectedOnce > 1 && !e.Recovered {
				excuse = true
			}
		case Disconnected:
			if level == AtMostOnce {
				excuse = true
			}
		case Received:
			v.Received++
			place, known := sent[e.Seq]
			if !known {
				v.Invented++
				v.note("line %d: %d was never sent", i, e.Seq)
				continue
			}
			if seen[e.Seq] {
				if level != AtLeastOnce {
					v.Twice++
					v.note("line %d: %d again", i, e.Seq)
				}
				continue
			}
			seen[e.Seq] = true
			if level >= AtLeastOnce {
				continue // judged in the end
			}
			switch {
			case place < next:
				v.OutOfOrder++
				v.note("line %d: %d behind %d", i, e.Seq, s.Sent[next-1])
			case place > next && excuse:
				v.Excused += place - next
			case place > next:
				v.Lost += place - next
				v.note("line %d: %d to %d are missing", i, s.Sent[next], s.Sent[place-1])
			}
			next = max(next, place+1)
			excuse = false
		}
	}
	missing := len(s.Sent) - next
	switch {
	case level >= AtLeastOnce:
		for _, seq := range s.Sent {
			if !seen[seq] {
				v.Lost++
				v.note("%d never came", seq)
			}
		}
	case missing > 0 && (excuse || connectedOnce == 0):
		v.Excused += missing
	case missing > 0:
		v.Lost += missing
		v.note("nothing came from %d on", s.Sent[next])
	}
	return v
}

// Merge adds up verdicts.
func Merge(all ...Verdict) Verdict {
	var sum Verdict
	for _, v := range all {
		sum.Received += v.Received
		sum.Lost += v.Lost
		sum.Excused += v.Excused
		sum.Twice += v.Twice
		sum.OutOfOrder += v.OutOfOrder
		sum.Invented += v.Invented
		sum.Comebacks += v.Comebacks
		sum.Recoveries += v.Recoveries
		sum.Observation = append(sum.Observation, v.Observation...)
	}
	sum.Observation = slices.Clip(sum.Observation[:min(5, len(sum.Observation))])
	return sum
}

// without leaves out what may be missing, of what was sent and of what came. It is not
// there twice.
func without(maybe map[int]bool, sent []int, events []Event) (s Stream, twice int) {
	seen := map[int]bool{}
	for _, e := range events {
		if e.Kind == Received && maybe[e.Seq] {
			if seen[e.Seq] {
				twice++
			}
			seen[e.Seq] = true
			continue
		}
		s.Receiver = append(s.Receiver, e)
	}
	for _, seq := range sent {
		if !maybe[seq] {
			s.Sent = append(s.Sent, seq)
		}
	}
	return s, twice
}
