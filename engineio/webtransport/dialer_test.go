package webtransport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
	wt "github.com/quic-go/webtransport-go"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/engineio/webtransport"
)

// scripted is a server that sends the same bytes to everybody, and then ends the
// session if it is told to.
func scripted(t *testing.T, script string, end *wt.SessionError) *server {
	t.Helper()
	s := &server{t: t}
	config, pool := certificate(t)
	s.pool = pool
	w := wt.Server{H3: &http3.Server{TLSConfig: http3.ConfigureTLSConfig(config)}, CheckOrigin: func(*http.Request) bool { return true }}
	w.H3.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		sess, err := w.Upgrade(rw, r)
		if err != nil {
			return
		}
		stream, err := sess.AcceptStream(r.Context())
		if err != nil {
			return
		}
		if _, err := io.WriteString(stream, script); err != nil {
			return
		}
		if end != nil {
			_ = sess.CloseWithError(end.ErrorCode, end.Message)
		}
	})
	wt.ConfigureHTTP3Server(w.H3)
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- w.Serve(pc) }()
	s.url = "https://" + pc.LocalAddr().String() + "/engine.io/"
	t.Cleanup(func() {
		_ = w.Close()
		<-served
		pc.Close()
	})
	return s
}

// A listener is the receiver of a client.
type listener struct {
	got chan string
	end chan engineio.Reason
}

func (l *listener) Receive(m engineio.Message)               { l.got <- string(m.Data) }
func (l *listener) Flush(bool)                               {}
func (l *listener) Closed(reason engineio.Reason, err error) { l.end <- reason }

// TestHostileServer: whatever the server sends, the client's session ends, or does
// not begin.
func TestHostileServer(t *testing.T) {
	const openPacket = `0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}`
	opened := frame(false, openPacket)
	tests := []struct {
		name   string
		script string
		end    *wt.SessionError
		dial   string          // part of the error of Dial
		reason engineio.Reason // otherwise
	}{
		{"no frame", "\x00", nil, "frame without a packet", ""},
		{"no open packet", string(frame(false, "4hello")), nil, "opens nothing", ""},
		{"binary open packet", string(frame(true, openPacket)), nil, "opens nothing", ""},
		{"open packet above the limit", "\x7f\x00\x00\x00\x00\x7f\xff\xff\xff", nil, "too big", ""},
		{"the end at once", "", &wt.SessionError{ErrorCode: 3, Message: "Bad request"}, `"Bad request"`, ""},
		{"the end with a code of its own", "", &wt.SessionError{ErrorCode: 77, Message: "go away"}, `code 77: "go away"`, ""},
		{"frame above the limit", string(opened) + "\x7e\xff\xff", nil, "", engineio.TransportError},
		{"length of 2^63", string(opened) + "\x7f\x80\x00\x00\x00\x00\x00\x00\x00", nil, "", engineio.TransportError},
		{"empty frame", string(opened) + "\x00", nil, "", engineio.TransportError},
		{"unknown packet", string(opened) + "\x019", nil, "", engineio.TransportError},
		{"close packet", string(opened) + "\x011", nil, "", engineio.TransportClose},
		{"invalid base64", string(opened) + "\x03b!!", nil, "", engineio.TransportError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := scripted(t, tt.script, tt.end)
			l := &listener{make(chan string, 10), make(chan engineio.Reason, 1)}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			sess, err := engineio.Dial(ctx, s.url, &engineio.DialOptions{
				Transports: []string{engineio.WebTransport}, WebTransport: new(webtransport.Dialer), TLSConfig: s.tls(), MaxPayload: 5000,
			}, func(*engineio.ClientSession) engineio.Receiver { return l })
			if err != nil {
				failed, ok := errors.AsType[*engineio.HandshakeError](err)
				if !ok || tt.dial == "" || !strings.Contains(failed.Error(), tt.dial) {
					t.Errorf("Dial: %v; want %q", err, tt.dial)
				}
				return
			}
			defer sess.Wait()
			defer sess.Close()
			if tt.dial != "" {
				t.Fatal("there is a session")
			}
			select {
			case reason := <-l.end:
				if reason != tt.reason {
					t.Errorf("reason %q, want %q", reason, tt.reason)
				}
			case <-ctx.Done():
				t.Error("the session goes on")
			}
		})
	}
}

// TestDialerOptions: what makes no sense is an error in words.
func TestDialerOptions(t *testing.T) {
	for want, d := range map[string]*webtransport.Dialer{
		"timeout is negative": {IdleTimeout: -1},
		"less than 64 KiB":    {MaxWindow: 1000},
	} {
		if _, _, err := d.DialStream(t.Context(), "https://127.0.0.1:1/", nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
	if _, _, err := new(webtransport.Dialer).DialStream(t.Context(), "http://127.0.0.1:1/", nil, nil); err == nil {
		t.Error("http is taken")
	}
}
