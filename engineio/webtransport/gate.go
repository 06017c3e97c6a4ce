package webtransport

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// Stats are of a [Server].
type Stats struct {
	Connections int // of QUIC, with those whose handshake is not over
	Handshakes  int // of these, those whose handshake is not over
	// Limits counts how often a limit was reached: "MaxConnections", and
	// "HandshakeTimeout" by connections without a request or a session. Handshakes
	// that take too long are not counted.
	Limits map[string]uint64
}

// maxUnverified is how many handshakes may go on before a client has to show, by one
// round trip more, that it is where it says to be: what an unverified packet costs us
// is a hundred times what it costs who sends it.
const maxUnverified = 128

// A gate counts the connections of a server and lets them in.
type gate struct {
	opts        *Options
	connections atomic.Int64
	handshakes  atomic.Int64
	refused     atomic.Uint64
	idle        atomic.Uint64
	began       time.Time
	warned      atomic.Int64 // the second since then in which the log was last told of a refusal
}

func (g *gate) stats() Stats {
	return Stats{
		Connections: int(g.connections.Load()), Handshakes: int(g.handshakes.Load()),
		Limits: map[string]uint64{"MaxConnections": g.refused.Load(), "HandshakeTimeout": g.idle.Load()},
	}
}

// doubts reports whether an address is to be verified.
func (g *gate) doubts(net.Addr) bool { return g.handshakes.Load() >= maxUnverified }

var errFull = errors.New("webtransport: too many connections")

// admit lets a connection begin, whose context ends with it.
func (g *gate) admit(ctx context.Context, info *quic.ClientInfo) (context.Context, error) {
	if g.connections.Add(1) > int64(g.opts.MaxConnections) {
		g.connections.Add(-1)
		g.refused.Add(1)
		// Not for each: a flood must not fill the log.
		if now, last := 1+int64(time.Since(g.began)/time.Second), g.warned.Load(); now != last && g.warned.CompareAndSwap(last, now) {
			g.opts.Logger.Warn("too many QUIC connections: some are refused", "limit", g.opts.MaxConnections, "remote", info.RemoteAddr.String())
		}
		return nil, errFull
	}
	g.handshakes.Add(1)
	v := &guest{gate: g}
	context.AfterFunc(ctx, v.gone)
	return context.WithValue(ctx, guestKey{}, v), nil
}

type guestKey struct{}

// guestOf finds the guest of a connection, or of a request.
func guestOf(ctx context.Context) *guest {
	g, _ := ctx.Value(guestKey{}).(*guest)
	return g
}

// A guest is one connection. It is closed when it has had nothing to do for
// HandshakeTimeout: no request whose head was read whole, and no session. That of
// http3, IdleTimeout, is no such limit: it takes the first byte of a head for a
// request.
type guest struct {
	gate  *gate
	shook sync.Once // the handshake is over

	mu    sync.Mutex
	busy  int         // requests and sessions
	timer *time.Timer // nil before it has arrived, and when it is gone
}

// arrived is called when the connection can carry requests.
func (v *guest) arrived(c *quic.Conn) {
	v.mu.Lock()
	if c.Context().Err() == nil {
		v.timer = time.AfterFunc(v.gate.opts.HandshakeTimeout, func() { v.late(c) })
	}
	v.mu.Unlock()
	go func() { // as long as the handshake takes
		select {
		case <-c.HandshakeComplete():
			v.shaken()
		case <-c.Context().Done():
		}
	}()
}

func (v *guest) shaken() { v.shook.Do(func() { v.gate.handshakes.Add(-1) }) }

func (v *guest) gone() {
	v.shaken()
	v.gate.connections.Add(-1)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.timer != nil {
		v.timer.Stop()
		v.timer = nil
	}
}

func (v *guest) late(c *quic.Conn) {
	v.mu.Lock()
	idle := v.busy == 0
	v.mu.Unlock()
	if idle {
		v.gate.idle.Add(1)
		_ = c.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "idle timeout")
	}
}

// begin and end stand around whatever a connection is there for.
func (v *guest) begin() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.busy++
	if v.timer != nil {
		v.timer.Stop()
	}
}

func (v *guest) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.busy--
	if v.busy == 0 && v.timer != nil {
		v.timer.Reset(v.gate.opts.HandshakeTimeout)
	}
}
