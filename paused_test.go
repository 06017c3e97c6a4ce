package socketio_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/rawclient"
)

// TestPausedPeerLeaves: handlers that wait for the end of their socket fill the
// queue, so that reading pauses; the end is noticed all the same, or both would
// wait for each other for ever. Over a real network: a paused reader sees nothing.
func TestPausedPeerLeaves(t *testing.T) {
	srv := socketio.NewServer(&socketio.Options{MaxReceivedEvents: 4, Logger: slog.New(slog.DiscardHandler)})
	started, ended := make(chan bool, 16), make(chan bool, 16)
	socketio.NewEvent[socketio.None]("subscribe").Handle(srv, func(ctx context.Context, _ *socketio.Socket, _ socketio.None) error {
		started <- true
		<-ctx.Done()
		ended <- true
		return nil
	}, socketio.Concurrent)
	hs := httptest.NewServer(srv)
	defer hs.Close()
	defer srv.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := rawclient.DialWebSocket(ctx, hs.URL+"/socket.io/")
	if err != nil {
		t.Fatal(err)
	}
	if err := rawclient.Join(ctx, c); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if err := c.Send(ctx, `42["subscribe"]`); err != nil {
			t.Fatal(err)
		}
		<-started
	}
	c.Close()
	for range 4 {
		select {
		case <-ended:
		case <-ctx.Done():
			t.Fatal("the client has left, and its handlers still wait")
		}
	}
}

// TestAckErrorsPanics: a panic of the hook ends its socket, as that of a handler
// does, and nothing else.
func TestAckErrorsPanics(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		h.AckErrors(func(error) any { panic("hook") })
		socketio.NewEventWithAck[socketio.None, int]("fail").Handle(h, func(context.Context, *socketio.Socket, socketio.None) (int, error) {
			return 0, errors.New("no")
		})
		c, other := h.join(), h.join()
		c.send(`421["fail"]`)
		c.want("41")
		other.send(`42["fail"]`)
		other.want()
	})
}
