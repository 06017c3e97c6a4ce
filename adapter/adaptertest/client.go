package adaptertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/parser"
)

// A Client comes back to one node or another, as the official one does: it knows
// its pid, and the last argument of the last event as the offset of what it has.
type Client struct {
	id, pid, offset string
	got             []string // events, in order
	link            *link
}

// A link is one connection of a client, and its socket.
type link struct {
	id         string
	membership adapter.Membership
	on         adapter.Recoverer

	mu  sync.Mutex
	got []arrival // that the client has not read yet
}

type arrival struct{ event, offset string }

var clientNumber struct {
	sync.Mutex
	n int
}

// NewClient connects a client to a node, which it joins rooms on.
func NewClient(t *testing.T, on adapter.Adapter, rooms ...string) *Client {
	t.Helper()
	clientNumber.Lock()
	clientNumber.n++
	c := &Client{id: long(fmt.Sprint("id", clientNumber.n)), pid: long(fmt.Sprint("pid", clientNumber.n))}
	clientNumber.Unlock()
	c.link = &link{id: c.id, on: on.(adapter.Recoverer)}
	if !c.link.on.Open(c.link, c.pid, func() bool { return true }) {
		t.Fatal("Open = false")
	}
	on.Join(c.link, rooms...)
	return c
}

// Read has the client receive the next n of what it was sent, or all if n < 0, and
// returns how many it has received.
func (c *Client) Read(n int) int {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if n < 0 || n > len(c.link.got) {
		n = len(c.link.got)
	}
	for _, a := range c.link.got[:n] {
		c.got = append(c.got, a.event)
		if a.offset != "" {
			c.offset = a.offset
		}
	}
	c.link.got = c.link.got[n:]
	return n
}

// Events returns what the client has received since the last call.
func (c *Client) Events() string {
	settle()
	c.Read(-1)
	got := c.got
	c.got = nil
	return strings.Join(got, " ")
}

// Cut breaks the connection, and its node notices. What is on its way is lost.
func (c *Client) Cut() { c.link.on.Suspend(c.link) }

// Claim asks a node for the session.
func (c *Client) Claim(on adapter.Adapter) (*adapter.Claim, error) {
	for {
		claim, err := on.(adapter.Recoverer).Claim(context.Background(), c.pid, c.offset, adapter.ReplayLimits{Packets: 1 << 20, Bytes: 1 << 30})
		busy, ok := errors.AsType[*adapter.BusyError](err)
		if !ok {
			return claim, err
		}
		_ = busy.Member.Supersede(context.Background())
	}
}

// Back connects to a node, which must know the client.
func (c *Client) Back(t *testing.T, on adapter.Adapter) {
	t.Helper()
	claim, err := c.Claim(on)
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	if !c.Resume(claim, on) {
		t.Fatal("Resume = false")
	}
}

// Resume takes the session over, on the node that gave the claim.
func (c *Client) Resume(claim *adapter.Claim, on adapter.Adapter) bool {
	c.link = &link{id: claim.ID, on: on.(adapter.Recoverer)}
	return claim.Resume(c.link, func() bool { return true })
}

// Refused asks a node for the session, which must not be given.
func (c *Client) Refused(t *testing.T, on adapter.Adapter, reason string) {
	t.Helper()
	claim, err := c.Claim(on)
	refused, ok := errors.AsType[*adapter.RefusedError](err)
	if claim != nil || !ok || reason != "" && refused.Reason != reason {
		t.Errorf("Claim = %v, %v; want it refused: %s", claim, err, reason)
	}
}

// Kept returns a packet that clients can catch up on.
func Kept(event string, args ...any) *adapter.Packet {
	return &adapter.Packet{Event: event, Args: args, ID: parser.NoID, Offset: adapter.OffsetPlaceholder}
}

// Emit emits to the client as its socket does.
func (c *Client) Emit(h *Host, event string) error {
	p := Kept(event)
	if err := h.Prepare(p); err != nil {
		return err
	}
	l := c.link
	_, err := l.on.Emit(l, p, func(m adapter.Member) error {
		p.Quiet = true
		m.Deliver(p)
		return nil
	})
	return err
}

// Want checks what the client has received since the last call.
func (c *Client) Want(t *testing.T, events string) {
	t.Helper()
	if got := c.Events(); got != events {
		t.Errorf("got %q; want %q", got, events)
	}
}

// Lose throws away what is on its way to the client.
func (c *Client) Lose() {
	settle()
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	c.link.got = nil
}

// Member returns the socket that the client has, or had last.
func (c *Client) Member() adapter.Member { return c.link }

// Rooms returns the rooms of that.
func (c *Client) Rooms() []string { return c.link.membership.Rooms() }

func (l *link) ID() string                                                { return l.id }
func (l *link) Membership() *adapter.Membership                           { return &l.membership }
func (l *link) Announce(*adapter.Packet)                                  {}
func (l *link) DeliverWithAck(*adapter.Packet, func(adapter.Answer)) bool { return false }
func (l *link) CancelAck(int64)                                           {}

func (l *link) Deliver(p *adapter.Packet) {
	head := p.Prepared.Messages()[0].Data
	var args []any
	if err := json.Unmarshal(head[bytes.IndexByte(head, '['):], &args); err != nil {
		panic(err)
	}
	a := arrival{event: args[0].(string)}
	if p.Offset != "" {
		a.offset = args[len(args)-1].(string)
		args = args[:len(args)-1]
	}
	for _, v := range args[1:] {
		a.event += fmt.Sprint("/", v)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, a)
}

func (l *link) Disconnect(bool) { l.on.Remove(l) }

func (l *link) Supersede(context.Context) error {
	l.on.Suspend(l)
	return nil
}

func (l *link) Describe() (handshake, data json.RawMessage) {
	return json.RawMessage("{}"), json.RawMessage(`{"name":"` + l.id + `"}`)
}

// Got returns what the client has received so far since the last call.
func (c *Client) Got() []string {
	c.Read(-1)
	got := c.got
	c.got = nil
	return got
}

// NewMember returns a socket that a does not know yet, and to which a Recoverer
// may deliver.
func NewMember(a adapter.Adapter, id string) adapter.Member {
	on, _ := a.(adapter.Recoverer)
	return &link{id: id, on: on}
}
