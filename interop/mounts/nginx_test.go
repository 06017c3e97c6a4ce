package mounts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
)

// nginxConfig is a site around the lines that docs/behind-a-proxy.md tells people
// to copy, so that the page is what is tested. Buffering is on, as it is by default.
const nginxConfig = `
error_log stderr warn;
pid nginx.pid;
events { worker_connections 128; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {
    listen %s;
    %s
  }
}
`

// documented returns the nginx lines of the guide, for another target and idle time.
func documented(t *testing.T, target, idle string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/behind-a-proxy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```nginx\n")
	lines, _, found := strings.Cut(rest, "```")
	if !found || strings.Count(lines, "127.0.0.1:3000") != 1 || strings.Count(lines, "60s") != 1 {
		t.Fatalf("the lines for nginx are not there, or not as they were:\n%s", lines)
	}
	return strings.NewReplacer("127.0.0.1:3000", target, "60s", idle).Replace(lines)
}

// nginx stands before the server at target and cuts what says nothing for idle.
func nginx(t *testing.T, target, idle string) (base string) {
	t.Helper()
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs nginx: set SOCKEYE_PARTS=all")
	}
	exe, err := exec.LookPath("nginx")
	if err != nil {
		if exe, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			t.Fatal(err)
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close() // for nginx to take
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConfig, addr, documented(t, target, idle)), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-p", dir, "-c", conf, "-g", "daemon off; master_process off;")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			c.Close()
			return "http://" + addr + "/socket.io/"
		}
		if !errors.Is(err, syscall.ECONNREFUSED) || ctx.Err() != nil {
			t.Fatalf("%v\n%s", err, &stderr)
		}
	}
}

func TestNginx(t *testing.T) {
	hs := httptest.NewServer(newServer(t, nil))
	defer hs.Close()
	converse(t, nginx(t, hs.Listener.Addr().String(), "60s"))
}

// TestNginxCutsWhoIsSilent: a proxy with a shorter patience than the heartbeat
// has pauses ends the connection, and the server learns of it.
func TestNginxCutsWhoIsSilent(t *testing.T) {
	srv := newServer(t, nil)
	gone := make(chan socketio.DisconnectReason, 1)
	srv.OnDisconnect(func(_ context.Context, _ *socketio.Socket, reason socketio.DisconnectReason) { gone <- reason })
	hs := httptest.NewServer(srv)
	defer hs.Close()
	base := nginx(t, hs.Listener.Addr().String(), "1s")
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
	base := nginx(t, hs.Listener.Addr().String(), "1s")
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
