//go:build linux

package main

import (
	"fmt"
	"io"

	"github.com/sockeye-go/socketio/internal/ws"
)

// A curve is a cost over a size.
type curve struct {
	Name   string             `json:"name"`
	Over   string             `json:"over"` // what the size counts
	Unit   unit               `json:"unit"`
	Points map[string][]point `json:"points"` // by server
}

type point struct {
	At    int     `json:"at"`
	Value float64 `json:"value"`
}

// mostConnections is what a process may have open, with some room for the rest:
// the limit is 20,000 on many machines.
const mostConnections = 19_500

// runCurves measures each point once, on a fresh server.
func runCurves(scale int, progress io.Writer) ([]curve, error) {
	echo := curve{"echo with ack, 100 of the connections active", "connections", cpuTime, map[string][]point{}}
	idle := curve{"memory of a connection", "connections", bytesOf, map[string][]point{}}
	rooms := curve{"broadcast to a room of 10, 1,000 connections, per delivery", "rooms", cpuTime, map[string][]point{}}
	for _, server := range servers {
		for _, n := range []int{100, 1000, 5000, 10_000, mostConnections} {
			if n = n * scale / 20; n < 100 {
				continue
			}
			e, m, err := connectionPoint(server, n, scale)
			if _, other := others[server]; other && err != nil { // it ends here
				fmt.Fprintf(progress, "%d connections, %s: %v\n", n, server, err)
				break
			}
			if err != nil {
				return nil, fmt.Errorf("%d connections, %s: %w", n, server, err)
			}
			fmt.Fprintf(progress, "%d connections, %s: %.1f µs an echo, %.0f bytes\n", n, server, e, m)
			echo.Points[server] = append(echo.Points[server], point{n, e})
			if n >= 1000 { // below, what the process itself grows by hides it
				idle.Points[server] = append(idle.Points[server], point{n, m})
			}
		}
		for n := 1; n <= 500*scale; n *= 10 {
			v, err := roomPoint(server, n, scale)
			if _, other := others[server]; other && err != nil {
				fmt.Fprintf(progress, "%d rooms, %s: %v\n", n, server, err)
				break
			}
			if err != nil {
				return nil, fmt.Errorf("%d rooms, %s: %w", n, server, err)
			}
			fmt.Fprintf(progress, "%d rooms, %s: %.1f µs a delivery\n", n, server, v)
			rooms.Points[server] = append(rooms.Points[server], point{n, v})
		}
	}
	return []curve{echo, idle, rooms}, nil
}

// connectionPoint measures echoes of 100 among n connections, and memory.
func connectionPoint(server string, n, scale int) (echoes, bytes float64, err error) {
	p, err := start(server, &scenario{}, "")
	if err != nil {
		return 0, 0, err
	}
	defer p.stop()
	before, err := p.pss()
	if err != nil {
		return 0, 0, err
	}
	cs, err := open(p, n)
	defer closeAll(cs)
	if err != nil {
		return 0, 0, err
	}
	after, err := p.pss()
	if err != nil {
		return 0, 0, err
	}
	var active []*client
	for i := range 100 { // from all over the table of descriptors
		active = append(active, cs[i*n/100])
	}
	f, err := echo(p, active, 1, 10*scale)
	return f.Value, float64(after-before) / float64(n), err
}

// roomPoint has 1,000 connections be in n rooms of 10 together, and broadcasts go
// to rooms in turn.
func roomPoint(server string, n, scale int) (float64, error) {
	const conns, size = 1000, 10
	p, err := start(server, &scenario{}, "")
	if err != nil {
		return 0, err
	}
	defer p.stop()
	cs, err := open(p, conns)
	defer closeAll(cs)
	if err != nil {
		return 0, err
	}
	// Member k of room r is connection (r + 100k) % 1000.
	err = each(100, func(i int) error {
		for r := i; r < n; r += 100 {
			for k := range size {
				if err := cs[(r+100*k)%conns].join(r); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	// A round of casts, at most 100, of which no two reach the same connection.
	round, rounds := min(n, 100), 100*scale/min(n, 100)
	packet := func(r, c int) string {
		return fmt.Sprintf(`42["cast",{"room":"room%d","id":%d,"text":"%s"}]`, r, c, text)
	}
	f, err := measure(p, rounds*round*size, func() error {
		for c := range rounds {
			first := c * round % n
			for r := first; r < first+round; r++ {
				if err := cs[r%conns].send(packet(r, c)); err != nil {
					return err
				}
			}
			for r := first; r < first+round; r++ {
				for k := range size {
					if err := cs[(r+100*k)%conns].want(ws.Text, packet(r, c)); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	return f.Value, err
}
