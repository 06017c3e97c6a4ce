package engineio

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/internal/ws"
)

// DialOptions change how [Dial] connects; nil stands for none.
type DialOptions struct {
	Header    http.Header
	TLSConfig *tls.Config
	// NetDial makes the connection. Default that of a net.Dialer.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
	// MaxPayload is the largest message, in bytes, taken from the server.
	// Default 100 MB.
	MaxPayload int64
	// MaxQueuedBytes is how much may wait to be written. Default 64 MiB.
	MaxQueuedBytes int
}

// A HandshakeError is a handshake that failed. Status is that of the HTTP
// answer, 0 if there was none.
type HandshakeError struct {
	Status int
	Err    error
}

func (e *HandshakeError) Error() string { return fmt.Sprintf("engineio: handshake: %v", e.Err) }

func (e *HandshakeError) Unwrap() error { return e.Err }

// A ClientSession is the client's end of a session, over WebSocket. Serve reads
// it; all else is safe for concurrent use.
type ClientSession struct {
	nc       net.Conn
	sid      string
	patience time.Duration // without a ping
	max      int
	parser   ws.Parser
	in       []byte
	buf      []byte
	written  chan struct{} // closed when the writer has ended

	mu     sync.Mutex
	wake   *sync.Cond
	out    []byte
	closed bool
	reason Reason
}

// Dial makes a session with the server at rawURL, which includes the path.
// Errors are of type [*HandshakeError].
func Dial(ctx context.Context, rawURL string, o *DialOptions) (*ClientSession, error) {
	var opts DialOptions
	if o != nil {
		opts = *o
	}
	if opts.MaxPayload == 0 {
		opts.MaxPayload = 100e6
	}
	if opts.MaxQueuedBytes == 0 {
		opts.MaxQueuedBytes = 64 << 20
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, &HandshakeError{Err: err}
	}
	q := u.Query()
	q.Set("EIO", "4")
	q.Set("transport", "websocket")
	u.RawQuery = q.Encode()
	nc, leftover, res, err := ws.Dial(ctx, u.String(), &ws.DialOptions{Header: opts.Header, TLSConfig: opts.TLSConfig, NetDial: opts.NetDial})
	if err != nil {
		failed := &HandshakeError{Err: err}
		if res != nil {
			failed.Status = res.StatusCode
		}
		return nil, failed
	}
	s := &ClientSession{nc: nc, in: leftover, buf: make([]byte, 4096), max: opts.MaxQueuedBytes, written: make(chan struct{})}
	s.wake = sync.NewCond(&s.mu)
	s.parser.Init(ws.Client, opts.MaxPayload)
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	err = s.open()
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		nc.Close()
		return nil, &HandshakeError{Err: err}
	}
	go s.write()
	return s, nil
}

func (s *ClientSession) open() error {
	m, err := s.next()
	if err != nil {
		return err
	}
	var open struct {
		SID                       string
		PingInterval, PingTimeout int64
	}
	if m.Op != ws.Text || len(m.Data) == 0 || packetType(m.Data[0]) != packetOpen {
		return errors.New("the server's first packet opens nothing")
	}
	if err := json.Unmarshal(m.Data[1:], &open); err != nil {
		return err
	}
	const most = int64(24 * time.Hour / time.Millisecond)
	if open.SID == "" || open.PingInterval <= 0 || open.PingTimeout <= 0 || open.PingInterval > most || open.PingTimeout > most {
		return errors.New("the open packet makes no sense")
	}
	s.sid, s.patience = open.SID, time.Duration(open.PingInterval+open.PingTimeout)*time.Millisecond
	return nil
}

// ID returns the session's id.
func (s *ClientSession) ID() string { return s.sid }

func (s *ClientSession) next() (ws.Message, error) {
	for {
		for len(s.in) > 0 {
			m, n, ok, err := s.parser.Next(s.in)
			if err != nil {
				return m, err
			}
			s.in = s.in[n:]
			if ok {
				return m, nil
			}
			if n == 0 {
				break
			}
		}
		n, err := s.nc.Read(s.buf)
		if n == 0 && err != nil {
			return ws.Message{}, err
		}
		s.in = s.buf[:n]
	}
}

// Serve calls receive for each message, on its own goroutine, until the session
// ends, and says why it did. An error of receive is a [ParseError]. The data is
// valid until receive returns. When Serve returns, nothing of the session runs.
func (s *ClientSession) Serve(receive func(Message) error) Reason {
	reason := s.read(receive)
	s.end(reason)
	s.nc.Close()
	<-s.written
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

func (s *ClientSession) read(receive func(Message) error) Reason {
	s.nc.SetReadDeadline(time.Now().Add(s.patience))
	for {
		m, err := s.next()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return PingTimeout
		}
		if _, bad := errors.AsType[*ws.Error](err); bad {
			return TransportError
		}
		if err != nil {
			return TransportClose
		}
		switch {
		case m.Op == ws.Close:
			return TransportClose
		case m.Op == ws.Ping:
			s.frame(ws.Pong, m.Data, nil)
			continue
		case m.Op == ws.Binary:
			if receive(Message{Binary: true, Data: m.Data}) != nil {
				return ParseError
			}
			continue
		case m.Op != ws.Text:
			continue
		}
		if len(m.Data) == 0 {
			return ParseError
		}
		switch packetType(m.Data[0]) {
		case packetPing:
			s.nc.SetReadDeadline(time.Now().Add(s.patience))
			s.frame(ws.Text, []byte{byte(packetPong)}, m.Data[1:])
		case packetClose:
			return TransportClose
		case packetMessage:
			if receive(Message{Data: m.Data[1:]}) != nil {
				return ParseError
			}
		case packetNoop:
		default:
			return ParseError
		}
	}
}

// Send queues messages, which go out back to back. They are copied.
func (s *ClientSession) Send(messages ...Message) error {
	var b []byte
	for _, m := range messages {
		if m.Binary {
			b = appendClientFrame(b, ws.Binary, m.Data)
		} else {
			b = appendClientFrame(b, ws.Text, append([]byte{byte(packetMessage)}, m.Data...))
		}
	}
	return s.queue(b)
}

func (s *ClientSession) frame(op ws.Opcode, head, tail []byte) {
	// A closed session needs no pong.
	_ = s.queue(appendClientFrame(nil, op, append(head[:len(head):len(head)], tail...)))
}

func appendClientFrame(dst []byte, op ws.Opcode, payload []byte) []byte {
	var key [4]byte
	rand.Read(key[:])
	return ws.AppendMasked(dst, op, payload, key)
}

func (s *ClientSession) queue(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if len(s.out)+len(b) > s.max {
		return ErrSlowConsumer
	}
	s.out = append(s.out, b...)
	s.wake.Signal()
	return nil
}

func (s *ClientSession) write() {
	defer close(s.written)
	for {
		s.mu.Lock()
		for len(s.out) == 0 && !s.closed {
			s.wake.Wait()
		}
		b, closed := s.out, s.closed
		s.out = nil
		s.mu.Unlock()
		if len(b) > 0 {
			if _, err := s.nc.Write(b); err != nil {
				s.end(TransportError)
				s.nc.Close()
				return
			}
		}
		if closed {
			s.nc.Close()
			return
		}
	}
}

func (s *ClientSession) end(r Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed, s.reason = true, r
		s.wake.Signal()
	}
}

// Close ends the session after what is queued, within a second.
func (s *ClientSession) Close() {
	s.nc.SetWriteDeadline(time.Now().Add(time.Second))
	s.end(ForcedClose)
}
