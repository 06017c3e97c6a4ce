package webtransport

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	wt "github.com/quic-go/webtransport-go"
)

// A conn is the one stream of a session, with the session around it.
type conn struct {
	*wt.Stream
	sess  *wt.Session
	done  sync.Once
	timer *time.Timer // of CloseWrite; guarded by mu
	ended bool        // guarded by mu
	mu    sync.Mutex

	// Of a client:
	after func()        // ends what is below
	gone  chan struct{} // closed when it has
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

// Refusal returns the words with which the server has ended the session. They may
// come a moment later than the end of the stream.
func (c *conn) Refusal() (code uint32, message string) {
	ctx, cancel := context.WithTimeout(context.Background(), maxClosing)
	defer cancel()
	_, err := c.sess.AcceptStream(ctx) // the server opens none: this is the way to be told
	if r, ok := errors.AsType[*wt.SessionError](err); ok && r.Remote {
		return uint32(r.ErrorCode), r.Message
	}
	return 0, ""
}

// Wait waits until nothing of a client's connection runs after Close.
func (c *conn) Wait() {
	if c.gone != nil {
		<-c.gone
	}
}

// CloseWrite sends what is left, and then ends the session: browsers have no other
// way to learn of an end.
func (c *conn) CloseWrite() error {
	err := c.Stream.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended && c.timer == nil {
		c.timer = time.AfterFunc(maxClosing, func() { _ = c.Close() })
	}
	return err
}

// Close ends the session at once.
func (c *conn) Close() error { return c.CloseWithError(0, "") }

// CloseWithError ends the session with a code and a message that the peer sees.
func (c *conn) CloseWithError(code uint32, message string) (err error) {
	c.done.Do(func() {
		c.mu.Lock()
		c.ended = true
		if c.timer != nil {
			c.timer.Stop()
		}
		c.mu.Unlock()
		// A Read that has met a reset in the name of the session waits for the session's
		// end, of which it would not be told once the stream is cancelled.
		_ = c.SetReadDeadline(time.Now())
		c.CancelRead(0)
		err = c.sess.CloseWithError(wt.SessionErrorCode(code), message)
		if c.after != nil {
			c.after()
			close(c.gone)
		}
	})
	return err
}
