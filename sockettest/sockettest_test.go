package sockettest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/internal/leak"
	"github.com/sockeye-go/socketio/sockettest"
)

func TestMain(m *testing.M) { leak.Main(m) }

var (
	say  = socketio.NewEvent[string]("say")
	size = socketio.NewEventWithAck[string, int]("size")
)

func newServer() *socketio.Server {
	srv := socketio.NewServer(nil)
	say.Handle(srv, func(_ context.Context, s *socketio.Socket, text string) error {
		return say.Emit(srv, text)
	})
	size.Handle(srv, func(_ context.Context, _ *socketio.Socket, text string) (int, error) { return len(text), nil })
	return srv
}

func TestFaults(t *testing.T) {
	sockettest.Run(t, newServer, func(t *testing.T, n *sockettest.Network) {
		c, s := n.Connect()
		begin := time.Now()
		after := func(want time.Duration) {
			t.Helper()
			if got := time.Since(begin); got != want {
				t.Errorf("%v have passed, want %v", got, want)
			}
			begin = time.Now()
		}
		ask := func() error {
			got, err := size.EmitWithAck(t.Context(), s, "four")
			if err == nil && got != 4 {
				t.Errorf("answer %d", got)
			}
			return err
		}
		if err := ask(); err != nil {
			t.Error(err)
		}
		after(0)
		c.Delay(30 * time.Millisecond)
		if err := ask(); err != nil {
			t.Error(err)
		}
		after(60 * time.Millisecond)
		c.Delay(0)

		reasons := make(chan socketio.DisconnectReason, 2)
		s.OnDisconnect(func(r socketio.DisconnectReason, _ error) { reasons <- r })
		c.Cut()
		if r := <-reasons; r != socketio.TransportClose {
			t.Errorf("cut: %v", r)
		}
		if err := ask(); err != nil { // kept until it is back
			t.Error(err)
		}
		begin = time.Now()
		c.Drop(true)
		if r := <-reasons; r != socketio.PingTimeout {
			t.Errorf("dropped: %v", r)
		}
		after(45 * time.Second)
		c.Drop(false)
		if err := ask(); err != nil {
			t.Error(err)
		}
	})
}

func TestStopAndRestart(t *testing.T) {
	sockettest.Run(t, newServer, func(t *testing.T, n *sockettest.Network) {
		c := n.Client(&client.Options{RandomizationFactor: client.NoJitter})
		s := c.Socket("/")
		if err := s.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		var attempts []time.Duration
		begin := time.Now()
		c.OnReconnectAttempt(func(int) { attempts = append(attempts, time.Since(begin)) })
		n.Stop()
		time.Sleep(10 * time.Second)
		n.Restart(newServer())
		time.Sleep(10 * time.Second)
		synctest.Wait()
		want := []time.Duration{time.Second, 3 * time.Second, 7 * time.Second, 12 * time.Second}
		if len(attempts) != len(want) {
			t.Fatalf("attempts at %v, want %v", attempts, want)
		}
		for i := range want {
			if attempts[i] != want[i] {
				t.Errorf("attempts at %v, want %v", attempts, want)
			}
		}
		if !s.Connected() {
			t.Error("not connected again")
		}
		c.Refuse(true)
		c.Cut()
		time.Sleep(time.Minute)
		if s.Connected() || !s.Active() {
			t.Error("connected, or not trying any more")
		}
	})
}
