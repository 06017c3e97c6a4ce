package faults

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/engineio/webtransport"
)

// startGo is startClients with our Go client, in this process.
func startGo(s Setting, urls ...string) (*clients, error) {
	c := &clients{done: make(chan struct{}), sent: make([][]int, s.Clients), events: make([][]Event, s.Clients)}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	var stops []chan struct{}
	for i := range s.Clients {
		o := &client.Options{
			Path: cmp.Or(s.Path, "/"), Transports: s.Transports, DisableUpgrades: len(s.Transports) == 1, RetryConnect: true,
			Timeout: s.timeout(), ReconnectionDelay: 10 * time.Millisecond, ReconnectionDelayMax: 50 * time.Millisecond,
			SocketOptions: client.SocketOptions{Auth: map[string]int{"client": s.First + i}},
			Logger:        slog.New(slog.DiscardHandler),
			TLSConfig:     &tls.Config{InsecureSkipVerify: true}, // of those over WebTransport
			WebTransport:  &webtransport.Dialer{HandshakeTimeout: s.timeout()},
		}
		if s.Retries {
			o.Retries, o.AckTimeout = 10_000, 400*time.Millisecond
		}
		m, err := client.New(urls[i%len(urls)], o)
		if err != nil {
			cancel()
			return nil, err
		}
		stop := make(chan struct{}, 16)
		stops = append(stops, stop)
		all.Go(func() {
			defer m.Close()
			c.talk(ctx, i, m.Socket("/"), s, stop)
		})
	}
	c.stop = func() {
		for _, stop := range stops {
			select {
			case stop <- struct{}{}:
			default:
			}
		}
	}
	c.close = func() {
		cancel()
		all.Wait()
	}
	return c, nil
}

// talk is one client: it does what a client of fault_clients.mjs does.
func (c *clients) talk(ctx context.Context, i int, s *client.Socket, setting Setting, stop <-chan struct{}) {
	note := func(e Event) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.events[i] = append(c.events[i], e)
	}
	s.OnConnect(func() { note(Event{Kind: Connected, Recovered: s.Recovered()}) })
	s.OnDisconnect(func(socketio.DisconnectReason, error) { note(Event{Kind: Disconnected}) })
	s.On("m", func(_ context.Context, m *socketio.Message) error {
		var n int
		err := m.Decode(&n)
		note(Event{Kind: Received, Seq: n})
		return err
	})
	s.On("probe", func(_ context.Context, m *socketio.Message) error { return m.Ack(i) })
	if s.Connect(ctx) != nil {
		return
	}
	n := 0
	send := func() {
		n++
		c.mu.Lock()
		c.sent[i] = append(c.sent[i], n) // before it can arrive
		c.mu.Unlock()
		if s.Emit("up", n) != nil { // it says itself that it did not send it
			c.mu.Lock()
			c.sent[i] = c.sent[i][:len(c.sent[i])-1]
			c.mu.Unlock()
		}
	}
	tick := time.NewTicker(7 * time.Millisecond)
	defer tick.Stop()
	for stopped := false; ; {
		select {
		case <-tick.C:
			if !stopped {
				send()
			}
		case <-stop:
			send()
			c.mu.Lock()
			c.stopped++
			c.mu.Unlock()
			if !setting.Retries || stopped {
				stopped = true
				continue
			}
			stopped = true
			// Retried events go one after the other: with the answer to this
			// one, all have been answered.
			if _, err := s.EmitWithAck(ctx, "last"); err == nil {
				c.mu.Lock()
				c.drained++
				c.mu.Unlock()
			} else if !errors.Is(err, context.Canceled) {
				c.mu.Lock()
				c.gaveUp++
				c.mu.Unlock()
			}
		case <-ctx.Done():
			return
		}
	}
}
