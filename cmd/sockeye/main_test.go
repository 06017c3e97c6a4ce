package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--check"}, &out, &errs); code != 0 {
		t.Fatalf("demo --check = %d; want 0\n%s%s", code, &out, &errs)
	}
	for _, what := range []string{"pages", "client", "polling", "websocket", "upgrade"} {
		if !strings.Contains(out.String(), what) {
			t.Errorf("nothing is said of %s:\n%s", what, &out)
		}
	}
}

// TestCheckFinds makes sure that the check can fail: it is pointed at a server
// that is no Socket.IO.
func TestCheckFinds(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hs := &http.Server{Handler: http.NotFoundHandler()}
	go hs.Serve(ln)
	defer hs.Close()
	var out bytes.Buffer
	if err := check(t.Context(), "http://"+ln.Addr().String()+"/", &out); err == nil {
		t.Fatalf("check of a server without Socket.IO found nothing wrong:\n%s", &out)
	}
	if n := strings.Count(out.String(), "failed"); n != 5 {
		t.Errorf("%d of 5 parts failed:\n%s", n, &out)
	}
}

// TestReadyAndEnd starts the demo as a person does, and ends it.
func TestReadyAndEnd(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	r, w := io.Pipe()
	var errs bytes.Buffer
	ended := make(chan int)
	go func() { ended <- run(ctx, []string{"demo", "--no-open", "--addr", "127.0.0.1:0"}, w, &errs) }()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ok {
		t.Fatalf("first line = %q; want ready and an address", line)
	}
	if err := check(t.Context(), url, io.Discard); err != nil {
		t.Error(err)
	}
	for path, want := range map[string]string{"healthz": "alive\n", "readyz": "ready\n"} {
		res, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || string(text) != want {
			t.Errorf("/%s = %q, %v; want %q", path, text, err, want)
		}
	}
	var seen bytes.Buffer
	if code := run(t.Context(), []string{"top", "--once", url}, &seen, &seen); code != 0 || !strings.Contains(seen.String(), `"/admin"`) {
		t.Errorf("top = %d:\n%s", code, &seen)
	}
	if code := run(t.Context(), []string{"top", "--once", "--header", "X-Forwarded-For: 192.0.2.1", url}, io.Discard, io.Discard); code == 0 {
		t.Error("top is shown to who came through a proxy")
	}
	// Somebody looks at the dashboard, which must not hold up the end.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"dashboard/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "none")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("the dashboard says %s", res.Status)
	}
	interrupt()
	if code := <-ended; code != 0 || strings.Contains(errs.String(), "deadline") {
		t.Errorf("interrupted demo = %d; want 0\n%s", code, &errs)
	}
	for _, progress := range []string{`msg="shutting down" `, "connections=", `msg="shut down" `} {
		if !strings.Contains(errs.String(), progress) {
			t.Errorf("the end does not say %s:\n%s", progress, &errs)
		}
	}
}

func TestBusyPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()

	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--no-open", "--addr", addr}, &out, &errs); code != 1 {
		t.Errorf("demo on a busy port = %d; want 1", code)
	}
	if !strings.Contains(errs.String(), addr+" is in use") {
		t.Errorf("error = %q; want one that says which address is in use", &errs)
	}

	next, err := listenFrom(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	if next.Addr().String() == addr {
		t.Errorf("listenFrom(%s) took a port that is in use", addr)
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		code int
	}{
		{"nothing", nil, 64},
		{"unknown command", []string{"dmeo"}, 64},
		{"unknown flag", []string{"demo", "--port"}, 64},
		{"surplus argument", []string{"demo", "3000"}, 64},
		{"help", []string{"help"}, 0},
		{"version", []string{"version"}, 0},
		{"help of demo", []string{"demo", "--help"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := run(t.Context(), c.args, &out, &errs); code != c.code {
				t.Errorf("run(%q) = %d; want %d", c.args, code, c.code)
			}
			if out.Len()+errs.Len() == 0 {
				t.Errorf("run(%q) says nothing", c.args)
			}
		})
	}
}
