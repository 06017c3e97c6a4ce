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
	Value    float64 `json:"value"`      // µs of CPU per operation, or bytes per connection
	P50, P99 float64 `json:",omitempty"` // µs of one operation, where one is in flight
	// Collected is Value after a collection of garbage, where the server can be
	// told to make one.
	Collected float64 `json:",omitempty"`
}

type scenario struct {
	name     string
	noPolled bool // the reference has no polling
	run      func(p *process, scale int) (figure, error)
}

var scenarios = []scenario{
	{name: "upgrade and CONNECT", run: handshakes},
	{name: "echo with ack, 100 connections, 1 in flight", run: func(p *process, n int) (figure, error) { return echo(p, 1, 20*n) }},
	{name: "the same, 16 in flight", run: func(p *process, n int) (figure, error) { return echo(p, 16, 3*n) }},
	{name: "broadcast to a room of 1,000, per delivery", run: func(p *process, n int) (figure, error) { return broadcast(p, 1, 1000, 3*n) }},
	{name: "200 rooms of 10, per delivery", run: func(p *process, n int) (figure, error) { return broadcast(p, 200, 10, n) }},
	{name: "64 KiB binary echo with ack", run: binary},
	{name: "long-polling echo, 20 clients", noPolled: true, run: polling},
	{name: "idle memory, bytes per connection", run: idle},
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
			c, err := connect(p.addr)
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

func echo(p *process, inFlight, rounds int) (figure, error) {
	cs, err := open(p, 100)
	defer closeAll(cs)
	if err != nil {
		return figure{}, err
	}
	took := make([][]time.Duration, len(cs))
	f, err := measure(p, len(cs)*rounds*inFlight, func() error {
		return each(len(cs), func(i int) error {
			packets, answers := make([]string, inFlight), make([]string, inFlight)
			for r := range rounds {
				for k := range inFlight {
					id := r*inFlight + k
					b := fmt.Sprintf(`{"id":%d,"name":"client %d","text":"%s"}`, id, i, text)
					packets[k] = fmt.Sprintf(`42%d["echo",%s]`, id, b)
					answers[k] = fmt.Sprintf(`43%d[%s]`, id, b)
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
	all := slices.Concat(took...)
	slices.Sort(all)
	f.P50, f.P99 = float64(all[len(all)/2].Microseconds()), float64(all[len(all)*99/100].Microseconds())
	return f, err
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
		if err := c.send(fmt.Sprintf(`420["join","room%d"]`, i/size)); err != nil {
			return figure{}, err
		}
		if err := c.want(ws.Text, "430[true]"); err != nil {
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

func polling(p *process, scale int) (figure, error) {
	const clients = 20
	hc := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 2 * clients}}
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
		if err == nil && !strings.HasPrefix(string(b), want) {
			err = fmt.Errorf("wrong answer: got %.120q, want %.120q", b, want)
		}
		return string(b), err
	}
	urls := make([]string, clients)
	for i := range urls {
		url := "http://" + p.addr + "/socket.io/?EIO=4&transport=polling"
		open, err := call(url, "", `0{"sid":"`)
		if err != nil {
			return figure{}, err
		}
		sid, _, _ := strings.Cut(open[len(`0{"sid":"`):], `"`)
		urls[i] = url + "&sid=" + sid
		if _, err := call(urls[i], "40", "ok"); err != nil {
			return figure{}, err
		}
		if _, err := call(urls[i], "", `40{"sid":`); err != nil {
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

func idle(p *process, scale int) (figure, error) {
	before, err := p.pss()
	if err != nil {
		return figure{}, err
	}
	n := 500 * scale
	p.profile(true)
	cs, err := open(p, n)
	defer closeAll(cs)
	if err != nil {
		return figure{}, err
	}
	time.Sleep(2 * time.Second) // what the handshakes left behind is collected or not
	after, err := p.pss()
	p.profile(false)
	f := figure{Value: float64(after-before) / float64(n)}
	if err == nil && p.collect() {
		after, err = p.pss()
		f.Collected = float64(after-before) / float64(n)
	}
	return f, err
}
