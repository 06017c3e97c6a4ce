//go:build linux

package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// A clusterCell is a kind of server on an adapter with a number of nodes.
type clusterCell struct {
	Server  string `json:"server"`
	Adapter string `json:"adapter"`
	Nodes   int    `json:"nodes"`

	Rate   float64 `json:"rate"`   // broadcasts a second that reached all other nodes
	CPU    float64 `json:"cpu"`    // µs of all servers for one delivery on another node
	Broker float64 `json:"broker"` // µs of the broker for it
	P50    float64 `json:"p50"`    // µs until a client on another node has it
	P99    float64 `json:"p99"`
	// Disordered is the share of messages that others had overtaken.
	Disordered float64 `json:"disordered"`
}

// clusterAdapters are measured with these servers.
var clusterAdapters = []struct {
	name    string
	servers []string
}{
	{"memory", []string{"sockeye", "node"}}, // one node: what an adapter is compared with
	{"redis", []string{"sockeye", "node"}},
	{"redis-sharded", []string{"sockeye", "node"}},
	{"redis-interest", []string{"sockeye"}},
	{"redis-streams", []string{"sockeye", "node"}},
	{"nats", []string{"sockeye"}},
	{"nats-jetstream", []string{"sockeye"}},
	{"postgres", []string{"sockeye", "node"}},
	{"postgres-log", []string{"sockeye"}},
}

var clusterSizes = []int{2, 4, 8}

// A phase is how long something is measured.
type phases struct{ throughput, latency time.Duration }

// runClusters measures servers and adapters in turn, so that what disturbs the
// machine for a while disturbs them all.
//
// A cell that fails is told of and left out: the others are worth having.
func runClusters(repeats int, ph phases, sizes []int, only *regexp.Regexp, progress io.Writer) (cells []clusterCell, failed []string) {
	for range repeats {
		for _, a := range clusterAdapters {
			for _, nodes := range sizes {
				if a.name == "memory" {
					nodes = 1
				}
				for _, server := range a.servers {
					c := clusterCell{Server: server, Adapter: a.name, Nodes: nodes}
					if !only.MatchString(server + " " + a.name) {
						continue
					}
					if err := c.measure(ph); err != nil {
						failed = append(failed, fmt.Sprintf("%s on %s, %d nodes: %v", server, a.name, nodes, err))
						fmt.Fprintln(progress, failed[len(failed)-1])
						continue
					}
					fmt.Fprintf(progress, "%s on %s, %d nodes: %.0f/s, %.1f µs (broker %.1f), p50 %.0f µs, p99 %.0f µs\n",
						server, a.name, nodes, c.Rate, c.CPU, c.Broker, c.P50, c.P99)
					cells = append(cells, c)
				}
				if a.name == "memory" {
					break
				}
			}
		}
	}
	return cells, failed
}

// An audience is a client on each node but the first, where the sender is. With one
// node it is another client there.
type audience struct {
	sender *client
	rs     []*receiver
	failed chan error
	moved  chan struct{} // has room for one: somebody has received something
	sent   int
}

type receiver struct {
	*client
	got        atomic.Int64       // the number of the last message before which none is missing
	early      map[int64]struct{} // messages behind it
	disordered atomic.Int64       // messages that others have overtaken
	at         chan arrival
	timed      atomic.Bool
	start      time.Time
}

type arrival struct {
	id int
	at time.Duration
}

// count counts a message. That it comes twice is an error, that others have
// overtaken it is a flaw, which is counted.
func (r *receiver) count(id int64) error {
	got := r.got.Load()
	_, twice := r.early[id]
	switch {
	case got == 0 || id == got+1:
		got = id
		for {
			if _, ok := r.early[got+1]; !ok {
				break
			}
			got++
			delete(r.early, got)
		}
		r.got.Store(got)
	case twice || id <= got && id > warmUp:
		return fmt.Errorf("message %d came twice", id)
	case id > got:
		r.early[id] = struct{}{}
		r.disordered.Add(1)
	}
	return nil
}

func (c *clusterCell) measure(ph phases) error {
	g, err := startGroup(c.Server, c.Adapter, c.Nodes)
	if err != nil {
		return err
	}
	defer g.stop()
	a, err := gather(g.members)
	if err != nil {
		return err
	}
	defer a.close()
	if err := a.warm(); err != nil {
		return err
	}
	servers, brokers := cpuOf(g.pids()), cpuOf(g.broker.pids())
	n, took, err := a.flood(ph.throughput)
	if err != nil {
		return err
	}
	deliveries := float64(n * len(a.rs))
	c.Rate = float64(n) / took.Seconds()
	c.CPU = micros(cpuOf(g.pids())-servers) / deliveries
	c.Broker = micros(cpuOf(g.broker.pids())-brokers) / deliveries
	c.P50, c.P99, err = a.pace(ph.latency)
	for _, r := range a.rs {
		c.Disordered += float64(r.disordered.Load()) / float64(a.sent*len(a.rs))
	}
	return err
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func gather(members []*member) (*audience, error) {
	a := &audience{failed: make(chan error, len(members)+1), moved: make(chan struct{}, 1)}
	var err error
	if a.sender, err = connect(members[0].addr); err != nil {
		return nil, err
	}
	for _, m := range members[min(1, len(members)-1):] {
		c, err := connect(m.addr)
		if err != nil {
			a.close()
			return nil, err
		}
		a.rs = append(a.rs, &receiver{client: c, at: make(chan arrival, 1<<14), early: make(map[int64]struct{}), start: time.Now()})
		if err := c.join(0); err != nil {
			a.close()
			return nil, err
		}
	}
	go func() { // answers heartbeats
		_, m, err := a.sender.next()
		a.failed <- fmt.Errorf("the sender got %q, %v", m, err)
	}()
	for _, r := range a.rs {
		go func() { a.failed <- r.receive(a.moved) }()
	}
	return a, nil
}

func (a *audience) close() {
	a.sender.nc.Close()
	for _, r := range a.rs {
		r.nc.Close()
	}
}

var (
	castHead = `42["cast",{"room":"room0","id":`
	castText = strings.Repeat("x", 100)
)

// receive takes messages, each once and in order; those before the first are of
// the time when the room was not known yet.
func (r *receiver) receive(moved chan<- struct{}) error {
	for {
		_, m, err := r.next()
		if err != nil {
			return err
		}
		now := time.Since(r.start)
		// Some formats between nodes do not keep the order of an object's members.
		_, rest, ok := bytes.Cut(m, []byte(`"id":`))
		end := bytes.IndexAny(rest, ",}")
		if !ok || end < 0 || !bytes.HasPrefix(m, []byte(`42["cast",{`)) {
			return fmt.Errorf("got %.80q", m)
		}
		id, err := strconv.ParseInt(string(rest[:end]), 10, 64)
		if err != nil {
			return err
		}
		if err := r.count(id); err != nil {
			return err
		}
		if r.timed.Load() {
			r.at <- arrival{int(id), now}
		}
		select {
		case moved <- struct{}{}:
		default:
		}
	}
}

// cast sends the next n messages in one write.
func (a *audience) cast(n int) error {
	packets := make([]string, n)
	for i := range packets {
		a.sent++
		packets[i] = castHead + strconv.Itoa(a.sent) + `,"text":"` + castText + `"}]`
	}
	return a.sender.send(packets...)
}

// least is the last message that all have.
func (a *audience) least() int {
	return int(slices.MinFunc(a.rs, func(x, y *receiver) int { return cmp.Compare(x.got.Load(), y.got.Load()) }).got.Load())
}

// A lateError says that a message has not come to all.
type lateError struct {
	have, want int
	limit      time.Duration
}

func (e *lateError) Error() string {
	return fmt.Sprintf("message %d of %d has not come to all within %v", e.have+1, e.want, e.limit)
}

// wait waits until all have the message n.
func (a *audience) wait(n int, limit time.Duration) error {
	timeout := time.After(limit)
	for a.least() < n {
		select {
		case <-a.moved:
		case err := <-a.failed:
			return err
		case <-timeout:
			return &lateError{a.least(), n, limit}
		}
	}
	return nil
}

// warmUp is how many messages may be lost, at most, until the nodes know each other.
const warmUp = 100

// warm sends until all nodes know each other, and who is in the room.
func (a *audience) warm() error {
	for range warmUp {
		if err := a.cast(1); err != nil {
			return err
		}
		err := a.wait(a.sent, 100*time.Millisecond)
		if err == nil {
			break
		}
		if _, late := errors.AsType[*lateError](err); !late {
			return err
		}
	}
	for range 10 { // and the code is warm
		if err := a.cast(50); err != nil {
			return err
		}
		if err := a.wait(a.sent, 10*time.Second); err != nil {
			return err
		}
	}
	return nil
}

// window is how many messages are on their way at most.
const window = 256

// flood keeps a window of messages on their way.
func (a *audience) flood(d time.Duration) (n int, took time.Duration, err error) {
	first, start := a.sent, time.Now()
	for time.Since(start) < d {
		if room := window - (a.sent - a.least()); room >= window/8 {
			if err := a.cast(room); err != nil {
				return 0, 0, err
			}
		}
		if err := a.wait(a.sent-window+window/8, 10*time.Second); err != nil {
			return 0, 0, err
		}
	}
	if err := a.wait(a.sent, 10*time.Second); err != nil {
		return 0, 0, err
	}
	return a.sent - first, time.Since(start), nil
}

// paceInterval is between two messages whose way is timed.
const paceInterval = 5 * time.Millisecond

// pace sends at a pace that nobody has to hurry for, and returns how long it takes
// from when a message was due.
func (a *audience) pace(d time.Duration) (p50, p99 float64, err error) {
	for _, r := range a.rs {
		r.timed.Store(true)
	}
	n := int(d / paceInterval)
	due := make([]time.Time, n)
	tick := time.NewTicker(paceInterval)
	defer tick.Stop()
	for i := range due {
		<-tick.C
		due[i] = time.Now()
		if err := a.cast(1); err != nil {
			return 0, 0, err
		}
	}
	if err := a.wait(a.sent, 10*time.Second); err != nil {
		return 0, 0, err
	}
	var all []time.Duration
	for _, r := range a.rs {
		for range due {
			x := <-r.at
			all = append(all, x.at-due[x.id-a.sent+n-1].Sub(r.start))
		}
	}
	slices.Sort(all)
	return micros(all[len(all)/2]), micros(all[len(all)*99/100]), nil
}
