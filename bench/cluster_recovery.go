//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/internal/ws"
)

// A recovered is how clients came to another node when theirs was killed.
type recovered struct {
	Adapter   string `json:"adapter"`
	Clients   int    `json:"clients"`
	Recovered int    `json:"recovered"`
	// Half and All are ms from the kill until half of the clients, and all, had
	// their sessions again.
	Half float64 `json:"half"`
	All  float64 `json:"all"`
	// Confirmed is how many messages the store had confirmed, Deliveries for how
	// many clients they were, Lost and Twice what was wrong with those.
	Confirmed  int `json:"confirmed"`
	Deliveries int `json:"deliveries"`
	Lost       int `json:"lost"`
	Twice      int `json:"twice"`
	// Failed says why there is no result.
	Failed string `json:"failed,omitempty"`
}

// recoveryAdapters are those from which clients recover.
var recoveryAdapters = []string{"redis-streams", "nats-jetstream", "postgres-log"}

func runRecoveries(clients int, only *regexp.Regexp, progress io.Writer) []recovered {
	var all []recovered
	for _, adapter := range recoveryAdapters {
		if !only.MatchString("sockeye " + adapter) {
			continue
		}
		r := recovered{Adapter: adapter, Clients: clients}
		if err := r.measure(); err != nil {
			fmt.Fprintf(progress, "recovery on %s: %v\n", adapter, err)
			r.Failed = err.Error()
		}
		fmt.Fprintf(progress, "recovery on %s: %d of %d, half after %.0f ms, all after %.0f ms; of %d confirmed messages for %d clients lost %d, twice %d\n",
			adapter, r.Recovered, clients, r.Half, r.All, r.Confirmed, r.Deliveries, r.Lost, r.Twice)
		all = append(all, r)
	}
	return all
}

// recoveryRooms is among how many rooms the clients are divided.
const recoveryRooms = 10

// measure kills the node that all clients are on, while it and another emit.
func (r *recovered) measure() error {
	g, err := startGroup("sockeye", r.Adapter, 3, "BENCH_RECOVERY=1")
	if err != nil {
		return err
	}
	defer g.stop()
	doomed, others := g.members[0], g.members[1:]
	var travellers []*traveller
	defer func() {
		for _, t := range travellers {
			t.close()
		}
	}()
	for i := range r.Clients {
		t := &traveller{room: i % recoveryRooms, got: make(map[int]int)}
		if err := t.connect(doomed.addr); err != nil {
			return err
		}
		travellers = append(travellers, t)
		if err := t.join(t.room); err != nil {
			return err
		}
	}
	var log confirmations
	here, err := newEmitter(doomed.addr, 0, &log)
	if err != nil {
		return err
	}
	there, err := newEmitter(others[0].addr, 1, &log)
	if err != nil {
		return err
	}
	defer there.nc.Close()
	if err := here.confirm(0, ""); err != nil { // the joins are saved
		return err
	}
	for _, t := range travellers {
		t.back = make(chan time.Time, 1)
		t.ended = make(chan error, 1)
		go t.travel(others)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var emitting sync.WaitGroup
	failed := make(chan error, 1)
	emitting.Go(func() { _ = here.run(ctx) }) // until it is killed
	emitting.Go(func() {
		if err := there.run(ctx); err != nil {
			failed <- err
		}
	})
	time.Sleep(time.Second)
	doomed.kill()
	killed := time.Now()
	here.nc.Close()
	var took []time.Duration
	timeout := time.After(time.Minute)
	for _, t := range travellers {
		select {
		case at := <-t.back:
			if t.recovered {
				r.Recovered++
			}
			took = append(took, at.Sub(killed))
		case err := <-t.ended:
			return err
		case err := <-failed:
			return err
		case <-timeout:
			return errors.New("not all clients are back within a minute")
		}
	}
	slices.Sort(took)
	r.Half, r.All = micros(took[len(took)/2])/1000, micros(took[len(took)-1])/1000
	cancel()
	emitting.Wait()
	return r.account(there, travellers, &log)
}

// account waits for the last message and sees who has got what.
func (r *recovered) account(last *emitter, travellers []*traveller, log *confirmations) error {
	for room := range recoveryRooms {
		if err := last.confirm(room, "end"); err != nil {
			return err
		}
	}
	for _, t := range travellers {
		select {
		case <-t.finished():
		case <-time.After(time.Minute):
			return fmt.Errorf("a client of room %d does not get the last message", t.room)
		}
	}
	log.mu.Lock()
	defer log.mu.Unlock()
	r.Confirmed = len(log.room)
	for _, t := range travellers {
		t.mu.Lock()
		for id, room := range log.room {
			if room == t.room {
				r.Deliveries++
				if t.got[id] == 0 {
					r.Lost++
				}
			}
		}
		for _, n := range t.got {
			r.Twice += n - 1
		}
		t.mu.Unlock()
	}
	return nil
}

// confirmations are the messages that the store has, by number, and their rooms.
type confirmations struct {
	mu   sync.Mutex
	room map[int]int
}

// An emitter has a node emit, and waits until the store has it.
type emitter struct {
	*client
	next int // number
	log  *confirmations
}

func newEmitter(addr string, kind int, log *confirmations) (*emitter, error) {
	c, err := connect(addr)
	return &emitter{client: c, next: 2 + kind, log: log}, err
}

// confirm emits a message to a room and waits.
func (e *emitter) confirm(room int, text string) error {
	id := e.next
	e.next += 2 // the other emitter has those between
	if err := e.send(fmt.Sprintf(`420["confirm",{"room":"room%d","id":%d,"text":"%s"}]`, room, id, text)); err != nil {
		return err
	}
	if err := e.want(ws.Text, "430[true]"); err != nil {
		return err
	}
	if text != "" {
		e.log.mu.Lock()
		defer e.log.mu.Unlock()
		if e.log.room == nil {
			e.log.room = make(map[int]int)
		}
		e.log.room[id] = room
	}
	return nil
}

// emitInterval is how often each emitter emits, unless it has to wait longer for
// the store. With 1,000 clients that is 10,000 deliveries a second of both.
const emitInterval = 20 * time.Millisecond

// run emits to the rooms in turn.
func (e *emitter) run(ctx context.Context) error {
	tick := time.NewTicker(emitInterval)
	defer tick.Stop()
	for i := 0; ctx.Err() == nil; i++ {
		<-tick.C
		if err := e.confirm(i%recoveryRooms, "x"); err != nil {
			return err
		}
	}
	return nil
}

// A traveller is a client that goes to another node when its own is gone.
type traveller struct {
	*client
	room        int
	pid, offset string
	recovered   bool
	back        chan time.Time
	ended       chan error

	mu   sync.Mutex
	got  map[int]int // how often each message
	end  bool
	done chan struct{}
}

// connect connects, with the session if it has one.
func (t *traveller) connect(addr string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	nc, left, _, err := ws.Dial(ctx, "ws://"+addr+"/socket.io/?EIO=4&transport=websocket", &ws.DialOptions{NetDial: dialFrom})
	if err != nil {
		return err
	}
	c := &client{nc: nc, in: left, buf: make([]byte, 2048)}
	c.parser.Init(ws.Client, 1<<20)
	_ = nc.SetDeadline(time.Now().Add(2 * time.Minute))
	connect := "40"
	if t.pid != "" {
		connect += fmt.Sprintf(`{"pid":"%s","offset":"%s"}`, t.pid, t.offset)
	}
	if err := c.send(connect); err != nil {
		nc.Close()
		return err
	}
	for {
		_, m, err := c.next()
		if err != nil {
			nc.Close()
			return err
		}
		body, ok := bytes.CutPrefix(m, []byte("40"))
		if !ok {
			continue // of the handshake
		}
		var answer struct{ PID string }
		if err := json.Unmarshal(body, &answer); err != nil || answer.PID == "" {
			nc.Close()
			return fmt.Errorf("connected with %.80q", m)
		}
		t.recovered = answer.PID == t.pid
		t.mu.Lock()
		t.pid, t.client = answer.PID, c
		t.mu.Unlock()
		return nil
	}
}

func (t *traveller) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.client != nil {
		t.nc.Close()
	}
}

// travel receives, and goes to one of the others when the connection breaks.
func (t *traveller) travel(others []*member) {
	err := t.receive()
	for try := 0; ; try++ {
		if err = t.connect(others[(t.room+try)%len(others)].addr); err == nil {
			break
		}
		if try == 20 {
			t.ended <- err
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.back <- time.Now()
	_ = t.receive()
}

// receive keeps what comes until the connection breaks.
func (t *traveller) receive() error {
	for {
		_, m, err := t.next()
		if err != nil {
			return err
		}
		_, rest, _ := bytes.Cut(m, []byte(`"id":`))
		id, err := strconv.Atoi(string(rest[:max(bytes.IndexAny(rest, ",}"), 0)]))
		if err != nil {
			return fmt.Errorf("got %.80q", m)
		}
		i := bytes.LastIndex(m, []byte(`},"`))
		if i < 0 {
			return fmt.Errorf("no offset in %.80q", m)
		}
		t.mu.Lock()
		t.got[id]++
		if t.offset = strings.TrimSuffix(string(m[i+3:]), `"]`); bytes.Contains(m, []byte(`"text":"end"`)) {
			t.end = true
			if t.done != nil {
				close(t.done)
				t.done = nil
			}
		}
		t.mu.Unlock()
	}
}

// finished is closed when the last message is there.
func (t *traveller) finished() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	done := make(chan struct{})
	if t.end {
		close(done)
	} else {
		t.done = done
	}
	return done
}

// recoveries is the table of them.
func (r *clusterReport) recoveries() string {
	if len(r.Recoveries) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| a node killed with -9 while it and another emit | clients recovered elsewhere | ms until half, all | messages confirmed by `Flush` (for so many clients) | of those lost, twice |\n|---|---|---|---|---|\n")
	for _, x := range r.Recoveries {
		if x.Failed != "" {
			fmt.Fprintf(&b, "| %s, this server | failed: %s | | | |\n", clusterTitles[x.Adapter], x.Failed)
			continue
		}
		fmt.Fprintf(&b, "| %s, this server | %d of %d | %.0f, %.0f | %d (%d) | %d, %d |\n",
			clusterTitles[x.Adapter], x.Recovered, x.Clients, x.Half, x.All, x.Confirmed, x.Deliveries, x.Lost, x.Twice)
	}
	return b.String()
}
