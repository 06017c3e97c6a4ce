package adapter_test

import (
	"encoding/json"
	"fmt"
	"testing"

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
