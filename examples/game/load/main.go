// Command load measures how well the games keep their time: many games of many
// players over real connections, the server on one core in a process of its own.
//
//	go run ./examples/game/load -games 100 -players 10 -for 30s
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/examples/game/game"
	"github.com/sockeye-go/socketio/examples/internal/alone"
)

var (
	games   = flag.Int("games", 100, "how many games")
	players = flag.Int("players", 10, "how many players each has")
	length  = flag.Duration("for", 30*time.Second, "how long")
	rate    = flag.Int("inputs", 20, "inputs of a player per second")
	serve   = flag.Bool("serve", false, "be the server")
)

func main() {
	flag.Parse()
	run := measure
	if *serve {
		run = server
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func server() error {
	srv := socketio.NewServer(&socketio.Options{PingInterval: time.Hour})
	gs := game.New(srv.Of("/"), nil)
	return alone.Serve(srv, gs.Clock.Reset, func() any { return gs.Clock.Timing() })
}

// received counts bytes of all players.
var received atomic.Int64

func measure() error {
	if err := alone.Move(); err != nil {
		return err
	}
	srv, err := alone.Start()
	if err != nil {
		return err
	}
	defer srv.Close()

	// A player plays without looking: what comes is counted and thrown away.
	var all []*alone.Conn
	for range *games {
		first, err := alone.Dial(srv.Addr, &received)
		if err != nil {
			return err
		}
		if err := first.Send(fmt.Sprintf(`42["create game",{"maxPlayers":%d}]`, *players)); err != nil {
			return err
		}
		text, err := first.Until(`42["game created"`)
		if err != nil {
			return err
		}
		var made []json.RawMessage
		var created game.Created
		if err := json.Unmarshal([]byte(text[2:]), &made); err != nil {
			return err
		}
		if err := json.Unmarshal(made[1], &created); err != nil {
			return err
		}
		for i := range *players {
			p := first
			if i > 0 {
				if p, err = alone.Dial(srv.Addr, &received); err != nil {
					return err
				}
			}
			all = append(all, p)
			if err := p.Send(fmt.Sprintf(`42["join game",{"gameId":%q,"binary":true}]`, created.GameID)); err != nil {
				return err
			}
			if _, err := p.Until(`42["game state"`); err != nil {
				return err
			}
		}
	}
	for _, p := range all {
		if err := p.Send(`42["player ready"]`); err != nil {
			return err
		}
	}
	for _, p := range all {
		if _, err := p.Until(`42["game started"`); err != nil {
			return err
		}
	}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for i, p := range all {
		wg.Go(func() {
			buf := make([]byte, 4096)
			for {
				if _, err := p.Next(buf); err != nil {
					return
				}
			}
		})
		wg.Go(func() {
			time.Sleep(time.Duration(i) * time.Second / time.Duration(*rate*len(all)))
			tick := time.NewTicker(time.Second / time.Duration(*rate))
			defer tick.Stop()
			for seq := 1; ; seq++ {
				select {
				case <-tick.C:
					keys := []int{0, 1, 5, 4, 6, 2, 10, 8, 9}[(seq/10+i)%9]
					if p.Send(fmt.Sprintf(`42["input",%d,%d]`, seq%65536, keys)) != nil {
						return
					}
				case <-stop:
					return
				}
			}
		})
	}
	time.Sleep(2 * time.Second) // until all is warm
	if err := srv.Begin(); err != nil {
		return err
	}
	received.Store(0)
	begin := time.Now()
	time.Sleep(*length)
	bytes, took := received.Load(), time.Since(begin)
	var r game.Timing
	cpu, err := srv.End(&r)
	if err != nil {
		return err
	}
	close(stop)
	for _, p := range all {
		p.Close()
	}
	wg.Wait()
	fmt.Printf("%d games of %d players, %d inputs/s each, %v, the server on %s\n", *games, *players, *rate, took.Round(time.Second), srv.Where)
	fmt.Printf("frames      %d, %.1f a second and game (60 are due)\n", r.Frames, float64(r.Frames)/took.Seconds()/float64(*games))
	fmt.Printf("frame time  p50 %v, p99 %v from when it was due to when all was sent\n", r.P50, r.P99)
	fmt.Printf("late        %d frames (%.3f %%), %d skipped\n", r.Late, 100*float64(r.Late)/float64(max(1, r.Frames)), r.Skipped)
	fmt.Printf("wire        %.0f bytes per player and second\n", float64(bytes)/took.Seconds()/float64(len(all)))
	fmt.Printf("server CPU  %.0f %% of one core\n", 100*cpu.Seconds()/took.Seconds())
	return nil
}
