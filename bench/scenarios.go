//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/internal/ws"
)

const text = "the quick brown fox jumps over the lazy dog and on"

// A figure is what one run of a scenario measured.
type figure struct {
	Value float64 `json:"value"` // in the unit of its scenario
	// P50 and P99 are of one operation, in µs.
	P50 float64 `json:"p50,omitempty"`
	P99 float64 `json:"p99,omitempty"`
	// Collected is Value after a collection of garbage, where the server can be
	// told to make one.
	Collected float64 `json:"collected,omitempty"`
	// Rate is what the load offered: deliveries per second.
	Rate float64 `json:"rate,omitempty"`
	// Late is by how many µs the load missed its own schedule, at the 99th
	// percentile, and Waited how many ms the server's threads wanted a core that
	// others had. On a quiet machine both are small; where they are not, the
	// latency tells of the machine.
	Late   float64 `json:"late,omitempty"`
	Waited float64 `json:"waited,omitempty"`
}

// A unit is what the Value of a figure is measured in.
type unit string

const (
	cpuTime unit = "µs of server CPU"
	bytesOf unit = "bytes"
	latency unit = "µs until the answer, p99"
)

type scenario struct {
	name  string
	unit  unit
	not   []string // servers that it is not for
	only  []string // or the only ones
	env   []string // of the server
	procs int      // GOMAXPROCS of the server, and cores it may use; 0 is 1
	run   func(p *process, scale int) (figure, error)
}

func (s *scenario) includes(server string) bool {
	return !slices.Contains(s.not, server) && (s.only == nil || slices.Contains(s.only, server))
}

// overTLS has a Go server speak TLS.
const overTLS = "BENCH_TLS=1"

var goServers = []string{"sockeye", "reference"}

var scenarios = []scenario{
	{name: "upgrade and CONNECT", unit: cpuTime, run: handshakes},
	{name: "echo with ack, 1 in flight", unit: cpuTime, run: echoes(1, 20)},
	{name: "echo with ack, 16 in flight", unit: cpuTime, run: echoes(16, 3)},
	{name: "broadcast to a room of 1,000, per delivery", unit: cpuTime, run: func(p *process, n int) (figure, error) { return broadcast(p, 1, 1000, 3*n) }},
	{name: "200 rooms of 10, per delivery", unit: cpuTime, run: func(p *process, n int) (figure, error) { return broadcast(p, 200, 10, n) }},
	{name: "64 KiB binary echo with ack", unit: cpuTime, run: binary},
	{name: "32 KiB text echo with ack", unit: cpuTime, run: largeText},
	{name: "long-polling echo", unit: cpuTime, not: []string{"epoll"}, run: polling},
	{name: "long-polling echo, HTTP/2 over TLS", unit: cpuTime, only: goServers, env: []string{overTLS}, run: pollingOver(true)},
	{name: "echo with ack, 1 in flight, over TLS", unit: cpuTime, only: goServers, env: []string{overTLS}, run: echoes(1, 20)},
	{name: "echo with ack, 1 in flight, two cores", unit: cpuTime, not: []string{"epoll", "node"}, procs: 2, run: echoes(1, 20)},
	{name: "echo with ack, 1 in flight, two cores, GOMAXPROCS=1", unit: cpuTime, not: []string{"epoll", "node"}, procs: 2, env: []string{"GOMAXPROCS=1"}, run: echoes(1, 20)},
	{name: "200 rooms of 10, two cores", unit: cpuTime, not: []string{"epoll", "node"}, procs: 2, run: func(p *process, n int) (figure, error) { return broadcast(p, 200, 10, n) }},
	{name: "an echo among 10,000 connections while rooms of 100 receive broadcasts", unit: latency, run: amid},
	{name: "idle memory per connection", unit: bytesOf, run: idle},
	{name: "the same after an echo of each", unit: bytesOf, run: idleAfterTraffic},
	{name: "the same by way of a parked goroutine, as under TLS", unit: bytesOf, only: []string{"sockeye"}, env: []string{"BENCH_WRAP=1"}, run: idle},
	{name: "a parked one after an echo of each", unit: bytesOf, only: []string{"sockeye"}, env: []string{"BENCH_WRAP=1"}, run: idleAfterTraffic},
	{name: "idle memory per connection over TLS", unit: bytesOf, only: goServers, env: []string{overTLS}, run: idle},
	{name: "idle memory per connection with GOGC=50", unit: bytesOf, only: goServers, env: []string{"GOGC=50"}, run: idle},
	{name: "memory left of each connection that came and went", unit: bytesOf, only: []string{"sockeye"}, run: churn},
}

// each runs f for 0 to n-1 at once and returns the first error.
func each(n int, f func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// open connects n clients, at most 50 at a time.
func open(p *process, n int) ([]*client, error) {
	cs := make([]*client, n)
	err := each(min(n, 50), func(i int) error {
		for ; i < n; i += 50 {
			c, err := connect(p.url("ws"))
			if err != nil {
				return err
			}
			cs[i] = c
		}
		return nil
	})
	return cs, err
}

func closeAll(cs []*client) {
	for _, c := range cs {
		if c != nil {
			c.nc.Close()
		}
	}
}

// measure returns the server's CPU time for f, in µs per operation.
func measure(p *process, ops int, f func() error) (figure, error) {
	before, err := p.cpu()
	if err != nil {
		return figure{}, err
	}
	p.profile(true)
	if err := f(); err != nil {
		return figure{}, err
	}
	after, err := p.cpu()
	p.profile(false)
	return figure{Value: (after - before).Seconds() * 1e6 / float64(ops)}, err
}

func handshakes(p *process, scale int) (figure, error) {
	n := 100 * scale
	return measure(p, n, func() error {
		cs, err := open(p, n)
		closeAll(cs)
		return err
	})
}

// echoes is 100 connections that echo at once.
func echoes(inFlight, rounds int) func(p *process, scale int) (figure, error) {
	return func(p *process, scale int) (figure, error) {
		cs, err := open(p, 100)
		defer closeAll(cs)
		if err != nil {
			return figure{}, err
		}
		return echo(p, cs, inFlight, rounds*scale)
	}
}

func echo(p *process, cs []*client, inFlight, rounds int) (figure, error) {
	took := make([][]time.Duration, len(cs))
	f, err := measure(p, len(cs)*rounds*inFlight, func() error {
		return each(len(cs), func(i int) error {
			packets, answers := make([]string, inFlight), make([]string, inFlight)
			for r := range rounds {
				for k := range inFlight {
					id := r*inFlight + k
					packets[k], answers[k] = echoOf(id, i, text)
				}
				start := time.Now()
				if err := cs[i].send(packets...); err != nil {
					return err
				}
				for _, a := range answers {
					if err := cs[i].want(ws.Text, a); err != nil {
						return err
					}
				}
				took[i] = append(took[i], time.Since(start))
			}
			return nil
		})
	})
	if err != nil {
		return f, err
	}
	times := percentiles(slices.Concat(took...))
	f.P50, f.P99 = times.P50, times.P99
	return f, err
}

func echoOf(id, client int, text string) (packet, answer string) {
	b := fmt.Sprintf(`{"id":%d,"name":"client %d","text":"%s"}`, id, client, text)
	return fmt.Sprintf(`42%d["echo",%s]`, id, b), fmt.Sprintf(`43%d[%s]`, id, b)
}

// broadcast has the first member of each room send to it, and the next message
// when all members have the last.
func broadcast(p *process, rooms, size, rounds int) (figure, error) {
	cs, err := open(p, rooms*size)
	defer closeAll(cs)
	if err != nil {
		return figure{}, err
	}
	for i, c := range cs {
		if err := c.join(i / size); err != nil {
			return figure{}, err
		}
	}
	return measure(p, len(cs)*rounds, func() error {
		for r := range rounds {
			packet := func(room int) string {
				return fmt.Sprintf(`42["cast",{"room":"room%d","id":%d,"text":"%s"}]`, room, r, text)
			}
			for room := range rooms {
				if err := cs[room*size].send(packet(room)); err != nil {
					return err
				}
			}
			for i, c := range cs {
				if err := c.want(ws.Text, packet(i/size)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func binary(p *process, scale int) (figure, error) {
	const conns = 10
	cs, err := open(p, conns)
	defer closeAll(cs)
	if err != nil {
		return figure{}, err
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	rounds := 4 * scale
	return measure(p, conns*rounds, func() error {
		return each(conns, func(i int) error {
			for r := range rounds {
				out := ws.AppendMasked(nil, ws.Text, fmt.Appendf(nil, `451-%d["bin",{"_placeholder":true,"num":0}]`, r), [4]byte{1, 2, 3, 4})
				out = ws.AppendMasked(out, ws.Binary, data, [4]byte{5, 6, 7, 8})
				if _, err := cs[i].nc.Write(out); err != nil {
					return err
				}
				if err := cs[i].want(ws.Text, fmt.Sprintf(`461-%d[{"_placeholder":true,"num":0}]`, r)); err != nil {
					return err
				}
				if err := cs[i].want(ws.Binary, string(data)); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func polling(p *process, scale int) (figure, error) { return pollingOver(false)(p, scale) }

// pollingOver is polling, over TLS with HTTP/2 if it shall be: on one connection
// for all, as of a proxy.
func pollingOver(http2 bool) func(p *process, scale int) (figure, error) {
	return func(p *process, scale int) (figure, error) {
		return poll(p, scale, &http.Transport{MaxIdleConnsPerHost: 2 * pollers, TLSClientConfig: anyCertificate.Clone(), ForceAttemptHTTP2: http2})
	}
}

const pollers = 20

func poll(p *process, scale int, tr *http.Transport) (figure, error) {
	const clients = pollers
	hc := &http.Client{Timeout: 30 * time.Second, Transport: tr}
	defer hc.CloseIdleConnections()
	call := func(url, post, want string) (string, error) {
		var res *http.Response
		var err error
		if post == "" {
			res, err = hc.Get(url)
		} else {
			res, err = hc.Post(url, "text/plain;charset=UTF-8", strings.NewReader(post))
		}
		if err != nil {
			return "", err
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		answer := strings.TrimPrefix(string(b), "2\x1e") // some servers ping at once
		if err == nil && !strings.HasPrefix(answer, want) {
			err = fmt.Errorf("wrong answer: got %.120q, want %.120q", b, want)
		}
		return answer, err
	}
	urls := make([]string, clients)
	for i := range urls {
		url := p.url("http") + "/socket.io/?EIO=4&transport=polling"
		open, err := call(url, "", "0{")
		if err != nil {
			return figure{}, err
		}
		urls[i] = url + "&sid=" + sidOf(open)
		if _, err := call(urls[i], "40", "ok"); err != nil {
			return figure{}, err
		}
		if _, err := call(urls[i], "", "40{"); err != nil {
			return figure{}, err
		}
	}
	rounds := 4 * scale
	return measure(p, clients*rounds, func() error {
		return each(clients, func(i int) error {
			for r := range rounds {
				b := fmt.Sprintf(`{"id":%d,"name":"client %d","text":"%s"}`, r, i, text)
				if _, err := call(urls[i], fmt.Sprintf(`42%d["echo",%s]`, r, b), "ok"); err != nil {
					return err
				}
				if _, err := call(urls[i], "", fmt.Sprintf(`43%d[%s]`, r, b)); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// largeText is an echo of 32 KiB in one string.
func largeText(p *process, scale int) (figure, error) {
	const conns = 10
	cs, err := open(p, conns)
	defer closeAll(cs)
	if err != nil {
		return figure{}, err
	}
	long := strings.Repeat(text[:32], 1024)
	rounds := 8 * scale
	return measure(p, conns*rounds, func() error {
		return each(conns, func(i int) error {
			for r := range rounds {
				packet, answer := echoOf(r, i, long)
				if err := cs[i].send(packet); err != nil {
					return err
				}
				if err := cs[i].want(ws.Text, answer); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func idle(p *process, scale int) (figure, error) {
	return memory(p, 500*scale, nil)
}

func idleAfterTraffic(p *process, scale int) (figure, error) {
	return memory(p, 500*scale, func(cs []*client) error {
		return each(min(len(cs), 50), func(i int) error {
			for ; i < len(cs); i += 50 {
				packet, answer := echoOf(1, i, text)
				if err := cs[i].send(packet); err != nil {
					return err
				}
				if err := cs[i].want(ws.Text, answer); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// settling is how long connections have done nothing when their memory is measured.
var settling = 2 * time.Second

// memory is what n connections take, a moment after they have done something.
func memory(p *process, n int, do func([]*client) error) (figure, error) {
	before, err := p.pss()
	if err != nil {
		return figure{}, err
	}
	p.profile(true)
	cs, err := open(p, n)
	defer closeAll(cs)
	if err == nil && do != nil {
		err = do(cs)
	}
	if err != nil {
		return figure{}, err
	}
	time.Sleep(settling) // what the handshakes left behind is collected or not
	f, err := p.grown(before, n)
	p.profile(false)
	return f, err
}

// churn opens and closes connections, fifty at a time.
func churn(p *process, scale int) (figure, error) {
	warm, err := open(p, 100)
	closeAll(warm)
	if err != nil {
		return figure{}, err
	}
	p.collect()
	before, err := p.pss()
	if err != nil {
		return figure{}, err
	}
	n := 5000 * scale
	err = each(50, func(i int) error {
		for ; i < n; i += 50 {
			c, err := connect(p.url("ws"))
			if err != nil {
				return err
			}
			c.nc.Close()
		}
		return nil
	})
	if err != nil {
		return figure{}, err
	}
	time.Sleep(time.Second) // for the last goodbyes
	return p.grown(before, n)
}
