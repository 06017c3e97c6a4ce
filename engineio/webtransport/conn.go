package webtransport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	wt "github.com/quic-go/webtransport-go"
)

// A conn is the one stream of a session, with the session around it.
type conn struct {
	*wt.Stream
	sess  *wt.Session
	done  sync.Once
	after func() // on the client's side: ends what is below
}

// maxClosing is how much later than the stream the session ends. The end of a
// session throws away what is still on its way in its streams.
const maxClosing = 250 * time.Millisecond

func (c *conn) LocalAddr() net.Addr  { return c.sess.LocalAddr() }
func (c *conn) RemoteAddr() net.Addr { return c.sess.RemoteAddr() }

// Read turns the ends that are none of the network's into io.EOF.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Stream.Read(b)
	if closed, ok := errors.AsType[*wt.SessionError](err); ok && closed.Remote {
		err = io.EOF
	}
	return n, err
}

// CloseWrite sends what is left, and then ends the session: browsers have no other
// way to learn of an end.
func (c *conn) CloseWrite() error {
	err := c.Stream.Close()
	time.AfterFunc(maxClosing, func() { _ = c.Close() })
	return err
}

// Close ends the session at once.
func (c *conn) Close() error { return c.CloseWithError(0, "") }

// CloseWithError ends the session with a code and a message that the peer sees.
func (c *conn) CloseWithError(code uint32, message string) (err error) {
	c.done.Do(func() {
		c.CancelRead(0)
		err = c.sess.CloseWithError(wt.SessionErrorCode(code), message)
		if c.after != nil {
			c.after()
		}
	})
	return err
}

// Dial opens a session at an https URL and its stream. The connection speaks the
// frames of Engine.IO: what is behind their heads is what would be a message over
// WebSocket.
func Dial(ctx context.Context, url string, header http.Header, t *wt.Transport) (net.Conn, error) {
	if t == nil {
		t = new(wt.Transport)
	}
	_, sess, err := t.Dial(ctx, url, header)
	if err != nil {
		return nil, err
	}
	stream, err := sess.OpenStreamSync(ctx)
	if err != nil {
		_ = sess.CloseWithError(0, "")
		return nil, err
	}
	return &conn{Stream: stream, sess: sess}, nil
}
