package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
)

// TestDisconnectReasons goes through every way to leave. The words, and the
// transports on which they differ, are those of the original.
func TestDisconnectReasons(t *testing.T) {
	for _, c := range []struct {
		name, want string
		leave      func(*harness, *client, *socketio.Socket)
		client     []string // what it gets
	}{
		{"client disconnects", "client namespace disconnect", func(h *harness, c *client, s *socketio.Socket) { c.packet("1") }, nil},
		{"connection lost", "transport close", func(h *harness, c *client, s *socketio.Socket) { c.leave() }, []string{"end"}},
		{"no pong", "ping timeout", func(h *harness, c *client, s *socketio.Socket) {
			c.mu.Lock()
			c.deaf = true
			c.mu.Unlock()
			wait(45 * time.Second)
		}, []string{"end"}},
		{"server disconnects", "server namespace disconnect", func(h *harness, c *client, s *socketio.Socket) { s.Disconnect(false) }, []string{"41"}},
		{"server closes", "server namespace disconnect", func(h *harness, c *client, s *socketio.Socket) { s.Disconnect(true) }, []string{"41", "end"}},
		{"DisconnectSockets", "server namespace disconnect", func(h *harness, c *client, s *socketio.Socket) { h.DisconnectSockets(false) }, []string{"41"}},
		{"shutdown", "server shutting down", func(h *harness, c *client, s *socketio.Socket) { h.Shutdown(context.Background()) }, []string{"end"}},
		{"Close", "server shutting down", func(h *harness, c *client, s *socketio.Socket) { h.Close() }, []string{"end"}},
		{"not a packet of the engine", "parse error", func(h *harness, c *client, s *socketio.Socket) { c.send("x") }, []string{"end"}},
		{"malformed packet", "forced close", func(h *harness, c *client, s *socketio.Socket) { c.packet("2{}") }, []string{"end"}},
		{"ping of a client", "transport error", func(h *harness, c *client, s *socketio.Socket) { c.send("2") }, []string{"end"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *harness) {
				var d diary
				h.OnConnection(func(ctx context.Context, s *socketio.Socket) error {
					s.OnDisconnecting(func(r socketio.DisconnectReason) { d.add("own disconnecting in %q", s.Rooms()) })
					s.OnDisconnect(func(r socketio.DisconnectReason) { d.add("own disconnect: %s", string(r)) })
					return s.Join("r1", "r2")
				})
				h.OnDisconnecting(func(ctx context.Context, s *socketio.Socket, r socketio.DisconnectReason) {
					d.add("disconnecting in %q, cause %s, found %d", s.Rooms(), string(r), h.RoomSize("r1"))
				})
				h.OnDisconnect(func(ctx context.Context, s *socketio.Socket, r socketio.DisconnectReason) {
					d.add("disconnect in %q, %v", s.Rooms(), context.Cause(ctx) == error(r))
				})
				cl := h.open()
				id := cl.connect("/", "")
				s, _ := h.Socket(id)
				c.leave(h, cl, s)
				d.want(t, `disconnecting in ["r1" "r2"], cause `+c.want+`, found 0`, `own disconnecting in ["r1" "r2"]`,
					`disconnect in [], true`, "own disconnect: "+c.want)
				wait(5 * time.Second)
				cl.want(c.client...)
				if s.Connected() || s.Emit("x") == nil || s.Join("late") != nil || len(s.Rooms()) != 0 {
					t.Error("the socket is still alive")
				}
				if _, ok := h.Socket(id); ok {
					t.Error("the socket can still be found")
				}
				if err := s.Emit("x"); !errors.Is(err, socketio.ErrDisconnected) {
					t.Errorf("Emit = %v", err)
				}
			})
		})
	}
}

// TestViolations: packets that no client sends end the connection as in the
// original.
func TestViolations(t *testing.T) {
	for _, packets := range [][]string{
		{`2["x"]`},                // before CONNECT
		{"0", "0"},                // twice
		{"0", `4{"message":"x"}`}, // CONNECT_ERROR from a client
		{"0", `2/other,["x"]`},
		{"0", "1", `2["x"]`},
		{"1"},
		{"7"},
		{"0", "2{"},
		{"0", `2["connect"]`},
		{"0", `51["x"]`},
		{"0", `511-["x"]`},
		{"0", `50-["x"]`},
	} {
		t.Run(fmt.Sprint(packets), func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *harness) {
				c := h.open()
				for _, p := range packets {
					c.packet(p)
					c.next()
				}
				wait(time.Second)
				if got := c.take(); len(got) > 0 && got[len(got)-1] != "end" || h.Connections() != 0 {
					t.Errorf("connection goes on: %q", got)
				}
			})
		})
	}
}

// TestHarmless: what only looks like a violation closes nothing.
func TestHarmless(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		echo := socketio.NewEventWithAck[string, string]("echo")
		echo.Handle(h, func(_ context.Context, _ *socketio.Socket, v string) (string, error) { return v, nil })
		c := h.join()
		c.packet(`2["unknown event",1]`, `299["unknown with ack"]`, `377["ack of nothing"]`, `3["ack without id"]`,
			`2["echo"]`, `2["error",1]`, `2[5,"numeric"]`, `2`, `0/nowhere,`)
		c.send("6")
		c.send("5")
		c.packet(`21["echo","alive"]`)
		c.want(`44/nowhere,{"message":"Invalid namespace"}`, `431["alive"]`)
	})
}

func TestMalformedReachesErrorHook(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		h.OnError(func(_ context.Context, _ *socketio.Socket, err error) { d.add("error: %v", err) })
		h.OnDisconnect(func(_ context.Context, _ *socketio.Socket, r socketio.DisconnectReason) { d.add("%s", string(r)) })
		c := h.join()
		c.packet(`2["x"`)
		d.want(t, "error: invalid payload", "forced close")
	})
}

// TestEventsBeforeDisconnect: what a client sent before it left is handled
// before its disconnect; what it sent before the server threw it out is not.
func TestEventsBeforeDisconnect(t *testing.T) {
	for _, kicked := range []bool{false, true} {
		t.Run(fmt.Sprint("kicked ", kicked), func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *harness) {
				var d diary
				e := socketio.NewEvent[int]("e")
				e.Handle(h, func(ctx context.Context, s *socketio.Socket, n int) error {
					if n == 0 {
						time.Sleep(time.Minute)
					}
					d.add("%d", n)
					return nil
				})
				h.OnDisconnect(func(context.Context, *socketio.Socket, socketio.DisconnectReason) { d.add("disconnect") })
				c := h.open()
				id := c.connect("/", "")
				s, _ := h.Socket(id)
				c.packet(`2["e",0]`, `2["e",1]`, `2["e",2]`)
				c.take()
				if kicked {
					s.Disconnect(false)
				} else {
					c.leave()
				}
				wait(time.Second)
				if _, ok := h.Socket(id); ok {
					t.Error("others still find the socket while its handlers run")
				}
				d.want(t)
				wait(time.Minute)
				if kicked {
					d.want(t, "0", "disconnect")
				} else {
					d.want(t, "0", "1", "2", "disconnect")
				}
			})
		})
	}
}

func TestDisconnectClosesAllNamespaces(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		for _, n := range []*socketio.Namespace{h.Server.Namespace, h.Of("/a")} {
			n.OnDisconnect(func(_ context.Context, s *socketio.Socket, r socketio.DisconnectReason) {
				d.add("%s: %s", n.Name(), string(r))
			})
		}
		c := h.open()
		id := c.connect("/", "")
		c.connect("/a", "")
		s, _ := h.Socket(id)
		s.Disconnect(true)
		c.want("41", "41/a,", "end")
		d.lines = sorted(d.lines)
		d.want(t, "/: server namespace disconnect", "/a: server namespace disconnect")
	})
}

// TestShutdown: handlers are waited for, as long as the context lasts.
func TestShutdown(t *testing.T) {
	for _, patience := range []time.Duration{time.Minute, time.Hour} {
		bubble(t, nil, func(t *testing.T, h *harness) {
			e := socketio.NewEvent[socketio.None]("e")
			e.Handle(h, func(context.Context, *socketio.Socket, socketio.None) error {
				time.Sleep(10 * time.Minute)
				return nil
			})
			c := h.join()
			c.packet(`2["e"]`)
			c.take()
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			start := time.Now()
			err := h.Shutdown(ctx)
			took := time.Since(start)
			if patience == time.Minute && (took != time.Minute || !errors.Is(err, context.DeadlineExceeded)) {
				t.Errorf("Shutdown = %v after %v; want the deadline", err, took)
			}
			if patience == time.Hour && (took != 10*time.Minute || err != nil) {
				t.Errorf("Shutdown = %v after %v; want nil after 10m", err, took)
			}
			c.want("end")
			wait(time.Hour)
		})
	}
}

// TestDisconnectOnPolling: the poll that waits, or the next one, brings the
// DISCONNECT, and only the one behind it the end: a client that gets both at
// once sees the end first.
func TestDisconnectOnPolling(t *testing.T) {
	for _, waiting := range []bool{true, false} {
		bubble(t, nil, func(t *testing.T, h *harness) {
			query := h.openPolling()
			got := make(chan string, 2)
			if waiting {
				go func() { got <- h.get(query) }()
			}
			wait(time.Second)
			for s := range h.Sockets() {
				s.Disconnect(true)
			}
			if !waiting {
				got <- h.get(query)
			}
			if body := <-got; body != "41" {
				t.Errorf("poll (waiting: %v) = %q", waiting, body)
			}
			if body := h.get(query); body != "6\x1e1" {
				t.Errorf("last poll = %q", body)
			}
		})
	}
}

// What a closing hook emits is the last that the client gets.
func TestOnClosing(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		h.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			s.OnClosing(func() { _ = s.Emit("last") })
			off := s.OnClosing(func() { _ = s.Emit("never") })
			off()
			return nil
		})
		kicked, leaves, left := h.join(), h.join(), h.join()
		leaves.packet("1")
		leaves.want()
		for s := range h.Sockets() {
			s.Disconnect(false)
			break
		}
		got := append(kicked.take(), left.take()...)
		if strings.Join(got, " ") != `42["last"] 41` {
			t.Errorf("a socket that is disconnected got %q", got)
		}
		h.Shutdown(t.Context())
		got = append(kicked.take(), left.take()...)
		if len(got) != 3 || !slices.Contains(got, `42["last"]`) { // and both ends
			t.Errorf("at the shutdown the other got %q", got)
		}
	})
}
