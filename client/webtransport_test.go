package client_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/big"
	"net"
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
	"github.com/sockeye-go/socketio/engineio/webtransport"
)

// serveBoth serves h over TCP and, on the port of the same number, over HTTP/3.
func serveBoth(t *testing.T, h http.Handler, validity time.Duration) (url string, hash []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(validity - time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewServer(h)
	pc, err := net.ListenPacket("udp", hs.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	h3 := webtransport.NewServer(h, &webtransport.Options{
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		Logger:    slog.New(slog.DiscardHandler),
	})
	served := make(chan error, 1)
	go func() { served <- h3.Serve(pc) }()
	t.Cleanup(func() {
		_ = h3.Close()
		<-served
		pc.Close()
		hs.Close()
	})
	sum := sha256.Sum256(der)
	return hs.URL, sum[:]
}

const twoWeeks = 14 * 24 * time.Hour

var everyTransport = []string{engineio.Polling, engineio.WebSocket, engineio.WebTransport}

// TestWebTransportClose: when Close returns nothing of QUIC is left, whether the
// connection is alive, was thrown out, or was cut.
func TestWebTransportClose(t *testing.T) {
	srv := socketio.NewServer(&socketio.Options{Transports: everyTransport})
	defer srv.Close()
	url, hash := serveBoth(t, srv, twoWeeks)
	for name, end := range map[string]func(*client.Socket){
		"alive": func(*client.Socket) {},
		"left":  func(s *client.Socket) { s.Disconnect() },
		"thrown out": func(s *client.Socket) {
			if peer, ok := srv.Socket(s.ID()); ok {
				peer.Disconnect(true)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var socket countedSocket
			m, err := client.New(url, &client.Options{
				Transports: []string{engineio.WebTransport}, DisableReconnection: true,
				WebTransport: &webtransport.Dialer{CertificateHashes: [][]byte{hash}, ListenPacket: socket.listen},
			})
			if err != nil {
				t.Fatal(err)
			}
			s := m.Socket("/")
			gone := make(chan bool)
			s.OnDisconnect(func(socketio.DisconnectReason, error) { close(gone) })
			if err := s.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if end(s); name != "alive" {
				<-gone
			}
			m.Close()
			if n := socket.open.Load(); n != 0 {
				t.Errorf("%d sockets are open after Close", n)
			}
		})
	}
}

// A countedConn tells whether it is open.
type countedConn struct{ open atomic.Int32 }

type connCounter struct {
	net.Conn
	closed sync.Once
	of     *countedConn
}

func (c *countedConn) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, network, addr)
	c.open.Add(1)
	return &connCounter{Conn: nc, of: c}, err
}

func (c *connCounter) Close() error {
	c.closed.Do(func() { c.of.open.Add(-1) })
	return c.Conn.Close()
}

// A countedSocket tells whether it is open.
type countedSocket struct{ open atomic.Int32 }

type closeCounter struct {
	*net.UDPConn
	of *countedSocket
}

func (c *countedSocket) listen(context.Context) (net.PacketConn, error) {
	u, err := net.ListenUDP("udp", nil)
	c.open.Add(1)
	return closeCounter{u, c}, err
}

func (c closeCounter) Close() error {
	c.of.open.Add(-1)
	return c.UDPConn.Close()
}

// TestWebTransportRefused: every refusal says why, and those that another transport
// would not change are the end.
func TestWebTransportRefused(t *testing.T) {
	forbidden := socketio.Options{Transports: everyTransport, AllowRequest: func(*http.Request) error {
		return &engineio.ConnectionError{Code: engineio.Forbidden, Err: errors.New("not you")}
	}}
	unauthorized := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "who are you?", http.StatusUnauthorized) })
	}
	tests := []struct {
		name     string
		server   socketio.Options
		wrap     func(http.Handler) http.Handler
		validity time.Duration
		hash     []byte // in place of the right one
		want     string // a transport, or part of the error
		status   int
		code     engineio.Code
	}{
		{name: "not offered", want: "websocket"},
		{name: "by the engine", server: forbidden, want: "Forbidden", code: engineio.Forbidden},
		{name: "by middleware", server: socketio.Options{Transports: everyTransport}, wrap: unauthorized, want: "who are you?", status: 401, code: engineio.NoCode},
		{name: "another certificate", server: socketio.Options{Transports: everyTransport}, hash: make([]byte, 32), want: "none of those that are trusted", code: engineio.NoCode},
		{name: "valid for too long", server: socketio.Options{Transports: everyTransport}, validity: twoWeeks + time.Hour, want: "two weeks", code: engineio.NoCode},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := socketio.NewServer(&tt.server)
			defer srv.Close()
			var h http.Handler = srv
			if tt.wrap != nil {
				h = tt.wrap(h)
			}
			if tt.validity == 0 {
				tt.validity = twoWeeks
			}
			url, hash := serveBoth(t, h, tt.validity)
			if tt.hash != nil {
				hash = tt.hash
			}
			m, err := client.New(url, &client.Options{
				Transports:   []string{engineio.WebTransport, engineio.WebSocket},
				WebTransport: &webtransport.Dialer{CertificateHashes: [][]byte{hash}},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			err = m.Socket("/").Connect(t.Context())
			if m.Transport() == tt.want {
				return
			}
			failed, ok := errors.AsType[*client.HandshakeError](err)
			if !ok || failed.Transport != engineio.WebTransport || failed.Status != tt.status || failed.Code != tt.code || !strings.Contains(failed.Error(), tt.want) {
				t.Errorf("%+v", err)
			}
		})
	}
}

// TestWebTransportBlocked: where UDP does not get through, WebSocket does, after a
// moment; and an upgrade that hangs takes nothing from one that does not.
func TestWebTransportBlocked(t *testing.T) {
	srv := socketio.NewServer(&socketio.Options{Transports: everyTransport})
	defer srv.Close()
	hs := httptest.NewServer(srv)
	defer hs.Close()
	hole, err := net.ListenPacket("udp", hs.Listener.Addr().String()) // takes everything, answers nothing
	if err != nil {
		t.Fatal(err)
	}
	defer hole.Close()
	for _, transports := range [][]string{{"webtransport", "websocket"}, {"polling", "websocket", "webtransport"}} {
		m, err := client.New(hs.URL, &client.Options{
			Transports: transports, WebTransport: &webtransport.Dialer{HandshakeTimeout: 300 * time.Millisecond},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Socket("/").Connect(t.Context()); err != nil {
			t.Error(err)
		}
		soon(t, func() bool { return m.Transport() == engineio.WebSocket })
		m.Close()
	}
}

func soon(t *testing.T, f func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); !f(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}
