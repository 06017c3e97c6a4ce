package adapter_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
)

func someRecovery() adapter.Recovery {
	return adapter.Recovery{
		MaxDuration: time.Minute, MaxAge: 2 * time.Minute,
		MaxPackets: 1 << 20, MaxBytes: 1 << 30, MaxSessions: 1000,
	}
}

func TestRecovering(t *testing.T) {
	adaptertest.Run(t, 1, func(t *testing.T, hosts []*adaptertest.Host) []adapter.Adapter {
		return []adapter.Adapter{adapter.NewRecovering(someRecovery())}
	})
}

// A link is what one connection of a client received, in order.
type link struct {
	silent
	mu  sync.Mutex
	got []received
}

type received struct {
	what   int
	offset string
}

func (l *link) Deliver(p *adapter.Packet) {
	var args []any
	head := p.Prepared.Messages()[0].Data
	if err := json.Unmarshal(head[len("2/test,"):], &args); err != nil {
		panic(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, received{int(args[1].(float64)), args[2].(string)})
}

// TestRecoveringOrder has many broadcast at once to clients that are cut all the
// time, each of which loses the end of what it was sent. What they have in the
// end is everything, once; and that holds only if each receives in the order in
// which it would be replayed.
func TestRecoveringOrder(t *testing.T) {
	const clients, senders, each = 4, 8, 400
	a := adapter.NewRecovering(someRecovery())
	defer a.Close()
	var host adaptertest.Host
	connect := func() bool { return true }
	newLink := func(id string) *link { return &link{silent: silent{id: id}} }

	for i := range 130 { // so that broadcasts let each other have their turn before they come to those who count
		m := &silent{id: fmt.Sprint("crowd", i)}
		a.Join(m, "room")
		if !a.Open(m, m.id, connect) {
			t.Fatal("not opened")
		}
	}
	ended := make(chan struct{})
	counts := make([]map[int]int, clients)
	cuts := make([]int, clients)
	var cutters, sending sync.WaitGroup
	for i := range clients {
		id, pid := fmt.Sprint("client", i), fmt.Sprint("pid", i)
		l := newLink(id)
		a.Join(l, "room")
		if !a.Open(l, pid, connect) {
			t.Fatal("not opened")
		}
		counts[i] = map[int]int{}
		rng := rand.New(rand.NewPCG(1, uint64(i)))
		offset := ""
		take := func(all bool) {
			l.mu.Lock()
			defer l.mu.Unlock()
			n := len(l.got)
			if !all && n > 0 {
				n = rng.IntN(n + 1)
			}
			for _, r := range l.got[:n] {
				counts[i][r.what]++
				offset = r.offset
			}
			l.got = l.got[n:]
		}
		cutters.Go(func() {
			for {
				last := false
				select {
				case <-ended:
					last = true
				default:
				}
				take(false)
				a.Suspend(l)
				claim, err := a.Claim(t.Context(), pid, offset, adapter.ReplayLimits{Packets: 1 << 20, Bytes: 1 << 30})
				if err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
				cuts[i]++
				l = newLink(id)
				if !claim.Resume(l, connect) {
					t.Errorf("client %d: not resumed", i)
					return
				}
				if last {
					take(true)
					return
				}
			}
		})
	}
	for i := range senders {
		sending.Go(func() {
			for j := range each {
				p := &adapter.Packet{Event: "e", Args: []any{i*each + j}, ID: -1, Offset: adapter.OffsetPlaceholder}
				if err := host.Prepare(p); err != nil {
					t.Error(err)
				}
				a.Broadcast(adapter.Target{Rooms: []string{"room"}}, p)
			}
		})
	}
	sending.Wait()
	close(ended)
	cutters.Wait()
	for i, got := range counts {
		lost, twice := 0, 0
		for n := range senders * each {
			switch {
			case got[n] == 0:
				lost++
			case got[n] > 1:
				twice++
			}
		}
		if lost+twice > 0 {
			t.Errorf("client %d: %d lost, %d more than once, of %d", i, lost, twice, senders*each)
		}
	}
	t.Logf("cuts: %v", cuts)
}

func BenchmarkRecoveringBroadcast(b *testing.B) {
	a := adapter.NewRecovering(someRecovery())
	defer a.Close()
	var host adaptertest.Host
	for i := range 1000 {
		s := &silent{id: fmt.Sprintf("%020d", i)}
		a.Join(s, "room")
		a.Open(s, fmt.Sprint(i), func() bool { return true })
	}
	b.ReportAllocs()
	for b.Loop() {
		p := &adapter.Packet{Event: "e", ID: -1, Offset: adapter.OffsetPlaceholder}
		host.Prepare(p)
		a.Broadcast(adapter.Target{Rooms: []string{"room"}}, p)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/member")
}
