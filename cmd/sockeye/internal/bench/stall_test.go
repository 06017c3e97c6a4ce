package bench

import (
	"context"
	"time"
)

// stalledUntil is when the server of the scenario stall goes on.
var stalledUntil time.Time

func stall(ctx context.Context, _ *worker, _ *conn, _ time.Time) error {
	sleepUntil(ctx, stalledUntil)
	return nil
}
