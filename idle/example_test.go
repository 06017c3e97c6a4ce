package idle_test

import (
	"net/http"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/idle"
)

// Those who say nothing for a quarter of an hour are told, and go.
func Example() {
	goodbye := socketio.NewEvent[idle.Activity]("idle")
	srv := socketio.NewServer(nil)
	tracker := idle.New(srv.Namespace, &idle.Options{
		Interval: time.Minute,
		MaxIdle:  15 * time.Minute,
		OnIdle:   func(s *socketio.Socket, a idle.Activity) { _ = goodbye.Emit(s, a) },
	})
	defer tracker.Close()
	http.Handle("/debug/sockets", tracker)
}
