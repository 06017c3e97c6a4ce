package client_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/engineio/webtransport"
	"github.com/sockeye-go/socketio/parser/msgpack"
)

// TestTransports sends numbered events both ways, with attachments between, on
// every way there is, through the upgrade too: all arrive, once and in order.
func TestTransports(t *testing.T) {
	tests := []struct {
		name   string
		client client.Options
		server socketio.Options
		ends   string // the transport at the end
	}{
		{"websocket", client.Options{}, socketio.Options{}, "websocket"},
		{"polling", client.Options{Transports: []string{"polling"}}, socketio.Options{}, "polling"},
		{"upgrade", client.Options{Transports: []string{"polling", "websocket"}}, socketio.Options{}, "websocket"},
		{"upgrade refused", client.Options{Transports: []string{"polling", "websocket"}}, socketio.Options{DisableUpgrades: true}, "polling"},
		{"fallback", client.Options{}, socketio.Options{Transports: []string{"polling"}}, "polling"},
		{"round tripper", client.Options{RoundTripper: http.DefaultTransport}, socketio.Options{}, "websocket"},
		{"webtransport", client.Options{Transports: []string{"webtransport"}}, socketio.Options{Transports: everyTransport}, "webtransport"},
		{"upgrade to webtransport", client.Options{Transports: []string{"polling", "webtransport"}}, socketio.Options{Transports: everyTransport}, "webtransport"},
		{"msgpack", client.Options{Parser: msgpack.Parser, Transports: []string{"polling", "websocket"}}, socketio.Options{Parser: msgpack.Parser}, "websocket"},
		{"revision 3", client.Options{Protocol: 3}, socketio.Options{AllowEIO3: true}, "websocket"},
		{"revision 3 polling", client.Options{Protocol: 3, Transports: []string{"polling"}}, socketio.Options{AllowEIO3: true}, "polling"},
		{"revision 3 upgrade", client.Options{Protocol: 3, Transports: []string{"polling", "websocket"}}, socketio.Options{AllowEIO3: true}, "websocket"},
	}
	type numbered struct {
		socketio.Positional
		N    int
		Text string
		Blob []byte
	}
	up, down := socketio.NewEvent[numbered]("up"), socketio.NewEvent[numbered]("down")
	const count = 1000
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := socketio.NewServer(&tt.server)
			url, hash := serveBoth(t, srv, twoWeeks)
			defer srv.Close()
			if slices.Contains(tt.client.Transports, engineio.WebTransport) {
				tt.client.WebTransport = &webtransport.Dialer{CertificateHashes: [][]byte{hash}}
			}
			m, err := client.New(url, &tt.client)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			check := func(got *int, in numbered) error {
				if in.N != *got || in.Text != "é😀" || !bytes.Equal(in.Blob, []byte{0, 255, byte(in.N)}) {
					return fmt.Errorf("event %d: %+v", *got, in)
				}
				*got++
				return nil
			}
			received := 0
			up.Handle(srv, func(_ context.Context, s *socketio.Socket, in numbered) error {
				if err := check(&received, in); err != nil {
					t.Error(err)
				}
				return down.Emit(s, in)
			})
			s := m.Socket("/")
			done, returned := make(chan bool), 0
			down.On(s, func(_ context.Context, in numbered) error {
				if err := check(&returned, in); err != nil {
					t.Error(err)
				}
				if returned == count {
					close(done)
				}
				return nil
			})
			if err := s.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			for i := range count {
				if err := up.Emit(s, numbered{N: i, Text: "é😀", Blob: []byte{0, 255, byte(i)}}); err != nil {
					t.Fatal(err)
				}
			}
			select {
			case <-done:
			case <-s.Context().Done():
				t.Fatal(context.Cause(s.Context()))
			}
			// An upgrade goes on beside the messages and may take longer than they.
			soon(t, func() bool { return m.Transport() == tt.ends })
		})
	}
}
