package main

import (
	"bufio"
	"context"
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
	"syscall"
	"time"

	"github.com/sockeye-go/socketio/client"
)

// observers is how many honest clients measure, and rounds how often each company
// comes and goes, with calm in between.
const observers, rounds = 20, 5

// neighbours measures what honest clients notice of each company. The server is a
// process on a core of its own. The company is another one, of the lowest
// priority on the other core, which it shares with the observers: what they wait
// for is the server.
func neighbours(b *strings.Builder, length time.Duration) error {
	server, url, err := role(plain, 0)
	if err != nil {
		return err
	}
	defer server.end()
	another, withRecovery, err := role(recovering, 0)
	if err != nil {
		return err
	}
	defer another.end()
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, -5) // if we may
	b.WriteString("The time that 20 honest clients wait for an echo, 20 ms after the last one, beside a company and,\n" +
		"in turns with it, without. Server on one core, clients on the other.\n\n" +
		"| Company | echoes | p50, ms | p99, ms | calm p50, ms | calm p99, ms | p99 to calm |\n|---|---:|---:|---:|---:|---:|---:|\n")
	for i, c := range companies {
		log.Printf("%s", c.name)
		url := url
		if c.recovery {
			url = withRecovery
		}
		var calm, beside []time.Duration
		for range rounds {
			waits, err := observe(url, length/rounds/2)
			if err != nil {
				return err
			}
			calm = append(calm, waits...)
			company, _, err := role(fmt.Sprint(i, " ", url), 1)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			waits, err = observe(url, length/rounds)
			company.end()
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			beside = append(beside, waits...)
		}
		slices.Sort(calm)
		slices.Sort(beside)
		at := func(waits []time.Duration, q float64) float64 {
			return float64(waits[int(q*float64(len(waits)-1))]) / 1e6
		}
		fmt.Fprintf(b, "| %s | %d | %.2f | %.2f | %.2f | %.2f | %.1f |\n", c.name, len(beside),
			at(beside, 0.5), at(beside, 0.99), at(calm, 0.5), at(calm, 0.99), at(beside, 0.99)/at(calm, 0.99))
	}
	return nil
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

// The roles of servers: as they are without options, and with recovery.
const plain, recovering = "server", "server with recovery"

// role starts a part on a core, if cores can be chosen, and returns what it says
// when it is ready.
func role(name string, core int) (p part, says string, err error) {
	self, err := os.Executable()
	if err != nil {
		return p, "", err
	}
	args := []string{self}
	if taskset, err := exec.LookPath("taskset"); err == nil {
		args = []string{taskset, "-c", strconv.Itoa(core), self}
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
	number, url, _ := strings.Cut(name, " ")
	i, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 19)
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
