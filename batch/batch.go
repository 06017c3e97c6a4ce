// Package batch sends many small events as one: up to ten of them, or what there
// is after 100 ms, become a single event "batch".
//
//	b := batch.ForSocket(s, nil)
//	err := Tick.Emit(b, price) // b is an Emitter as the socket is
//
// A batch is an array of {event, data}, in the order of the emits; an event with no
// argument or with several has args, an array, in place of data. The Go client takes a
// "batch" apart by itself, so that the handlers of the events get them, unless it has a
// handler for "batch". In our browser client batches(socket) does so, and with the official
// client five lines:
//
//	socket.on("batch", (events) => {
//	  for (const { event, data, args = [data] } of events)
//	    for (const listener of socket.listeners(event)) listener(...args);
//	});
//
// and [Unbatch] does it on a Go server, or for another name. Batching trades delay for packets: what it saves is
// the frame and the call per event, and it is of use for many small events to slow
// or many clients. Events that are emitted within one flush of a connection share a
// system call without it.
package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sockeye-go/socketio"
)

// Options configure a [Batcher]. Zero fields stand for their defaults.
type Options struct {
	// Size is how many events make a batch. Default 10.
	Size int
	// Interval is how long the first of a batch waits for others. Default 100 ms.
	Interval time.Duration
	// Event is the name of the event. Default "batch".
	Event string
	// OnError is told of a batch that could not be sent when its time had come.
	// Default: it is dropped without a word if the socket is gone, which the
	// program hears of anyway, and is in the error of the next Emit otherwise.
	OnError func(error)
}

// An Item is one event of a batch.
type Item struct {
	Event string
	Args  []any
}

// MarshalJSON implements the form on the wire.
func (i Item) MarshalJSON() ([]byte, error) { return json.Marshal(i.wire()) }

func (i Item) wire() any {
	if len(i.Args) == 1 {
		return one{i.Event, i.Args[0]}
	}
	args := i.Args
	if args == nil {
		args = []any{}
	}
	return many{i.Event, args}
}

type one struct {
	Event string `json:"event"`
	Data  any    `json:"data"`
}

type many struct {
	Event string `json:"event"`
	Args  []any  `json:"args"`
}

// A Batcher is a [socketio.Emitter] that gathers. Values are encoded when the batch
// leaves: do not change them after an Emit. A batch may have []byte in it, as
// binary attachments, of which a packet has no more than the client's limit. It is
// safe for concurrent use; it costs a timer while something waits.
type Batcher struct {
	to socketio.Emitter
	o  Options

	mu     sync.Mutex // held while a batch is emitted, which keeps the order
	items  []any
	timer  *time.Timer
	round  int // of the timer: grows when a batch is sent
	failed error
	closed bool
	off    func()
}

var _ socketio.Emitter = (*Batcher)(nil)

// New makes a Batcher for a room, a namespace or any other [socketio.Emitter].
// Close it, or Flush it, before the server ends. It panics with the field's name on
// bad options; nil stands for the defaults.
func New(to socketio.Emitter, o *Options) *Batcher {
	b := &Batcher{to: to}
	if o != nil {
		b.o = *o
	}
	if b.o.Size < 0 {
		panic(fmt.Sprintf("batch: Options.Size: %d is negative", b.o.Size))
	}
	if b.o.Interval < 0 {
		panic(fmt.Sprintf("batch: Options.Interval: %v is negative", b.o.Interval))
	}
	if b.o.Size == 0 {
		b.o.Size = 10
	}
	if b.o.Interval == 0 {
		b.o.Interval = 100 * time.Millisecond
	}
	if b.o.Event == "" {
		b.o.Event = "batch"
	}
	return b
}

// ForSocket makes a Batcher for one socket. It flushes by itself before the server
// disconnects the socket, Shutdown included, and ends with it.
func ForSocket(s *socketio.Socket, o *Options) *Batcher {
	b := New(s, o)
	b.off = s.OnClosing(func() { _ = b.Flush() })
	context.AfterFunc(s.Context(), func() { _ = b.Close() })
	return b
}

// Emit adds an event to the batch, and sends it if it is full. The error is
// [socketio.ErrDisconnected] after Close, or that of sending.
func (b *Batcher) Emit(event string, args ...any) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return socketio.ErrDisconnected
	}
	b.items = append(b.items, Item{event, args}.wire())
	if len(b.items) >= b.o.Size {
		return errors.Join(b.takeError(), b.send())
	}
	if b.timer == nil {
		round := b.round
		b.timer = time.AfterFunc(b.o.Interval, func() { b.expired(round) })
	}
	return b.takeError()
}

// Flush sends what there is now.
func (b *Batcher) Flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return errors.Join(b.takeError(), b.send())
}

// Close flushes and ends the Batcher. It is idempotent.
func (b *Batcher) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	if b.off != nil {
		b.off()
	}
	return errors.Join(b.takeError(), b.send())
}

// Len returns how many events wait.
func (b *Batcher) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.items)
}

func (b *Batcher) takeError() error {
	err := b.failed
	b.failed = nil
	return err
}

func (b *Batcher) send() error {
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
		b.round++
	}
	if len(b.items) == 0 {
		return nil
	}
	items := b.items
	b.items = nil
	return b.to.Emit(b.o.Event, items)
}

func (b *Batcher) expired(round int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.round != round { // the batch was sent by size at the same moment
		return
	}
	err := b.send()
	switch {
	case err == nil:
	case b.o.OnError != nil:
		b.o.OnError(err)
	case !errors.Is(err, socketio.ErrDisconnected):
		b.failed = err
	}
}

// Unbatch calls f for each event of the batches that l gets, in order. l is a
// socket of the Go client, or one of the server whose client batches. data is the
// array of the arguments. A batch that is none is an error of the event.
func Unbatch(l socketio.Listener, event string, f func(ctx context.Context, event string, args []json.RawMessage) error) (off func()) {
	if event == "" {
		event = "batch"
	}
	return l.On(event, func(ctx context.Context, m *socketio.Message) error {
		if m.Len() == 0 {
			return nil
		}
		items, err := Parse(m.Raw(0))
		if err != nil {
			return err
		}
		for _, i := range items {
			if err := f(ctx, i.Event, i.Args); err != nil {
				return err
			}
		}
		return nil
	})
}

// A Received is one event of a batch that came in.
type Received struct {
	Event string
	Args  []json.RawMessage
}

// maxItems is how many events a batch may have: it comes from a stranger.
const maxItems = 10_000

// Parse takes a batch apart.
func Parse(batch []byte) ([]Received, error) {
	var wire []struct {
		Event *string           `json:"event"`
		Data  json.RawMessage   `json:"data"`
		Args  []json.RawMessage `json:"args"`
	}
	if err := json.Unmarshal(batch, &wire); err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	if len(wire) > maxItems {
		return nil, fmt.Errorf("batch: %d events, more than %d", len(wire), maxItems)
	}
	items := make([]Received, len(wire))
	for i, w := range wire {
		if w.Event == nil {
			return nil, fmt.Errorf("batch: item %d has no event", i)
		}
		items[i] = Received{*w.Event, w.Args}
		if w.Args == nil {
			if w.Data == nil {
				w.Data = json.RawMessage("null")
			}
			items[i].Args = []json.RawMessage{w.Data}
		}
	}
	return items, nil
}
