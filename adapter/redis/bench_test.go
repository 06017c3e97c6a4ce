package redis

import (
	"fmt"
	"testing"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
)

// BenchmarkSession is what it costs that a killed node's sessions are in Redis: a
// client that connects, joins two rooms, is saved, and leaves, 256 at a time.
//
//	SOCKEYE_PARTS=all go test -run - -bench Session ./adapter/redis
func BenchmarkSession(b *testing.B) {
	for name, recovering := range map[string]bool{"kept": true, "not kept": false} {
		b.Run(name, func(b *testing.B) {
			s := startRedis(b)
			hosts := adaptertest.NewHosts(1)
			if recovering {
				hosts = adaptertest.NewRecoveringHosts(1)
			}
			a, err := NewStreams(s.client(b), nil)(hosts[0])
			if err != nil {
				b.Fatal(err)
			}
			defer a.Close()
			var there []adapter.Member
			leave := func() {
				if err := a.(adapter.Flusher).Flush(b.Context()); err != nil {
					b.Fatal(err)
				}
				for _, m := range there {
					a.Remove(m)
				}
				there = there[:0]
			}
			for i := 0; b.Loop(); i++ {
				m := adaptertest.NewMember(a, fmt.Sprint("socket", i))
				if recovering {
					a.(adapter.Recoverer).Open(m, fmt.Sprint("pid", i), func() bool { return true })
				} else {
					a.Add(m)
				}
				a.Join(m, "lobby", "room")
				if there = append(there, m); len(there) == 256 {
					leave()
				}
			}
			leave()
		})
	}
}
