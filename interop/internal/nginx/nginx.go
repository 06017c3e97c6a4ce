// Package nginx runs a real nginx for tests, with lines of the guides.
package nginx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// config is a site around lines that docs/behind-a-proxy.md tells people to copy, so
// that the page is what is tested. Buffering is on, as it is by default.
const config = `
error_log stderr warn;
pid nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
  %s
  server {
    listen %s;
    %s
  }
}
`

// Documented returns the lines between the nth fence for nginx of the guide and its
// end, with replacements. Each must be for something that is there.
func Documented(t *testing.T, guide string, n int, replace ...string) string {
	t.Helper()
	page, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(page), "```nginx\n")
	if len(parts) <= n {
		t.Fatalf("%s has %d places with lines for nginx; want %d", guide, len(parts)-1, n)
	}
	lines, _, _ := strings.Cut(parts[n], "```")
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(lines, replace[i]) {
			t.Fatalf("the lines for nginx do not have %q any more:\n%s", replace[i], lines)
		}
	}
	return strings.NewReplacer(replace...).Replace(lines)
}

// Start runs nginx with lines for its http and its server block until the end of
// the test, and returns its address.
func Start(t *testing.T, httpLines, serverLines string) (addr string) {
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
	addr = ln.Addr().String()
	ln.Close() // for nginx to take
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, config, httpLines, addr, serverLines), 0o644); err != nil {
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
			return addr
		}
		if !errors.Is(err, syscall.ECONNREFUSED) || ctx.Err() != nil {
			t.Fatalf("%v\n%s", err, &stderr)
		}
	}
}
