package client_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
)

// A meter counts the bytes of a connection.
type meter struct{ up, down atomic.Int64 }

type metered struct {
	net.Conn
	of *meter
}

func (m *meter) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, network, addr)
	return metered{nc, m}, err
}

func (m metered) Read(b []byte) (int, error) {
	n, err := m.Conn.Read(b)
	m.of.down.Add(int64(n))
	return n, err
}

func (m metered) Write(b []byte) (int, error) {
	n, err := m.Conn.Write(b)
	m.of.up.Add(int64(n))
	return n, err
}

// TestCompression: what is agreed upon is used, both ways, and everything arrives as
// it was: small messages that resemble each other, large ones, attachments, and those
// that may be dropped in between.
func TestCompression(t *testing.T) {
	alone := &socketio.PerMessageDeflate{Threshold: 100}
	context10 := &socketio.PerMessageDeflate{Threshold: 100, ContextTakeover: true, WindowBits: 10}
	context15 := &socketio.PerMessageDeflate{Threshold: 100, ContextTakeover: true, WindowBits: 15}
	tests := []struct {
		name           string
		client, server *socketio.PerMessageDeflate
		options        client.Options
		up, down       float64 // share of the bytes that go over the wire, at most
		least          float64 // and at least
	}{
		{"neither", nil, nil, client.Options{}, 1, 1, 0.8},
		{"client alone", alone, nil, client.Options{}, 1, 1, 0.8},
		{"server alone", nil, alone, client.Options{}, 1, 1, 0.8},
		{"both", alone, alone, client.Options{}, 0.78, 0.75, 0.6},
		{"context, both", context15, context15, client.Options{}, 0.25, 0.2, 0},
		{"context, small windows", context10, context10, client.Options{}, 0.25, 0.2, 0},
		{"context, the client alone wants it", context15, alone, client.Options{}, 0.78, 0.75, 0.6},
		{"context, the server alone wants it", alone, context15, client.Options{}, 0.78, 0.75, 0.6},
		{"upgrade", context15, context15, client.Options{Transports: []string{"polling", "websocket"}}, 0.25, 0.2, 0},
		{"through http", alone, alone, client.Options{RoundTripper: http.DefaultTransport}, 0, 0, 0},
		{"revision 3", context15, context15, client.Options{Protocol: 3}, 0.25, 0.2, 0},
	}
	type line struct {
		N    int
		Text string
		Blob []byte
	}
	const first = 30 // of those that are measured
	say := socketio.NewEventWithAck[line, line]("say")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := socketio.NewServer(&socketio.Options{PerMessageDeflate: tt.server, AllowEIO3: true, HTTPCompression: &socketio.HTTPCompression{Disabled: true}})
			defer srv.Close()
			said := socketio.NewEvent[line]("said")
			say.Handle(srv, func(_ context.Context, s *socketio.Socket, in line) (line, error) {
				if in.N < first { // some of them may be dropped
					if err := said.Emit(s.Volatile(), in); err != nil {
						return in, err
					}
				}
				return in, said.Emit(srv, in)
			})
			hs := httptest.NewServer(srv)
			defer hs.Close()
			var wire meter
			tt.options.PerMessageDeflate = tt.client
			if tt.options.RoundTripper == nil {
				tt.options.NetDial = wire.dial
			}
			m, err := client.New(hs.URL, &tt.options)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			s := m.Socket("/")
			heard := make(chan line, 1000)
			said.On(s, func(_ context.Context, in line) error { heard <- in; return nil })
			if err := s.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if last := tt.options.Transports; last != nil {
				soon(t, func() bool { return m.Transport() == "websocket" })
			}
			var up, down int64
			bytes := 0
			for i := range 2 * first {
				in := line{N: i, Text: strings.Repeat(fmt.Sprintf("%x", 1_000_003*i), 2) + "the words that everybody says at each and every occasion and that are the same all over again, as far as anybody can tell from here"}
				switch {
				case i == first/2:
					in.Text, in.Blob = strings.Repeat("large ", 3000), []byte(strings.Repeat("bytes", 1000))
				case i == first:
					up, down = wire.up.Load(), wire.down.Load()
					fallthrough
				case i > first:
					bytes += len(in.Text) + 70
				}
				if i < first {
					if err := s.Volatile().Emit("nobody listens", in); err != nil {
						t.Fatal(err)
					}
				}
				out, err := say.EmitWithAck(t.Context(), s, in)
				if err != nil || out.Text != in.Text || string(out.Blob) != string(in.Blob) || out.N != i {
					t.Fatalf("%d: %+v, %v", i, out, err)
				}
				for in := (line{N: -1}); in.N != i || len(heard) > 0; {
					in = <-heard
				}
			}
			if tt.up == 0 {
				return
			}
			// Each goes up once, and down twice.
			for _, way := range []struct {
				name  string
				n     int64
				whole int
				most  float64
			}{{"up", wire.up.Load() - up, bytes, tt.up}, {"down", wire.down.Load() - down, 2 * bytes, tt.down}} {
				share := float64(way.n) / float64(way.whole)

				if share > way.most || share < tt.least {
					t.Errorf("%s: %d bytes for %d, %.2f", way.name, way.n, way.whole, share)
				}
			}
		})
	}
}
