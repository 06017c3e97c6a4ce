//go:build linux

package main

import (
	"context"
	"strings"

	"github.com/sockeye-go/socketio/internal/rawclient"
)

// A conn is one client, which answers whatever asks for it.
type conn struct{ ws *rawclient.WebSocket }

func dial(ctx context.Context, url string) (*conn, error) {
	ws, err := rawclient.DialWebSocket(ctx, url)
	if err != nil {
		return nil, err
	}
	if err := rawclient.Join(ctx, ws); err != nil {
		ws.Close()
		return nil, err
	}
	return &conn{ws}, nil
}

func (c *conn) emit() { _ = c.ws.Send(context.Background(), `421["echo","the quick brown fox"]`) }

// read takes what comes until the connection ends.
func (c *conn) read(ctx context.Context) {
	for {
		packet, err := c.ws.Expect(ctx, "42")
		if err != nil {
			return
		}
		if id, asked := strings.CutSuffix(packet, `["ask"]`); asked {
			_ = c.ws.Send(ctx, "43"+id[2:]+"[]")
		}
	}
}
