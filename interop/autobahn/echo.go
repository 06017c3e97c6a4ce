package main

import (
	"compress/flate"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"

	"github.com/sockeye-go/socketio/internal/poll"
	"github.com/sockeye-go/socketio/internal/ws"
)

// maxMessage lets the largest messages of the suite through, which have 16 MiB.
const maxMessage = 32 << 20

var limits = &poll.Limits{Bytes: 4 * maxMessage, Packets: 1 << 20}

// An echo sends back what it gets. It is the handler of its connection, and
// does what the engine does with frames, without a session behind it.
type echo struct {
	conn    *poll.Conn
	parser  ws.Parser
	client  bool
	deflate ws.Deflate // zero: nothing is compressed
	closed  bool
	ended   chan struct{}
}

// compressor is shared by all, as it is in a server.
var compressor = ws.NewCompressor(func() ws.DeflateWriter {
	w, _ := flate.NewWriter(nil, flate.BestSpeed) // a level that exists is no error
	return w
})

func newEcho(nc net.Conn, leftover []byte, role ws.Role, d ws.Deflate) *echo {
	e := &echo{client: role == ws.Client, deflate: d, ended: make(chan struct{})}
	e.parser.Init(role, maxMessage)
	if d != (ws.Deflate{}) {
		e.parser.AllowDeflate(d)
	}
	e.conn = poll.New(nc, e)
	e.conn.Start(leftover)
	return e
}

// serveEcho accepts a WebSocket.
func serveEcho(w http.ResponseWriter, r *http.Request) {
	d, answer := ws.DeflateConfig{}.Accept(r.Header["Sec-Websocket-Extensions"])
	extra := http.Header{}
	if answer != "" {
		extra.Set("Sec-WebSocket-Extensions", answer)
	}
	nc, leftover, err := ws.Upgrade(w, r, extra)
	if err != nil {
		if bad, ok := errors.AsType[*ws.HandshakeError](err); ok {
			http.Error(w, bad.Message, bad.Status)
		}
		return
	}
	newEcho(nc, leftover, ws.Server, d)
}

// Data implements poll.Handler.
func (e *echo) Data(p []byte) {
	for len(p) > 0 && !e.closed {
		m, n, ok, err := e.parser.Next(p)
		if err != nil {
			bad, _ := errors.AsType[*ws.Error](err)
			e.end(ws.AppendClose(nil, bad.Code, bad.Reason)[2:])
			return
		}
		if !ok {
			return
		}
		p = p[n:]
		switch m.Op {
		case ws.Text, ws.Binary:
			e.send(m.Op, m.Data)
		case ws.Ping:
			e.send(ws.Pong, m.Data)
		case ws.Close:
			var payload []byte
			if m.Code != ws.CloseNoStatus {
				payload = ws.AppendClose(nil, m.Code, "")[2:]
			}
			e.end(payload)
		}
	}
}

func (e *echo) send(op ws.Opcode, payload []byte) {
	if e.conn.Write(e.frame(op, payload), true) != nil {
		e.conn.Close()
	}
}

// end says goodbye. A server closes then; a client leaves it to the server.
func (e *echo) end(payload []byte) {
	e.closed = true
	e.conn.WriteLast(e.frame(ws.Close, payload))
	e.conn.CloseWrite()
}

func (e *echo) frame(op ws.Opcode, payload []byte) []byte {
	if e.deflate != (ws.Deflate{}) && (op == ws.Text || op == ws.Binary) && e.deflate.Fits(len(payload)) {
		if b, ok := compressor.AppendFrame(nil, op, payload); ok {
			return b
		}
	}
	if !e.client {
		return ws.AppendFrame(nil, op, payload)
	}
	var key [4]byte
	_, _ = rand.Read(key[:])
	return ws.AppendMasked(nil, op, payload, key)
}

// Batch implements poll.Handler.
func (e *echo) Batch(bool) {}

// Limits implements poll.Handler.
func (e *echo) Limits() *poll.Limits { return limits }

// Ended implements poll.Handler.
func (e *echo) Ended(error) {
	e.conn.Close()
	close(e.ended)
}

// runClient runs every case of the suite's server.
func runClient(ctx context.Context, url string) error {
	count, err := ask(ctx, url+"/getCaseCount")
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(count)
	if err != nil {
		return fmt.Errorf("number of cases %q: %w", count, err)
	}
	for i := 1; i <= n; i++ {
		nc, leftover, _, err := ws.Dial(ctx, fmt.Sprintf("%s/runCase?case=%d&agent=%s", url, i, agent), nil)
		if err != nil {
			return fmt.Errorf("case %d: %w", i, err)
		}
		e := newEcho(nc, leftover, ws.Client, ws.Deflate{})
		select {
		case <-e.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
		if i%50 == 0 {
			log.Printf("%d of %d", i, n)
		}
	}
	_, err = ask(ctx, url+"/updateReports?agent="+agent)
	return err
}

// ask returns the first message of a connection, "" if there is none.
func ask(ctx context.Context, url string) (string, error) {
	nc, in, _, err := ws.Dial(ctx, url, nil)
	if err != nil {
		return "", err
	}
	defer nc.Close()
	var p ws.Parser
	p.Init(ws.Client, maxMessage)
	buf := make([]byte, 4096)
	for {
		for len(in) > 0 {
			m, n, ok, err := p.Next(in)
			if err != nil {
				return "", err
			}
			in = in[n:]
			if ok && m.Op == ws.Text {
				return string(m.Data), nil
			}
			if ok && m.Op == ws.Close {
				return "", nil
			}
		}
		n, err := nc.Read(buf)
		if n == 0 && errors.Is(err, io.EOF) {
			return "", nil
		}
		if n == 0 && err != nil {
			return "", err
		}
		in = append([]byte(nil), buf[:n]...)
	}
}
