package cluster

import (
	"context"
	"errors"
	"sync"
)

// A Hub is a [Bus] in memory, for tests: messages are encoded and decoded, and
// arrive on other goroutines. It can be away, and it can repeat itself.
type Hub struct {
	mu       sync.Mutex
	channels []*hubChannel
	away     error
	repeat   bool
	drop     func(*Message) bool
}

// NewHub returns a hub to which every node of a test is connected.
func NewHub() *Hub { return new(Hub) }

var errAway = errors.New("cluster: the hub is away")

// Away makes the hub unreachable, or ends that.
func (h *Hub) Away(yes bool) {
	h.mu.Lock()
	h.away = nil
	if yes {
		h.away = errAway
	}
	away, channels := h.away, append([]*hubChannel(nil), h.channels...)
	h.mu.Unlock()
	for _, c := range channels {
		c.r.Lost(away)
	}
}

// Repeat makes the hub deliver each message twice, as a broker may that promises
// at least once.
func (h *Hub) Repeat(yes bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.repeat = yes
}

// Drop makes the hub lose the messages that f picks; nil ends it.
func (h *Hub) Drop(f func(*Message) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop = f
}

// Kill ends what a node has with the hub, as if it were killed.
func (h *Hub) Kill(uid string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, c := range h.channels {
		if c.uid == uid {
			h.channels = append(h.channels[:i:i], h.channels[i+1:]...)
			break
		}
	}
	before := h.drop
	h.drop = func(m *Message) bool { return m.UID == uid || before != nil && before(m) }
}

// Open implements [Bus].
func (h *Hub) Open(nsp, uid string, r Receiver) (Channel, error) {
	c := &hubChannel{hub: h, nsp: nsp, uid: uid, r: r}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.channels = append(h.channels, c)
	return c, nil
}

type hubChannel struct {
	hub      *Hub
	nsp, uid string
	r        Receiver

	mu      sync.Mutex
	queue   [][]byte
	running bool
	closed  bool
}

func (c *hubChannel) Publish(_ context.Context, ms []*Message) error {
	for _, m := range ms {
		if err := c.hub.carry(c, m, func(*hubChannel) bool { return true }); err != nil {
			return err
		}
	}
	return nil
}

func (c *hubChannel) Respond(_ context.Context, to string, m *Message) error {
	return c.hub.carry(c, m, func(other *hubChannel) bool { return other.uid == to })
}

// carry delivers to those that are meant, the sender too: brokers do so.
func (h *Hub) carry(from *hubChannel, m *Message, meant func(*hubChannel) bool) error {
	b, err := Encode(m)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away != nil {
		return h.away
	}
	if h.drop != nil && h.drop(m) {
		return nil
	}
	for _, other := range h.channels {
		if other.nsp == from.nsp && meant(other) {
			other.push(b)
			if h.repeat {
				other.push(b)
			}
		}
	}
	return nil
}

func (c *hubChannel) push(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.queue = append(c.queue, b)
	if !c.running {
		c.running = true
		go c.run()
	}
}

func (c *hubChannel) run() {
	for {
		c.mu.Lock()
		queue := c.queue
		c.queue = nil
		if len(queue) == 0 || c.closed {
			c.running = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		for _, b := range queue {
			m, err := Decode(b)
			if err != nil {
				panic(err) // Encode wrote it
			}
			c.r.Receive(m)
		}
	}
}

func (c *hubChannel) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	for i, other := range c.hub.channels {
		if other == c {
			c.hub.channels = append(c.hub.channels[:i:i], c.hub.channels[i+1:]...)
			break
		}
	}
	return nil
}
