package engineio

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio/internal/poll"
	"github.com/sockeye-go/socketio/internal/ws"
)

// A clientLink is the WebSocket of a client's session, or its stream of
// WebTransport, which has other frames. It is the handler of its connection.
type clientLink struct {
	s       *ClientSession
	name    string
	conn    *poll.Conn
	limits  poll.Limits
	parser  ws.Parser
	stream  *clientStream // in place of parser, over WebTransport
	deflate ws.Deflate    // as wsTransport's
	context *takeover

	broken  bool // the peer violated the protocol; guarded by s.recvMu
	closing atomic.Bool
	linger  atomic.Pointer[time.Timer]
}

// clientLinger is how long a closing connection waits for the server's side of
// the close.
const clientLinger = time.Second

// dialWebSocket makes a session over WebSocket.
func (d *dialer) dialWebSocket(ctx context.Context, onSession func(*ClientSession) Receiver) (*ClientSession, error) {
	t, nc, in, err := d.openWebSocket(ctx, d.address(WebSocket, ""))
	if err != nil {
		return nil, err
	}
	return d.openLink(ctx, t, nc, in, onSession)
}

// takes begins to own nc; t.s is set.
func (t *clientLink) takes(nc net.Conn) {
	o := t.s.d.opts
	t.limits.Bytes, t.limits.Packets = o.MaxQueuedBytes, o.MaxQueuedPackets
	t.conn = poll.New(nc, t)
}

// Limits implements poll.Handler.
func (t *clientLink) Limits() *poll.Limits { return &t.limits }

// await reads the next message of nc, which nobody else reads yet, and returns
// what came behind it. in is what was read before.
func (t *clientLink) await(ctx context.Context, nc net.Conn, in []byte, got func(ws.Message) error) (rest []byte, err error) {
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer func() {
		if !stop() {
			err = context.Cause(ctx)
		}
	}()
	buf := make([]byte, 1024)
	for {
		for len(in) > 0 {
			m, n, ok, err := t.next(in)
			if err != nil {
				return nil, err
			}
			if ok {
				switch m.Op {
				case ws.Ping:
					if _, err := nc.Write(ws.AppendClient(nil, ws.Pong, nil, m.Data)); err != nil {
						return nil, err
					}
				case ws.Pong:
				case ws.Close:
					return nil, errors.New("the server closed the connection")
				default:
					if err := got(m); err != nil {
						return nil, err
					}
					return in[n:], nil
				}
			}
			in = in[n:]
		}
		n, err := nc.Read(buf)
		if n == 0 && err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		in = buf[:n]
	}
}

func (t *clientLink) next(p []byte) (ws.Message, int, bool, error) {
	if t.stream != nil {
		return t.stream.next(p)
	}
	return t.parser.Next(p)
}

var clientClose = ws.AppendClient(nil, ws.Close, nil, nil)

// appendFrames appends the frames of packets of one kind.
func (t *clientLink) appendFrames(dst []byte, kind packetType, messages []Message, f Flags) []byte {
	for _, m := range messages {
		if t.deflate.WindowBits != 0 && f&NoCompress == 0 {
			var ok bool
			if dst, ok = t.compress(dst, kind, m); ok {
				continue
			}
		}
		switch {
		case t.stream != nil:
			dst = appendStreamFrame(dst, kind, m)
		case !m.Binary:
			dst = ws.AppendClient(dst, ws.Text, []byte{byte(kind)}, m.Data)
		case t.s.d.opts.Protocol == 3:
			dst = ws.AppendClient(dst, ws.Binary, []byte{byte(packetMessage - '0')}, m.Data)
		default:
			dst = ws.AppendClient(dst, ws.Binary, nil, m.Data)
		}
	}
	return dst
}

// compress appends a packet's frame if it is to be compressed and that makes it
// smaller.
func (t *clientLink) compress(dst []byte, kind packetType, m Message) ([]byte, bool) {
	o := t.s.d.opts
	n := 1 + len(m.Data)
	if n < o.PerMessageDeflate.Threshold || !t.deflate.Fits(n) {
		return dst, false
	}
	op, parts := ws.Text, [2][]byte{{byte(kind)}, m.Data}
	if m.Binary {
		op, parts[0] = ws.Binary, nil
		if o.Protocol == 3 {
			parts[0] = []byte{byte(packetMessage - '0')}
		}
	}
	w := t.context.of()
	dst, ok := o.PerMessageDeflate.shared.AppendFrameIn(w, ws.Client, dst, op, parts[:]...)
	if ok {
		w.Add(parts[:]...)
	}
	return dst, ok
}

func (t *clientLink) send(f Flags, kind packetType, messages []Message) error {
	if t.context != nil {
		if f&Volatile != 0 { // it may be dropped, and what follows would refer to it
			f |= NoCompress
		}
		t.context.mu.Lock()
		defer t.context.mu.Unlock()
	}
	buf := scratch.Get().(*[]byte)
	b := t.appendFrames((*buf)[:0], kind, messages, f)
	err := t.write(f, b)
	if err != nil && t.context != nil { // the session may survive
		t.context.window.Forget()
	}
	if cap(b) <= maxScratch {
		*buf = b
		scratch.Put(buf)
	}
	return err
}

func (t *clientLink) write(f Flags, b []byte) error {
	if t.closing.Load() {
		return ErrClosed
	}
	var err error
	ok := true
	if f&Volatile != 0 {
		ok, err = t.conn.WriteIfIdle(b, false)
	} else {
		err = t.conn.Write(b, false)
	}
	switch {
	case !ok:
		return ErrDropped
	case err == nil:
		return nil
	case errors.Is(err, poll.ErrFull):
		return ErrSlowConsumer
	}
	return ErrClosed
}

// close says goodbye and leaves the connection to the server for a moment.
func (t *clientLink) close() {
	if t.closing.Swap(true) {
		return
	}
	if t.stream != nil {
		t.conn.CloseWrite()
	} else {
		t.conn.WriteLast(clientClose)
	}
	t.linger.Store(time.AfterFunc(clientLinger, t.conn.Close))
}

// abort ends a connection on which nothing can be said any more.
func (t *clientLink) abort() {
	t.closing.Store(true)
	t.conn.Close()
}

// Data implements poll.Handler.
func (t *clientLink) Data(p []byte) {
	defer t.s.survive() // after the lock is free
	t.s.recvMu.Lock()
	defer t.s.recvMu.Unlock()
	t.s.beat.heard(t.s)
	for len(p) > 0 && !t.broken {
		m, n, ok, err := t.next(p)
		if err != nil {
			t.violation(err)
			return
		}
		if !ok {
			return
		}
		p = p[n:]
		t.message(m)
	}
}

// Batch implements poll.Handler.
func (t *clientLink) Batch(mayBlock bool) { t.s.flush(mayBlock) }

// Ended implements poll.Handler.
func (t *clientLink) Ended(err error) {
	if timer := t.linger.Load(); timer != nil {
		timer.Stop()
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	t.closing.Store(true)
	t.conn.Close()
	t.s.end(TransportClose, err)
	if t.stream != nil {
		t.stream.wait()
	}
	t.s.running.Done()
}

// message handles one WebSocket message; recvMu is held.
func (t *clientLink) message(m ws.Message) {
	if t.closing.Load() {
		if m.Op == ws.Close {
			t.conn.Close() // both sides have said goodbye
		}
		return
	}
	switch m.Op {
	case ws.Ping:
		_ = t.write(0, ws.AppendClient(nil, ws.Pong, nil, m.Data))
	case ws.Pong:
	case ws.Close:
		t.close()
		t.conn.CloseWrite()
		t.s.end(TransportClose, nil)
	case ws.Binary:
		t.receiveBinary(m.Data)
	case ws.Text:
		if len(m.Data) == 0 {
			t.violation(errors.New("empty packet"))
			return
		}
		if m.Data[0] == 'b' { // a server that believes we cannot take binary
			t.s.receiveText(m.Data)
			return
		}
		t.s.receive(packetType(m.Data[0]), Message{Data: m.Data[1:]})
	}
}

func (t *clientLink) receiveBinary(data []byte) {
	if t.s.d.opts.Protocol == 3 {
		if len(data) == 0 || data[0] != byte(packetMessage-'0') {
			t.violation(errors.New("binary packet that is no message"))
			return
		}
		data = data[1:]
	}
	t.s.receive(packetMessage, Message{Binary: true, Data: data})
}

// violation ends a connection whose peer does not keep to the protocol.
func (t *clientLink) violation(err error) {
	t.broken = true
	said := t.closing.Swap(true)
	t.s.end(TransportError, err) // before the goodbye, which the server may answer at once
	switch {
	case said:
		return
	case t.stream != nil:
		t.conn.CloseWrite()
	default:
		code := ws.CloseProtocolError
		if wsErr, ok := errors.AsType[*ws.Error](err); ok {
			code = wsErr.Code
		}
		t.conn.WriteLast(ws.AppendClient(nil, ws.Close, []byte{byte(code >> 8), byte(code)}, nil))
	}
	t.linger.Store(time.AfterFunc(clientLinger, t.conn.Close))
}
