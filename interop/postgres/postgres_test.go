//go:build unix

// Package postgres has a cluster of Node servers and ours on one PostgreSQL, with
// official clients on each.
package postgres

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sockeye-go/socketio/adapter/postgres"
	"github.com/sockeye-go/socketio/internal/pgserver"
	"github.com/sockeye-go/socketio/interop/mixed"
)

// TestMixed has two Node servers and two of ours do everything to clients on all
// four.
func TestMixed(t *testing.T) {
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs PostgreSQL, Node and the packages of interop/postgres: set SOCKEYE_PARTS=all")
	}
	if _, err := os.Stat("node_modules/@socket.io/postgres-adapter"); err != nil {
		t.Fatal("run npm ci in interop/postgres first: ", err)
	}
	s, err := pgserver.Start("fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	url := s.URL("postgres")
	ours := func() mixed.Server {
		pool, err := pgxpool.New(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		return mixed.StartGo(t, postgres.New(pool, nil), postgres.NewEmitter(pool, nil).Emitter)
	}
	first := ours() // makes the table, which Node wants to be there
	all := []mixed.Server{mixed.StartNode(t, "server.mjs", url), first, mixed.StartNode(t, "server.mjs", url), ours()}
	mixed.Run(t, all, mixed.Options{
		Clients: "clients.mjs",
		Emitter: func(server int) []int {
			if server%2 == 0 {
				// @socket.io/postgres-emitter 0.1.1 leaves out the namespace, and
				// @socket.io/postgres-adapter 0.5 drops what has none.
				return []int{1, 3}
			}
			return []int{0, 1, 2, 3}
		},
	})
}
