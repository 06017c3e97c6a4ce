package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
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
	"github.com/sockeye-go/socketio/engineio"
)

// diagnosis is a report of `sockeye doctor --json`.
type diagnosis struct {
	Revision int
	Proxy    string
	OK       bool
	Verdicts []struct {
		Check, State, Says string
		Mend               []struct{ Where, Lines string }
	}
}

func diagnose(t *testing.T, args ...string) (diagnosis, int) {
	t.Helper()
	code, stdout, stderr := sockeye(t, "", append([]string{"doctor", "--json"}, args...)...)
	var d diagnosis
	if err := json.Unmarshal([]byte(stdout), &d); err != nil {
		t.Fatalf("%q: %v\n%s%s", args, err, stdout, stderr)
	}
	return d, code
}

// failed are the checks that failed.
func (d diagnosis) failed() string {
	var list []string
	for _, v := range d.Verdicts {
		if v.State == "failed" {
			list = append(list, v.Check)
		}
	}
	return strings.Join(list, " ")
}

// lines are the mends of a check.
func (d diagnosis) lines(check string) string {
	var b strings.Builder
	for _, v := range d.Verdicts {
		if v.Check == check {
			for _, m := range v.Mend {
				fmt.Fprintf(&b, "%s: %s\n", m.Where, m.Lines)
			}
		}
	}
	return b.String()
}

func quickServer(t *testing.T, o *socketio.Options) *httptest.Server {
	t.Helper()
	if o == nil {
		o = &socketio.Options{PingInterval: 2 * time.Second}
	}
	srv := socketio.NewServer(o)
	hs := httptest.NewServer(srv)
	t.Cleanup(func() { srv.Close(); hs.Close() })
	return hs
}

func TestDoctorHealthy(t *testing.T) {
	for _, c := range []struct {
		name, args string
		revision   int
		url        func(*testing.T) string
	}{
		{"ours", "", 4, func(t *testing.T) string {
			return quickServer(t, &socketio.Options{PingInterval: time.Second, AllowEIO3: true, CORS: &engineio.CORS{Origins: []string{"https://a.example"}}}).URL + " --origin https://a.example"
		}},
		{"ours, revision 3", "--eio3 --idle 1s", 3, func(t *testing.T) string { return quickServer(t, &socketio.Options{AllowEIO3: true}).URL }},
		{"Node 4", "--idle 1s", 4, func(t *testing.T) string { return nodeServer(t, "peer.mjs", "4") }},
		{"Node 2", "--idle 1s", 3, func(t *testing.T) string { return nodeServer(t, "peer.mjs", "2") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, code := diagnose(t, strings.Fields(c.url(t)+" "+c.args)...)
			if code != 0 || !d.OK || d.failed() != "" || d.Revision != c.revision || len(d.Verdicts) != 13 {
				t.Errorf("code %d, %+v", code, d)
			}
		})
	}
}

func TestDoctorWithoutServer(t *testing.T) {
	hs := httptest.NewServer(nil)
	defer hs.Close()
	for url, want := range map[string]string{
		"http://127.0.0.1:1": "tcp",
		hs.URL:               "engine",
		strings.Replace(hs.URL, "http://", "https://", 1): "tls",
	} {
		if d, code := diagnose(t, url); code != 2 || d.failed() != want {
			t.Errorf("%s: code %d, failed %q; want 2 and %q", url, code, d.failed(), want)
		}
	}
}

// TestDoctorTLS: a certificate that nobody signed is told, and the rest goes on.
func TestDoctorTLS(t *testing.T) {
	srv := socketio.NewServer(nil)
	hs := httptest.NewUnstartedServer(srv)
	hs.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that go at once
	hs.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	hs.StartTLS()
	defer hs.Close()
	defer srv.Close()
	d, code := diagnose(t, hs.URL, "--idle", "0")
	if code != 1 || d.failed() != "tls" || len(d.Verdicts) != 13 {
		t.Errorf("code %d, %+v", code, d)
	}
	if d, code = diagnose(t, hs.URL, "--idle", "0", "--insecure"); code != 0 {
		t.Errorf("--insecure: code %d, %+v", code, d)
	}
}

// TestDoctorFindsWrongCORS is without a proxy: the server has the permission of
// another page, or none.
func TestDoctorFindsWrongCORS(t *testing.T) {
	none := quickServer(t, nil).URL
	other := quickServer(t, &socketio.Options{CORS: &engineio.CORS{Origins: []string{"https://b.example"}}}).URL
	for _, url := range []string{none, other} {
		d, code := diagnose(t, url, "--idle", "0", "--origin", "https://a.example")
		if code != 1 || !strings.Contains(d.failed(), "cors") || !strings.Contains(d.lines("cors"), `cors: { origin: "https://a.example" }`) {
			t.Errorf("code %d, %+v", code, d)
		}
	}
}

// brokenSites are the mistakes of nginx configurations, each in a server block.
var brokenSites = []struct {
	name   string
	block  string // of the server
	failed string
	check  string
	mend   string // a line that mends it
	args   string
}{
	{"as it should be", "location / { proxy_pass http://one; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_set_header Host $http_host; }", "", "", "", "--idle 30s"},
	{"without upgrade headers", "location / { proxy_pass http://one; proxy_set_header Host $http_host; }", "websocket upgrade", "websocket", "proxy_set_header Upgrade $http_upgrade;", "--idle 0"},
	{"two nodes without stickiness", "location / { proxy_pass http://two; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_set_header Host $http_host; }", "polling upgrade sticky", "sticky", "hash $remote_addr consistent;", "--idle 0"},
	{"no patience", "location / { proxy_pass http://one; proxy_read_timeout 1s; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_set_header Host $http_host; }", "idle", "idle", "proxy_read_timeout", "--idle 30s"},
	{"small bodies", "client_max_body_size 1k; location / { proxy_pass http://one; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_set_header Host $http_host; }", "payload", "payload", "client_max_body_size 1000000;", "--idle 0"},
	{"CORS twice", "location / { add_header Access-Control-Allow-Origin * always; proxy_pass http://cors; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_set_header Host $http_host; }", "cors", "cors", "proxy_hide_header Access-Control-Allow-Origin;", "--idle 0 --origin https://a.example"},
	{"server gone", "location / { proxy_pass http://127.0.0.1:1; }", "engine", "engine", "", "--idle 0"},
	{"another path", "location /api/ { proxy_pass http://one; }", "engine", "engine", "", "--idle 0"},
}

// TestDoctorNginx: each mistake is found behind a real nginx, and nothing else.
func TestDoctorNginx(t *testing.T) {
	needParts(t, "nginx")
	one, other := quickServer(t, nil), quickServer(t, nil)
	cors := quickServer(t, &socketio.Options{CORS: &engineio.CORS{Origins: []string{"https://a.example"}}})
	blocks := make([]string, len(brokenSites))
	for i, s := range brokenSites {
		blocks[i] = s.block
	}
	urls := startNginx(t, fmt.Sprintf("upstream one { server %s; }\nupstream two { server %s; server %s; }\nupstream cors { server %s; }",
		one.Listener.Addr(), one.Listener.Addr(), other.Listener.Addr(), cors.Listener.Addr()), blocks)
	for i, s := range brokenSites {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			d, code := diagnose(t, append(strings.Fields(s.args), urls[i])...)
			if d.failed() != s.failed || (code == 0) != (s.failed == "") {
				t.Errorf("failed %q, code %d; want %q\n%+v", d.failed(), code, s.failed, d)
			}
			if d.Proxy != "nginx" && s.check != "engine" {
				t.Errorf("the proxy is %q", d.Proxy)
			}
			if !strings.Contains(d.lines(s.check), s.mend) {
				t.Errorf("%q is not among the lines that mend %s:\n%s", s.mend, s.check, d.lines(s.check))
			}
		})
	}
}

// startNginx serves each block at an address of its own.
func startNginx(t *testing.T, upstreams string, blocks []string) (urls []string) {
	t.Helper()
	exe, err := exec.LookPath("nginx")
	if err != nil {
		if exe, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			t.Fatal(err)
		}
	}
	var servers strings.Builder
	for _, block := range blocks {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close() // for nginx to take, all of them at once
		fmt.Fprintf(&servers, "server { listen %s; %s }\n", ln.Addr(), block)
		urls = append(urls, "http://"+ln.Addr().String())
		ln.Close()
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "nginx.conf")
	text := "error_log stderr crit;\npid nginx.pid;\nevents { worker_connections 256; }\nhttp {\naccess_log off;\nclient_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;\n" +
		upstreams + "\n" + servers.String() + "}\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-p", dir, "-c", conf, "-g", "daemon off; master_process off;")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	until := time.Now().Add(20 * time.Second)
	for _, url := range urls {
		for {
			nc, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err == nil {
				nc.Close()
				break
			}
			if !errors.Is(err, syscall.ECONNREFUSED) || time.Now().After(until) {
				t.Fatalf("%v\n%s", err, &errs)
			}
		}
	}
	return urls
}

func TestDoctorText(t *testing.T) {
	url := quickServer(t, nil).URL
	code, stdout, _ := sockeye(t, "", "doctor", url, "--idle", "0")
	if code != 0 || !strings.Contains(stdout, "✓ websocket") || !strings.Contains(stdout, "– cors         say --origin") || strings.Contains(stdout, "\x1b") {
		t.Errorf("code %d\n%s", code, stdout)
	}
	for _, args := range []string{"--handshakes 0", "--payload 0", "--idle -1s", "--timeout 0"} {
		if code, _, _ := sockeye(t, "", append([]string{"doctor", url}, strings.Fields(args)...)...); code != 64 {
			t.Errorf("%s: code %d", args, code)
		}
	}
}
