package main

import (
	"context"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/internal/rawclient"
)

// TestReadme holds the code in the README to this program.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(readme), "```go\n")
	code, _, found := strings.Cut(code, "```\n")
	if !found || code != string(program) {
		t.Errorf("README.md shows\n%s\nmain.go is\n%s", code, program)
	}
}

// TestHello is what the README says the program does.
func TestHello(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	srv := newServer()
	hs := httptest.NewServer(srv)
	defer hs.Close()
	defer srv.Close()
	join := func() *rawclient.WebSocket {
		c, err := rawclient.DialWebSocket(ctx, hs.URL+"/socket.io/")
		if err != nil {
			t.Fatal(err)
		}
		if err := rawclient.Join(ctx, c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	exchange := func(from, to *rawclient.WebSocket, packet, want string) {
		t.Helper()
		if err := from.Send(ctx, packet); err != nil {
			t.Fatal(err)
		}
		if got, err := to.Expect(ctx, "4"); err != nil || got != want {
			t.Fatalf("after %s: got %q, %v; want %q", packet, got, err, want)
		}
	}
	ann, bob := join(), join()
	exchange(ann, ann, `420["join","lobby"]`, `430[1]`)
	exchange(bob, bob, `420["join","lobby"]`, `430[2]`)
	exchange(ann, bob, `42["chat message",{"From":"ann","Text":"hello"}]`, `42["chat message",{"From":"ann","Text":"hello"}]`)
}
