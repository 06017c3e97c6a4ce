package interop

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/faultproxy"
)

// A broadcaster is a server with recovery whose sockets are all in one room.
type broadcaster interface {
	Addr() string
	Emit(seq int)  // "m" to the room
	Probe(seq int) // "probe" to everybody
	Count() int    // sockets
}

const (
	recoveryClients = 5
	pings           = 300 * time.Millisecond
)

// TestRecovery cuts official clients off in every way while a server emits, and
// checks what each of them received, over each transport. make test-long has as
// many cuts as the figures we promise.
func TestRecovery(t *testing.T) {
	needParts(t)
	messages, cuts := 2000, 40
	if os.Getenv("SOCKEYE_LONG") != "" {
		messages, cuts = 10_000, 200
	}
	for _, transports := range []string{"websocket", "polling", "polling,websocket"} {
		t.Run(transports, func(t *testing.T) {
			srv := newGoBroadcaster(t)
			h := recoveryRun(t, srv, transports, messages, cuts, 1)
			t.Logf("%s; %s", h, srv.refused())
			if h.lost+h.twice+h.disorder > 0 {
				t.Errorf("lost %d, twice %d, out of order %d where recovered was true", h.lost, h.twice, h.disorder)
			}
			if h.asked == 0 || float64(h.recovered) < 0.99*float64(h.asked) {
				t.Errorf("%d of %d comebacks were recovered; want 99%%", h.recovered, h.asked)
			}
			if h.zombies > 0 || h.sockets != recoveryClients {
				t.Errorf("%d clients believe to be connected and are not reached; the server has %d sockets for %d", h.zombies, h.sockets, recoveryClients)
			}
			if h.cuts < cuts {
				t.Errorf("%d cuts; want %d", h.cuts, cuts)
			}
		})
	}
}

// TestRecoveryControl is the same run against the official server. It has faults
// that are known; if this run finds none, it is the run that is at fault.
func TestRecoveryControl(t *testing.T) {
	needParts(t)
	faults := 0
	for _, transports := range []string{"polling,websocket", "polling", "websocket"} {
		h := recoveryRun(t, newNodeBroadcaster(t), transports, 2000, 40, 1)
		t.Logf("%s: %s", transports, h)
		faults += h.lost + h.twice + h.zombies + h.asked - h.recovered
	}
	if faults == 0 {
		t.Error("the official server has no fault: is anybody cut off at all?")
	}
}

// A history is what the clients saw, judged.
type history struct {
	cuts, comebacks, asked, recovered   int
	lost, twice, disorder, excused, got int
	zombies, sockets                    int // in the end
	took                                time.Duration
}

func (h history) String() string {
	return fmt.Sprintf("%d cuts in %v, %d comebacks, %d with a session, %d recovered; %d received, lost %d, twice %d, out of order %d, zombies %d; %d lost where recovered was false",
		h.cuts, h.took.Round(time.Millisecond), h.comebacks, h.asked, h.recovered, h.got, h.lost, h.twice, h.disorder, h.zombies, h.excused)
}

// A sighting is a line of recovery_clients.mjs.
type sighting struct {
	C, Seq           int
	On, ID, Reason   string
	Asked, Recovered bool
}

// recoveryRun emits messages while it cuts, and judges what the clients wrote
// down. Which faults there are follows from the seed.
func recoveryRun(t *testing.T, srv broadcaster, transports string, messages, cuts int, seed uint64) history {
	t.Helper()
	start := time.Now()
	proxy := faultproxy.Listen(srv.Addr())
	t.Cleanup(proxy.Close)
	rng := rand.New(rand.NewPCG(seed, 7))

	cmd := exec.Command("node", "recovery_clients.mjs", proxy.URL(), fmt.Sprint(recoveryClients), transports)
	cmd.Dir = "node"
	cmd.Stderr = os.Stderr
	stdin, _ := cmd.StdinPipe()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen := sightings{changed: make(chan struct{}, 1)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		seen.read(stdout)
	}()
	defer func() {
		stdin.Close()
		<-read
		_ = cmd.Wait()
	}()
	seen.until(t, "all are connected", func(s *sightings) bool { return s.connected() == recoveryClients })

	// A connection in four is cut again at some byte of what the server sends:
	// of the handshake, the CONNECT, the replay or what follows.
	var planMu sync.Mutex
	planned, planRng := 0, rand.New(rand.NewPCG(seed, 8))
	proxy.Plan(func(n int, _ string) faultproxy.Plan {
		planMu.Lock()
		defer planMu.Unlock()
		if planRng.IntN(4) > 0 {
			return faultproxy.Plan{}
		}
		planned++
		fault := []faultproxy.Fault{faultproxy.RST, faultproxy.FIN}[planRng.IntN(2)]
		return faultproxy.Plan{Down: faultproxy.Way{Fault: fault, At: 1 + planRng.Int64N(2000)}}
	})
	seq := 0
	emit := func(n int) {
		for range n {
			srv.Emit(seq)
			seq++
			if rng.IntN(4) == 0 {
				<-time.After(time.Duration(rng.IntN(1000)) * time.Microsecond) // some in one write, some not
			}
		}
	}
	for cut := range cuts {
		emit(messages * 3 / 4 / cuts)
		fault := []faultproxy.Fault{faultproxy.RST, faultproxy.FIN, faultproxy.RST, faultproxy.Blackhole}[rng.IntN(4)]
		proxy.Cut(fault)
		emit(messages / 4 / cuts)
		if cut%4 > 0 { // every fourth comes while clients are still on their way
			seen.until(t, "all are connected again", func(s *sightings) bool { return s.connected() == recoveryClients })
		}
	}
	proxy.Plan(faultproxy.Always(faultproxy.Plan{}))
	emit(messages - seq)
	planMu.Lock()
	h := history{cuts: cuts + planned}
	planMu.Unlock()
	// Quiet: those who have not noticed do so by their pings; then all who
	// believe to be connected must be reached.
	deadline := time.Now().Add(10 * time.Second)
	for probe := 1; ; probe++ {
		srv.Probe(probe)
		if seen.wait(2*pings, func(s *sightings) bool { return s.probed(probe) == recoveryClients }) {
			break
		}
		if time.Now().After(deadline) {
			h.zombies = recoveryClients - seen.snapshot(func(s *sightings) int { return s.probed(probe) })
			break
		}
	}
	h.took, h.sockets = time.Since(start), srv.Count()
	seen.judge(&h, messages)
	return h
}

// sightings are all that the clients wrote down so far.
type sightings struct {
	changed chan struct{} // has room for one

	mu    sync.Mutex
	lines []sighting
	up    [recoveryClients]bool
	probe [recoveryClients]int
}

func (s *sightings) read(r io.Reader) {
	in := bufio.NewScanner(r)
	for in.Scan() {
		var l sighting
		if json.Unmarshal(in.Bytes(), &l) != nil {
			continue
		}
		s.mu.Lock()
		s.lines = append(s.lines, l)
		switch l.On {
		case "connect":
			s.up[l.C] = true
		case "disconnect":
			s.up[l.C] = false
		case "probe":
			s.probe[l.C] = l.Seq
		}
		s.mu.Unlock()
		select {
		case s.changed <- struct{}{}:
		default:
		}
	}
}

func (s *sightings) connected() int {
	n := 0
	for _, up := range s.up {
		if up {
			n++
		}
	}
	return n
}

func (s *sightings) probed(seq int) int {
	n := 0
	for _, p := range s.probe {
		if p == seq {
			n++
		}
	}
	return n
}

func (s *sightings) snapshot(f func(*sightings) int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f(s)
}

func (s *sightings) wait(d time.Duration, f func(*sightings) bool) bool {
	timeout := time.After(d)
	for {
		s.mu.Lock()
		ok := f(s)
		s.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-s.changed:
		case <-timeout:
			return false
		}
	}
}

func (s *sightings) until(t *testing.T, what string, f func(*sightings) bool) {
	t.Helper()
	if !s.wait(20*time.Second, f) {
		t.Fatalf("timeout: not so: %s", what)
	}
}

// judge counts, client by client. What was emitted to the room is 0, 1, 2, … and
// a run is what a client receives until a comeback without recovery: within it
// nothing may be missing, come twice or overtake.
func (s *sightings) judge(h *history, messages int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	type state struct {
		next   int // expected
		had    map[int]bool
		joined int
		excuse bool
	}
	var clients [recoveryClients]state
	for i := range clients {
		clients[i].had = make(map[int]bool)
	}
	for _, l := range s.lines {
		c := &clients[l.C]
		switch l.On {
		case "connect":
			c.joined++
			if c.joined > 1 {
				h.comebacks++
			}
			if l.Asked {
				h.asked++
			}
			switch {
			case l.Recovered:
				h.recovered++
			case c.joined > 1:
				c.excuse = true
			}
		case "m":
			h.got++
			switch {
			case c.had[l.Seq]:
				h.twice++
			case l.Seq < c.next:
				h.disorder++
			case l.Seq > c.next && c.excuse:
				h.excused += l.Seq - c.next
			case l.Seq > c.next:
				h.lost += l.Seq - c.next
			}
			c.had[l.Seq] = true
			c.next = max(c.next, l.Seq+1)
			c.excuse = false
		}
	}
	for i := range clients {
		if missing := messages - clients[i].next; clients[i].excuse {
			h.excused += missing
		} else {
			h.lost += missing
		}
	}
}

// goBroadcaster is our server.
type goBroadcaster struct {
	*socketio.Server
	hs *httptest.Server

	mu      sync.Mutex
	reasons map[string]int
}

func newGoBroadcaster(t *testing.T) *goBroadcaster {
	b := &goBroadcaster{reasons: make(map[string]int)}
	b.Server = socketio.NewServer(&socketio.Options{
		PingInterval: pings, PingTimeout: pings,
		Logger: slog.New(slog.DiscardHandler),
		Recovery: &socketio.Recovery{OnAttempt: func(a socketio.RecoveryAttempt) {
			if !a.Recovered {
				b.mu.Lock()
				b.reasons[a.Reason]++
				b.mu.Unlock()
			}
		}},
	})
	b.OnConnection(func(_ context.Context, s *socketio.Socket) error { return s.Join("room") })
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", b.Server)
	b.hs = httptest.NewServer(mux)
	t.Cleanup(func() {
		b.Server.Close()
		b.hs.Close()
	})
	return b
}

func (b *goBroadcaster) Addr() string  { return b.hs.Listener.Addr().String() }
func (b *goBroadcaster) Emit(seq int)  { b.To("room").Emit("m", seq) }
func (b *goBroadcaster) Probe(seq int) { b.Server.Emit("probe", seq) }
func (b *goBroadcaster) Count() int {
	n := 0
	for range b.Sockets() {
		n++
	}
	return n
}

func (b *goBroadcaster) refused() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprint("refused: ", b.reasons)
}

// nodeBroadcaster is the official one.
type nodeBroadcaster struct {
	t     *testing.T
	stdin io.Writer
	lines chan map[string]int
	addr  string
}

func newNodeBroadcaster(t *testing.T) *nodeBroadcaster {
	cmd := exec.Command("node", "recovery_server.mjs")
	cmd.Dir = "node"
	cmd.Stderr = os.Stderr
	stdin, _ := cmd.StdinPipe()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	b := &nodeBroadcaster{t: t, stdin: stdin, lines: make(chan map[string]int, 1)}
	go func() {
		in := bufio.NewScanner(stdout)
		for in.Scan() {
			var line map[string]int
			if json.Unmarshal([]byte(strings.TrimSpace(in.Text())), &line) == nil {
				b.lines <- line
			}
		}
	}()
	b.addr = fmt.Sprintf("127.0.0.1:%d", (<-b.lines)["port"])
	return b
}

func (b *nodeBroadcaster) Addr() string  { return b.addr }
func (b *nodeBroadcaster) Emit(seq int)  { fmt.Fprintln(b.stdin, "m", seq) }
func (b *nodeBroadcaster) Probe(seq int) { fmt.Fprintln(b.stdin, "probe", seq) }
func (b *nodeBroadcaster) Count() int {
	fmt.Fprintln(b.stdin, "count")
	return (<-b.lines)["count"]
}
