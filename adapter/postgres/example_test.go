package postgres_test

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter/postgres"
)

var paid = socketio.NewEvent[int]("paid")

// An event that leaves with the change it tells of, and not without it.
func ExampleEmitter_WithTx() {
	var pool *pgxpool.Pool // of the program
	emitter := postgres.NewEmitter(pool, nil)

	pay := func(ctx context.Context, order int) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "UPDATE orders SET paid = true WHERE id = $1", order); err != nil {
				return err // rolls back: nobody hears of it
			}
			return paid.Emit(emitter.WithTx(tx).To("cashiers").Bind(ctx), order)
		})
	}
	_ = pay
}
