package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter"
)

// Lines of docs/parity.md that belong to no test of one feature.

// TestRecoverableReasons: after which ends a client may come back.
func TestRecoverableReasons(t *testing.T) {
	for _, c := range []struct {
		reason      string
		end         func(*harness, *comeback)
		recoverable bool
	}{
		{"transport close", func(_ *harness, b *comeback) { b.c.leave() }, true},
		{"transport error", func(_ *harness, b *comeback) { b.c.send("2") }, true},
		{"forced close", func(_ *harness, b *comeback) { b.c.packet("2{}") }, true},
		{"ping timeout", func(_ *harness, b *comeback) {
			b.c.mu.Lock()
			b.c.deaf = true
			b.c.mu.Unlock()
			wait(46 * time.Second)
		}, true},
		{"parse error", func(_ *harness, b *comeback) { b.c.send("x") }, false},
		{"client namespace disconnect", func(_ *harness, b *comeback) { b.c.packet("1") }, false},
		{"server namespace disconnect", func(h *harness, _ *comeback) { h.DisconnectSockets(false) }, false},
	} {
		t.Run(c.reason, func(t *testing.T) {
			bubble(t, recovering(), func(t *testing.T, h *harness) {
				var d diary
				b := h.comeback()
				h.OnDisconnect(func(_ context.Context, _ *socketio.Socket, r socketio.DisconnectReason) { d.add("%s", string(r)) })
				h.Emit("e")
				b.want(false, "e")
				c.end(h, b)
				d.want(t, c.reason)
				b.c.leave()
				synctest.Wait()
				b.connect()
				b.want(c.recoverable)
			})
		})
	}
}

// TestPendingAcksEnd: an answer that nobody waits for any more takes no room.
func TestPendingAcksEnd(t *testing.T) {
	bubble(t, &socketio.Options{MaxPendingAcks: 1}, func(t *testing.T, h *harness) {
		c := h.join()
		for round := range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			var last error
			for _, err := range h.EmitWithAcks(ctx, "ask") {
				last = err
			}
			cancel()
			if partial, ok := errors.AsType[*socketio.PartialAckError](last); !ok || partial.Missing != 1 || !errors.Is(last, context.DeadlineExceeded) {
				t.Fatalf("round %d: %v; want the deadline, and nothing else", round, last)
			}
		}
		c.want(`420["ask"]`, `421["ask"]`, `422["ask"]`)
	})
}

// TestAckTwice: the second answer to one event is refused, here and for the client.
func TestAckTwice(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		h.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			s.On("ask", func(_ context.Context, m *socketio.Message) error {
				d.add("%v, %v", m.Ack(1), m.Ack(2))
				return nil
			})
			return nil
		})
		c := h.join()
		c.packet(`27["ask"]`)
		c.want("437[1]")
		d.want(t, fmt.Sprintf("<nil>, %v", socketio.ErrAcked))
	})
}

// TestRoomsAtTheEnd: while a socket disconnects, Rooms says where it was; it has left
// already, and can join no more, which is no error.
func TestRoomsAtTheEnd(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var d diary
		h.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			s.OnDisconnecting(func(socketio.DisconnectReason) { d.add("%v %q", s.Join("late"), s.Rooms()) })
			s.OnDisconnect(func(socketio.DisconnectReason) { d.add("%v %q", s.Join("too late"), s.Rooms()) })
			return s.Join("r")
		})
		h.join().leave()
		d.want(t, `<nil> ["r"]`, "<nil> []")
		if n := h.RoomSize("late") + h.RoomSize("too late") + h.RoomSize("r"); n != 0 {
			t.Errorf("%d members are left", n)
		}
	})
}

// TestServerSideEmitAlone: with one node there is nobody who could answer, and
// nobody is waited for.
func TestServerSideEmitAlone(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		start := time.Now()
		var heard diary
		socketio.NewEvent[int]("news").OnServerSide(h, func(context.Context, int) error {
			heard.add("own event")
			return nil
		})
		if err := h.ServerSideEmit("news", 1); err != nil {
			t.Error(err)
		}
		for m, err := range h.ServerSideEmitWithAck(t.Context(), "sum", 1) {
			t.Errorf("an answer: %v, %v", m, err)
		}
		heard.want(t)
		if took := time.Since(start); took != 0 {
			t.Errorf("waited %v", took)
		}
	})
}

// closing notes how its adapter ends.
type closing struct {
	*adapter.Memory
	closed func()
}

func (a closing) Close() error {
	a.closed()
	return a.Memory.Close()
}

// TestShutdownClosesAdapters: the adapter of each namespace, once its sockets are gone.
func TestShutdownClosesAdapters(t *testing.T) {
	var d diary
	bubble(t, &socketio.Options{Adapter: func(host adapter.Host) (adapter.Adapter, error) {
		return closing{adapter.New(), func() { d.add("adapter") }}, nil
	}}, func(t *testing.T, h *harness) {
		h.Of("/chat")
		h.OnDisconnect(func(_ context.Context, _ *socketio.Socket, r socketio.DisconnectReason) { d.add("%s", string(r)) })
		h.join()
		if err := h.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		d.want(t, "server shutting down", "adapter", "adapter")
	})
}

// TestCompressFlag: what a socket or an operator was told not to compress is not, over
// HTTP as over a WebSocket; see engineio.
func TestCompressFlag(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		query := h.openPolling()
		long := strings.Repeat("x", 5000)
		s := func() *socketio.Socket {
			found, err := h.FetchSockets(t.Context())
			if err != nil || len(found) != 1 {
				t.Fatal(found, err)
			}
			s, _ := found[0].Local()
			return s
		}()
		for _, c := range []struct {
			name     string
			emit     func() error
			encoding string
		}{
			{"socket", func() error { return s.Emit("e", long) }, "gzip"},
			{"socket, not", func() error { return s.Compress(false).Emit("e", long) }, ""},
			{"broadcast", func() error { return h.To(s.ID()).Emit("e", long) }, "gzip"},
			{"broadcast, not", func() error { return h.To(s.ID()).Compress(false).Emit("e", long) }, ""},
			{"short", func() error { return s.Emit("e") }, ""},
		} {
			if err := c.emit(); err != nil {
				t.Fatal(err)
			}
			r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://memory/socket.io/?EIO=4&transport=polling"+query, nil)
			r.Header.Set("Accept-Encoding", "gzip") // said here, it is not undone by the transport
			res, err := h.http.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if got := res.Header.Get("Content-Encoding"); got != c.encoding || res.StatusCode != 200 {
				t.Errorf("%s: %d, encoding %q; want %q", c.name, res.StatusCode, got, c.encoding)
			}
		}
	})
}
