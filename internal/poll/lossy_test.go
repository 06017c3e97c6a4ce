package poll_test

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/sockeye-go/socketio/internal/poll"
)

// A message of the tests: a number that says whether it is lossy, and padding.
const lossySize = 1000

func lossyMessage(n int, lossy bool) []byte {
	b := make([]byte, lossySize)
	binary.BigEndian.PutUint32(b, uint32(n))
	if lossy {
		b[4] = 1
	}
	return b
}

// Whatever is queued and dropped, the peer gets every message that is not lossy,
// in order and whole, and of the lossy ones those that were sent last.
func TestLossy(t *testing.T) {
	eachBackend(t, func(t *testing.T, server, client net.Conn) {
		lim := &poll.Limits{Bytes: 50 * lossySize, Packets: 1000}
		r := newRecorder(t)
		r.limits = lim
		c := poll.New(server, r)
		c.Start(nil)
		defer c.Close()
		rng := rand.New(rand.NewPCG(1, 2))
		sent := map[int]bool{} // by number, whether lossy
		n, plain, seen := 0, 0, 0
		var dropped uint64
		for {
			lossy := rng.IntN(4) > 0
			var err error
			if lossy {
				err = c.WriteLossy(lossyMessage(n, true), n%2 == 0)
			} else {
				err = c.Write(lossyMessage(n, false), n%2 == 0)
			}
			if errors.Is(err, poll.ErrFull) {
				if lossy {
					t.Fatal("ErrFull for a lossy write")
				}
				break // full of what cannot be dropped
			}
			if err != nil {
				t.Fatal(err)
			}
			sent[n] = lossy
			if !lossy {
				plain++
			}
			n++
		}
		if bytes, packets := c.Buffered(); bytes > lim.Bytes || packets > 50 {
			t.Errorf("%d bytes in %d packets wait", bytes, packets)
		}
		if dropped = lim.Dropped.Load(); dropped == 0 {
			t.Error("nothing was dropped")
		}
		c.CloseWrite()
		last := -1
		for {
			b := make([]byte, lossySize)
			if _, err := io.ReadFull(client, b); err != nil {
				if err != io.EOF {
					t.Errorf("the end: %v", err)
				}
				break
			}
			got := int(binary.BigEndian.Uint32(b))
			lossy, known := sent[got]
			if !known || lossy != (b[4] == 1) || got <= last {
				t.Fatalf("%d behind %d", got, last)
			}
			if !lossy {
				plain--
			}
			last = got
			seen++
		}
		if plain != 0 {
			t.Errorf("%d messages that are not lossy are missing", plain)
		}
		if seen+int(dropped) != n {
			t.Errorf("%d came and %d were dropped, of %d", seen, dropped, n)
		}
	})
}

// Who waits for room is told when there is, and when there never will be.
func TestDrained(t *testing.T) {
	eachBackend(t, func(t *testing.T, server, client net.Conn) {
		r := newRecorder(t)
		r.limits = &poll.Limits{Bytes: 1 << 20, Packets: 1000}
		c := poll.New(server, r)
		c.Start(nil)
		defer c.Close()
		if c.Drained(100) != nil {
			t.Error("no room at first")
		}
		for {
			if bytes, _ := c.Buffered(); bytes > 200_000 {
				break
			}
			if err := c.Write(make([]byte, 10_000), true); err != nil {
				t.Fatal(err)
			}
		}
		drained := c.Drained(100)
		if drained == nil {
			t.Fatal("room in a full queue")
		}
		go io.Copy(io.Discard, client)
		<-drained
		if bytes, _ := c.Buffered(); bytes > 100 {
			t.Errorf("%d bytes still wait", bytes)
		}
	})
	eachBackend(t, func(t *testing.T, server, client net.Conn) {
		r := newRecorder(t)
		r.limits = &poll.Limits{Bytes: 64 << 20, Packets: 1000}
		c := poll.New(server, r)
		c.Start(nil)
		for bytes := 0; bytes == 0; bytes, _ = c.Buffered() {
			if err := c.Write(make([]byte, 1<<20), true); err != nil {
				t.Fatal(err)
			}
		}
		drained := c.Drained(0)
		if drained == nil {
			t.Fatal("room in a full queue")
		}
		c.Close()
		<-drained
	})
}
