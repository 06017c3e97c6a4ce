package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
)

// asMain makes the test binary be the command.
const asMain = "SOCKEYE_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
	}
	os.Exit(m.Run())
}

// command is sockeye as a process of its own, with nothing of the user's.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asMain+"=1", "XDG_STATE_HOME="+t.TempDir(), "NO_COLOR=", "TERM=xterm-256color")
	return cmd
}

// sockeye runs a command to its end, in this process.
func sockeye(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	root := newRoot(&out, &errs)
	root.SetIn(strings.NewReader(stdin))
	code = execute(ctx, root, args, &errs)
	return code, out.String(), errs.String()
}

// wordServer says the words of interop/node/peer.mjs with this module's server.
func wordServer(t *testing.T) string {
	t.Helper()
	srv := socketio.NewServer(&socketio.Options{AllowEIO3: true})
	words := func(ctx context.Context, s *socketio.Socket) error {
		s.On("echo", func(_ context.Context, m *socketio.Message) error {
			args, err := m.Args()
			if err != nil || m.WantsAck() {
				return errors.Join(err, m.Ack(args...))
			}
			return s.Emit("echo", args...)
		})
		s.On("ask", func(ctx context.Context, m *socketio.Message) error {
			var event string
			var v any
			if err := m.Decode(&event, &v); err != nil {
				return err
			}
			later := m.Detach()
			go func() {
				if answer, err := s.EmitWithAck(s.Context(), event, v); err == nil {
					args, _ := answer.Args()
					_ = later.Ack(args...)
				}
			}()
			return nil
		})
		s.On("kick", func(context.Context, *socketio.Message) error { s.Disconnect(false); return nil })
		s.On("half", func(_ context.Context, m *socketio.Message) error { m.Detach(); return nil })
		return s.Emit("hello", map[string]any{"id": s.ID()})
	}
	srv.OnConnection(words)
	srv.Of("/chat").OnConnection(words)
	srv.Of("/guarded").Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct{ Token string }
		if err := s.DecodeAuth(&auth); err != nil || auth.Token != "good" {
			return &socketio.ConnectError{Message: "not you"}
		}
		return nil
	})
	srv.Of("/guarded").OnConnection(words)
	hs := httptest.NewServer(srv)
	t.Cleanup(func() { srv.Close(); hs.Close() })
	return hs.URL
}

// needParts skips a test that needs more than Go, unless all is to be there.
func needParts(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skipf("needs %s: set SOCKEYE_PARTS=all", what)
	}
}

// nodeServer starts a script in interop/node that prints "listening PORT", with
// its end tied to ours.
func nodeServer(t *testing.T, args ...string) string {
	t.Helper()
	needParts(t, "Node")
	cmd := exec.Command("node", args...)
	cmd.Dir = "../../interop/node"
	var errs bytes.Buffer
	cmd.Stderr = &errs
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var read sync.WaitGroup
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Process.Kill()
		read.Wait()
		_ = cmd.Wait()
	})
	in := bufio.NewReader(out)
	line, err := in.ReadString('\n')
	port, ok := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if err != nil || !ok {
		t.Fatalf("%q says %q, %v\n%s", args, line, err, &errs)
	}
	read.Go(func() { _, _ = io.Copy(io.Discard, in) })
	return "http://127.0.0.1:" + port
}
