package socketio

import (
	"context"
	"time"
)

// A socketContext is what handlers get as their ctx. Most never look at it; the
// context behind it, a quarter of the memory of an idle socket, is made for the
// first that does.
type socketContext Socket

// real returns the context behind c.
func (c *socketContext) real() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	rare := (*Socket)(c).need()
	if rare.ctx == nil {
		rare.ctx, rare.cancel = context.WithCancelCause(context.Background())
		if c.state.Load() == disconnected {
			rare.cancel(rare.reason)
		}
	}
	return rare.ctx
}

// Deadline implements [context.Context]: there is none.
func (c *socketContext) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// Done implements [context.Context].
func (c *socketContext) Done() <-chan struct{} { return c.real().Done() }

// Err implements [context.Context].
func (c *socketContext) Err() error {
	if c.state.Load() != disconnected {
		return nil
	}
	return c.real().Err()
}

// Value implements [context.Context]. Package context finds by it what it needs
// to cancel its own contexts without a goroutine, and the cause.
func (c *socketContext) Value(key any) any { return c.real().Value(key) }
