package faults

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/faultproxy"
)

// A Setting is one cell of the matrix.
type Setting struct {
	Transports []string
	Client     Client
	Retries    bool   // clients send at least once; the server tells copies by their numbers
	Recovery   bool   // connection state recovery
	Shape      bool   // delays, segments of a few bytes, gathered writes
	Restarts   bool   // the server goes and comes back
	Broker     string // what is between the nodes, of which there are two; "" is one node
	Links      bool   // what happens to clients happens to the links to the broker too
	Moves      bool   // clients come back to the other node
	Clients    int
	Seconds    float64 // how long there are faults
	Seed       uint64
	Path       string        // of the engine, for the Go client: "" is "/"
	Timeout    time.Duration // of a client for its connection: 0 is a second
	First      int           // how the first of the clients calls itself
}

// timeout is how long a client waits for its connection.
func (s Setting) timeout() time.Duration { return cmp.Or(s.Timeout, time.Second) }

// A Client is whose client it is.
type Client string

// The clients.
const (
	Official   Client = "official"
	OurBrowser Client = "ours"
	OurGo      Client = "Go"
)

// An Outcome is the history of one run, judged.
type Outcome struct {
	Down, Up, Deduped Verdict // from the server, to the server, to the server after copies were told apart
	Cuts              int
	Zombies           int // clients that believe to be connected and are not reached
	Sockets           int // at the server, in the end
	GaveUp            int // sends that a client gave up
}

func (o Outcome) String() string {
	return fmt.Sprintf("%d cuts\n  down: %v\n  up: %v\n  up, each once: %v\n  zombies %d, sockets %d", o.Cuts, o.Down, o.Up, o.Deduped, o.Zombies, o.Sockets)
}

const (
	pingInterval = 200 * time.Millisecond
	pingTimeout  = 600 * time.Millisecond // a machine that is busy must not look like a bad network
	settleTime   = 30 * time.Second
	emitEvery    = 3 * time.Millisecond
)

// A recorder is the servers' application: it emits, receives, writes down. What there
// is to emit the first of them emits.
type recorder struct {
	setting Setting
	network *network

	mu      sync.Mutex
	sent    []int           // to everybody
	maybe   map[int]bool    // of these, what a broker may not have got
	sockets [][]*connection // of each client, in the order in which they came
	once    []map[int]bool  // what was received of each client, whatever connection brought it
	nodes   []*server
}

// A connection is what one socket of a client brought.
type connection struct{ events []Event }

func (r *recorder) stop() {
	r.mu.Lock()
	nodes := r.nodes
	r.nodes = nil
	r.mu.Unlock()
	for _, n := range nodes {
		n.close()
	}
}

// server is the node that emits.
func (r *recorder) server() *socketio.Server {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.nodes[0].io
}

// count returns how many sockets there are on all nodes.
func (r *recorder) count() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, node := range r.nodes {
		n += node.io.Stats().Sockets
	}
	return n
}

func (r *recorder) connected(_ context.Context, s *socketio.Socket) error {
	var auth struct{ Client int }
	if err := s.DecodeAuth(&auth); err != nil {
		return err
	}
	conn := &connection{events: []Event{{Kind: Connected}}}
	r.mu.Lock()
	r.sockets[auth.Client] = append(r.sockets[auth.Client], conn)
	r.mu.Unlock()
	s.On("up", func(_ context.Context, m *socketio.Message) error {
		var n int
		if err := m.Decode(&n); err != nil {
			return err
		}
		r.mu.Lock()
		conn.events = append(conn.events, Event{Kind: Received, Seq: n})
		r.once[auth.Client][n] = true
		r.mu.Unlock()
		if m.WantsAck() {
			return m.Ack()
		}
		return nil
	})
	s.On("last", func(_ context.Context, m *socketio.Message) error { return m.Ack() })
	s.OnDisconnect(func(socketio.DisconnectReason) {
		r.mu.Lock()
		conn.events = append(conn.events, Event{Kind: Disconnected})
		r.mu.Unlock()
	})
	return nil
}

var errAway = errors.New("the node is away")

// emit sends the next number to everybody. What does not leave may be missing, and no
// more.
func (r *recorder) emit() error {
	r.mu.Lock()
	n := len(r.sent) + 1
	r.sent = append(r.sent, n)
	var srv *socketio.Server
	if len(r.nodes) > 0 {
		srv = r.nodes[0].io
	}
	r.mu.Unlock()
	if srv == nil {
		return errAway
	}
	err := srv.Emit("m", n)
	if err != nil && r.setting.Broker != "" {
		r.mu.Lock()
		r.maybe[n] = true
		r.mu.Unlock()
	}
	return err
}

// up returns what clients sent and the server received, by connection.
func (r *recorder) up(c int) (events []Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.sockets[c] {
		events = append(events, conn.events...)
		if events[len(events)-1].Kind != Disconnected {
			events = append(events, Event{Kind: Disconnected}) // a new one came before it was noticed
		}
	}
	return events
}

func (r *recorder) has(c, n int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.once[c][n]
}

// clients are the ends on the other side.
type clients struct {
	done  chan struct{}
	stop  func() // one last event each, and no more
	close func()

	mu      sync.Mutex
	sent    [][]int
	events  [][]Event
	drained int
	stopped int // last events that were sent
	gaveUp  int
}

// startClients runs them in a process of Node.
func startClients(s Setting, urls ...string) (*clients, error) {
	settings, err := json.Marshal(map[string]any{
		"urls": urls, "clients": s.Clients, "transports": s.Transports, "ours": s.Client == OurBrowser, "retries": s.Retries, "every": 7,
		"timeout": s.timeout().Milliseconds(),
	})
	if err != nil {
		return nil, err
	}
	c := &clients{done: make(chan struct{}), sent: make([][]int, s.Clients), events: make([][]Event, s.Clients)}
	cmd := exec.Command("node", "fault_clients.mjs")
	cmd.Dir = "../node"
	cmd.Env = append(os.Environ(), "FAULTS="+string(settings))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c.stop = func() { _, _ = io.WriteString(stdin, "stop\n") }
	c.close = func() {
		_ = stdin.Close()
		<-c.done
	}
	go func() {
		defer close(c.done)
		c.read(out)
		_ = cmd.Wait()
	}()
	return c, nil
}

func (c *clients) read(out io.Reader) {
	in := bufio.NewScanner(out)
	for in.Scan() {
		var line struct {
			C, Seq    int
			On        string
			Recovered bool
		}
		if json.Unmarshal(in.Bytes(), &line) != nil {
			continue
		}
		c.mu.Lock()
		switch line.On {
		case "sent":
			c.sent[line.C] = append(c.sent[line.C], line.Seq)
		case "drained":
			c.drained++
		case "stopped":
			c.stopped++
		case "gave up":
			c.gaveUp++
		default:
			c.events[line.C] = append(c.events[line.C], Event{Kind: Kind(line.On), Seq: line.Seq, Recovered: line.Recovered})
		}
		c.mu.Unlock()
	}
}

// haveStopped reports whether all have sent the last event that stop asks for.
func (c *clients) haveStopped(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopped >= n
}

// last returns the last thing sent by a client, and the last it received.
func (c *clients) last(i int) (sent, received int, connected bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.sent[i]); n > 0 {
		sent = c.sent[i][n-1]
	}
	for _, e := range c.events[i] {
		switch e.Kind {
		case Connected:
			connected = true
		case Disconnected:
			connected = false
		case Received:
			received = e.Seq
		}
	}
	return sent, received, connected
}

// until waits for what does not take long.
func until(what string, f func() bool) error { return within(settleTime, what, f) }

func within(limit time.Duration, what string, f func() bool) error {
	for deadline := time.Now().Add(limit); !f(); {
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %v in vain: %s", limit, what)
		}
		<-time.After(5 * time.Millisecond)
	}
	return nil
}

func every(n int, f func(i int) bool) bool {
	for i := range n {
		if !f(i) {
			return false
		}
	}
	return true
}

// Run plays one setting and judges it.
func Run(s Setting, brokers *Brokers) (o Outcome, err error) {
	r := &recorder{setting: s, maybe: make(map[int]bool), sockets: make([][]*connection, s.Clients), once: make([]map[int]bool, s.Clients)}
	for i := range r.once {
		r.once[i] = make(map[int]bool)
	}
	if r.network, err = newNetwork(s, brokers); err != nil {
		return o, err
	}
	defer r.network.close()
	if err := r.start(); err != nil {
		return o, err
	}
	defer r.stop()
	begin := startClients
	if s.Client == OurGo {
		begin = startGo
	}
	c, err := begin(s, r.network.urls()...)
	if err != nil {
		return o, err
	}
	defer c.close()
	connected := func(i int) bool { _, _, yes := c.last(i); return yes }
	if err := until("everybody connects", func() bool { return every(s.Clients, connected) }); err != nil {
		return o, err
	}

	quiet := make(chan struct{})
	var emitting sync.WaitGroup
	emitting.Go(func() {
		tick := time.NewTicker(emitEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = r.emit() // while the server is away nobody is there
			case <-quiet:
				return
			}
		}
	})
	o.Cuts, err = storm(s, r)
	close(quiet)
	emitting.Wait()
	if err != nil {
		return o, err
	}
	if err := settle(s, r, c); err != nil {
		return o, err
	}
	o.Zombies, o.Sockets = probe(s, r)
	c.mu.Lock()
	defer c.mu.Unlock()
	o.GaveUp = c.gaveUp
	judge(s, r, c, &o)
	return o, nil
}

// storm has things happen to connections, by the seed, and returns how many.
func storm(s Setting, r *recorder) (cuts int, err error) {
	rng := rand.New(rand.NewPCG(s.Seed, 1))
	faults := []faultproxy.Fault{faultproxy.RST, faultproxy.FIN, faultproxy.HalfClose, faultproxy.Blackhole, faultproxy.Stall}
	r.network.worsen(s)
	halfway := s.Restarts || s.Moves
	for begin := time.Now(); time.Since(begin).Seconds() < s.Seconds; {
		<-time.After(time.Duration(50+rng.IntN(250)) * time.Millisecond)
		f := faults[rng.IntN(len(faults))]
		cuts += r.network.cut(f, rng.IntN(6) == 0, s.Links && rng.IntN(8) == 0)
		if f == faultproxy.Stall {
			<-time.After(time.Duration(rng.IntN(100)) * time.Millisecond)
			r.network.release()
		}
		if halfway && time.Since(begin).Seconds() > s.Seconds/2 {
			halfway = false
			if s.Moves {
				r.network.swap()
				continue
			}
			r.stop()
			<-time.After(100 * time.Millisecond)
			if err := r.start(); err != nil {
				return cuts, err
			}
		}
	}
	return cuts, nil
}

// settle makes the network good again and waits until everything has arrived
// that still can.
func settle(s Setting, r *recorder, c *clients) error {
	r.network.heal()
	err := until("everybody is back", func() bool {
		return every(s.Clients, func(i int) bool { _, _, yes := c.last(i); return yes }) && r.count() == s.Clients
	})
	if err != nil {
		return err
	}
	// Those who have not noticed yet that they are cut off do not get the first
	// of these; in the end all get the same one.
	final, asked := 0, time.Time{}
	err = until("the last event of the server", func() bool {
		if time.Since(asked) > pingInterval+pingTimeout {
			asked = time.Now()
			_ = r.emit()
			r.mu.Lock()
			final = len(r.sent)
			r.mu.Unlock()
		}
		return every(s.Clients, func(i int) bool { _, received, _ := c.last(i); return received == final })
	})
	if err != nil {
		return err
	}
	asked = time.Time{}
	return until("the last events of the clients", func() bool {
		if time.Since(asked) > pingInterval+pingTimeout {
			asked = time.Now()
			c.stop()
		}
		c.mu.Lock()
		drained := c.drained
		c.mu.Unlock()
		if s.Retries && drained < s.Clients {
			return false
		}
		return every(s.Clients, func(i int) bool { sent, _, _ := c.last(i); return sent > 0 && r.has(i, sent) })
	})
}

// probe asks every client for an answer, until all have given one: who is alive
// is reached sooner or later, a zombie never is.
func probe(s Setting, r *recorder) (zombies, sockets int) {
	_ = until("everybody answers", func() bool {
		zombies, sockets = ask(s, r)
		return zombies == 0 && sockets == s.Clients
	})
	return zombies, sockets
}

func ask(s Setting, r *recorder) (silent, sockets int) {
	ctx, cancel := context.WithTimeout(context.Background(), pingInterval+pingTimeout)
	defer cancel()
	var answered []int
	r.mu.Lock()
	nodes := slices.Clone(r.nodes)
	r.mu.Unlock()
	for _, n := range nodes {
		for m, err := range n.io.Local().EmitWithAcks(ctx, "probe") {
			var c int
			if err == nil && m.Decode(&c) == nil && !slices.Contains(answered, c) {
				answered = append(answered, c)
			}
		}
	}
	return s.Clients - len(answered), r.count()
}

func judge(s Setting, r *recorder, c *clients, o *Outcome) {
	down, up := AtMostOnce, AtMostOnce
	if s.Recovery {
		down = Recovered
	}
	if s.Retries {
		up = AtLeastOnce
	}
	var downs, ups, once []Verdict
	for i := range s.Clients {
		stream, twice := without(r.maybe, r.sent, c.events[i])
		v := Judge(stream, down)
		v.Twice += twice
		if s.Links && !s.stores() { // at most once, for nodes as for clients
			v.Excused, v.Lost = v.Excused+v.Lost, 0
		}
		downs = append(downs, v)
		received := r.up(i)
		ups = append(ups, Judge(Stream{Sent: c.sent[i], Receiver: received}, up))
		if s.Retries { // what an application has that keeps the numbers it has seen
			seen := make(map[int]bool)
			kept := slices.DeleteFunc(slices.Clone(received), func(e Event) bool {
				again := e.Kind == Received && seen[e.Seq]
				seen[e.Seq] = true
				return again
			})
			once = append(once, Judge(Stream{Sent: c.sent[i], Receiver: kept}, ExactlyOnce))
		}
	}
	o.Down, o.Up, o.Deduped = Merge(downs...), Merge(ups...), Merge(once...)
}
