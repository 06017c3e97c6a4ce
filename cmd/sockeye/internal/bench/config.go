package bench

import (
	"time"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// A config is what a run does: the flags, and what each process gets of them.
type config struct {
	URL       string        `json:"url"`
	Namespace string        `json:"namespace"`
	Scenario  string        `json:"scenario"`
	Clients   int           `json:"clients"`
	Rate      float64       `json:"rate"` // operations a second, of all clients
	Ramp      time.Duration `json:"ramp"` // in which the clients connect
	Hold      time.Duration `json:"hold"` // in which operations are made
	Size      int           `json:"size"` // bytes of payload
	RoomSize  int           `json:"roomSize,omitempty"`
	Polling   float64       `json:"pollingShare,omitempty"` // of the clients, 0 to 1
	Event     string        `json:"event,omitempty"`        // of the scenario emit
	Ack       bool          `json:"ack,omitempty"`
	Processes int           `json:"processes"`

	raw    string // the URL as it was given: its query may hold a secret
	target cli.Target
}

// A share is the part of a run that one process has. It travels as JSON.
type share struct {
	Config config     `json:"config"`
	URL    string     `json:"url"`
	Target cli.Target `json:"target"`
	Index  int        `json:"index"`
	First  int        `json:"first"` // number of its first client
	Count  int        `json:"count"` // of its clients
	Rate   float64    `json:"rate"`
}

// split divides a run among its processes.
func (c *config) split() []share {
	var list []share
	target := c.target
	target.URL = nil // its parts do not travel; it is parsed again
	first := 0
	for i := range c.Processes {
		n := c.Clients / c.Processes
		if i < c.Clients%c.Processes {
			n++
		}
		list = append(list, share{Config: *c, URL: c.raw, Target: target, Index: i, First: first, Count: n,
			Rate: c.Rate * float64(n) / float64(c.Clients)})
		first += n
	}
	return list
}
