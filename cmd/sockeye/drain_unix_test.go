//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/examples/demo"
)

// startDemo starts the demo as a service manager does, and returns where it is.
func startDemo(t *testing.T, cmd *exec.Cmd) (url string) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ok {
		t.Fatalf("first line = %q, %v; want ready and an address", line, err)
	}
	return url
}

// ready is what the demo tells a load balancer.
func ready(url string) (status int, text string) {
	res, err := http.Get(url + "readyz")
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

// untilUnready waits for the moment in which a load balancer would look elsewhere.
func untilUnready(t *testing.T, ctx context.Context, url string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		status, text := ready(url)
		if status == http.StatusServiceUnavailable && strings.Contains(text, "draining") {
			return
		}
		if status != http.StatusOK {
			t.Fatalf("/readyz = %d %s on the way to 503", status, text)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("/readyz never says 503")
		}
	}
}

// TestDrain ends the real binary as systemd and Kubernetes do: it is not ready first,
// while everybody is served, then says so to its clients, and closes.
func TestDrain(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	name := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	told := func() string {
		var b [1024]byte
		_ = manager.SetReadDeadline(time.Now().Add(30 * time.Second))
		n, err := manager.Read(b[:])
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	cmd := command(t, "demo", "--no-open", "--addr", "127.0.0.1:0", "--drain-delay", "5s")
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+name)
	var log bytes.Buffer
	cmd.Stderr = &log
	url := startDemo(t, cmd)
	if s := told(); !strings.HasPrefix(s, "READY=1\n") || !strings.Contains(s, url) {
		t.Errorf("told at the start: %q", s)
	}
	if status, text := ready(url); status != http.StatusOK {
		t.Fatalf("/readyz = %d %s", status, text)
	}

	m, err := client.New(url, &client.Options{DisableReconnection: true})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s := m.Socket("/")
	hint, left := make(chan struct{}, 1), make(chan socketio.DisconnectReason, 1)
	s.On(demo.Restarting, func(context.Context, *socketio.Message) error { hint <- struct{}{}; return nil })
	s.OnDisconnect(func(r socketio.DisconnectReason, _ error) { left <- r })
	if err := s.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if s := told(); !strings.HasPrefix(s, "STOPPING=1\n") {
		t.Errorf("told at the end: %q", s)
	}
	untilUnready(t, ctx, url)
	if _, err := s.EmitWithAck(ctx, "server time"); err != nil {
		t.Errorf("a client is not served any more: %v", err)
	}
	if err := check(ctx, url, io.Discard); err != nil {
		t.Errorf("a new client is not served any more: %v", err)
	}
	select {
	case r := <-left:
		t.Errorf("%q before the hint", r)
	case <-hint:
	case <-ctx.Done():
		t.Fatal("no hint")
	}
	select {
	case <-left:
	case <-ctx.Done():
		t.Fatal("the connection is not closed")
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, &log)
	}
	rest := log.String()
	for _, step := range []string{"msg=draining ", "delay=5s", `msg="shutting down" `, "connections=1", `msg="shut down" `, "error=<nil>"} {
		_, after, ok := strings.Cut(rest, step)
		if !ok {
			t.Errorf("the log does not have %q, or not in this order:\n%s", step, &log)
		}
		rest = after
	}
}

// TestDrainTwice: whoever asks again does not want to wait.
func TestDrainTwice(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	cmd := command(t, "demo", "--no-open", "--addr", "127.0.0.1:0", "--drain-delay", "1h", "--drain-time", "3h")
	cmd.Env = append(cmd.Env, "TMPDIR="+t.TempDir()) // what it leaves there
	url := startDemo(t, cmd)
	_ = cmd.Process.Signal(os.Interrupt)
	untilUnready(t, ctx, url)
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != interrupted {
		t.Errorf("ended with %v; want %d", cmd.ProcessState, interrupted)
	}
}

// TestInterruptAtTerminal: Ctrl-C ends the demo without a delay.
func TestInterruptAtTerminal(t *testing.T) {
	t.Parallel()
	s := openScreen(t, command(t, "demo", "--no-open", "--addr", "127.0.0.1:0"))
	s.see("ready http://")
	s.typed("\x03")
	s.see("shut down")
	if strings.Contains(s.plain(), "draining") {
		t.Errorf("there is a delay:\n%s", s.plain())
	}
}

func TestDrainFlags(t *testing.T) {
	for _, args := range [][]string{{"--drain-delay", "-1s"}, {"--drain-time", "0"}, {"--drain-time", "soon"}} {
		if code, _, _ := sockeye(t, "", append([]string{"demo", "--no-open"}, args...)...); code != 64 {
			t.Errorf("%q: code %d", args, code)
		}
	}
}
