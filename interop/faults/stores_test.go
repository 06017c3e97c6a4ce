package faults

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sockeye-go/socketio/adapter/nats/embedded"
	"github.com/sockeye-go/socketio/internal/pgserver"
)

// A store is what keeps the log of a cluster.
type store struct {
	// config is of node i: fields of the Config of command node.
	config func(i int) map[string]any
	// kill ends it as the system does when memory is short, and run starts it again
	// with what it had on its disk. Nil if it is in the nodes.
	kill, run func() error
}

// stores start each kind of store. That of Redis is set to lose nothing.
var stores = map[string]func(t *testing.T) store{
	"JetStream": func(t *testing.T) store {
		routes, err := FreeAddrs(3)
		if err != nil {
			t.Fatal(err)
		}
		dirs := []string{t.TempDir(), t.TempDir(), t.TempDir()}
		return store{config: func(i int) map[string]any {
			return map[string]any{"NATS": embedded.Options{
				Name: fmt.Sprint("n", i), Listen: routes[i], Routes: slices.Delete(slices.Clone(routes), i, i+1), Dir: dirs[i],
			}}
		}}
	},
	"Redis Streams": func(t *testing.T) store {
		r := &redisServer{dir: t.TempDir()}
		addrs, err := FreeAddrs(1)
		if err != nil {
			t.Fatal(err)
		}
		r.addr = addrs[0]
		if err := r.run(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.kill() })
		return store{config: func(int) map[string]any { return map[string]any{"Redis": r.addr} }, kill: r.kill, run: r.run}
	},
	"Postgres": func(t *testing.T) store {
		pg, err := pgserver.Start()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pg.Stop)
		return store{
			config: func(int) map[string]any { return map[string]any{"Postgres": pg.URL("postgres")} },
			kill:   func() error { pg.Kill(); return nil }, run: pg.Run,
		}
	},
}
