//go:build unix

package main

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/admin"
	"github.com/sockeye-go/socketio/client"
)

// adminServer says the words of interop/node/admin.mjs with this module's server.
func adminServer(t *testing.T) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("letmein"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	srv := socketio.NewServer(nil)
	a := admin.Instrument(srv, &admin.Options{Auth: admin.Basic("admin", string(hash))})
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On("join", func(_ context.Context, m *socketio.Message) error {
			var room string
			if err := m.Decode(&room); err != nil {
				return err
			}
			if err := s.Join(room); err != nil {
				return err
			}
			return m.Ack()
		})
		s.On("say", func(_ context.Context, m *socketio.Message) error {
			var room, text string
			if err := m.Decode(&room, &text); err != nil {
				return err
			}
			return srv.To(room).Emit("said", text)
		})
		return nil
	})
	hs := httptest.NewServer(srv)
	t.Cleanup(func() { a.Close(); srv.Close(); hs.Close() })
	return hs.URL
}

// TestTop watches this module's server and an official one with the official
// instrument.
func TestTop(t *testing.T) {
	for _, server := range []struct {
		name  string
		start func(*testing.T) string
	}{
		{"ours", adminServer},
		{"Node", func(t *testing.T) string { return nodeServer(t, "admin.mjs") }},
	} {
		t.Run(server.name, func(t *testing.T) {
			url := server.start(t)
			cmd := command(t, "top", url)
			cmd.Env = append(cmd.Env, "SOCKEYE_ADMIN_PASSWORD=letmein")
			s := openScreen(t, cmd)
			s.see("● live")
			s.see("[1 sockets]")

			ann, err := client.Connect(t.Context(), url, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer ann.Manager().Close()
			if _, err := ann.EmitWithAck(t.Context(), "join", "kitchen\x1b[2J"); err != nil {
				t.Fatal(err)
			}
			s.see(ann.ID())
			s.typed("2")
			s.see(`kitchen\u001b[2J`)
			s.typed("\t")
			s.see("PER S")
			if err := ann.Emit("say", "kitchen\x1b[2J", "hi"); err != nil {
				t.Fatal(err)
			}
			s.see("say")
			s.typed("/join\r")
			s.see("filter: join")
			s.typed("4")
			s.see("NAMESPACE")
			s.typed("5s")
			s.see("POLLING")
			s.typed("q")
			if code := s.end(); code != 0 {
				t.Errorf("code %d", code)
			}
			if !strings.Contains(s.raw(), "\x1b[?1049l") {
				t.Error("the screen is not given back")
			}

			t.Setenv("SOCKEYE_ADMIN_PASSWORD", "letmein")
			code, stdout, stderr := sockeye(t, "", "top", url, "--once")
			var once struct {
				Namespaces map[string]int
				Rooms      []struct {
					Name    string
					Sockets int
				}
			}
			if err := json.Unmarshal([]byte(stdout), &once); err != nil || code != 0 {
				t.Fatalf("code %d, %v\n%s%s", code, err, stdout, stderr)
			}
			if once.Namespaces["/"] != 1 || len(once.Rooms) != 1 || once.Rooms[0].Sockets != 1 {
				t.Errorf("%+v", once)
			}
		})
	}
}

func TestTopRefused(t *testing.T) {
	for _, c := range []struct {
		url  string
		args []string
		code int
		says string
	}{
		{adminServer(t), []string{"--once", "--password", "wrong"}, 2, "SOCKEYE_ADMIN_PASSWORD"},
		{wordServer(t), []string{"--once"}, 2, "admin.Instrument"},
		{wordServer(t), nil, 64, "--once"},
	} {
		code, _, stderr := sockeye(t, "", append([]string{"top", c.url}, c.args...)...)
		if code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("%q: code %d, %q; want %d, %q", c.args, code, stderr, c.code, c.says)
		}
	}
}
