//go:build !race

package socketio_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/ws"
)

type quote struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	Text string `json:"text"`
}

// A frugal client allocates nothing, so that the allocations of the process are
// those of the server.
type frugal struct {
	nc  net.Conn
	buf []byte
}

func (h *tcpHarness) frugal(tb testing.TB) *frugal {
	nc, left, _, err := ws.Dial(tb.Context(), "ws"+h.url[len("http"):]+"?EIO=4&transport=websocket", nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { nc.Close() })
	f := &frugal{nc: nc, buf: make([]byte, 4096)}
	n := copy(f.buf, left)
	for _, end := range []string{"}", `"}`} { // the open packet, the answer to CONNECT
		for !bytes.HasSuffix(f.buf[:n], []byte(end)) {
			m, err := nc.Read(f.buf[n:])
			if err != nil {
				tb.Fatal(err)
			}
			n += m
		}
		if n = 0; end == "}" {
			f.send(tb, clientFrame("40"))
		}
	}
	return f
}

func clientFrame(packet string) []byte {
	return ws.AppendMasked(nil, ws.Text, []byte(packet), [4]byte{1, 2, 3, 4})
}

func (f *frugal) send(tb testing.TB, frame []byte) {
	if _, err := f.nc.Write(frame); err != nil {
		tb.Fatal(err)
	}
}

// want reads exactly this frame.
func (f *frugal) want(tb testing.TB, frame []byte) {
	if _, err := io.ReadFull(f.nc, f.buf[:len(frame)]); err != nil {
		tb.Fatal(err)
	}
	if !bytes.Equal(f.buf[:len(frame)], frame) {
		tb.Fatalf("got %q; want %q", f.buf[:len(frame)], frame)
	}
}

// echoes returns a function that has one event answered.
func echoes(tb testing.TB) func() {
	h := newTCPHarness(tb)
	socketio.NewEventWithAck[quote, quote]("echo").Handle(h.srv, func(_ context.Context, _ *socketio.Socket, q quote) (quote, error) { return q, nil })
	c := h.frugal(tb)
	const args = `{"id":1,"name":"ann","text":"the quick brown fox"}`
	event := clientFrame(`420["echo",` + args + `]`)
	answer := ws.AppendFrame(nil, ws.Text, []byte(`430[`+args+`]`))
	return func() {
		c.send(tb, event)
		c.want(tb, answer)
	}
}

const castArgs = `{"id":1,"name":"ann","text":"the quick brown fox"}`

// casts returns a function that has one event sent to a room of n.
func casts(tb testing.TB, n int) func() {
	h := newTCPHarness(tb)
	cast := socketio.NewEvent[quote]("cast")
	joined := make(chan struct{})
	h.srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		defer func() { joined <- struct{}{} }()
		return s.Join("room")
	})
	var clients []*frugal
	for range n {
		clients = append(clients, h.frugal(tb))
		<-joined // the answer to CONNECT comes before
	}
	frame := ws.AppendFrame(nil, ws.Text, []byte(`42["cast",`+castArgs+`]`))
	room := h.srv.To("room")
	q := quote{1, "ann", "the quick brown fox"}
	return func() {
		if err := cast.Emit(room, q); err != nil {
			tb.Fatal(err)
		}
		for _, c := range clients {
			c.want(tb, frame)
		}
	}
}

// BenchmarkEcho is an event with an ack over a WebSocket on loopback, with a
// typed handler. Bound: 3 allocations, which are two strings of the handler's, and
// its answer as an any. TestAllocations holds it.
func BenchmarkEcho(b *testing.B) {
	echo := echoes(b)
	b.ReportAllocs()
	for b.Loop() {
		echo()
	}
}

// BenchmarkBroadcast is one event to a room. Bound: 0 allocations per recipient.
func BenchmarkBroadcast(b *testing.B) {
	for _, n := range []int{10, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			cast := casts(b, n)
			b.ReportAllocs()
			for b.Loop() {
				cast()
			}
		})
	}
}

func TestAllocations(t *testing.T) {
	// A collection empties the pools, now and then: hence the fractions.
	if n := testing.AllocsPerRun(2000, echoes(t)); n > 3.5 {
		t.Errorf("an echo made %v allocations; want 3", n)
	}
	few := testing.AllocsPerRun(500, casts(t, 10))
	if many := testing.AllocsPerRun(500, casts(t, 100)); many > few+0.5 {
		t.Errorf("a broadcast made %v allocations to 10 sockets and %v to 100; want no more", few, many)
	}
}
