package socketio_test

import (
	"net/http/httptest"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/rawclient"
)

// A tcpHarness is a server on loopback, for what internal/memnet does not show:
// connections that are read by epoll.
type tcpHarness struct {
	srv *socketio.Server
	url string
}

func newTCPHarness(tb testing.TB, o ...*socketio.Options) *tcpHarness {
	srv := socketio.NewServer(append(o, nil)[0])
	hs := httptest.NewServer(srv)
	tb.Cleanup(func() {
		srv.Close()
		hs.Close()
	})
	return &tcpHarness{srv, hs.URL + "/socket.io/"}
}

// join opens a WebSocket and joins "/".
func (h *tcpHarness) join(tb testing.TB) *rawclient.WebSocket {
	tb.Helper()
	c, err := rawclient.DialWebSocket(tb.Context(), h.url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	if err := rawclient.Join(tb.Context(), c); err != nil {
		tb.Fatal(err)
	}
	return c
}
