package rooms_test

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/adapter/nats"
	"github.com/sockeye-go/socketio/adapter/nats/embedded"
	"github.com/sockeye-go/socketio/internal/lab"
	"github.com/sockeye-go/socketio/rooms"
)

// A node loses its NATS server for good, another is shut down.
func TestOverNATS(t *testing.T) {
	// NATS' client has timers in a sync.Pool; those of an earlier bubble have to be
	// gone.
	runtime.GC()
	runtime.GC()
	synctest.Test(t, func(t *testing.T) {
		bus, err := embedded.Start(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer bus.Close()
		var nodes []*member
		for i := range 3 {
			conn, err := bus.Connect()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			n := startNode(t, fmt.Sprint("node", i), nats.New(conn, nil))
			if i == 0 {
				n.cut = conn.Close
			}
			defer n.end()
			nodes = append(nodes, n)
		}
		lab.Wait(time.Second)
		ctx := t.Context()
		if err := nodes[0].Create(ctx, rooms.Config{ID: "den", MaxUsers: 2}); err != nil {
			t.Fatal(err)
		}
		here := nodes[1].socket()
		join(t, nodes[1], here, "den", rooms.Ticket{})
		nodes[0].cut()
		lab.Wait(15 * time.Second)
		if got := join(t, nodes[2], nodes[2].socket(), "den", rooms.Ticket{}); len(got) != 2 || got[0].SocketID != here.ID() {
			t.Errorf("members after the takeover: %v", got)
		}
		if err := nodes[1].Shutdown(ctx); err != nil {
			t.Fatal(err)
		}
		lab.Wait(time.Second) // its last words
		room, _, err := nodes[2].Get(ctx, "den")
		if err != nil || room.Users != 1 {
			t.Errorf("after the hand-over: %+v %v", room, err)
		}
	})
}
