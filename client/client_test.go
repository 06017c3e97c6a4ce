package client_test

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/internal/leak"
)

func TestMain(m *testing.M) {
	if os.Getenv("CLIENT_BENCH_SERVER") != "" {
		serveBench()
		return
	}
	leak.Main(m)
}

var (
	double = socketio.NewEventWithAck[int, int]("double")
	ask    = socketio.NewEventWithAck[int, int]("ask")
	blob   = socketio.NewEvent[[]byte]("blob")
)

func start(t *testing.T, o *client.Options) (*socketio.Server, *client.Manager) {
	srv := socketio.NewServer(nil)
	hs := httptest.NewServer(srv)
	m, err := client.New(hs.URL, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(); srv.Close(); hs.Close() })
	return srv, m
}

// A handler waits for an ack of its own socket, while the server waits for it.
func TestAcksBothWays(t *testing.T) {
	srv, m := start(t, nil)
	double.Handle(srv, func(_ context.Context, _ *socketio.Socket, n int) (int, error) { return 2 * n, nil })
	start := socketio.NewEventWithAck[socketio.None, int]("start")
	start.Handle(srv, func(ctx context.Context, s *socketio.Socket, _ socketio.None) (int, error) {
		return ask.EmitWithAck(ctx, s, 20)
	}, socketio.Concurrent)
	s := m.Socket("/")
	ask.On(s, func(ctx context.Context, n int) (int, error) {
		d, err := double.EmitWithAck(ctx, s, n)
		return d + 1, err
	})
	if err := s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := start.EmitWithAck(t.Context(), s, socketio.None{}); got != 41 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
}

func TestBinaryAndDisconnect(t *testing.T) {
	srv, m := start(t, nil)
	blob.Handle(srv, func(_ context.Context, s *socketio.Socket, b []byte) error { return blob.Emit(s, b) })
	s := m.Socket("/")
	got := make(chan []byte, 1)
	blob.On(s, func(_ context.Context, b []byte) error { got <- b; return nil })
	gone := make(chan socketio.DisconnectReason, 1)
	s.OnDisconnect(func(r socketio.DisconnectReason, _ error) { gone <- r })
	if err := s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte{0, 255, 7}, 5000)
	if err := blob.Emit(s, want); err != nil {
		t.Fatal(err)
	}
	if b := <-got; !bytes.Equal(b, want) {
		t.Errorf("%d bytes came back", len(b))
	}
	s.Disconnect()
	if r := <-gone; r != client.ClientDisconnect {
		t.Errorf("reason %q", r)
	}
	if err := blob.Emit(s, nil); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("emit: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	srv, m := start(t, nil)
	srv.Of("/no").Use(func(context.Context, *socketio.Socket) error {
		return &socketio.ConnectError{Message: "stay out", Data: 7}
	})
	refused, ok := errors.AsType[*client.ConnectError](m.Socket("/no").Connect(t.Context()))
	if !ok || refused.Message != "stay out" || string(refused.Data) != "7" {
		t.Errorf("%+v", refused)
	}
	hs := httptest.NewServer(nil)
	defer hs.Close()
	other, _ := client.New(hs.URL, nil)
	failed, ok := errors.AsType[*client.HandshakeError](other.Socket("/").Connect(t.Context()))
	if !ok || failed.Status != 404 {
		t.Errorf("%+v", failed)
	}
}
