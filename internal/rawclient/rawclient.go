// Package rawclient speaks Engine.IO packet by packet, for tests and checks
// that want to see the wire. Programs want package client.
package rawclient

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/sockeye-go/socketio/internal/ws"
)

// A Client is a connection over either transport. It is for one goroutine.
type Client interface {
	// Send sends one packet.
	Send(ctx context.Context, packet string) error
	// Expect reads until a packet begins with prefix, and returns it. On the way
	// it answers pings.
	Expect(ctx context.Context, prefix string) (string, error)
}

// Join joins the namespace "/".
func Join(ctx context.Context, c Client) error {
	if err := c.Send(ctx, "40"); err != nil {
		return err
	}
	_, err := c.Expect(ctx, `40{"sid":`)
	return err
}

// Request makes an HTTP request and returns the body of an answer with status
// 200, at most 4 MiB; any other answer is an error.
func Request(ctx context.Context, method, url, body string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", method, url, res.Status, b)
	}
	return string(b), err
}

// A Polling is a client over long-polling.
type Polling struct {
	base, sid string
	packets   []string // read and not looked at yet
}

// OpenPolling makes a session at base, the address that the server is mounted
// at, with its trailing slash.
func OpenPolling(ctx context.Context, base string) (*Polling, error) {
	p := &Polling{base: base}
	body, err := Request(ctx, http.MethodGet, p.url(), "")
	if err != nil {
		return nil, err
	}
	packets := strings.Split(body, "\x1e")
	p.sid, err = sidOf(packets[0])
	p.packets = packets[1:]
	return p, err
}

func (p *Polling) url() string {
	u := p.base + "?EIO=4&transport=polling"
	if p.sid != "" {
		u += "&sid=" + p.sid
	}
	return u
}

func sidOf(packet string) (string, error) {
	var open struct{ SID string }
	if !strings.HasPrefix(packet, "0") {
		return "", fmt.Errorf("open packet is %q", packet)
	}
	if err := json.Unmarshal([]byte(packet[1:]), &open); err != nil {
		return "", fmt.Errorf("open packet: %w", err)
	}
	if open.SID == "" {
		return "", errors.New("open packet without sid")
	}
	return open.SID, nil
}

// Send implements [Client].
func (p *Polling) Send(ctx context.Context, packet string) error {
	_, err := Request(ctx, http.MethodPost, p.url(), packet)
	return err
}

// Expect implements [Client].
func (p *Polling) Expect(ctx context.Context, prefix string) (string, error) {
	for {
		for len(p.packets) > 0 {
			packet := p.packets[0]
			p.packets = p.packets[1:]
			if strings.HasPrefix(packet, prefix) {
				return packet, nil
			}
			if packet == ping {
				if err := p.Send(ctx, pong); err != nil {
					return "", err
				}
			}
		}
		body, err := Request(ctx, http.MethodGet, p.url(), "")
		if err != nil {
			return "", fmt.Errorf("waiting for %s: %w", prefix, err)
		}
		p.packets = strings.Split(body, "\x1e")
	}
}

// Upgrade moves the session to a WebSocket. There must be nothing to read over
// polling any more.
func (p *Polling) Upgrade(ctx context.Context) (*WebSocket, error) {
	c, err := dial(ctx, p.base, "&sid="+p.sid, nil)
	if err != nil {
		return nil, err
	}
	err = c.Send(ctx, "2probe")
	if err == nil {
		_, err = c.Expect(ctx, "3probe")
	}
	if err == nil {
		err = c.Send(ctx, "5")
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// A WebSocket is a client over WebSocket.
type WebSocket struct {
	*Frames
	// limited: the context it was dialled with had a deadline.
	limited bool
}

// Packets of the heartbeat.
const ping, pong = "2", "3"

// DialWebSocket makes a session over WebSocket.
func DialWebSocket(ctx context.Context, base string) (*WebSocket, error) {
	return DialTLS(ctx, base, nil)
}

// DialTLS is DialWebSocket with a configuration of its own for https.
func DialTLS(ctx context.Context, base string, config *tls.Config) (*WebSocket, error) {
	c, err := dial(ctx, base, "", config)
	if err != nil {
		return nil, err
	}
	packet, err := c.Next()
	if err == nil {
		_, err = sidOf(packet)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func dial(ctx context.Context, base, query string, config *tls.Config) (*WebSocket, error) {
	nc, leftover, _, err := ws.Dial(ctx, base+"?EIO=4&transport=websocket"+query, &ws.DialOptions{TLSConfig: config})
	if err != nil {
		return nil, err
	}
	c := &WebSocket{Frames: NewFrames(nc, leftover, 1<<20)}
	if deadline, ok := ctx.Deadline(); ok {
		_ = nc.SetDeadline(deadline)
		c.limited = true
	}
	return c, nil
}

// Send implements [Client].
func (c *WebSocket) Send(_ context.Context, packet string) error {
	return c.Write(ws.Text, []byte(packet))
}

// SendBinary sends an attachment.
func (c *WebSocket) SendBinary(_ context.Context, data []byte) error {
	return c.Write(ws.Binary, data)
}

// patience is how long a packet may take where no deadline says otherwise, so
// that nothing hangs.
const patience = 30 * time.Second

// Expect implements [Client]. Its time is that of the context it was dialled
// with, or of ctx, or half a minute.
func (c *WebSocket) Expect(ctx context.Context, prefix string) (string, error) {
	if !c.limited {
		deadline, ok := ctx.Deadline()
		if !ok {
			deadline = time.Now().Add(patience)
		}
		c.Until(deadline)
	}
	for {
		packet, err := c.Next()
		if err != nil {
			return "", fmt.Errorf("waiting for %s: %w", prefix, err)
		}
		if strings.HasPrefix(packet, prefix) {
			return packet, nil
		}
		if packet == ping {
			if err := c.Send(ctx, pong); err != nil {
				return "", err
			}
		}
	}
}
