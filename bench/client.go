//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio/internal/ws"
)

// A client speaks the protocol by hand, so that it costs little and checks
// the bytes themselves.
type client struct {
	nc     net.Conn
	in     []byte
	buf    []byte
	parser ws.Parser
}

// connect opens a WebSocket to a server at a host and port, or a URL that ends with
// them, and joins the namespace "/".
func connect(addr string) (*client, error) {
	if !strings.Contains(addr, "://") {
		addr = "ws://" + addr
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	nc, left, _, err := ws.Dial(ctx, addr+"/socket.io/?EIO=4&transport=websocket", &ws.DialOptions{NetDial: dialFrom, TLSConfig: anyCertificate})
	if err != nil {
		return nil, err
	}
	c := &client{nc: nc, in: left, buf: make([]byte, 2048)}
	c.parser.Init(ws.Client, 1<<20)
	_ = nc.SetDeadline(time.Now().Add(2 * time.Minute)) // nothing here may hang
	for _, step := range []struct{ send, want string }{{"", "0{"}, {"40", "40{"}} {
		if step.send != "" {
			err = c.send(step.send)
		}
		var m []byte
		if err == nil {
			_, m, err = c.next()
		}
		if err == nil && (!bytes.HasPrefix(m, []byte(step.want)) || sidOf(string(m)) == "") {
			err = fmt.Errorf("got %q, want %s and a sid", m, step.want)
		}
		if err != nil {
			nc.Close()
			return nil, err
		}
	}
	return c, nil
}

// anyCertificate is for servers that speak TLS: the certificate is their own.
var anyCertificate = &tls.Config{InsecureSkipVerify: true}

// sidOf returns the sid in the answer to a handshake, wherever it is in it; "" if
// there is none.
func sidOf(packet string) string {
	_, rest, _ := strings.Cut(packet, `"sid":"`)
	sid, _, ok := strings.Cut(rest, `"`)
	if !ok {
		return ""
	}
	return sid
}

// dialed counts connections.
var dialed atomic.Uint32

// dialFrom takes turns at the addresses of loopback: ports of connections that
// were closed stay taken for a minute.
func dialFrom(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+dialed.Add(1)%200))}}
	return d.DialContext(ctx, network, addr)
}

// join joins a room.
func (c *client) join(room int) error {
	if err := c.send(fmt.Sprintf(`420["join","room%d"]`, room)); err != nil {
		return err
	}
	return c.want(ws.Text, "430[true]")
}

func (c *client) send(packets ...string) error {
	var out []byte
	for _, p := range packets {
		out = ws.AppendMasked(out, ws.Text, []byte(p), [4]byte{1, 2, 3, 4})
	}
	_, err := c.nc.Write(out)
	return err
}

// next returns the next message; heartbeats are answered on the way.
func (c *client) next() (ws.Opcode, []byte, error) {
	for {
		for len(c.in) > 0 {
			m, n, ok, err := c.parser.Next(c.in)
			if err != nil {
				return 0, nil, err
			}
			c.in = c.in[n:]
			if !ok {
				continue
			}
			if m.Op == ws.Text && string(m.Data) == "2" {
				if err := c.send("3"); err != nil {
					return 0, nil, err
				}
				continue
			}
			if m.Op != ws.Text && m.Op != ws.Binary {
				return 0, nil, fmt.Errorf("control frame %d", m.Op)
			}
			return m.Op, m.Data, nil
		}
		n, err := c.nc.Read(c.buf)
		if err != nil {
			return 0, nil, err
		}
		c.in = c.buf[:n]
	}
}

// want fails unless the next message is exactly this.
func (c *client) want(op ws.Opcode, data string) error {
	got, m, err := c.next()
	if err != nil {
		return err
	}
	if got != op || string(m) != data {
		return fmt.Errorf("wrong answer: got %.120q, want %.120q", m, data)
	}
	return nil
}
