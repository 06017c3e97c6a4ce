package cluster_test

import (
	"testing"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

func nodes(t *testing.T, hub *cluster.Hub, o *cluster.Options, hosts []*adaptertest.Host) []adapter.Adapter {
	t.Helper()
	var as []adapter.Adapter
	for _, h := range hosts {
		a, err := cluster.NewFactory(hub, o)(h)
		if err != nil {
			t.Fatal(err)
		}
		as = append(as, a)
	}
	return as
}

// TestContract holds the base to the contract, with one node and with three.
func TestContract(t *testing.T) {
	for name, n := range map[string]int{"one node": 1, "three nodes": 3} {
		t.Run(name, func(t *testing.T) {
			adaptertest.Run(t, n, func(t *testing.T, hosts []*adaptertest.Host) []adapter.Adapter {
				return nodes(t, cluster.NewHub(), nil, hosts)
			})
		})
	}
	t.Run("repeated messages", func(t *testing.T) {
		adaptertest.Run(t, 3, func(t *testing.T, hosts []*adaptertest.Host) []adapter.Adapter {
			hub := cluster.NewHub()
			hub.Repeat(true)
			return nodes(t, hub, &cluster.Options{Sequence: true}, hosts)
		})
	})
}

func ordered(t *testing.T, hub *cluster.Hub, shelf *cluster.Shelf, hosts []*adaptertest.Host, o ...*cluster.Options) []adapter.Adapter {
	t.Helper()
	var as []adapter.Adapter
	for _, h := range hosts {
		a, err := cluster.NewOrderedFactory(hub, shelf, append(o, nil)[0])(h)
		if err != nil {
			t.Fatal(err)
		}
		as = append(as, a)
	}
	return as
}

// TestOrderedContract holds the adapter over a log to the same.
func TestOrderedContract(t *testing.T) {
	for name, n := range map[string]int{"one node": 1, "three nodes": 3} {
		t.Run(name, func(t *testing.T) {
			adaptertest.Run(t, n, func(t *testing.T, hosts []*adaptertest.Host) []adapter.Adapter {
				return ordered(t, cluster.NewHub(), cluster.NewShelf(), hosts)
			})
		})
	}
}

// TestRecovery: clients come back to any node, also where messages are numbered.
func TestRecovery(t *testing.T) {
	for name, o := range map[string]*cluster.Options{"": nil, "numbered": {Sequence: true}} {
		t.Run(name, func(t *testing.T) {
			adaptertest.RunRecovery(t, func(t *testing.T, hosts []*adaptertest.Host) *adaptertest.Cluster {
				hub, shelf := cluster.NewHub(), cluster.NewShelf()
				as := ordered(t, hub, shelf, hosts, o)
				return &adaptertest.Cluster{Hosts: hosts, Adapters: as, Kill: func(i int) {
					uid := as[i].(*cluster.Ordered).UID()
					shelf.Kill(uid)
					hub.Kill(uid)
				}}
			})
		})
	}
}

func TestShelf(t *testing.T) {
	adaptertest.RunStore(t, func(*testing.T) cluster.Store { return cluster.NewShelf() })
}
