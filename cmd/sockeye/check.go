package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/sockeye-go/socketio/examples/demo"
	"github.com/sockeye-go/socketio/internal/rawclient"
)

// check tries a running demo as clients do, and prints what it found.
func check(ctx context.Context, base string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var failed []error
	for _, c := range []struct {
		what string
		try  func(context.Context, string) (string, error)
	}{
		{"pages", checkPages},
		{"client", checkClient},
		{"polling", checkPolling},
		{"websocket", checkWebSocket},
		{"upgrade", checkUpgrade},
	} {
		start := time.Now()
		found, err := c.try(ctx, base)
		if err != nil {
			fmt.Fprintf(out, "%-10s failed: %v\n", c.what, err)
			failed = append(failed, fmt.Errorf("%s: %w", c.what, err))
			continue
		}
		fmt.Fprintf(out, "%-10s ok, %s, %.1f ms\n", c.what, found, float64(time.Since(start).Microseconds())/1000)
	}
	return errors.Join(failed...)
}

func checkPages(ctx context.Context, base string) (string, error) {
	for _, path := range append([]string{""}, demo.Names...) {
		if path != "" {
			path += "/"
		}
		if _, err := fetch(ctx, base+path, "app.js"); err != nil {
			return "", err
		}
	}
	return strings.Join(demo.Names, ", "), nil
}

func checkClient(ctx context.Context, base string) (string, error) {
	return fetch(ctx, base+"socket.io/socket.io.esm.min.js", "connect_error")
}

// fetch gets a file that must contain some text.
func fetch(ctx context.Context, url, text string) (string, error) {
	body, err := rawclient.Request(ctx, http.MethodGet, url, "")
	if err != nil {
		return "", err
	}
	if !strings.Contains(body, text) {
		return "", fmt.Errorf("%s does not look as it should", url)
	}
	return fmt.Sprintf("%d bytes", len(body)), nil
}

// What is asked over each transport, and the beginning of the answer.
const (
	askPacket    = `420["server time"]`
	answerPacket = "430["
)

func converse(ctx context.Context, c rawclient.Client) error {
	if err := rawclient.Join(ctx, c); err != nil {
		return err
	}
	return ask(ctx, c)
}

func ask(ctx context.Context, c rawclient.Client) error {
	if err := c.Send(ctx, askPacket); err != nil {
		return err
	}
	_, err := c.Expect(ctx, answerPacket)
	return err
}

func checkPolling(ctx context.Context, base string) (string, error) {
	c, err := rawclient.OpenPolling(ctx, base+"socket.io/")
	if err != nil {
		return "", err
	}
	return "event and ack", errors.Join(converse(ctx, c), c.Send(ctx, "1"))
}

func checkWebSocket(ctx context.Context, base string) (string, error) {
	c, err := rawclient.DialWebSocket(ctx, base+"socket.io/")
	if err != nil {
		return "", err
	}
	defer c.Close()
	return "event and ack", converse(ctx, c)
}

func checkUpgrade(ctx context.Context, base string) (string, error) {
	p, err := rawclient.OpenPolling(ctx, base+"socket.io/")
	if err != nil {
		return "", err
	}
	if err := converse(ctx, p); err != nil {
		return "", err
	}
	c, err := p.Upgrade(ctx)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return "asked over polling, then over websocket", ask(ctx, c)
}
