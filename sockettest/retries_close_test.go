package sockettest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/sockettest"
)

// TestCloseEndsRetries: Close ends every send that waits for its turn, not only
// the one that is on its way.
func TestCloseEndsRetries(t *testing.T) {
	sockettest.Run(t, func() *socketio.Server { return socketio.NewServer(nil) }, func(t *testing.T, n *sockettest.Network) {
		c := n.Client(&client.Options{SocketOptions: client.SocketOptions{Retries: 3}})
		s := c.Socket("/")
		if err := s.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Drop(true)
		ended := make(chan error, 3)
		for i := range 3 {
			go func() {
				_, err := s.EmitWithAck(context.Background(), "x", i)
				ended <- err
			}()
		}
		synctest.Wait()
		c.Close()
		for range 3 {
			if err := <-ended; err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a send that was given up ended with %v", err)
			}
		}
	})
}
