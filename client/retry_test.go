package client_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/sockettest"
)

var (
	number = socketio.NewEvent[int]("number")
	add    = socketio.NewEventWithAck[int, int]("add")
)

// A tally is a server that keeps what it was sent.
type tally struct {
	mu  sync.Mutex
	got []int
	// before is called by the handler of "add".
	before func(n int)
}

func (y *tally) server() *socketio.Server {
	srv := socketio.NewServer(nil)
	keep := func(n int) int {
		y.mu.Lock()
		defer y.mu.Unlock()
		y.got = append(y.got, n)
		return len(y.got)
	}
	number.Handle(srv, func(_ context.Context, _ *socketio.Socket, n int) error { keep(n); return nil })
	add.Handle(srv, func(_ context.Context, _ *socketio.Socket, n int) (int, error) {
		if y.before != nil {
			y.before(n)
		}
		return keep(n), nil
	})
	return srv
}

func (y *tally) all() []int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return slices.Clone(y.got)
}

// TestOnceThroughCuts cuts the connection over and over while numbers are sent
// with retries: each is handled, once, in order, although acks get lost.
func TestOnceThroughCuts(t *testing.T) {
	var y tally
	sockettest.Run(t, y.server, func(t *testing.T, n *sockettest.Network) {
		c := n.Client(&client.Options{
			SocketOptions:     client.SocketOptions{Retries: 10},
			ReconnectionDelay: 50 * time.Millisecond,
		})
		s := c.Socket("/")
		if err := s.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if w := s.OnceWindow(); w != 2*time.Minute {
			t.Errorf("window %v", w)
		}
		c.Delay(10 * time.Millisecond)
		const count = 200
		for i := range count {
			if err := number.Emit(s, i); err != nil {
				t.Fatal(err)
			}
		}
		// Each cut comes at another moment of a round trip.
		for i := range 60 {
			time.Sleep(time.Duration(100+7*i%20) * time.Millisecond)
			c.Cut()
		}
		last, err := add.EmitWithAck(t.Context(), s, count)
		if err != nil || last != count+1 {
			t.Errorf("last answer %d, %v", last, err)
		}
		for i, v := range y.all() {
			if i != v {
				t.Fatalf("number %d is %d: %v", i, v, y.all())
			}
		}
	})
}

// TestOnceAnswerOfTheFirstTry: the handler is still at work when the connection
// breaks and the send is repeated; it runs once, and its answer comes.
func TestOnceAnswerOfTheFirstTry(t *testing.T) {
	var y tally
	y.before = func(int) { time.Sleep(7 * time.Second) }
	sockettest.Run(t, y.server, func(t *testing.T, n *sockettest.Network) {
		c := n.Client(&client.Options{SocketOptions: client.SocketOptions{Retries: 3, AckTimeout: 2 * time.Second}})
		s := c.Socket("/")
		if err := s.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, c.Cut)
		begin := time.Now()
		got, err := add.EmitWithAck(t.Context(), s, 42)
		if err != nil || got != 1 || time.Since(begin) != 7*time.Second {
			t.Errorf("%d, %v after %v", got, err, time.Since(begin))
		}
		if all := y.all(); len(all) != 1 {
			t.Errorf("handled %d times", len(all))
		}
	})
}

// TestRetriesEnd: what nobody acknowledges is given up, told of, and does not
// hold what follows.
func TestRetriesEnd(t *testing.T) {
	sockettest.Run(t, func() *socketio.Server {
		srv := socketio.NewServer(nil)
		add.Handle(srv, func(context.Context, *socketio.Socket, int) (int, error) { return 1, nil })
		return srv
	}, func(t *testing.T, n *sockettest.Network) {
		var failed []string
		c := n.Client(&client.Options{
			SocketOptions: client.SocketOptions{Retries: 2, AckTimeout: time.Second},
			OnError:       func(_ *client.Socket, event string, err error) { failed = append(failed, event+": "+err.Error()) },
		})
		s := c.Socket("/")
		if err := s.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if err := s.Emit("unknown to the server"); err != nil {
			t.Fatal(err)
		}
		if _, err := add.EmitWithAck(t.Context(), s, 1); err != nil {
			t.Error(err)
		}
		if d := time.Since(begin); d != 3*time.Second {
			t.Errorf("given up after %v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, err := s.EmitWithAck(ctx, "unknown too"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("EmitWithAck: %v", err)
		}
		synctest.Wait()
		if len(failed) != 1 || failed[0] != "unknown to the server: client: given up after 3 tries: "+client.ErrAckTimeout.Error() {
			t.Errorf("told of %q", failed)
		}
	})
}

// TestOnceWindow: after its window a server does not know the send any more.
func TestOnceWindow(t *testing.T) {
	for _, tt := range []struct {
		away time.Duration
		want int
	}{{time.Minute, 1}, {3 * time.Minute, 2}} {
		var y tally
		sockettest.Run(t, y.server, func(t *testing.T, n *sockettest.Network) {
			c := n.Client(&client.Options{SocketOptions: client.SocketOptions{Retries: 3}, DisableReconnection: true})
			s := c.Socket("/")
			if err := s.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := number.Emit(s, 1); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			c.Delay(time.Millisecond)
			if err := number.Emit(s, 2); err != nil {
				t.Fatal(err)
			}
			time.Sleep(1500 * time.Microsecond) // handled, and the ack on its way
			c.Cut()
			time.Sleep(tt.away)
			if err := s.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			twos := 0
			for _, v := range y.all() {
				if v == 2 {
					twos++
				}
			}
			if twos != tt.want {
				t.Errorf("away for %v: handled %d times, want %d", tt.away, twos, tt.want)
			}
		})
	}
}
