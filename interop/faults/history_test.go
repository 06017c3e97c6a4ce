package faults

import (
	"strings"
	"testing"
)

// parse reads a history: numbers are received, "c" connects, "r" connects and
// was recovered, "d" disconnects.
func parse(s string) (events []Event) {
	for _, word := range strings.Fields(s) {
		switch word {
		case "c":
			events = append(events, Event{Kind: Connected})
		case "r":
			events = append(events, Event{Kind: Connected, Recovered: true})
		case "d":
			events = append(events, Event{Kind: Disconnected})
		default:
			n := 0
			for _, d := range word {
				n = n*10 + int(d-'0')
			}
			events = append(events, Event{Kind: Received, Seq: n})
		}
	}
	return events
}

// TestJudge: a checker that finds nothing proves nothing, so that each kind of
// fault is shown to it.
func TestJudge(t *testing.T) {
	type counts struct{ lost, excused, twice, disorder, invented int }
	tests := []struct {
		history string
		level   Level
		want    counts
	}{
		{"c 1 2 3 4 5 6", AtMostOnce, counts{}},
		{"c 1 2 3 4 5 6", ExactlyOnce, counts{}},
		{"c 3 4 5 6", AtMostOnce, counts{excused: 2}}, // it came late
		{"c 1 2 5 6", AtMostOnce, counts{lost: 2}},
		{"c 1 2 d c 5 6", AtMostOnce, counts{excused: 2}},
		{"c 1 2 d c 3 6", AtMostOnce, counts{lost: 2}},         // not beside the disconnect
		{"c 1 2 d c 5", AtMostOnce, counts{2 - 1, 2, 0, 0, 0}}, // and then the last is missing
		{"c 1 2 d", AtMostOnce, counts{excused: 4}},
		{"c 1 2", AtMostOnce, counts{lost: 4}},
		{"", AtMostOnce, counts{excused: 6}},
		{"c 1 2 2 3 4 5 6", AtMostOnce, counts{twice: 1}},
		{"c 1 2 d c 2 3 4 5 6", AtMostOnce, counts{twice: 1}},
		{"c 1 3 2 4 5 6", AtMostOnce, counts{lost: 1, disorder: 1}},
		{"c 1 2 3 4 5 6 7", AtMostOnce, counts{invented: 1}},
		{"c 1 2 d r 3 4 d r 5 6", Recovered, counts{}},
		{"c 1 2 d r 4 5 6", Recovered, counts{lost: 1}},
		{"c 1 2 d r 2 3 4 5 6", Recovered, counts{twice: 1}},
		{"c 1 2 d c 4 5 6", Recovered, counts{excused: 1}},
		{"c 1 2 d r 3 d c 5 6", Recovered, counts{excused: 1}},
		{"c 1 2 d r 4 d c 6", Recovered, counts{lost: 1, excused: 1}},
		{"c 1 2 d r 3 4", Recovered, counts{lost: 2}},
		{"c 1 2 3 d c 2 3 4 6 5", AtLeastOnce, counts{}},
		{"c 1 2 3 d c 4 6", AtLeastOnce, counts{lost: 1}},
		{"c 1 2 3 d c 4 6 5", ExactlyOnce, counts{}},
		{"c 1 2 3 d c 3 4 5 6", ExactlyOnce, counts{twice: 1}},
		{"c 1 2 3 d c 4 5", ExactlyOnce, counts{lost: 1}},
	}
	for _, tt := range tests {
		v := Judge(Stream{Sent: []int{1, 2, 3, 4, 5, 6}, Receiver: parse(tt.history)}, tt.level)
		got := counts{v.Lost, v.Excused, v.Twice, v.OutOfOrder, v.Invented}
		if got != tt.want {
			t.Errorf("%q, %v: %+v; want %+v (%q)", tt.history, tt.level, got, tt.want, v.Observation)
		}
		bad := tt.want
		bad.excused = 0
		if v.Good() != (bad == counts{}) {
			t.Errorf("%q, %v: good is %v", tt.history, tt.level, v.Good())
		}
	}
}
