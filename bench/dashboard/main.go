//go:build linux

// Command dashboard measures what the dashboard costs a server with many
// connections: the processor time of the server's process with no dashboard,
// with one that nobody looks at, and with one that somebody does, in turns.
//
//	go run ./bench/dashboard -connections 15000 -write
//
// A server of its own process, pinned to the first core where there are several,
// has so many WebSockets that each emit an event with an ack every ten seconds;
// twenty rooms of fifty a second are sent an event, and one client a second is
// asked for an answer. With -write the table goes into docs/operating.md.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	if os.Getenv("DASHBOARD_SERVE") != "" {
		log.Fatal(serve())
	}
	n := flag.Int("connections", 15_000, "how many WebSockets")
	rounds := flag.Int("rounds", 5, "how often each state is measured")
	window := flag.Duration("window", 10*time.Second, "how long each time")
	profiles := flag.String("profiles", "", "write a profile of each state into this `folder`, which is part of what is measured then")
	write := flag.Bool("write", false, "put the table into docs/operating.md")
	flag.Parse()
	table, err := run(*n, *rounds, *window, *profiles)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(table)
	if *write {
		if err := publish("docs/operating.md", table); err != nil {
			log.Fatal(err)
		}
	}
}

// states are what is compared. The server is told by their names.
var states = []string{"none", "mounted", "looked-at"}

func run(n, rounds int, window time.Duration, profiles string) (string, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s, err := start(ctx)
	if err != nil {
		return "", err
	}
	defer s.stop()
	s.profiles = profiles
	l := &load{url: s.url + "/socket.io/"}
	defer l.close()
	log.Printf("opening %d connections", n)
	if err := l.open(ctx, n); err != nil {
		return "", err
	}
	go l.talk(ctx)
	took := make(map[string][]float64) // cores
	for round := range rounds {
		for i := range states {
			state := states[(i+round)%len(states)] // none is always the first
			used, err := s.measure(ctx, state, window)
			if err != nil {
				return "", err
			}
			took[state] = append(took[state], used/window.Seconds())
			log.Printf("round %d, %s: %.4f cores", round+1, state, used/window.Seconds())
		}
		if l.failed.Load() > 0 {
			return "", fmt.Errorf("%d connections were lost", l.failed.Load())
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d connections, %.0f answered events and %d deliveries a second, %d times %v each; processor time of the server:\n\n", n, float64(n)/10, roomsASecond*roomSize, rounds, window)
	fmt.Fprintf(&b, "| Dashboard | cores (median) | more than none in the same round, of a core: median, lowest to highest |\n|---|---|---|\n")
	for _, state := range states {
		var more []float64
		for i, used := range took[state] {
			more = append(more, 100*(used-took[states[0]][i]))
		}
		fmt.Fprintf(&b, "| %s | %.4f | %+.2f %%, %+.2f to %+.2f %% |\n", strings.ReplaceAll(state, "-", " "), median(took[state]), median(more), slices.Min(more), slices.Max(more))
	}
	return b.String(), nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// A server is the process under test.
type server struct {
	cmd  *exec.Cmd
	out  *bufio.Reader
	url  string
	look context.CancelFunc // of the viewer; nil if there is none

	profiles string
}

func start(ctx context.Context) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{self}
	if taskset, err := exec.LookPath("taskset"); err == nil {
		args = []string{taskset, "-c", "0", self}
	}
	s := &server{cmd: exec.CommandContext(ctx, args[0], args[1:]...)}
	s.cmd.Env = append(os.Environ(), "DASHBOARD_SERVE=1")
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	line, err := s.out.ReadString('\n')
	if err != nil {
		return nil, err
	}
	s.url = strings.TrimSpace(line)
	return s, nil
}

func (s *server) stop() {
	if s.look != nil {
		s.look()
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// measure puts the server into a state, and returns the seconds of processor time
// that it takes in it.
func (s *server) measure(ctx context.Context, state string, window time.Duration) (float64, error) {
	if s.look != nil {
		s.look()
		s.look = nil
	}
	if _, err := request(ctx, http.MethodPost, s.url+"/state?is="+state); err != nil {
		return 0, err
	}
	if state == "looked-at" {
		viewer, cancel := context.WithCancel(ctx)
		s.look = cancel
		go view(viewer, s.url+"/dashboard/")
	}
	settle := time.NewTimer(2 * time.Second)
	defer settle.Stop()
	<-settle.C
	before, err := s.cpu()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if s.profiles != "" {
		go s.profile(ctx, state, window)
	}
	end := time.NewTimer(window)
	defer end.Stop()
	<-end.C
	after, err := s.cpu()
	return (after - before) * window.Seconds() / time.Since(began).Seconds(), err
}

// profile writes where the time goes.
func (s *server) profile(ctx context.Context, state string, window time.Duration) {
	err := func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/profile?seconds=%d", s.url, int(window.Seconds())), nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		f, err := os.Create(filepath.Join(s.profiles, state+".pprof"))
		if err != nil {
			return err
		}
		_, err = io.Copy(f, res.Body)
		return errors.Join(err, f.Close())
	}()
	if err != nil && ctx.Err() == nil {
		log.Print(err)
	}
}

// view does what the page does: it follows the stream, and looks at a list every
// five seconds.
func view(ctx context.Context, url string) {
	go func() {
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for ctx.Err() == nil {
			_, _ = request(ctx, http.MethodGet, url+"sockets?ns=/&room=room-1")
			_, _ = request(ctx, http.MethodGet, url+"rooms")
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	}()
	if n, err := request(ctx, http.MethodGet, url+"stream"); ctx.Err() == nil {
		log.Fatalf("the stream ended after %d bytes: %v", n, err)
	}
}

func request(ctx context.Context, method, url string) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Sec-Fetch-Site", "none") // as if somebody had typed the address
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return 0, errors.New(res.Status)
	}
	return io.Copy(io.Discard, res.Body)
}

// cpu is the time that the threads of the process were on a core so far, in
// seconds, to the nanosecond of the kernel.
func (s *server) cpu() (float64, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	total := int64(0)
	for _, task := range tasks {
		b, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has just ended
		}
		ran, _, _ := strings.Cut(string(b), " ")
		n, err := strconv.ParseInt(ran, 10, 64)
		if err != nil {
			return 0, err
		}
		total += n
	}
	if total == 0 {
		return 0, fmt.Errorf("no schedstat for process %d", s.cmd.Process.Pid)
	}
	return float64(total) / 1e9, nil
}

// publish puts the table between its marks.
func publish(doc, table string) error {
	b, err := os.ReadFile(doc)
	if err != nil {
		return err
	}
	const begin, end = "<!-- bench dashboard: begin -->\n", "<!-- bench dashboard: end -->"
	text := string(b)
	i, j := strings.Index(text, begin), strings.Index(text, end)
	if i < 0 || j < i {
		return fmt.Errorf("%s: no place for the table", doc)
	}
	return os.WriteFile(doc, []byte(text[:i+len(begin)]+table+text[j:]), 0o644)
}

// A load is the clients.
type load struct {
	url    string
	mu     sync.Mutex
	all    []*conn
	failed atomic.Int64
}

func (l *load) open(ctx context.Context, n int) error {
	var all sync.WaitGroup
	next := make(chan int)
	errs := make(chan error, 64)
	for range 64 {
		all.Go(func() {
			for range next {
				c, err := dial(ctx, l.url)
				if err != nil {
					errs <- err
					return
				}
				l.mu.Lock()
				l.all = append(l.all, c)
				l.mu.Unlock()
				go func() {
					if c.read(ctx); ctx.Err() == nil {
						l.failed.Add(1)
					}
				}()
			}
		})
	}
	var err error
	for i := 0; i < n && err == nil; i++ {
		select {
		case next <- i:
		case err = <-errs:
		}
	}
	close(next)
	all.Wait()
	return err
}

// talk has each connection emit every ten seconds, spread evenly.
func (l *load) talk(ctx context.Context) {
	const each = 10 * time.Millisecond
	tick := time.NewTicker(each)
	defer tick.Stop()
	at := rand.IntN(len(l.all))
	perTick := max(1, len(l.all)*int(each/time.Millisecond)/10_000)
	for ctx.Err() == nil {
		<-tick.C
		for range perTick {
			at = (at + 1) % len(l.all)
			l.all[at].emit()
		}
	}
}

func (l *load) close() {
	for _, c := range l.all {
		c.ws.Close()
	}
}
