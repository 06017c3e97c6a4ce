package ratelimit_test

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/middleware/ratelimit"
)

// What a public server might have: connections per address behind its load
// balancer, and messages per socket.
func Example() {
	connections := ratelimit.NewConnections(&ratelimit.ConnectionOptions{
		Rate:    ratelimit.Rate{Events: 100, Per: 15 * time.Minute},
		Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	})
	events := ratelimit.NewEvents(&ratelimit.EventOptions{
		PerSocket: ratelimit.Rate{Events: 50, Per: time.Second, Kind: ratelimit.TokenBucket},
		PerEvent:  map[string]ratelimit.Rate{"chat message": {Events: 10, Per: 10 * time.Second}},
		CutAfter:  1000, // by then it is no impatient person
		OnLimited: func(s *socketio.Socket, event string, _ time.Duration) {
			slog.Debug("too fast", "socket", s, "event", event)
		},
	})
	srv := socketio.NewServer(nil)
	connections.Protect(srv)
	events.Protect(srv)
}
