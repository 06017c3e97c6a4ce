package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/ws"
)

// Over polling nothing leaves without a poll, so that the queue is all there is.
func TestLossyOverPolling(t *testing.T) {
	bubble(t, &socketio.Options{MaxQueuedPackets: 5}, func(t *testing.T, h *harness) {
		query := h.openPolling()
		h.Emit("kept", 1)
		for i := range 10 {
			h.Lossy().Emit("position", i)
		}
		h.Emit("kept", 2)
		want := `42["kept",1]` + "\x1e" + `42["position",7]` + "\x1e" + `42["position",8]` + "\x1e" + `42["position",9]` + "\x1e" + `42["kept",2]`
		if got := h.get(query); got != want {
			t.Errorf("poll = %q; want %q", got, want)
		}
		if n := h.Stats().Engine.Dropped[engineio.DropLossy]; n != 7 {
			t.Errorf("%d dropped; want 7", n)
		}
		for i := range 5 {
			h.Emit("kept", i)
		}
		h.Lossy().Emit("position", 10) // full of what stays: it drops itself
		if got := h.get(query); strings.Count(got, "kept") != 5 || strings.Contains(got, "position") {
			t.Errorf("poll = %q", got)
		}
		if n := h.Connections(); n != 1 {
			t.Errorf("%d connections; the client must not be cut", n)
		}
	})
}

func TestEmitContext(t *testing.T) {
	bubble(t, &socketio.Options{MaxQueuedBytes: 1000}, func(t *testing.T, h *harness) {
		query := h.openPolling()
		var s *socketio.Socket
		for s = range h.Sockets() {
		}
		page := strings.Repeat("x", 200)
		sent := make(chan int, 100)
		go func() {
			for i := range 20 {
				if err := s.EmitContext(t.Context(), "page", i, page); err != nil {
					t.Errorf("page %d: %v", i, err)
					return
				}
				sent <- i
			}
		}()
		for got := 0; got < 20; {
			wait(time.Second)
			if n := len(sent); n-got > 3 {
				t.Fatalf("%d emitted beyond what was taken", n-got)
			}
			got += strings.Count(h.get(query), "page")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for range 3 {
			s.EmitContext(ctx, "page", 0, page)
		}
		if err := s.EmitContext(ctx, "page", 0, page); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without room: %v", err)
		}
		ended := make(chan error)
		go func() { ended <- s.EmitContext(t.Context(), "page", 0, page) }()
		wait(time.Second)
		s.Disconnect(true)
		if err := <-ended; !errors.Is(err, socketio.ErrDisconnected) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// A thousand clients that do not read cost no more than their queues, and one
// that reads gets everything.
func TestManySlowReaders(t *testing.T) {
	const readers, limit = 1000, 16 << 10
	srv := socketio.NewServer(&socketio.Options{MaxQueuedBytes: limit, Logger: slog.New(slog.DiscardHandler)})
	ts := httptest.NewServer(srv)
	defer ts.Close()
	defer srv.Close()
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for range readers {
		c, err := net.Dial("tcp", ts.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
		c.(*net.TCPConn).SetReadBuffer(4 << 10)
		fmt.Fprintf(c, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
		c.Write(ws.AppendMasked(nil, ws.Text, []byte("40"), [4]byte{}))
	}
	nc, leftover, _, err := ws.Dial(t.Context(), ts.URL+"/?EIO=4&transport=websocket", &ws.DialOptions{Header: http.Header{}})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	c := &client{t: t, nc: nc, writing: make(chan struct{}, 1)}
	var reading sync.WaitGroup
	reading.Go(func() { c.read(leftover) })
	c.packet("0")
	eventually(t, func() bool { return srv.Stats().Sockets == readers+1 })

	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	page := strings.Repeat("x", 10_000)
	most := before
	for i := range 1000 {
		srv.Emit("page", i, page)
		if i%100 == 0 {
			most = max(most, heap())
		}
		last := fmt.Sprintf(`42["page",%d,`, i)
		eventually(t, func() bool { // the one that reads is not outrun
			c.mu.Lock()
			defer c.mu.Unlock()
			n := len(c.got)
			done := n > 0 && strings.HasPrefix(c.got[n-1], last)
			if done {
				c.got = c.got[:0]
			}
			return done
		})
	}
	if grown := int64(most) - int64(before); grown > 64<<20 {
		t.Errorf("memory grew by %d MB", grown>>20)
	}
	if n := srv.Stats().Engine.Dropped[engineio.DropSlow]; n == 0 {
		t.Error("nobody was cut")
	}
	eventually(t, func() bool { return srv.Connections() == 1 })
	nc.Close()
	reading.Wait()
}

// eventually waits for what happens outside of a bubble.
func eventually(t *testing.T, f func() bool) {
	t.Helper()
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); !f(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}
