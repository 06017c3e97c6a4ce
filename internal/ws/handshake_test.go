package ws_test

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio/internal/memnet"
	"github.com/sockeye-go/socketio/internal/ws"
)

// handshake sends a request's lines and returns the status and headers of the
// answer.
func handshake(t *testing.T, lines ...string) *http.Response {
	t.Helper()
	network := memnet.New()
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nc, _, err := ws.Upgrade(w, r, w.Header())
		if refused, ok := errors.AsType[*ws.HandshakeError](err); ok {
			http.Error(w, refused.Message, refused.Status)
			return
		}
		if err != nil {
			t.Error(err)
			return
		}
		nc.Close()
	})}
	go srv.Serve(network)
	defer srv.Close()
	nc, err := network.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	writeAll(t, nc, strings.Join(lines, "\r\n")+"\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res
}

func writeAll(t *testing.T, nc net.Conn, s string) {
	t.Helper()
	if _, err := nc.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
}

func TestUpgrade(t *testing.T) {
	const (
		get        = "GET / HTTP/1.1"
		host       = "Host: memory"
		upgrade    = "Upgrade: websocket"
		connection = "Connection: Upgrade"
		version    = "Sec-WebSocket-Version: 13"
		secret     = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
	)
	for _, tt := range []struct {
		name  string
		lines []string
		want  int
	}{
		{"right", []string{get, host, upgrade, connection, version, secret}, 101},
		{"case of the values", []string{get, host, "Upgrade: WebSocket", "Connection: keep-alive, UPGRADE", version, secret}, 101},
		{"two Connection headers", []string{get, host, upgrade, "Connection: keep-alive", connection, version, secret}, 101},
		{"extensions and protocols that nobody knows", []string{get, host, upgrade, connection, version, secret,
			"Sec-WebSocket-Extensions: constructor, __proto__; a=b", "Sec-WebSocket-Protocol: a" + strings.Repeat(" ", 10000) + "a"}, 101},
		{"POST", []string{"POST / HTTP/1.1", host, "Content-Length: 0", upgrade, connection, version, secret}, 405},
		{"HTTP/1.0", []string{"GET / HTTP/1.0", host, upgrade, connection, version, secret}, 400},
		{"no Upgrade", []string{get, host, connection, version, secret}, 400},
		{"Upgrade to something else", []string{get, host, "Upgrade: websockets", connection, version, secret}, 400},
		{"no Connection", []string{get, host, upgrade, version, secret}, 400},
		{"no version", []string{get, host, upgrade, connection, secret}, 426},
		{"version 8", []string{get, host, upgrade, connection, "Sec-WebSocket-Version: 8", secret}, 426},
		{"no key", []string{get, host, upgrade, connection, version}, 400},
		{"key of 15 bytes", []string{get, host, upgrade, connection, version, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j"}, 400},
		{"key that is no base64", []string{get, host, upgrade, connection, version, "Sec-WebSocket-Key: !GhlIHNhbXBsZSBub25jZQ=="}, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := handshake(t, tt.lines...)
			if res.StatusCode != tt.want {
				t.Errorf("status %d; want %d", res.StatusCode, tt.want)
			}
			switch tt.want {
			case 101: // the example of "1.3 Opening Handshake"
				if got := res.Header.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
					t.Errorf("Sec-WebSocket-Accept = %q", got)
				}
				if res.Header["Sec-Websocket-Extensions"] != nil || res.Header["Sec-Websocket-Protocol"] != nil {
					t.Errorf("agreed to what it does not know: %v", res.Header)
				}
			case 426:
				if got := res.Header.Get("Sec-WebSocket-Version"); got != "13" {
					t.Errorf("Sec-WebSocket-Version = %q; want 13", got)
				}
			}
		})
	}
}

// Extra headers may be nil, also when the handshake is refused.
func TestUpgradeWithoutHeaders(t *testing.T) {
	r, err := http.NewRequest("GET", "http://memory/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Connection", "Upgrade")
	_, _, err = ws.Upgrade(nil, r, nil)
	if refused, ok := errors.AsType[*ws.HandshakeError](err); !ok || refused.Status != http.StatusUpgradeRequired {
		t.Errorf("error %v; want status %d", err, http.StatusUpgradeRequired)
	}
}
