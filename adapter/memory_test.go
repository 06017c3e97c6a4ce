package adapter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
)

func TestMemory(t *testing.T) {
	adaptertest.Run(t, 1, func(t *testing.T, hosts []*adaptertest.Host) []adapter.Adapter {
		return []adapter.Adapter{adapter.New()}
	})
}

// silent is a member to which delivery costs nothing.
type silent struct {
	id         string
	membership adapter.Membership
	n          int
}

func (s *silent) ID() string                                                { return s.id }
func (s *silent) Membership() *adapter.Membership                           { return &s.membership }
func (s *silent) Deliver(*adapter.Packet)                                   { s.n++ }
func (s *silent) DeliverWithAck(*adapter.Packet, func(adapter.Answer)) bool { return false }
func (s *silent) Supersede(context.Context) error                           { return nil }
func (s *silent) Announce(*adapter.Packet)                                  {}
func (s *silent) CancelAck(int64)                                           {}
func (s *silent) Disconnect(bool)                                           {}
func (s *silent) Describe() (handshake, data json.RawMessage)               { return nil, nil }

func BenchmarkBroadcast(b *testing.B) {
	for _, size := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			a := adapter.New()
			for i := range size {
				s := &silent{id: fmt.Sprintf("%020d", i)}
				a.Add(s)
				a.Join(s, "room")
			}
			t := adapter.Target{Rooms: []string{"room"}, Except: []string{fmt.Sprintf("%020d", 3)}}
			p := &adapter.Packet{Event: "x"}
			b.ReportAllocs()
			for b.Loop() {
				a.Broadcast(t, p)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size), "ns/member")
		})
	}
}

// BenchmarkRooms is a broadcast to two rooms of ten that have half of their
// members in common, but one. Bound: 0 allocations, whatever the sizes.
func BenchmarkRooms(b *testing.B) {
	a := adapter.New()
	for i := range 15 {
		s := &silent{id: fmt.Sprintf("%020d", i)}
		a.Add(s)
		if i < 10 {
			a.Join(s, "a")
		}
		if i >= 5 {
			a.Join(s, "b")
		}
	}
	t := adapter.Target{Rooms: []string{"a", "b"}, Except: []string{fmt.Sprintf("%020d", 7)}}
	p := &adapter.Packet{Event: "x"}
	b.ReportAllocs()
	for b.Loop() {
		a.Broadcast(t, p)
	}
}

// BenchmarkMemberships has 100,000 sockets be in ten rooms each, 100,000 rooms of
// ten: a million memberships, their memory, and a broadcast to each room among
// them. Run it with -benchtime 1x.
func BenchmarkMemberships(b *testing.B) {
	const sockets, each = 100_000, 10
	names := make([]string, sockets)
	members := make([]silent, sockets)
	for i := range names {
		names[i] = fmt.Sprintf("room-%d", i)
		members[i].id = fmt.Sprintf("%020d", i)
	}
	used := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	per := func(what string, begin time.Time, n int) {
		b.ReportMetric(float64(time.Since(begin).Nanoseconds())/float64(n), "ns/"+what)
	}
	for b.Loop() {
		a := adapter.New()
		for i := range members {
			a.Add(&members[i])
		}
		before, begin := used(), time.Now()
		for i := range members {
			for k := range each {
				a.Join(&members[i], names[(i+k*7919)%sockets])
			}
		}
		per("join", begin, sockets*each)
		b.ReportMetric((used()-before)/(sockets*each), "B/membership")
		p := &adapter.Packet{Event: "x"}
		begin = time.Now()
		for _, name := range names {
			a.Broadcast(adapter.Target{Rooms: []string{name}}, p)
		}
		per("delivery", begin, sockets*each)
		begin = time.Now()
		for i := range members {
			for k := range each {
				a.Leave(&members[i], names[(i+k*7919)%sockets])
			}
		}
		per("leave", begin, sockets*each)
		for _, n := range a.Rooms() {
			b.Fatalf("a room of %d is left", n)
		}
		for i := range members {
			members[i] = silent{id: members[i].id}
		}
	}
}

func BenchmarkJoinLeave(b *testing.B) {
	a := adapter.New()
	s := &silent{id: "s"}
	a.Add(s)
	b.ReportAllocs()
	for b.Loop() {
		a.Join(s, "room")
		a.Leave(s, "room")
	}
}
