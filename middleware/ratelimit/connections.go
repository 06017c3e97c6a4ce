package ratelimit

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio"
)

// message is what existing pages know.
const message = "Rate limit exceeded"

// A Limited tells the sender that it is too fast: the data of the connect_error,
// of the error in an ack, and of the "error" event.
type Limited struct {
	Code       string `json:"code"` // "rate_limited"
	Message    string `json:"message"`
	Event      string `json:"event,omitempty"`
	RetryAfter int64  `json:"retryAfter"` // milliseconds
}

func limited(event string, after time.Duration) Limited {
	// Rounded up: who comes back then is let in.
	return Limited{"rate_limited", message, event, int64((after + time.Millisecond - 1) / time.Millisecond)}
}

// Stats are counts since the start, for a metric.
type Stats struct{ Allowed, Refused uint64 }

type counter struct{ allowed, refused atomic.Uint64 }

func (c *counter) stats() Stats { return Stats{c.allowed.Load(), c.refused.Load()} }

// ConnectionOptions configure [Connections]. Zero fields stand for their defaults.
type ConnectionOptions struct {
	// Rate of one address. Default 100 in a window of a minute.
	Rate Rate
	// SkipSuccessful counts only those that the middleware after this refused.
	SkipSuccessful bool
	// Proxies are those whose X-Forwarded-For is believed. Default none.
	Proxies []netip.Prefix
	// IPv6Bits is how much of an IPv6 address is one client. Default 64.
	IPv6Bits int
	// Store keeps the counts. Default a [Memory] of its own.
	Store Store
	// FailClosed refuses everybody while Store cannot be asked.
	FailClosed bool
	// OnLimited is told of each refusal. It must not block.
	OnLimited func(address string, retryAfter time.Duration)
	// Logger is told when Store cannot be asked. Default slog.Default().
	Logger *slog.Logger
}

// Connections bounds how often one address connects. It is safe for concurrent use.
type Connections struct {
	o     ConnectionOptions
	key   socketio.LocalKey[string]
	count counter
}

// NewConnections panics with the field's name on options that make no sense; nil
// stands for the defaults.
func NewConnections(o *ConnectionOptions) *Connections {
	c := &Connections{key: socketio.NewLocalKey[string]()}
	if o != nil {
		c.o = *o
	}
	if c.o.Rate.none() {
		c.o.Rate = Rate{Events: 100, Per: time.Minute}
	}
	c.o.Rate.check("ConnectionOptions.Rate")
	if c.o.IPv6Bits < 0 || c.o.IPv6Bits > 128 {
		panic(fmt.Sprintf("ratelimit: ConnectionOptions.IPv6Bits: %d is not within 1 to 128", c.o.IPv6Bits))
	}
	if c.o.IPv6Bits == 0 {
		c.o.IPv6Bits = 64
	}
	if c.o.Store == nil {
		c.o.Store = NewMemory(0)
	}
	if c.o.Logger == nil {
		c.o.Logger = slog.Default()
	}
	return c
}

// A Namespace is what can be protected: a server, a namespace or a parent of
// dynamic namespaces.
type Namespace interface {
	Use(socketio.ConnectFunc)
	UseEvents(socketio.EventFunc)
	OnConnection(func(context.Context, *socketio.Socket) error)
	OnError(func(context.Context, *socketio.Socket, error))
}

// Protect refuses clients that come too often by connect_error "Rate limit
// exceeded", with a [Limited] as its data. Call it before other middleware is
// registered. A connection counts when it joins its first namespace.
func (c *Connections) Protect(n Namespace) {
	n.Use(c.connect)
	if c.o.SkipSuccessful {
		n.OnConnection(func(ctx context.Context, s *socketio.Socket) error {
			if key, ok := c.key.Get(s); ok {
				_ = c.o.Store.Return(ctx, key, c.o.Rate) // it fades by itself too
			}
			return nil
		})
	}
}

func (c *Connections) connect(ctx context.Context, s *socketio.Socket) error {
	r := s.Request()
	if r == nil {
		return nil // another namespace of a connection that was counted
	}
	key := addressKey(ClientAddr(r, c.o.Proxies), c.o.IPv6Bits)
	if res := c.take(ctx, key); !res.OK {
		return &socketio.ConnectError{Message: message, Data: limited("", res.RetryAfter)}
	}
	if c.o.SkipSuccessful {
		c.key.Set(s, key)
	}
	return nil
}

// AllowRequest is for Options.AllowRequest: it refuses before there is a
// connection, by status 429. The client sees no more than that the transport
// failed, but it costs the server less. Use it or Protect, not both.
func (c *Connections) AllowRequest(r *http.Request) error {
	if res := c.take(r.Context(), addressKey(ClientAddr(r, c.o.Proxies), c.o.IPv6Bits)); !res.OK {
		return &socketio.RefuseError{Status: http.StatusTooManyRequests, Message: message}
	}
	return nil
}

// Stats returns what was counted.
func (c *Connections) Stats() Stats { return c.count.stats() }

func (c *Connections) take(ctx context.Context, key string) Result {
	res, err := c.o.Store.Take(ctx, key, c.o.Rate)
	if err != nil {
		c.o.Logger.Error("ratelimit: store cannot be asked", "error", err)
		res = Result{OK: !c.o.FailClosed, RetryAfter: c.o.Rate.Per}
	}
	if res.OK {
		c.count.allowed.Add(1)
		return res
	}
	c.count.refused.Add(1)
	if c.o.OnLimited != nil {
		c.o.OnLimited(key, res.RetryAfter)
	}
	return res
}
