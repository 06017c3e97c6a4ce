package rooms_test

import (
	"context"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/rooms"
)

// A table for four: who comes fifth is told that it is full.
func Example() {
	sit := socketio.NewEventWithAck[string, int]("sit") // a table; the answer is how many sit there
	card := socketio.NewEvent[string]("card")

	srv := socketio.NewServer(nil)
	tables := rooms.New(srv.Namespace, &rooms.Options{MaxUsers: 4})
	sit.Handle(srv, func(ctx context.Context, s *socketio.Socket, table string) (int, error) {
		if err := tables.Create(ctx, rooms.Config{ID: table}); err != nil && err != rooms.ErrExists {
			return 0, err
		}
		members, err := tables.Join(ctx, s, table, rooms.Ticket{})
		if err != nil {
			return 0, &socketio.AckError{Code: "no_seat", Message: err.Error()}
		}
		return len(members), nil
	})
	card.Handle(srv, func(ctx context.Context, s *socketio.Socket, c string) error {
		return card.Emit(tables.To(tables.In(s)...).Except(s.ID()), c)
	})
}
