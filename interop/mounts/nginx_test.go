package mounts

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/interop/internal/nginx"
)

// behindNginx puts nginx before the server at target. It cuts what says nothing for
// idle.
func behindNginx(t *testing.T, target, idle string) (base string) {
	t.Helper()
	lines := nginx.Documented(t, "../../docs/behind-a-proxy.md", 1, "127.0.0.1:3000", target, "60s", idle)
	return "http://" + nginx.Start(t, "", lines) + "/socket.io/"
}

func TestNginx(t *testing.T) {
	hs := httptest.NewServer(newServer(t, nil))
	defer hs.Close()
	converse(t, behindNginx(t, hs.Listener.Addr().String(), "60s"))
}

// TestNginxCutsWhoIsSilent: a proxy with a shorter patience than the heartbeat
// has pauses ends the connection, and the server learns of it.
func TestNginxCutsWhoIsSilent(t *testing.T) {
	srv := newServer(t, nil)
	gone := make(chan socketio.DisconnectReason, 1)
	srv.OnDisconnect(func(_ context.Context, _ *socketio.Socket, reason socketio.DisconnectReason) { gone <- reason })
	hs := httptest.NewServer(srv)
	defer hs.Close()
	base := behindNginx(t, hs.Listener.Addr().String(), "1s")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ws := joined(t, ctx, base, nil)
	defer ws.Close()
	if p, err := ws.Expect(ctx, "2"); err == nil {
		t.Fatalf("got %q; want to be cut", p)
	}
	ws.Close()
	select {
	case reason := <-gone:
		if reason != socketio.TransportClose {
			t.Errorf("reason = %q; want %q", reason, socketio.TransportClose)
		}
	case <-ctx.Done():
		t.Error("the server did not learn of the cut")
	}
}

// TestNginxHeartbeat: pings that are closer than its patience keep the proxy
// from cutting.
func TestNginxHeartbeat(t *testing.T) {
	hs := httptest.NewServer(newServer(t, &socketio.Options{PingInterval: 250 * time.Millisecond}))
	defer hs.Close()
	base := behindNginx(t, hs.Listener.Addr().String(), "1s")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ws := joined(t, ctx, base, nil)
	defer ws.Close()
	for range 8 { // two seconds, twice its patience
		if _, err := ws.Expect(ctx, "2"); err != nil {
			t.Fatal(err)
		}
		if err := ws.Send(ctx, "3"); err != nil {
			t.Fatal(err)
		}
	}
	ask(t, ctx, "websocket", ws)
}
