package adaptertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// A Host is the namespace "/test" of one node. It encodes as a server with
// parser.JSON would, and keeps the events of other nodes.
type Host struct {
	log      logBuffer
	barriers chan struct{} // one for each that came

	mu     sync.Mutex
	events []string
	silent bool // does not answer
	keep   *adapter.Recovery
	acks   int64
}

// NewHosts returns the hosts of n nodes.
func NewHosts(n int) []*Host {
	hosts := make([]*Host, n)
	for i := range hosts {
		hosts[i] = &Host{barriers: make(chan struct{}, 64)}
	}
	return hosts
}

// NewRecoveringHosts returns the hosts of n nodes that want to recover clients.
func NewRecoveringHosts(n int) []*Host {
	hosts := NewHosts(n)
	for _, h := range hosts {
		h.keep = &adapter.Recovery{
			MaxDuration: time.Minute, MaxAge: 2 * time.Minute,
			MaxPackets: 1 << 20, MaxBytes: 1 << 30, MaxSessions: 1000,
		}
	}
	return hosts
}

const barrierEvent = "adaptertest barrier"

// barrier waits until all nodes have received something of all others.
func barrier(t *testing.T, as []adapter.Adapter, hosts []*Host) {
	t.Helper()
	for _, a := range as {
		if err := a.ServerSideEmit(barrierEvent, nil); err != nil {
			t.Fatal(err)
		}
	}
	timeout := time.After(10 * time.Second)
	for _, h := range hosts {
		for range len(as) - 1 {
			select {
			case <-h.barriers:
			case <-timeout:
				t.Fatal("messages between nodes do not arrive")
			}
		}
	}
}

// Name implements [adapter.Host].
func (h *Host) Name() string { return "/test" }

// Logger implements [adapter.Host].
func (h *Host) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(&h.log, nil)) }

// Log returns what was logged.
func (h *Host) Log() string {
	h.log.mu.Lock()
	defer h.log.mu.Unlock()
	return h.log.b.String()
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// AckID implements [adapter.Host].
func (h *Host) AckID() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acks++
	return h.acks
}

// Recovery implements [adapter.Host].
func (h *Host) Recovery() *adapter.Recovery { return h.keep }

// Prepare implements [adapter.Host].
func (h *Host) Prepare(p *adapter.Packet) error {
	values := append([]any{p.Event}, p.Args...)
	if p.Offset != "" {
		values = append(values, p.Offset)
	}
	e, err := parser.JSON.Encode(parser.Header{Type: parser.Event, Namespace: h.Name(), ID: p.ID}, values...)
	if err != nil {
		return err
	}
	msgs := []engineio.Message{{Data: e.Head}}
	for _, a := range e.Attachments {
		msgs = append(msgs, engineio.Message{Binary: true, Data: a})
	}
	p.Prepared = engineio.Prepare(msgs...)
	return nil
}

// ServerSide implements [adapter.Host].
func (h *Host) ServerSide(m adapter.ServerMessage, reply func(json.RawMessage)) {
	if m.Event == barrierEvent {
		h.barriers <- struct{}{}
		return
	}
	h.mu.Lock()
	event := m.Event
	for _, a := range m.Args {
		event += fmt.Sprintf(" %s", a)
	}
	h.events = append(h.events, event)
	silent := h.silent
	h.mu.Unlock()
	if reply != nil && !silent {
		reply(json.RawMessage(`"` + m.Event + `"`))
	}
}

// take returns the events of other nodes since the last call.
func (h *Host) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	events := h.events
	h.events = nil
	return events
}
