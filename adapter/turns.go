package adapter

import "github.com/sockeye-go/socketio/internal/poll"

// turns lets others have theirs in the middle of a large broadcast, above all who
// has sent something: on one core an echo would otherwise wait until everybody in the
// largest room has been served.
type turns int

// perTurn deliveries take some hundred microseconds, a turn less than one.
const perTurn = 64

func (n *turns) next() {
	if *n++; *n%perTurn == 0 {
		poll.Turn()
	}
}
