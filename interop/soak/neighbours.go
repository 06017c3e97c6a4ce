package main

import (
	"context"
	"fmt"
	"log"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
)

// badNeighbour gives a socket the handlers of whoever is no good company.
func badNeighbour(srv *socketio.Server, s *socketio.Socket) {
	s.On("panic", func(context.Context, *socketio.Message) error { panic("as asked") })
	s.On("hang", func(ctx context.Context, _ *socketio.Message) error { <-ctx.Done(); return nil })
	s.On("loop", func(ctx context.Context, _ *socketio.Message) error { // as fast as its client takes it
		for ctx.Err() == nil {
			if err := s.EmitContext(ctx, "noise", "x"); err != nil {
				return nil
			}
			if pause(ctx, 200*time.Microsecond); ctx.Err() != nil {
				return nil
			}
		}
		return nil
	})
	s.On("crowd", func(context.Context, *socketio.Message) error { return s.Join("crowd") })
	s.On("shout", func(context.Context, *socketio.Message) error { return srv.To("crowd").Emit("shouted", "x") })
}

// observers is how many honest clients measure.
const observers = 20

// A company is a kind of neighbour.
type company struct {
	name string
	n    int // of them
	do   func(ctx context.Context, s *client.Socket, i int)
}

var companies = []company{
	{"nobody (calm)", 0, nil},
	{"10 whose handlers panic, ten times a second each", 10, func(ctx context.Context, s *client.Socket, _ int) {
		for pause(ctx, 100*time.Millisecond) {
			_ = s.Connect(ctx) // it has been thrown out
			_ = s.Emit("panic")
		}
	}},
	{"100 whose handlers never return, and who go on sending", 100, func(ctx context.Context, s *client.Socket, _ int) {
		for pause(ctx, 100*time.Millisecond) {
			_ = s.Emit("hang")
		}
	}},
	{"5 whose handlers emit in a loop", 5, func(ctx context.Context, s *client.Socket, _ int) {
		_ = s.Emit("loop")
		<-ctx.Done()
	}},
	{"a room of 1,000, which is told something ten times a second", 1000, func(ctx context.Context, s *client.Socket, i int) {
		_ = s.Emit("crowd")
		for i == 0 && pause(ctx, 100*time.Millisecond) {
			_ = s.Emit("shout")
		}
		<-ctx.Done()
	}},
}

// neighbours measures what the others notice of each company.
func neighbours(b *strings.Builder, srv *socketio.Server, url string, length time.Duration) error {
	b.WriteString("\n## Bad neighbours\n\nThe time that 20 honest clients wait for an echo, 20 ms after the last one. The neighbours' own clients run in the\nsame process, on the same cores, and are part of what is measured.\n\n| Company | echoes | p50, ms | p99, ms | p99 to calm |\n|---|---:|---:|---:|---:|\n")
	calm := 0.0
	for _, c := range companies {
		log.Printf("%s", c.name)
		waits, err := observe(url, c, length)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		slices.Sort(waits)
		at := func(q float64) float64 { return float64(waits[int(q*float64(len(waits)-1))]) / 1e6 }
		if calm == 0 {
			calm = at(0.99)
		}
		fmt.Fprintf(b, "| %s | %d | %.1f | %.1f | %.1f |\n", c.name, len(waits), at(0.5), at(0.99), at(0.99)/calm)
		awaitNobody(srv)
	}
	return nil
}

// observe has observers measure for a while beside a company.
func observe(url string, c company, length time.Duration) ([]time.Duration, error) {
	company, leave := context.WithCancel(context.Background())
	var all sync.WaitGroup
	defer all.Wait()
	defer leave()
	var ready sync.WaitGroup
	for i := range c.n {
		ready.Add(1)
		all.Go(func() {
			s, err := client.Connect(company, url, &client.Options{Path: "/"})
			ready.Done()
			if err != nil {
				return
			}
			defer s.Manager().Close()
			c.do(company, s, i)
		})
		if i%50 == 49 {
			ready.Wait()
		}
	}
	ready.Wait()
	ctx, stop := context.WithTimeout(context.Background(), length)
	defer stop()
	var mu sync.Mutex
	var waits []time.Duration
	var failed error
	var observing sync.WaitGroup
	for range observers {
		observing.Go(func() {
			s, err := client.Connect(ctx, url, &client.Options{Path: "/"})
			if err != nil {
				mu.Lock()
				failed = err
				mu.Unlock()
				return
			}
			defer s.Manager().Close()
			for pause(ctx, 20*time.Millisecond) {
				begin := time.Now()
				if _, err := s.EmitWithAck(ctx, "echo", 1); err != nil {
					break
				}
				mu.Lock()
				waits = append(waits, time.Since(begin))
				mu.Unlock()
			}
		})
	}
	observing.Wait()
	if failed == nil && len(waits) == 0 {
		failed = context.DeadlineExceeded
	}
	return waits, failed
}
