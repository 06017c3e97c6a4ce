package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/client"
)

// observers is how many honest clients measure, and rounds how often each company
// comes and goes, with calm in between.
const observers, rounds = 20, 5

// neighbours measures what honest clients notice of each company. The server is a
// process on a core of its own. The company is another one, on the other core, which it
// shares with that of the observers, and has only while they do not want it: what they
// wait for is the server.
func neighbours(b *strings.Builder, length time.Duration) error {
	server, url, err := role(plain, serving)
	if err != nil {
		return err
	}
	defer server.end()
	another, withRecovery, err := role(recovering, serving)
	if err != nil {
		return err
	}
	defer another.end()
	b.WriteString("The time that 20 honest clients wait for an echo, 20 ms after the last one, beside a company and,\n" +
		"in turns with it, without. Server on one core, clients on the other, the company only while the\n" +
		"honest do not want it (SCHED_IDLE). Medians of five rounds.\n\n" +
		"| Company | echoes | p50, ms | p99, ms | calm p50, ms | calm p99, ms | p99 to calm |\n|---|---:|---:|---:|---:|---:|---:|\n")
	for i, c := range companies {
		log.Printf("%s", c.name)
		url := url
		if c.recovery {
			url = withRecovery
		}
		var calm, beside spread
		for range rounds {
			if err := calm.add(url, length/rounds/2); err != nil {
				return err
			}
			company, _, err := role(fmt.Sprint(i, " ", url), idling)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			err = beside.add(url, length/rounds)
			company.end()
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
		fmt.Fprintf(b, "| %s | %d | %.2f | %.2f | %.2f | %.2f | %.1f |\n", c.name, beside.n,
			median(beside.p50), median(beside.p99), median(calm.p50), median(calm.p99), median(beside.p99)/median(calm.p99))
	}
	return nil
}

// A spread is of what was waited, in ms, a figure for each round.
type spread struct {
	n        int
	p50, p99 []float64
}

func (s *spread) add(url string, length time.Duration) error {
	waits, err := observed(url, length)
	if err != nil {
		return err
	}
	slices.Sort(waits)
	at := func(q float64) float64 { return float64(waits[int(q*float64(len(waits)-1))]) / 1e6 }
	s.n += len(waits)
	s.p50, s.p99 = append(s.p50, at(0.5)), append(s.p99, at(0.99))
	return nil
}

// median is of the rounds: what else happens on a machine disturbs one or two of them, a
// company all.
func median(rounds []float64) float64 {
	slices.Sort(rounds)
	return rounds[len(rounds)/2]
}

// observed is what a part that observes for a while has to say.
func observed(url string, length time.Duration) (waits []time.Duration, err error) {
	p, says, err := role(fmt.Sprint(observing, " ", url, " ", length), listening)
	if err != nil {
		return nil, err
	}
	p.end()
	return waits, json.Unmarshal([]byte(says), &waits)
}

// observe has honest clients measure for a while.
func observe(url string, length time.Duration) (waits []time.Duration, failed error) {
	ctx, stop := context.WithTimeout(context.Background(), length+5*time.Second)
	defer stop()
	var sockets []*client.Socket
	for range observers {
		s, err := client.Connect(ctx, url, &client.Options{Path: "/", Transports: []string{"websocket"}})
		if err != nil {
			return nil, err
		}
		defer s.Manager().Close()
		sockets = append(sockets, s)
	}
	ctx, stop = context.WithTimeout(ctx, length)
	defer stop()
	var mu sync.Mutex
	var observing sync.WaitGroup
	for _, s := range sockets {
		observing.Go(func() {
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
	if len(waits) == 0 {
		failed = context.DeadlineExceeded
	}
	return waits, failed
}

// A part is a process that plays a role beside this one until it is ended.
type part struct {
	cmd *exec.Cmd
	in  io.Closer
}

func (p part) end() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

const roleVariable = "SOAK_ROLE"

// The roles of servers, as they are without options and with recovery, and of observers.
// Others are of companies, by their numbers.
const plain, recovering, observing = "server", "server with recovery", "observe"

// Where a part runs, if that can be chosen. The threads of a Go program have priorities of
// their own, so that they have to be set before it begins.
var (
	serving   = []string{"taskset", "-c", "0"}
	listening = []string{"taskset", "-c", "1"}
	idling    = []string{"taskset", "-c", "1", "chrt", "--idle", "0"}
)

// role starts a part, and returns what it says when it is ready.
func role(name string, where []string) (p part, says string, err error) {
	self, err := os.Executable()
	if err != nil {
		return p, "", err
	}
	args := []string{self}
	if _, err := exec.LookPath("taskset"); err == nil { // chrt comes with it
		args = slices.Concat(where, args)
	}
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Env = append(os.Environ(), roleVariable+"="+name)
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return p, "", err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return p, "", err
	}
	if err := p.cmd.Start(); err != nil {
		return p, "", err
	}
	says, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.end()
		return p, "", fmt.Errorf("%s: %w", name, err)
	}
	return p, strings.TrimSpace(says), nil
}

// play is what a part does, until its standard input ends.
func play(name string) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if name == plain || name == recovering {
		return serve(ctx, name == recovering)
	}
	words := strings.Fields(name)
	url := words[1]
	if words[0] == observing {
		length, err := time.ParseDuration(words[2])
		if err != nil {
			return err
		}
		waits, err := observe(url, length)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(waits)
	}
	i, err := strconv.Atoi(words[0])
	if err != nil {
		return err
	}
	return keep(ctx, companies[i], url)
}

func serve(ctx context.Context, recovery bool) error {
	srv := newServer(recovery)
	defer srv.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	hs := &http.Server{Handler: srv}
	defer hs.Close()
	go hs.Serve(l)
	fmt.Printf("http://%s\n", l.Addr())
	<-ctx.Done()
	return nil
}

// keep has a company do what it does.
func keep(ctx context.Context, c company, url string) error {
	var all, ready sync.WaitGroup
	for i := range c.n {
		ready.Add(1)
		all.Go(func() {
			s, err := client.Connect(ctx, url, &client.Options{Path: "/", Transports: []string{"websocket"}})
			ready.Done()
			if err != nil {
				return
			}
			defer s.Manager().Close()
			c.do(ctx, s, i)
		})
		if i%50 == 49 {
			ready.Wait()
		}
	}
	ready.Wait()
	fmt.Println("ready")
	all.Wait()
	return nil
}
