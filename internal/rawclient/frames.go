package rawclient

import (
	"bytes"
	"io"
	"net"
	"time"

	"github.com/sockeye-go/socketio/internal/ws"
)

// Frames are packets over a WebSocket that is open. They are for one goroutine.
type Frames struct {
	nc     net.Conn
	parser ws.Parser
	in     []byte
	buf    [4096]byte
}

// NewFrames takes over a connection, and what of it has been read already.
func NewFrames(nc net.Conn, leftover []byte, maxPayload int64) *Frames {
	f := &Frames{nc: nc, in: bytes.Clone(leftover)}
	f.parser.Init(ws.Client, maxPayload)
	return f
}

// Close closes the connection without a word.
func (f *Frames) Close() { _ = f.nc.Close() }

// Write sends one message.
func (f *Frames) Write(op ws.Opcode, data []byte) error {
	_, err := f.nc.Write(ws.AppendMasked(nil, op, data, [4]byte{1, 2, 3, 4}))
	return err
}

// Until sets a deadline for what is read from now on.
func (f *Frames) Until(deadline time.Time) { _ = f.nc.SetReadDeadline(deadline) }

// Next reads until there is a text; io.EOF is the other side's goodbye.
func (f *Frames) Next() (string, error) {
	for {
		for len(f.in) > 0 {
			m, n, complete, err := f.parser.Next(f.in)
			if err != nil {
				return "", err
			}
			if !complete {
				break // the parser keeps what it has seen
			}
			text := string(m.Data)
			f.in = f.in[n:]
			switch m.Op {
			case ws.Text:
				return text, nil
			case ws.Close:
				return "", io.EOF
			}
		}
		n, err := f.nc.Read(f.buf[:])
		if err != nil {
			return "", err
		}
		f.in = f.buf[:n]
	}
}
