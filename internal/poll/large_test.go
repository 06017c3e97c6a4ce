package poll_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/sockeye-go/socketio/internal/poll"
)

// TestWriteLarge loses nothing and mixes nothing up when the kernel takes a part,
// and its slices may be reused at once.
func TestWriteLarge(t *testing.T) {
	eachBackend(t, func(t *testing.T, server, client net.Conn) {
		r := newRecorder(t)
		c := poll.New(server, r)
		c.Start(nil)
		var want []byte
		head, body := make([]byte, 5), make([]byte, 100_000)
		for i := range 200 { // 20 MB, which no kernel takes at once
			fill(head, byte(i))
			fill(body, byte(i+1))
			want = append(append(want, head...), body...)
			if err := c.WriteLarge(head, body); err != nil {
				t.Fatal(err)
			}
			if i%3 == 0 {
				want = append(want, head...)
				if err := c.Write(head, false); err != nil {
					t.Fatal(err)
				}
			}
			fill(head, 0xff)
			fill(body, 0xff)
		}
		c.CloseWrite()
		got, err := io.ReadAll(client)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes came, %v; want %d as they were written", len(got), err, len(want))
		}
		client.Close()
		<-r.ended
		if err := c.WriteLarge(head, body); !errors.Is(err, net.ErrClosed) {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// TestWriteLargeHasLimits: what the kernel does not take counts against the queue.
func TestWriteLargeHasLimits(t *testing.T) {
	eachBackend(t, func(t *testing.T, server, _ net.Conn) {
		r := newRecorder(t)
		r.limits = &poll.Limits{Bytes: 1 << 20, Packets: 10}
		c := poll.New(server, r)
		c.Start(nil)
		body := make([]byte, 600_000)
		for range 100 {
			if err := c.WriteLarge(body); err != nil {
				if !errors.Is(err, poll.ErrFull) {
					t.Errorf("got %v; want ErrFull", err)
				}
				if n, _ := c.Buffered(); n > 1<<20 {
					t.Errorf("%d bytes wait", n)
				}
				c.Close()
				<-r.ended
				return
			}
		}
		t.Error("60 MB fit into a queue of 1 MB")
	})
}

func fill(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}
