package socketio_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/rawclient"
)

// A logText is a log that can be read while it is written.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func (l *logText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
	return l.text.Write(b)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// see waits until something has been logged.
func (l *logText) see(t *testing.T, what string) {
	t.Helper()
	late := time.After(30 * time.Second)
	for !strings.Contains(l.String(), what) {
		select {
		case <-l.more:
		case <-late:
			t.Fatalf("%q is not in the log:\n%.20000s", what, l)
		}
	}
}

// TestLogWithoutSID: whatever happens, nobody who reads the log, down to each packet,
// learns the sid of a session, by which he could take part in it.
func TestLogWithoutSID(t *testing.T) {
	const secret = "SECRET"
	log := &logText{more: make(chan struct{}, 1)}
	var ids atomic.Int64
	h := newTCPHarness(t, &socketio.Options{
		Logger:     slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		GenerateID: func(*http.Request) (string, error) { return fmt.Sprintf("%s%014d", secret, ids.Add(1)), nil },
		AllowEIO3:  true, Recovery: &socketio.Recovery{}, MaxPayload: 50_000, MaxQueuedBytes: 1 << 20, MaxQueuedPackets: 100,
		ConnectTimeout: 50 * time.Millisecond,
	})
	h.srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On("panic", func(context.Context, *socketio.Message) error { panic("of the program") })
		s.On("error", func(context.Context, *socketio.Message) error { return fmt.Errorf("of the program") })
		s.On("flood", func(context.Context, *socketio.Message) error {
			for s.Emit("drop", "x") == nil {
			}
			return nil
		})
		return nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	polling := func() *rawclient.Polling {
		t.Helper()
		p, err := rawclient.OpenPolling(ctx, h.url)
		if err == nil {
			err = rawclient.Join(ctx, p)
		}
		if err != nil {
			t.Fatal(err)
		}
		return p
	}

	say(t, h.join(t), `42["error"]`)
	log.see(t, `msg="error of a handler"`)
	say(t, h.join(t), `42["panic"]`)
	log.see(t, `msg="panic in a handler`)
	say(t, h.join(t), `4nonsense`)
	log.see(t, `msg="protocol violation`)
	say(t, h.join(t), `42["big","`+strings.Repeat("x", 60_000)+`"]`)
	log.see(t, `msg="payload of`)
	say(t, h.join(t), `41`)
	log.see(t, `msg="socket disconnected"`)
	if err := polling().Send(ctx, `42["big","`+strings.Repeat("x", 60_000)+`"]`); err == nil {
		t.Error("a body that is too large is taken")
	}
	if err := polling().Send(ctx, `42["flood"]`); err != nil {
		t.Error(err)
	}
	log.see(t, `msg="slow consumer`)
	up := polling()
	ws, err := up.Upgrade(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	say(t, ws, `42["none",{"a":1}]`)
	log.see(t, `event=none`)
	if _, err := rawclient.OpenPolling(ctx, h.url); err != nil { // and joins nothing
		t.Fatal(err)
	}
	log.see(t, `msg="no namespace joined in time"`)
	for _, query := range []string{"EIO=4&transport=polling&sid=" + secret + "00000000009999", "EIO=4&transport=websocket&sid=" + secret + "00000000009998", "EIO=3&transport=polling"} {
		r := httptest.NewRequest("GET", "/socket.io/?"+query, nil)
		h.srv.ServeHTTP(httptest.NewRecorder(), r)
	}
	log.see(t, `reason="Session ID unknown"`)
	log.see(t, `protocol=3`)
	log.see(t, `socket.id=`)
	if err := h.srv.Close(); err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, secret) {
			t.Errorf("a sid is in the log: %s", line)
		}
	}
	for _, n := range []string{`msg="session open"`, `msg="session closed"`, `msg="connection closed"`, `msg=packet component=socket.io-parser`} {
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, n) && !strings.Contains(line, "connection=") {
				t.Errorf("a line does not say whose it is: %s", line)
			}
		}
		log.see(t, n)
	}
}
