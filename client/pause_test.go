package client_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/sockettest"
)

// TestSlowHandlerLives: a handler that takes an hour, behind which so much waits that
// reading is paused, costs nobody the connection, and what waits comes after it.
func TestSlowHandlerLives(t *testing.T) {
	for _, tt := range []struct {
		name   string
		client client.Options
		server socketio.Options
	}{
		{"websocket", client.Options{Transports: []string{"websocket"}}, socketio.Options{}},
		{"polling", client.Options{Transports: []string{"polling"}}, socketio.Options{}},
		{"websocket, revision 3", client.Options{Transports: []string{"websocket"}, Protocol: 3}, socketio.Options{AllowEIO3: true}},
		{"polling, revision 3", client.Options{Transports: []string{"polling"}, Protocol: 3}, socketio.Options{AllowEIO3: true}},
		{"short timeout", client.Options{}, socketio.Options{PingInterval: 25 * time.Second, PingTimeout: 2 * time.Second}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sockettest.Run(t, echoServer(&tt.server), func(t *testing.T, n *sockettest.Network) {
				tt.client.MaxReceivedEvents, tt.client.DisableReconnection = 4, true
				c := n.Client(&tt.client)
				s := socket(t, c)
				done := make(chan bool)
				next := 0
				number.On(s, func(_ context.Context, n int) error {
					if n != next {
						t.Errorf("%d, want %d", n, next)
					}
					if next == 0 {
						time.Sleep(time.Hour)
					}
					if next++; next == 100 {
						close(done)
					}
					return nil
				})
				for i := range 100 {
					if err := number.Emit(n.Server(), i); err != nil {
						t.Fatal(err)
					}
					synctest.Wait() // so that what follows is paused
				}
				select {
				case <-done:
				case <-s.Context().Done():
					t.Fatalf("cut after %d events: %v", next, context.Cause(s.Context()))
				}
				time.Sleep(time.Hour) // the ordinary heartbeat goes on
				if !s.Connected() {
					t.Error("cut afterwards")
				}
				c.Drop(true)
				time.Sleep(2 * time.Minute)
				if s.Connected() {
					t.Error("nobody noticed the end")
				}
			})
		})
	}
}

// TestReconnectionPauses: the pauses between the attempts of a client are those of
// the formula, to the millisecond.
func TestReconnectionPauses(t *testing.T) {
	for range 20 { // each with its own random numbers
		sockettest.Run(t, echoServer(nil), func(t *testing.T, n *sockettest.Network) {
			c := n.Client(&client.Options{ReconnectionAttempts: 6})
			socket(t, c)
			c.Refuse(true)
			last := time.Now()
			ended := make(chan bool)
			c.OnReconnectAttempt(func(attempt int) {
				pause := time.Since(last)
				last = time.Now() // refused at once
				delay := time.Second << (attempt - 1)
				low, high := min(delay*55/100, 5*time.Second), min(delay*3/2, 5*time.Second)
				if pause < low || pause > high || pause%time.Millisecond != 0 {
					t.Errorf("attempt %d after %v, want %v to %v", attempt, pause, low, high)
				}
			})
			c.OnReconnectFailed(func() { close(ended) })
			c.Cut()
			<-ended
		})
	}
}

// TestGoodbyeEndsBeforeClose: a server that broke the protocol is told so, which may
// take a moment; Close waits for that.
func TestGoodbyeEndsBeforeClose(t *testing.T) {
	url := hostile(t, openPacket, append(text(`40{"sid":"s"}`), 0xf1, 0), nil)
	var socket countedConn
	m, err := client.New(url, &client.Options{DisableReconnection: true, NetDial: socket.dial})
	if err != nil {
		t.Fatal(err)
	}
	s := m.Socket("/")
	gone := make(chan bool)
	s.OnDisconnect(func(socketio.DisconnectReason, error) { close(gone) })
	if err := s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-gone
	m.Close()
	if n := socket.open.Load(); n != 0 {
		t.Errorf("%d connections are open after Close", n)
	}
}
