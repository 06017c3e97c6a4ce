package client_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/sockettest"
)

func echoServer(o *socketio.Options) func() *socketio.Server {
	return func() *socketio.Server {
		srv := socketio.NewServer(o)
		double.Handle(srv, func(_ context.Context, _ *socketio.Socket, n int) (int, error) { return 2 * n, nil })
		return srv
	}
}

func socket(t *testing.T, c *sockettest.Client) *client.Socket {
	t.Helper()
	s := c.Socket("/")
	if err := s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// exactly fails unless so much time has passed since begin.
func exactly(t *testing.T, what string, begin time.Time, want time.Duration) {
	t.Helper()
	if d := time.Since(begin); d != want {
		t.Errorf("%s after %v, want %v", what, d, want)
	}
}

// TestTimeouts: what does not come in time has an error that says so.
func TestTimeouts(t *testing.T) {
	t.Run("handshake", func(t *testing.T) {
		for _, transport := range []string{"websocket", "polling"} {
			sockettest.Run(t, echoServer(nil), func(t *testing.T, n *sockettest.Network) {
				c := n.Client(&client.Options{Transports: []string{transport}})
				c.Drop(true)
				begin := time.Now()
				failed, ok := errors.AsType[*client.HandshakeError](c.Socket("/").Connect(t.Context()))
				if !ok || !failed.Timeout() {
					t.Errorf("%v", failed)
				}
				exactly(t, transport, begin, 20*time.Second)
				time.Sleep(time.Hour) // nothing goes on
				if c.Socket("/").Active() {
					t.Error("still trying")
				}
			})
		}
	})
	t.Run("CONNECT", func(t *testing.T) {
		release := make(chan bool)
		defer close(release)
		sockettest.Run(t, func() *socketio.Server {
			srv := socketio.NewServer(nil)
			srv.Of("/slow").Use(func(ctx context.Context, _ *socketio.Socket) error {
				<-ctx.Done()
				return ctx.Err()
			})
			return srv
		}, func(t *testing.T, n *sockettest.Network) {
			c, _ := n.Connect() // keeps the connection
			begin := time.Now()
			if err := c.Socket("/slow").Connect(t.Context()); !errors.Is(err, client.ErrConnectTimeout) {
				t.Errorf("Connect: %v", err)
			}
			exactly(t, "no answer", begin, 20*time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := c.Socket("/slow").Connect(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Connect: %v", err)
			}
			if !c.Socket("/").Connected() { // a second CONNECT would have cost us everything
				t.Error("the other socket is gone")
			}
		})
	})
	t.Run("ack", func(t *testing.T) {
		sockettest.Run(t, echoServer(nil), func(t *testing.T, n *sockettest.Network) {
			c := n.Client(&client.Options{SocketOptions: client.SocketOptions{AckTimeout: 3 * time.Second}, MaxPendingAcks: 1})
			s := socket(t, c)
			for range 2 {
				begin := time.Now()
				if _, err := s.EmitWithAck(t.Context(), "unknown"); !errors.Is(err, client.ErrAckTimeout) || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v", err)
				}
				exactly(t, "no ack", begin, 3*time.Second)
			}
			go s.EmitWithAck(t.Context(), "unknown")
			synctest.Wait()
			if _, err := s.EmitWithAck(t.Context(), "unknown"); !errors.Is(err, socketio.ErrTooManyAcks) {
				t.Errorf("%v", err)
			}
		})
	})
	t.Run("heartbeat", func(t *testing.T) {
		for _, transport := range []string{"websocket", "polling"} {
			sockettest.Run(t, echoServer(nil), func(t *testing.T, n *sockettest.Network) {
				c := n.Client(&client.Options{Transports: []string{transport}, DisableReconnection: true})
				s := socket(t, c)
				time.Sleep(time.Hour + time.Second) // not when a pong is about to leave
				if !s.Connected() {
					t.Fatal("did not live for an hour")
				}
				gone := make(chan socketio.DisconnectReason)
				s.OnDisconnect(func(r socketio.DisconnectReason, _ error) { gone <- r })
				c.Drop(true)
				if r := <-gone; r != socketio.PingTimeout {
					t.Errorf("%q", r)
				}
			})
		}
	})
}

// TestOffline: what is emitted while the connection is being made again is
// kept, in order, within limits; acks too.
func TestOffline(t *testing.T) {
	var y tally
	sockettest.Run(t, y.server, func(t *testing.T, n *sockettest.Network) {
		c := n.Client(&client.Options{MaxBufferedEvents: 5})
		s := c.Socket("/")
		if err := number.Emit(s, -1); !errors.Is(err, socketio.ErrDisconnected) {
			t.Errorf("before Connect: %v", err)
		}
		socket(t, c)
		c.Refuse(true)
		c.Cut()
		synctest.Wait()
		answers := make(chan error, 1)
		go func() {
			got, err := add.EmitWithAck(t.Context(), s, 0)
			if got != 1 {
				err = fmt.Errorf("%d, %w", got, err)
			}
			answers <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := add.EmitWithAck(ctx, s, 99); !errors.Is(err, context.DeadlineExceeded) { // makes room again
			t.Errorf("%v", err)
		}
		if err := number.Emit(s.Volatile(), 98); err != nil { // dropped
			t.Error(err)
		}
		for i := 1; i < 5; i++ {
			if err := number.Emit(s, i); err != nil {
				t.Error(err)
			}
		}
		if err := number.Emit(s, 5); !errors.Is(err, client.ErrBufferFull) {
			t.Errorf("above the limit: %v", err)
		}
		c.Refuse(false)
		if err := <-answers; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got := y.all(); !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
			t.Errorf("arrived: %v", got)
		}
		s.Disconnect()
		if err := number.Emit(s, 6); !errors.Is(err, socketio.ErrDisconnected) {
			t.Errorf("after Disconnect: %v", err)
		}
	})
}

// TestAcksEnd: who waits for an ack is told when the connection is lost.
func TestAcksEnd(t *testing.T) {
	sockettest.Run(t, echoServer(nil), func(t *testing.T, n *sockettest.Network) {
		c, s := n.Connect()
		time.AfterFunc(time.Second, c.Cut)
		_, err := s.EmitWithAck(t.Context(), "unknown")
		if r, ok := errors.AsType[socketio.DisconnectReason](err); !ok || r != socketio.TransportClose || !errors.Is(err, socketio.ErrDisconnected) {
			t.Errorf("%v", err)
		}
	})
}

// TestReconnectionEnds: after its attempts the client stays away, and says so.
func TestReconnectionEnds(t *testing.T) {
	sockettest.Run(t, echoServer(nil), func(t *testing.T, n *sockettest.Network) {
		c := n.Client(&client.Options{ReconnectionAttempts: 3, RandomizationFactor: client.NoJitter})
		s := socket(t, c)
		var failures []error
		failed, errorsSeen := make(chan bool, 1), 0
		s.OnConnectError(func(err error) { failures = append(failures, err) })
		c.OnReconnectError(func(error) { errorsSeen++ })
		c.OnReconnectFailed(func() { failed <- true })
		n.Stop()
		begin := time.Now()
		<-failed
		exactly(t, "gave up", begin, 7*time.Second)
		synctest.Wait()
		if len(failures) != 4 || errorsSeen != 3 || !errors.Is(failures[3], client.ErrReconnectFailed) || s.Active() {
			t.Errorf("%v, %d, active %v", failures, errorsSeen, s.Active())
		}
		n.Restart(echoServer(nil)())
		if err := s.Connect(t.Context()); err != nil { // by hand it works
			t.Error(err)
		}
	})
}

// TestRetryConnect waits for a server that comes up later.
func TestRetryConnect(t *testing.T) {
	sockettest.Run(t, echoServer(nil), func(t *testing.T, n *sockettest.Network) {
		n.Stop()
		if _, ok := errors.AsType[*client.HandshakeError](n.Client(nil).Socket("/").Connect(t.Context())); !ok {
			t.Error("connected to nobody")
		}
		c := n.Client(&client.Options{RetryConnect: true, RandomizationFactor: client.NoJitter})
		begin := time.Now()
		time.AfterFunc(5*time.Second, func() { n.Restart(echoServer(nil)()) })
		socket(t, c)
		exactly(t, "connected", begin, 7*time.Second)
		s := n.Client(&client.Options{RetryConnect: true}).Socket("/")
		n.Stop()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		begin = time.Now()
		if err := s.Connect(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		exactly(t, "gave up", begin, 30*time.Second)
		time.Sleep(time.Hour)
		if s.Active() {
			t.Error("still trying")
		}
	})
}

// TestAuth is called at each attempt, and what fails is tried again.
func TestAuth(t *testing.T) {
	sockettest.Run(t, func() *socketio.Server {
		srv := socketio.NewServer(nil)
		srv.Use(func(_ context.Context, s *socketio.Socket) error {
			var auth struct{ N int }
			if err := s.DecodeAuth(&auth); err != nil || auth.N == 0 {
				return &socketio.ConnectError{Message: "no number", Data: map[string]int{"code": 7}}
			}
			return nil
		})
		return srv
	}, func(t *testing.T, n *sockettest.Network) {
		calls := 0
		c := n.Client(&client.Options{SocketOptions: client.SocketOptions{AuthFunc: func(context.Context) (any, error) {
			if calls++; calls == 2 {
				return nil, errors.New("token service is down")
			}
			return map[string]int{"n": calls}, nil
		}}})
		s := socket(t, c)
		var failures []error
		s.OnConnectError(func(err error) { failures = append(failures, err) })
		back := make(chan bool, 1)
		s.OnConnect(func() { back <- true })
		c.Cut()
		<-back
		synctest.Wait()
		if _, ok := errors.AsType[*client.AuthError](errors.Join(failures...)); !ok || calls != 3 || len(failures) != 1 {
			t.Errorf("%v, %d calls", failures, calls)
		}
		refused, ok := errors.AsType[*client.ConnectError](n.Client(nil).Socket("/").Connect(t.Context()))
		if !ok || refused.Message != "no number" || string(refused.Data) != `{"code":7}` {
			t.Errorf("%+v", refused)
		}
	})
}

// TestRecovery: with recovery on our server nothing is lost that was sent
// during a cut, on each transport. (Our server sends it after its answer to
// CONNECT, the official one before.)
func TestRecovery(t *testing.T) {
	for _, transports := range [][]string{{"websocket"}, {"polling"}, {"polling", "websocket"}} {
		sockettest.Run(t, func() *socketio.Server {
			return socketio.NewServer(&socketio.Options{Recovery: new(socketio.Recovery)})
		}, func(t *testing.T, n *sockettest.Network) {
			c := n.Client(&client.Options{Transports: transports})
			s := c.Socket("/")
			var seen []string
			number.On(s, func(_ context.Context, n int) error { seen = append(seen, fmt.Sprint(n)); return nil })
			s.OnConnect(func() { seen = append(seen, fmt.Sprintf("connect %v", s.Recovered())) })
			s.OnDisconnect(func(r socketio.DisconnectReason, _ error) { seen = append(seen, string(r)) })
			socket(t, c)
			id := s.ID()
			emit := func(v int) {
				t.Helper()
				if err := number.Emit(n.Server(), v); err != nil {
					t.Error(err)
				}
			}
			emit(1)
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			c.Refuse(true)
			c.Cut()
			emit(2)
			synctest.Wait()
			emit(3)
			c.Refuse(false)
			time.Sleep(10 * time.Second)
			emit(4)
			synctest.Wait()
			if len(seen) > 2 && (seen[2] == "transport close" || seen[2] == "transport error") {
				seen[2] = "gone"
			}
			if want := []string{"connect false", "1", "gone", "connect true", "2", "3", "4"}; !slices.Equal(seen, want) || s.ID() != id {
				t.Errorf("%v: %q, want %q", transports, seen, want)
			}
		})
	}
}

// TestStalled: a handler that waits for an ack behind more events than may be
// kept ends the connection, and not the process's memory.
func TestStalled(t *testing.T) {
	sockettest.Run(t, echoServer(nil), func(t *testing.T, n *sockettest.Network) {
		c := n.Client(&client.Options{MaxReceivedEvents: 4, DisableReconnection: true})
		s := socket(t, c)
		begin := time.Now()
		done := make(chan error, 1)
		first := true
		number.On(s, func(ctx context.Context, n int) error {
			if first {
				first = false
				_, err := double.EmitWithAck(ctx, s, n)
				done <- err
			}
			return nil
		})
		c.Delay(time.Millisecond)
		for i := range 1000 {
			if err := number.Emit(n.Server(), i); err != nil {
				t.Error(err)
			}
		}
		if err := <-done; !errors.Is(err, socketio.TransportError) {
			t.Errorf("%v", err)
		}
		if d := time.Since(begin); d < 10*time.Second || d > 11*time.Second {
			t.Errorf("ended after %v", d)
		}
	})
}

// TestCloseIsTheEnd: nothing runs after Close, whatever was under way.
func TestCloseIsTheEnd(t *testing.T) {
	for _, state := range []string{"connecting", "connected", "handling", "reconnecting", "never connected", "polling", "upgrading"} {
		t.Run(state, func(t *testing.T) {
			sockettest.Run(t, echoServer(nil), func(t *testing.T, n *sockettest.Network) {
				o := &client.Options{}
				switch state {
				case "polling":
					o.Transports = []string{"polling"}
				case "upgrading":
					o.Transports = []string{"polling", "websocket"}
				}
				c := n.Client(o)
				s := c.Socket("/")
				result := make(chan error, 1)
				switch state {
				case "connecting":
					c.Drop(true)
					go func() { result <- s.Connect(t.Context()) }()
					synctest.Wait()
				case "never connected":
				default:
					socket(t, c)
				}
				handlerEnded := false
				switch state {
				case "handling":
					number.On(s, func(ctx context.Context, _ int) error {
						<-ctx.Done()
						if !errors.Is(context.Cause(ctx), socketio.ForcedClose) {
							t.Errorf("cause %v", context.Cause(ctx))
						}
						handlerEnded = true
						return nil
					})
					if err := number.Emit(n.Server(), 1); err != nil {
						t.Error(err)
					}
					synctest.Wait()
				case "reconnecting":
					c.Refuse(true)
					c.Cut()
					time.Sleep(10 * time.Second)
				}
				c.Close()
				if state == "handling" && !handlerEnded {
					t.Error("Close did not wait for the handler")
				}
				if state == "connecting" {
					if err := <-result; err == nil {
						t.Error("connected")
					}
				}
				if err := s.Connect(t.Context()); !errors.Is(err, client.ErrClosed) {
					t.Errorf("Connect: %v", err)
				}
				c.Close()
			})
		})
	}
}

// TestConnectWhileEnding: Connect right after Disconnect works, over and over.
func TestConnectWhileEnding(t *testing.T) {
	sockettest.Run(t, echoServer(nil), func(t *testing.T, n *sockettest.Network) {
		c, s := n.Connect()
		for range 20 {
			s.Disconnect()
			if err := s.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		go c.Cut()
		for range 20 {
			if err := s.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got, err := double.EmitWithAck(t.Context(), s, 1); err != nil && !errors.Is(err, socketio.ErrDisconnected) || err == nil && got != 2 {
				t.Fatal(got, err)
			}
		}
	})
}

// TestHandlersAndPanics: order, off, an error as an answer, a panic.
func TestHandlersAndPanics(t *testing.T) {
	sockettest.Run(t, echoServer(nil), func(t *testing.T, n *sockettest.Network) {
		var told []error
		c := n.Client(&client.Options{ErrorAcks: true, OnError: func(_ *client.Socket, _ string, err error) { told = append(told, err) }})
		s := socket(t, c)
		off := ask.On(s, func(context.Context, int) (int, error) {
			return 0, &socketio.AckError{Code: "busy", Message: "later"}
		})
		theirs := firstSocket(n.Server())
		m, err := theirs.EmitWithAck(t.Context(), "ask", 1)
		var answer struct{ Error socketio.AckError }
		if err != nil || m.Decode(&answer) != nil || answer.Error.Code != "busy" {
			t.Errorf("%v, %+v", err, answer)
		}
		off()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := theirs.EmitWithAck(ctx, "ask", 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after off: %v", err)
		}
		fails := socketio.NewEventWithAck[int, int]("fails")
		fails.Handle(n.Server(), func(context.Context, *socketio.Socket, int) (int, error) {
			return 0, &socketio.AckError{Code: "no", Message: "never"}
		})
		_, err = fails.EmitWithAck(t.Context(), s, 1)
		if e, ok := errors.AsType[*socketio.AckError](err); !ok || e.Code != "no" {
			t.Errorf("%v", err)
		}
		number.On(s, func(context.Context, int) error { panic("oh") })
		if err := number.Emit(n.Server(), 1); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if p, ok := errors.AsType[*socketio.PanicError](errors.Join(told...)); !ok || p.Value != "oh" || s.Connected() {
			t.Errorf("%v, connected %v", told, s.Connected())
		}
	})
}

func firstSocket(srv *socketio.Server) *socketio.Socket {
	for s := range srv.Sockets() {
		return s
	}
	return nil
}

// TestURLs: what New takes, and what Connect makes of a path.
func TestURLs(t *testing.T) {
	for _, bad := range []string{"", "localhost:3000", "ftp://x", "http://", "http://x/namespace", "://"} {
		if _, err := client.New(bad, nil); err == nil {
			t.Errorf("New(%q) is fine", bad)
		}
	}
	sockettest.Run(t, func() *socketio.Server {
		srv := socketio.NewServer(nil)
		srv.Of("/chat").OnConnection(func(_ context.Context, s *socketio.Socket) error {
			return s.Emit("query", s.Handshake().Query().Get("who"))
		})
		return srv
	}, func(t *testing.T, n *sockettest.Network) {
		c := n.Client(nil)
		s, err := client.Connect(t.Context(), sockettest.URL+"/chat?who=me", &client.Options{
			NetDial: n.Dial,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Manager().Close()
		if s.Namespace() != "/chat" || s.Manager() == c.Manager {
			t.Error(s.Namespace())
		}
	})
}

// TestHandlerEndsItsGoroutine: as a panic does, it ends its socket alone; what is told
// of that is told, and Close does not wait for what will not come.
func TestHandlerEndsItsGoroutine(t *testing.T) {
	var told []error
	srv, m := start(t, &client.Options{OnError: func(_ *client.Socket, _ string, err error) {
		told = append(told, err)
		runtime.Goexit()
	}})
	srv.Of("/chat")
	s, chat := m.Socket("/"), m.Socket("/chat")
	gone := make(chan socketio.DisconnectReason, 1)
	s.OnDisconnect(func(r socketio.DisconnectReason, _ error) { gone <- r; runtime.Goexit() })
	s.On("exit", func(context.Context, *socketio.Message) error { runtime.Goexit(); return nil })
	for range 3 {
		if err := errors.Join(s.Connect(t.Context()), chat.Connect(t.Context())); err != nil {
			t.Fatal(err)
		}
		if err := srv.Emit("exit"); err != nil {
			t.Fatal(err)
		}
		if r := <-gone; r != client.ClientDisconnect {
			t.Errorf("reason %q", r)
		}
		if !chat.Connected() {
			t.Error("the other namespace has ended")
		}
	}
	m.Close()
	var exits int
	for _, err := range told {
		if _, ok := errors.AsType[*socketio.PanicError](err); ok {
			exits++
		}
	}
	if exits < 3 {
		t.Errorf("told of %v", told)
	}
}
