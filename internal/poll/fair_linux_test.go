package poll_test

import (
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/internal/poll"
)

// TestFair: who sends more than is read in a turn does not keep others waiting until all
// of it is read.
func TestFair(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	server, flooder := tcpPair(t)
	other, client := tcpPair(t)
	for _, c := range []net.Conn{server, flooder} {
		if err := c.(*net.TCPConn).SetReadBuffer(1 << 20); err != nil {
			t.Fatal(err)
		}
		if err := c.(*net.TCPConn).SetWriteBuffer(1 << 20); err != nil {
			t.Fatal(err)
		}
	}
	var before atomic.Int64 // what was read of the flood when the other was served
	flooded, served := newRecorder(t), newRecorder(t)
	var got atomic.Int64
	flooded.onData = func(p []byte) {
		if got.Add(int64(len(p))) == int64(len(p)) {
			if _, err := client.Write([]byte("x")); err != nil {
				t.Error(err)
			}
		}
		for begin := time.Now(); time.Since(begin) < time.Millisecond; { // it has much to do
		}
	}
	served.onData = func([]byte) { before.Store(got.Load()) }
	a, b := poll.New(server, flooded), poll.New(other, served)
	b.Start(nil)
	const flood = 600 << 10
	if _, err := flooder.Write(make([]byte, flood)); err != nil {
		t.Fatal(err)
	}
	a.Start(nil)
	<-served.batches
	for got.Load() < flood {
		<-flooded.batches
	}
	if n := before.Load(); n > flood/2 {
		t.Errorf("%d of %d bytes of the flood were read before the other was served", n, flood)
	}
	for _, c := range []*poll.Conn{a, b} {
		c.Close()
	}
	<-flooded.ended
	<-served.ended
}
