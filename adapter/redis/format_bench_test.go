package redis

import (
	"testing"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// benchBroadcast is what `go run . -cluster` in bench sends, with binary data or
// without.
func benchBroadcast(b *testing.B, attachments ...[]byte) *cluster.Message {
	b.Helper()
	body := map[string]any{"room": "room0", "id": 123456, "text": "a text of about a hundred bytes, as people write to each other when they have something to say, or not"}
	for _, a := range attachments {
		body["photo"] = a
	}
	v, err := cluster.NewValues("cast", body)
	if err != nil {
		b.Fatal(err)
	}
	return &cluster.Message{Type: cluster.Broadcast, UID: "AbCdEf", NSP: "/", Values: v, Target: adapter.Target{Rooms: []string{"room0"}}}
}

// BenchmarkFormat is what a broadcast costs in the forms that go between nodes, on
// the node that sends and on one that receives.
func BenchmarkFormat(b *testing.B) {
	for name, m := range map[string]*cluster.Message{"text": benchBroadcast(b), "binary": benchBroadcast(b, make([]byte, 1000))} {
		for _, f := range []struct {
			name   string
			encode func(*cluster.Message) ([]byte, error)
			decode func([]byte) (*cluster.Message, error)
		}{
			{"classic", encodeBroadcast, decodeBroadcast},
			{"others", cluster.Encode, cluster.Decode},
		} {
			encoded, err := f.encode(m)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(f.name+"/"+name+"/encode", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := f.encode(m); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(f.name+"/"+name+"/decode", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					got, err := f.decode(encoded)
					if err != nil {
						b.Fatal(err)
					}
					if _, _, err := got.Values.Event(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
