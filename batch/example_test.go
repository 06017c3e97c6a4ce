package batch_test

import (
	"context"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/batch"
)

// Prices change often, and a page shows them ten times a second at most.
func Example() {
	type Price struct {
		Symbol string  `json:"symbol"`
		Value  float64 `json:"value"`
	}
	price := socketio.NewEvent[Price]("price")

	srv := socketio.NewServer(nil)
	prices := batch.New(srv.To("market"), &batch.Options{Size: 500, Interval: 100 * time.Millisecond})
	srv.OnConnection(func(ctx context.Context, s *socketio.Socket) error { return s.Join("market") })

	_ = price.Emit(prices, Price{"SALM", 12.5}) // leaves within 100 ms, with the others
	_ = prices.Close()
}
