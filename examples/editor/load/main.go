// Command load measures how many operations a second a document takes: many people
// type into one, over real connections, the server on one core in a process of its own.
//
//	go run ./examples/editor/load -editors 50 -for 20s
//
// Each has one operation under way and sends the next when that has been done, so that
// the server is as busy as it can be. The clients know no operational transformation:
// they insert and delete a letter at a place of their own, which every version of the
// text has. That all come to the same text is for the tests.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/examples/editor/editor"
	"github.com/sockeye-go/socketio/examples/internal/alone"
)

var (
	editors = flag.Int("editors", 50, "how many people type")
	length  = flag.Duration("for", 20*time.Second, "how long")
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
	editor.New(srv.Of("/"), nil)
	return alone.Serve(srv, func() {}, func() any { return nil })
}

// counts are of all.
type counts struct {
	running         atomic.Bool // counting
	done, delivered atomic.Int64
	refused         atomic.Pointer[string]
}

// An author types.
type author struct {
	*alone.Conn
	place, version int
	took           []time.Duration
}

func (a *author) send(what string) error {
	return a.Send(fmt.Sprintf(`42["operation",{"docId":"shared","operation":{%s},"clientVersion":%d}]`, what, a.version))
}

// see remembers the version that an event tells of, which is its only field of that name.
func (a *author) see(event []byte) {
	_, rest, _ := bytes.Cut(event, []byte(`"version":`))
	n := 0
	for _, c := range rest {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int(c-'0')
	}
	a.version = max(a.version, n)
}

// work types until the connection is closed.
func (a *author) work(c *counts) {
	buf := make([]byte, 4096)
	for i := 0; ; i++ {
		what := `"type":"insert","position":` + strconv.Itoa(a.place) + `,"text":"x"`
		if i%2 == 1 {
			what = `"type":"delete","position":` + strconv.Itoa(a.place) + `,"length":1`
		}
		begin := time.Now()
		if a.send(what) != nil {
			return
		}
		for answered := false; !answered; {
			event, err := a.Next(buf)
			if err != nil {
				return
			}
			switch {
			case bytes.HasPrefix(event, []byte(`42["operation",`)):
				if c.running.Load() {
					c.delivered.Add(1)
				}
			case bytes.HasPrefix(event, []byte(`42["operation applied",`)):
				answered = true
			case bytes.HasPrefix(event, []byte(`42["operation error"`)), bytes.HasPrefix(event, []byte(`42["sync required"`)):
				why := string(event)
				c.refused.Store(&why)
				return
			}
			a.see(event)
		}
		if c.running.Load() {
			c.done.Add(1)
			a.took = append(a.took, time.Since(begin))
		}
	}
}

func measure() error {
	if err := alone.Move(); err != nil {
		return err
	}
	srv, err := alone.Start()
	if err != nil {
		return err
	}
	defer srv.Close()
	all := make([]*author, *editors)
	for i := range all {
		conn, err := alone.Dial(srv.Addr, nil)
		if err != nil {
			return err
		}
		all[i] = &author{Conn: conn, place: 20 * i}
		if err := conn.Send(`42["join document","shared"]`); err != nil {
			return err
		}
		if _, err := conn.Until(`42["document state"`); err != nil {
			return err
		}
	}
	// A text that is longer than all of it, so that every place is always there.
	if err := all[0].send(`"type":"insert","position":0,"text":"` + strings.Repeat("y", 40**editors) + `"`); err != nil {
		return err
	}
	var c counts
	var wg sync.WaitGroup
	for i, a := range all {
		event := `42["operation"`
		if i == 0 {
			event = `42["operation applied"`
		}
		if _, err := a.Until(event); err != nil {
			return err
		}
		a.version = 1
	}
	for _, a := range all {
		wg.Go(func() { a.work(&c) })
	}
	time.Sleep(2 * time.Second) // until all is warm
	c.running.Store(true)
	begin := time.Now()
	if err := srv.Begin(); err != nil {
		return err
	}
	time.Sleep(*length)
	c.running.Store(false)
	took := time.Since(begin)
	cpu, err := srv.End(new(any))
	if err != nil {
		return err
	}
	for _, a := range all {
		a.Close()
	}
	wg.Wait()
	if why := c.refused.Load(); why != nil {
		return fmt.Errorf("an operation was refused: %s", *why)
	}
	var times []time.Duration
	for _, a := range all {
		times = append(times, a.took...)
	}
	if len(times) == 0 {
		return fmt.Errorf("no operation was done")
	}
	slices.Sort(times)
	fmt.Printf("%d editors on one document for %v, the server on %s\n", *editors, took.Round(time.Second), srv.Where)
	fmt.Printf("operations  %.0f a second\n", float64(c.done.Load())/took.Seconds())
	fmt.Printf("deliveries  %.0f a second to the others\n", float64(c.delivered.Load())/took.Seconds())
	fmt.Printf("answer      p50 %v, p99 %v until an operation has been done\n", times[len(times)/2].Round(10*time.Microsecond), times[len(times)*99/100].Round(10*time.Microsecond))
	fmt.Printf("server CPU  %.0f %% of one core, %.0f µs an operation\n", 100*cpu.Seconds()/took.Seconds(), float64(cpu.Microseconds())/float64(c.done.Load()))
	return nil
}
