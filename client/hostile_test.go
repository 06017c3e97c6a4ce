package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/ws"
)

const openPacket = `0{"sid":"abcdefghijklmnopqrst","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`

// hostile is a server that says open and what it is told to, over WebSocket as
// raw frames or to a poll, and then nothing more.
func hostile(t *testing.T, open string, frames, payload []byte) string {
	t.Helper()
	done, connect := make(chan struct{}), make(chan struct{})
	var asked sync.Once
	var polls atomic.Int32
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ws.IsUpgrade(r) {
			nc, _, err := ws.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				nc.Write(ws.AppendFrame(nil, ws.Text, []byte(open)))
				nc.Read(make([]byte, 100)) // CONNECT
				nc.Write(frames)
				io.Copy(io.Discard, nc) // until the client has had enough
			}()
			return
		}
		if r.Method == http.MethodPost {
			io.Copy(io.Discard, r.Body)
			io.WriteString(w, "ok")
			asked.Do(func() { close(connect) })
			return
		}
		switch polls.Add(1) {
		case 1:
			io.WriteString(w, open)
		case 2:
			select {
			case <-connect:
				w.Write(payload)
			case <-r.Context().Done():
			}
		default:
			select {
			case <-done:
			case <-r.Context().Done():
			}
		}
	}))
	t.Cleanup(func() { close(done); hs.Close() })
	return hs.URL
}

func text(s string) []byte { return ws.AppendFrame(nil, ws.Text, []byte(s)) }

// TestHostileServer: whatever a server sends, the connection ends with a reason
// and nothing else happens.
func TestHostileServer(t *testing.T) {
	joined := `40{"sid":"s"}`
	bomb := "[" + strings.Repeat("[", 100_000)
	tests := []struct {
		name   string
		frames []byte // behind the CONNECT
		poll   string // the same for polling; "" leaves it out
		want   socketio.DisconnectReason
	}{
		{"unknown packet of the engine", text("9"), "9", socketio.TransportError},
		{"empty packet", text(""), "\x1e", socketio.TransportError},
		{"a pong", text("3"), "3", socketio.TransportError},
		{"close packet", text("1"), "1", socketio.TransportClose},
		{"bad base64", text("b!"), "b!", socketio.TransportError},
		{"unknown type", text("49"), "49", socketio.ParseError},
		{"bad JSON", text(`42["a"`), `42["a"`, socketio.ParseError},
		{"not an array", text(`42{"a":1}`), `42{"a":1}`, socketio.ParseError},
		{"reserved name", text(`42["disconnect"]`), `42["disconnect"]`, socketio.ParseError},
		{"deep", text("42" + bomb), "42" + bomb, socketio.ParseError},
		{"many attachments", text(`45999999999-["a"]`), `45999999999-["a"]`, socketio.ParseError},
		{"eleven attachments", text(`4511-["a"]`), `4511-["a"]`, socketio.ParseError},
		{"attachment of nothing", ws.AppendFrame(nil, ws.Binary, []byte("x")), "beA==", socketio.ParseError},
		{"text for an attachment", append(text(`451-["a",{"_placeholder":true,"num":0}]`), text(`42["b"]`)...), "451-[\"a\",{\"_placeholder\":true,\"num\":0}]\x1e42[\"b\"]", socketio.ParseError},
		{"huge id", text(`42` + strings.Repeat("9", 400) + `["a"]`), `42` + strings.Repeat("9", 400) + `["a"]`, socketio.ParseError},
		{"masked frame", ws.AppendMasked(nil, ws.Text, []byte("42"), [4]byte{1}), "", socketio.TransportError},
		{"reserved bits", []byte{0xf1, 0}, "", socketio.TransportError},
		{"invalid UTF-8", text("42[\"\xff\"]"), "", socketio.TransportError},
		{"length of 2^62", []byte{0x81, 127, 0x40, 0, 0, 0, 0, 0, 0, 0}, "", socketio.TransportError},
		{"message above the limit", text(`42["` + strings.Repeat("x", 3<<20) + `"]`), `42["` + strings.Repeat("x", 3<<20) + `"]`, socketio.TransportError},
		{"fragments without end", append([]byte{0x01, 1, '4'}, bytes.Repeat([]byte{0x00, 0}, 5000)...), "", socketio.TransportError},
		{"close frame", ws.AppendFrame(nil, ws.Close, nil), "", socketio.TransportClose},
		{"too many packets", nil, strings.Repeat("6\x1e", 100_000), socketio.TransportError},
		{"attachments above the limit", append(text(`453-["a"]`), bytes.Repeat(ws.AppendFrame(nil, ws.Binary, make([]byte, 900_000)), 3)...), "", socketio.ParseError},
	}
	for _, tt := range tests {
		for _, transport := range []string{"websocket", "polling"} {
			if transport == "polling" && tt.poll == "" || transport == "websocket" && tt.frames == nil {
				continue
			}
			t.Run(transport+"/"+tt.name, func(t *testing.T) {
				url := hostile(t, openPacket, append(text(joined), tt.frames...), []byte(joined+"\x1e"+tt.poll))
				m, err := client.New(url, &client.Options{Transports: []string{transport}, DisableReconnection: true, MaxPayload: 1 << 20, MaxAttachmentBytes: 2 << 20})
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				s := m.Socket("/")
				gone := make(chan socketio.DisconnectReason, 1)
				s.OnDisconnect(func(r socketio.DisconnectReason, _ error) { gone <- r })
				s.OnAny(func(_ context.Context, m *socketio.Message) error {
					t.Errorf("event %q", m.Event())
					return nil
				})
				if err := s.Connect(t.Context()); err != nil {
					if r, ok := errors.AsType[socketio.DisconnectReason](err); !ok || r != tt.want {
						t.Errorf("Connect: %v", err)
					}
					return // the answer to CONNECT was in what was refused as a whole
				}
				select {
				case r := <-gone:
					if r != tt.want {
						t.Errorf("reason %q, want %q", r, tt.want)
					}
				case <-time.After(10 * time.Second):
					t.Fatal("the connection goes on")
				}
			})
		}
	}
}

// TestHostileHandshake: no open packet that makes no sense makes a session.
func TestHostileHandshake(t *testing.T) {
	for _, open := range []string{
		"", "0", "0null", "0{}", "0[]", "4hello", "1",
		`0{"sid":"","pingInterval":1000,"pingTimeout":1000}`,
		`0{"sid":"s","pingInterval":-1,"pingTimeout":1000}`,
		`0{"sid":"s","pingInterval":0,"pingTimeout":0}`,
		`0{"sid":"s","pingInterval":1e300,"pingTimeout":1000}`,
		`0{"sid":"s","pingInterval":9007199254740992,"pingTimeout":1000}`,
		`0{"sid":"` + strings.Repeat("s", 2000) + `","pingInterval":1000,"pingTimeout":1000}`,
	} {
		for _, transport := range []string{"websocket", "polling"} {
			m, err := client.New(hostile(t, open, nil, nil), &client.Options{Transports: []string{transport}})
			if err != nil {
				t.Fatal(err)
			}
			_, ok := errors.AsType[*client.HandshakeError](m.Socket("/").Connect(t.Context()))
			if !ok {
				t.Errorf("%s: %.40q makes a session", transport, open)
			}
			m.Close()
		}
	}
}

// TestHostileEarly: events without end, and no answer to CONNECT.
func TestHostileEarly(t *testing.T) {
	frames := bytes.Repeat(text(`42["a"]`), 200)
	m, err := client.New(hostile(t, openPacket, frames, nil), &client.Options{DisableReconnection: true, MaxReceivedEvents: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Socket("/").Connect(t.Context()); !errors.Is(err, socketio.ParseError) {
		t.Errorf("Connect: %v", err)
	}
}

// TestSlowHandlers: a server that sends faster than the handlers work is held
// back, and nothing is lost; also while the handler waits for acks.
func TestSlowHandlers(t *testing.T) {
	for _, transport := range []string{"websocket", "polling"} {
		t.Run(transport, func(t *testing.T) {
			const count = 3000
			srv := socketio.NewServer(nil)
			double.Handle(srv, func(_ context.Context, _ *socketio.Socket, n int) (int, error) { return 2 * n, nil })
			flood := socketio.NewEvent[socketio.None]("flood")
			flood.Handle(srv, func(_ context.Context, s *socketio.Socket, _ socketio.None) error {
				for i := range count {
					if err := s.Emit("n", i); err != nil {
						return err
					}
				}
				return nil
			}, socketio.Concurrent)
			hs := httptest.NewServer(srv)
			defer hs.Close()
			defer srv.Close()
			m, err := client.New(hs.URL, &client.Options{Transports: []string{transport}, MaxReceivedEvents: 256, DisableReconnection: true})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			s := m.Socket("/")
			number := socketio.NewEvent[int]("n")
			next, done := 0, make(chan error, 1)
			number.On(s, func(ctx context.Context, n int) error {
				if n != next {
					done <- fmt.Errorf("%d, want %d", n, next)
				}
				if next++; next%100 == 0 {
					if got, err := double.EmitWithAck(ctx, s, n); got != 2*n || err != nil {
						done <- err
					}
				}
				if next == count {
					done <- nil
				}
				return nil
			})
			if err := s.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := flood.Emit(s, socketio.None{}); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-done:
				if err != nil {
					t.Error(err)
				}
			case <-s.Context().Done():
				t.Error(context.Cause(s.Context()))
			}
		})
	}
}

// TestEmptyPolls: a server that answers polls with nothing, at once, over and over, is
// not asked for ever.
func TestEmptyPolls(t *testing.T) {
	m, err := client.New(hostile(t, openPacket, nil, nil), &client.Options{Transports: []string{"polling"}, DisableReconnection: true})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Socket("/").Connect(t.Context()); !errors.Is(err, socketio.TransportError) {
		t.Errorf("Connect: %v", err)
	}
}

// TestTooLargeAsBase64: over polling bytes become four thirds of what they are, and
// that is what the server's limit is about.
func TestTooLargeAsBase64(t *testing.T) {
	for _, revision := range []int{3, 4} {
		srv := socketio.NewServer(&socketio.Options{MaxPayload: 10_000, AllowEIO3: true})
		hs := httptest.NewServer(srv)
		length := socketio.NewEventWithAck[[]byte, int]("length")
		length.Handle(srv, func(_ context.Context, _ *socketio.Socket, b []byte) (int, error) { return len(b), nil })
		m, err := client.New(hs.URL, &client.Options{Transports: []string{"polling"}, Protocol: revision})
		if err != nil {
			t.Fatal(err)
		}
		s := m.Socket("/")
		if err := s.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		for n, fits := range map[int]bool{7_000: true, 7_480: true, 7_500: false, 9_000: false} {
			got, err := length.EmitWithAck(t.Context(), s, make([]byte, n))
			if fits && (err != nil || got != n) || !fits && !errors.Is(err, engineio.ErrTooLarge) {
				t.Errorf("revision %d, %d bytes: %d, %v", revision, n, got, err)
			}
		}
		m.Close()
		srv.Close()
		hs.Close()
	}
}
