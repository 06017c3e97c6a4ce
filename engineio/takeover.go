package engineio

import (
	"sync"

	"github.com/sockeye-go/socketio/internal/ws"
)

// A takeover is what one side remembers of the messages that it has compressed, with
// a peer that has agreed to context takeover. A message refers to those before it, so
// that compressing and writing are one step.
type takeover struct {
	mu     sync.Mutex // held while a message is compressed and written; taken after all others
	window *ws.Window
}

func newTakeover(d ws.Deflate) *takeover {
	w := d.SendWindow()
	if w == nil {
		return nil
	}
	return &takeover{window: w}
}

func (t *takeover) held() int {
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.window.Held()
}

// of is nil without context takeover.
func (t *takeover) of() *ws.Window {
	if t == nil {
		return nil
	}
	return t.window
}

// sendIn is send with context takeover. What may be dropped is not compressed: what
// follows would refer to it.
func (t *wsTransport) sendIn(kind packetType, messages []Message, f Flags) error {
	if f&(Volatile|Lossy) != 0 {
		f |= NoCompress
	}
	context := t.context()
	context.mu.Lock()
	defer context.mu.Unlock()
	buf := scratch.Get().(*[]byte)
	b := (*buf)[:0]
	for _, m := range messages {
		b = t.appendFrame(b, kind, m, f)
	}
	err := t.send(b, false, f)
	if cap(b) <= maxScratch {
		*buf = b
		scratch.Put(buf)
	}
	return err
}

// framesIn is frames for a transport that nobody else writes to yet.
func (t *wsTransport) framesIn(p *Prepared, f Flags) []byte {
	if t.context() == nil {
		return t.frames(p, f)
	}
	var b []byte
	for _, m := range p.msgs {
		b = t.appendFrame(b, p.kind, m, f)
	}
	return b
}
