package faults

import (
	"slices"
	"strings"

	"github.com/sockeye-go/socketio/engineio"
)

// The transports, and what of them the clients in Node have.
var (
	transports = [][]string{{engineio.WebSocket}, {engineio.Polling}, {engineio.Polling, engineio.WebSocket}}
	overQUIC   = [][]string{{engineio.WebTransport}, {engineio.Polling, engineio.WebTransport}}
	clientKind = []Client{Official, OurBrowser, OurGo}
)

// Matrix is every transport, each client, every broker and none, at every level that
// they have. If it is not to be long, it is one node with all transports and clients,
// and of each broker one cell, with another transport for each.
//
// What a level is, is up to the setting: without Recovery and Retries messages come at
// most once, either way. Recovery is for those from the server, Retries for those to it:
// at least once, and exactly once where copies are told apart by their numbers.
func Matrix(long bool, seconds float64, seed uint64) (all []Setting) {
	base := Setting{Clients: 4, Seconds: seconds, Seed: seed}
	for _, who := range clientKind {
		for _, ts := range transports {
			plain := base
			plain.Transports, plain.Client = ts, who
			shaped, restarted, retried, recovered := plain, plain, plain, plain
			shaped.Shape = true
			restarted.Restarts = true
			retried.Retries, retried.Restarts = true, true
			recovered.Recovery = true
			all = append(all, shaped, retried, recovered)
			if who == Official {
				all = append(all, plain, restarted)
			}
		}
	}
	for i, ts := range overQUIC {
		plain := base
		plain.Transports, plain.Client = ts, OurGo
		restarted, retried, recovered := plain, plain, plain
		restarted.Restarts = true
		retried.Retries, retried.Restarts = true, true
		recovered.Recovery = true
		if !long {
			all = append(all, []Setting{retried, recovered}[i])
			continue
		}
		all = append(all, plain, restarted, retried, recovered)
	}
	for b, broker := range brokerKinds {
		for t, ts := range slices.Concat(transports, overQUIC) {
			plain := base
			plain.Broker, plain.Transports = broker.name, ts
			retried, recovered := plain, plain
			retried.Retries, retried.Links = true, true
			recovered.Recovery, recovered.Links, recovered.Moves = true, true, true
			levels := []Setting{plain, retried}
			if broker.stores {
				levels = append(levels, recovered)
			}
			for l := range levels {
				levels[l].Client = clientKind[(b+t+l)%len(clientKind)]
				if levels[l].quic() {
					levels[l].Client = OurGo
				}
			}
			switch {
			case long:
				all = append(all, levels...)
			case t == b%(len(transports)+len(overQUIC)):
				all = append(all, levels[len(levels)-1])
			}
		}
	}
	return all
}

// stores reports whether the broker keeps what was emitted.
func (s Setting) stores() bool {
	for _, b := range brokerKinds {
		if b.name == s.Broker {
			return b.stores
		}
	}
	return false
}

func (s Setting) name() string {
	name := string(s.Client) + " " + strings.Join(s.Transports, "→")
	if s.Broker != "" {
		name = s.Broker + ", " + name
	}
	for _, f := range []struct {
		on   bool
		name string
	}{{s.Shape, "shaped"}, {s.Restarts, "restart"}, {s.Links, "links"}, {s.Moves, "moves"}, {s.Retries, "retries"}, {s.Recovery, "recovery"}} {
		if f.on {
			name += ", " + f.name
		}
	}
	return name
}
