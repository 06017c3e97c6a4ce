package forward

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/poll"
)

// relay has a poll or a POST answered by another node.
func (x *forwarded) relay(w http.ResponseWriter, r *http.Request, out *http.Request) error {
	// Deadlines that the http.Server has set are meant for requests that are
	// answered at once. Those of the session are the other node's.
	rc := http.NewResponseController(w)
	_ = rc.SetWriteDeadline(time.Time{})
	_ = rc.SetReadDeadline(time.Time{})
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(x.ctx, cancel)()
	res, err := x.f.http.RoundTrip(out.WithContext(ctx))
	if err != nil {
		if ctx.Err() != nil {
			return errClosed // by the client, or by Shutdown
		}
		if dialFailed(err) {
			return x.f.away(x.f.nodeOf(out), err)
		}
		return errors.Join(engineio.ErrNodeAway, err)
	}
	defer res.Body.Close()
	copyHeaders(w.Header(), res.Header)
	w.WriteHeader(res.StatusCode)
	_ = rc.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := io.Copy(w, res.Body); err != nil {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	return nil
}

// writeTimeout is how long a client may take to read an answer that is ready.
const writeTimeout = 30 * time.Second

func dialFailed(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && op.Op == "dial"
}

func (f *Forwarder) nodeOf(out *http.Request) string {
	if out.URL.Scheme == "https" {
		return "https://" + out.URL.Host
	}
	return out.URL.Host
}

// copyHeaders has the other node's headers replace ours: both come from the same
// program.
func copyHeaders(to, from http.Header) {
	removeHopByHop(from)
	for name, values := range from {
		to[name] = values
	}
}

// handshakeTimeout is how long another node may take to accept a WebSocket.
const handshakeTimeout = 10 * time.Second

// tunnel has a WebSocket accepted by another node, and carries its bytes. If that
// succeeds, x ends with the first of the two connections.
func (x *forwarded) tunnel(w http.ResponseWriter, r *http.Request, out *http.Request, address string) error {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	stop := context.AfterFunc(x.ctx, cancel)
	defer stop()
	back, err := x.f.dialNode(ctx, out)
	if err != nil {
		x.end()
		if ctx.Err() != nil {
			return errClosed
		}
		return x.f.away(address, err)
	}
	res, in, err := x.ask(back, out)
	if err != nil {
		back.Close()
		x.end()
		return errors.Join(engineio.ErrNodeAway, err)
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		defer x.end()
		defer back.Close()
		copyHeaders(w.Header(), res.Header)
		w.Header().Set("Connection", "close") // as the engine answers a WebSocket that it refuses
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
		return nil
	}
	front, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		back.Close()
		x.end()
		return err
	}
	var leftover []byte
	if n := rw.Reader.Buffered(); n > 0 {
		b, _ := rw.Reader.Peek(n)
		leftover = bytes.Clone(b)
	}
	go x.carry(front, back, answer(res, in), leftover)
	return nil
}

// answer is the 101 as it was, and what came behind it.
func answer(res *http.Response, in *bufio.Reader) []byte {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = res.Header.Write(&b)
	b.WriteString("\r\n")
	behind, _ := in.Peek(in.Buffered())
	b.Write(behind)
	return b.Bytes()
}

func (f *Forwarder) dialNode(ctx context.Context, out *http.Request) (net.Conn, error) {
	nc, err := f.dialTCP(ctx, "tcp", out.URL.Host)
	if err != nil || out.URL.Scheme != "https" {
		return nc, err
	}
	config := f.o.TLSConfig.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName = out.URL.Hostname()
	}
	config.NextProtos = []string{"http/1.1"}
	c := tls.Client(nc, config)
	ctx, cancel := context.WithTimeout(ctx, f.o.DialTimeout)
	defer cancel()
	if err := c.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, err
	}
	return c, nil
}

// ask makes the request for a WebSocket. in has what came behind the answer.
func (x *forwarded) ask(back net.Conn, out *http.Request) (res *http.Response, in *bufio.Reader, err error) {
	defer context.AfterFunc(x.ctx, func() { back.Close() })()
	_ = back.SetDeadline(time.Now().Add(handshakeTimeout))
	out.Body, out.ContentLength = nil, 0
	out.Header.Set("Connection", "Upgrade")
	out.Header.Set("Upgrade", "websocket")
	if err := out.Write(back); err != nil {
		return nil, nil, err
	}
	in = bufio.NewReader(back)
	res, err = http.ReadResponse(in, out)
	if err != nil {
		return nil, nil, err
	}
	if res.StatusCode == http.StatusSwitchingProtocols {
		return res, in, back.SetDeadline(time.Time{})
	}
	return res, in, nil
}

// linger is how long one side may go on when the other has said all: a close
// frame must not be lost because something else was still on its way.
const linger = 2 * time.Second

// carry passes on what either side says, after what there is already, until both
// have ended, one is broken, or Shutdown.
func (x *forwarded) carry(front, back net.Conn, toFront, toBack []byte) {
	defer x.end()
	stop := context.AfterFunc(x.ctx, func() {
		front.Close()
		back.Close()
	})
	defer front.Close()
	defer back.Close()
	defer stop()
	_ = front.SetDeadline(time.Time{})
	var wg sync.WaitGroup
	wg.Go(func() { x.copy(back, back, front, toBack) })
	x.copy(front, bounded(front, x.f.patience), back, toFront)
	wg.Wait()
}

// tunnelPatience is how long a client may take nothing of what is there for it. Its
// session knows what to do with such a client; this is for when it has ended.
const tunnelPatience = time.Minute

// bounded returns what to write to, so that it ends when the peer has taken nothing
// for long. The kernel sees to it where it can; it is then still the one that copies.
func bounded(nc net.Conn, patience time.Duration) io.Writer {
	if poll.SetPatience(nc, patience) {
		return nc
	}
	return &patient{nc, patience}
}

type patient struct {
	nc net.Conn
	d  time.Duration
}

// Write implements io.Writer.
func (p *patient) Write(b []byte) (int, error) {
	if err := p.nc.SetWriteDeadline(time.Now().Add(p.d)); err != nil {
		return 0, err
	}
	return p.nc.Write(b)
}

// copy passes on first, and then all that src says, without a look at it, to dst by way
// of w. Of two TCP connections the kernel does it, on Linux.
func (x *forwarded) copy(dst net.Conn, w io.Writer, src net.Conn, first []byte) {
	_, err := w.Write(first)
	if err == nil {
		_, err = io.Copy(w, src)
	}
	half, ok := dst.(interface{ CloseWrite() error })
	if err != nil || !ok || half.CloseWrite() != nil {
		x.cancel()
		return
	}
	_ = dst.SetReadDeadline(time.Now().Add(linger))
}
