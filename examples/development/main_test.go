package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/rawclient"
)

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestDevelopment: what a developer finds in the log.
func TestDevelopment(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var log logBuffer
	srv := newServer(slog.New(slog.NewTextHandler(&log, nil)))
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On("hi", func(context.Context, *socketio.Message) error { return s.Emit("there", 2) })
		return nil
	})
	hs := httptest.NewServer(srv)
	defer hs.Close()
	defer srv.Close()

	c, err := rawclient.DialWebSocket(ctx, hs.URL+"/socket.io/")
	if err != nil {
		t.Fatal(err)
	}
	if err := rawclient.Join(ctx, c); err != nil {
		t.Fatal(err)
	}
	if err := c.Send(ctx, `42["hi","you"]`); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Expect(ctx, "42"); err != nil || got != `42["there",2]` {
		t.Fatalf("%q, %v", got, err)
	}
	res, err := http.Get(hs.URL + "/socket.io/?EIO=4&transport=polling&sid=secret")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	http.DefaultClient.CloseIdleConnections()

	for _, want := range []string{
		"msg=connection socket.id=", "address=127.0.0.1:", "query=\"map[EIO:[4] transport:[websocket]]\"", "Sec-Websocket-Key:…",
		"msg=\"event in\"", "event=hi args=[you] ack=false", "msg=\"event out\"", "event=there args=[2]",
		"msg=refused code=1 message=\"Session ID unknown\"",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log.String())
		}
	}
}
