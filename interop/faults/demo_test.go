package faults

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/internal/rawclient"
	"github.com/sockeye-go/socketio/interop/internal/nginx"
)

// TestDemoBehindNginx: sockeye demo --nodes 3 behind a real nginx, every transport.
func TestDemoBehindNginx(t *testing.T) {
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs nginx: set SOCKEYE_PARTS=all")
	}
	exe := t.TempDir() + "/sockeye"
	if out, err := exec.Command("go", "build", "-o", exe, "../../cmd/sockeye").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.Command(exe, "demo", "--nodes", "3", "--no-open", "--addr", "127.0.0.1:0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "ready http://")
	if !ok {
		t.Fatalf("first line = %q, %v", line, err)
	}
	target := strings.TrimSuffix(addr, "/nodes/")
	base := "http://" + nginx.Start(t, "", nginx.Documented(t, "../../docs/behind-a-proxy.md", 1, "127.0.0.1:3000", target)) + "/socket.io/"
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 10 { // of three nodes each is met
		p, err := rawclient.OpenPolling(ctx, base)
		if err == nil {
			err = talkTo(ctx, p)
		}
		if err != nil {
			t.Fatal("polling: ", err)
		}
		up, err := p.Upgrade(ctx)
		if err == nil {
			err = askTime(ctx, up)
			up.Close()
		}
		if err != nil {
			t.Fatal("upgrade: ", err)
		}
		ws, err := rawclient.DialWebSocket(ctx, base)
		if err == nil {
			err = talkTo(ctx, ws)
			ws.Close()
		}
		if err != nil {
			t.Fatal("websocket: ", err)
		}
	}
}

func talkTo(ctx context.Context, c rawclient.Client) error {
	if err := rawclient.Join(ctx, c); err != nil {
		return err
	}
	return askTime(ctx, c)
}

func askTime(ctx context.Context, c rawclient.Client) error {
	if err := c.Send(ctx, `427["server time"]`); err != nil {
		return err
	}
	_, err := c.Expect(ctx, "437[")
	return err
}
