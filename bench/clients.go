//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/bench/measured"
	sio "github.com/sockeye-go/socketio/client"
)

// Clients are measured as the servers are: each in a process of its own on the first
// core, and what they talk to, one of our servers, in this process on the second. The
// process does what it is told, line by line, and answers each line by one.

// clients are the columns of their table.
var clients = []string{"go client", "node client"}

const (
	clientCPU   unit = "µs of client CPU"
	clientBytes unit = "bytes of the client"
)

var clientScenarios = []scenario{
	{name: "connection, CONNECT and close", unit: clientCPU, run: clientOpens},
	{name: "echo with ack, 1 in flight", unit: clientCPU, run: clientEchoes(1, 400)},
	{name: "echo with ack, 16 in flight", unit: clientCPU, run: clientEchoes(16, 60)},
	{name: "idle memory per client", unit: clientBytes, run: clientIdle},
}

func runClients(scale, repeats int, matching *regexp.Regexp, progress io.Writer) ([]result, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	hs := &http.Server{Handler: measured.NewSockeye(nil)}
	go hs.Serve(ln)
	defer hs.Close()
	var results []result
	for _, s := range clientScenarios {
		if !matching.MatchString(s.name) {
			continue
		}
		s.env = []string{"BENCH_ADDR=http://" + ln.Addr().String()}
		r := result{s.name, s.unit, map[string][]figure{}}
		for range repeats {
			for _, c := range clients {
				f, err := runOne(&s, c, scale, "")
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", s.name, c, err)
				}
				r.Runs[c] = append(r.Runs[c], f)
				fmt.Fprintf(progress, "%s, %s: %s\n", s.name, c, cell([]figure{f}, bytesOf))
			}
		}
		results = append(results, r)
	}
	return results, nil
}

// tell has the client do something.
func (p *process) tell(format string, args ...any) error {
	if _, err := fmt.Fprintf(p.in, format+"\n", args...); err != nil {
		return err
	}
	answer, err := p.out.ReadString('\n')
	if err == nil && answer != "done\n" {
		err = fmt.Errorf("the client says %q", answer)
	}
	return err
}

func clientOpens(p *process, scale int) (figure, error) {
	// Once before, so that what is paid by the first one is not counted.
	if err := p.tell("cycle %d", 50); err != nil {
		return figure{}, err
	}
	n := 100 * scale
	return measure(p, n, func() error { return p.tell("cycle %d", n) })
}

func clientEchoes(inFlight, rounds int) func(p *process, scale int) (figure, error) {
	return func(p *process, scale int) (figure, error) {
		if err := p.tell("open 1"); err != nil {
			return figure{}, err
		}
		if err := p.tell("echo %d %d", 2*rounds, inFlight); err != nil {
			return figure{}, err
		}
		n := rounds * scale
		return measure(p, n*inFlight, func() error { return p.tell("echo %d %d", n, inFlight) })
	}
}

func clientIdle(p *process, scale int) (figure, error) {
	n := 100 * scale
	if err := p.tell("open 50"); err != nil {
		return figure{}, err
	}
	p.collect()
	before, err := p.pss()
	if err != nil {
		return figure{}, err
	}
	if err := p.tell("open %d", n); err != nil {
		return figure{}, err
	}
	return p.grown(before, n)
}

// A told client is the process of the Go client.
type toldClient struct {
	addr    string
	echo    socketio.EventWithAck[measured.Body, measured.Body]
	sockets []*sio.Socket
}

// obey is serve for the Go client.
func obey(ctx context.Context) error {
	c := &toldClient{addr: os.Getenv("BENCH_ADDR"), echo: socketio.NewEventWithAck[measured.Body, measured.Body]("echo")}
	fmt.Println(0) // in place of a port
	go measured.CollectOnSignal()
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		answer := "done"
		if err := c.do(ctx, in.Text()); err != nil {
			answer = strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Println(answer)
	}
	return in.Err()
}

func (c *toldClient) do(ctx context.Context, line string) error {
	var n, inFlight int
	switch word, _, _ := strings.Cut(line, " "); word {
	case "cycle":
		fmt.Sscanf(line, "cycle %d", &n)
		for range n {
			s, err := sio.Connect(ctx, c.addr, nil)
			if err != nil {
				return err
			}
			s.Manager().Close()
		}
	case "open":
		fmt.Sscanf(line, "open %d", &n)
		for range n {
			s, err := sio.Connect(ctx, c.addr, nil)
			if err != nil {
				return err
			}
			c.sockets = append(c.sockets, s)
		}
	case "echo":
		fmt.Sscanf(line, "echo %d %d", &n, &inFlight)
		var wg sync.WaitGroup
		errs := make(chan error, inFlight)
		for k := range inFlight {
			wg.Go(func() {
				for i := range n {
					in := measured.Body{ID: i*inFlight + k, Name: "client 0", Text: text}
					out, err := c.echo.EmitWithAck(ctx, c.sockets[0], in)
					if err == nil && out != in {
						err = fmt.Errorf("%+v came back as %+v", in, out)
					}
					if err != nil {
						errs <- err
						return
					}
				}
			})
		}
		wg.Wait()
		close(errs)
		return <-errs
	default:
		return fmt.Errorf("what is %q?", line)
	}
	return nil
}
