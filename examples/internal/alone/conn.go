package alone

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync/atomic"

	"github.com/sockeye-go/socketio/internal/ws"
)

// A Conn is a client that costs next to nothing, so that the server is what is
// measured: packets are text that the caller makes and takes apart.
type Conn struct {
	nc    net.Conn
	in    *bufio.Reader
	Bytes *atomic.Int64 // adds what is read, if it is not nil
}

// Dial connects to the namespace "/" of a server.
func Dial(addr string, bytes *atomic.Int64) (*Conn, error) {
	nc, leftover, _, err := ws.Dial(context.Background(), "ws://"+addr+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		return nil, err
	}
	c := &Conn{nc: nc, Bytes: bytes}
	c.in = bufio.NewReaderSize(io.MultiReader(strings.NewReader(string(leftover)), nc), 16<<10)
	if err := c.Send("40"); err != nil {
		return nil, err
	}
	_, err = c.Until("40")
	return c, err
}

// Send sends a packet.
func (c *Conn) Send(packet string) error {
	_, err := c.nc.Write(ws.AppendMasked(nil, ws.Text, []byte(packet), [4]byte{1, 2, 3, 4}))
	return err
}

// Next returns the next message, good until the one after it.
func (c *Conn) Next(buf []byte) ([]byte, error) {
	head := make([]byte, 2, 10)
	if _, err := io.ReadFull(c.in, head); err != nil {
		return nil, err
	}
	n := int(head[1])
	if more := map[int]int{126: 2, 127: 8}[n]; more > 0 {
		head = head[:2+more]
		if _, err := io.ReadFull(c.in, head[2:]); err != nil {
			return nil, err
		}
		n = int(binary.BigEndian.Uint64(append(make([]byte, 8-more), head[2:]...)))
	}
	if n > cap(buf) {
		buf = make([]byte, n)
	}
	_, err := io.ReadFull(c.in, buf[:n])
	if c.Bytes != nil {
		c.Bytes.Add(int64(len(head) + n))
	}
	return buf[:n], err
}

// Until returns the first message that begins so.
func (c *Conn) Until(prefix string) (string, error) {
	for {
		b, err := c.Next(nil)
		if err != nil || strings.HasPrefix(string(b), prefix) {
			return string(b), err
		}
	}
}

// Close cuts the connection.
func (c *Conn) Close() { c.nc.Close() }
