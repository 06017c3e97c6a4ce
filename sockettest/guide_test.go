package sockettest_test

import (
	"context"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/sockettest"
)

// The test of docs/go-client.md.
func TestComesBack(t *testing.T) {
	sockettest.Run(t, newServer, func(t *testing.T, n *sockettest.Network) {
		ann, s := n.Connect()
		_, other := n.Connect()
		heard := make(chan string, 10)
		say.On(s, func(_ context.Context, text string) error { heard <- text; return nil })

		ann.Cut()                   // both sides lose the connection
		time.Sleep(2 * time.Second) // takes no time; she is back
		if err := say.Emit(other, "hello"); err != nil {
			t.Fatal(err)
		}
		if text := <-heard; text != "hello" {
			t.Errorf("heard %q", text)
		}
		ann.Drop(true) // what is sent vanishes, and nobody is told
		time.Sleep(time.Minute)
		if s.Connected() {
			t.Error("the heartbeat does not notice")
		}
	})
}
