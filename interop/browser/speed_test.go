package browser

import (
	"context"
	"flag"
	"log/slog"
	"net/http"
	"slices"
	"testing"

	"github.com/sockeye-go/socketio"
)

var speed = flag.Bool("speed", false, "compare the speed of the clients")

// floodServer is ourServer for benchmarks: it says what it is asked for, as often.
func floodServer(t *testing.T, o *origin) {
	srv := socketio.NewServer(&socketio.Options{Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { _ = srv.Close() })
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On("take", func(context.Context, *socketio.Message) error { return nil })
		s.On("done", func(_ context.Context, m *socketio.Message) error { return m.Ack() })
		s.On("flood", func(_ context.Context, m *socketio.Message) error {
			var n int
			if err := m.Decode(&n); err != nil {
				return err
			}
			for i := range n {
				if err := s.Emit("said", map[string]any{"user": "ann", "message": "have you seen the salmon run?", "n": i}); err != nil {
					return err
				}
			}
			return nil
		})
		return nil
	})
	o.handler.Store(http.HandlerFunc(srv.ServeHTTP))
}

// TestClientSpeed prints what our client and the official one do in the same browser,
// in turns. It asserts nothing but that all arrives.
func TestClientSpeed(t *testing.T) {
	if !*speed {
		return // not skipped: it measures, and finds nothing out about right and wrong
	}
	browser := chromium(t)
	o := newOrigin(t, floodServer)
	rates := map[string][]float64{}
	for range 3 {
		for _, client := range []string{"ours", "official"} {
			p := o.start(t, browser, client, "websocket", nil)
			for _, what := range []string{"emits", "receives"} {
				var perSecond float64
				p.call(what+"(2000)", &perSecond) // until it is compiled
				p.call(what+"(20000)", &perSecond)
				rates[client+" "+what] = append(rates[client+" "+what], perSecond)
			}
		}
	}
	for _, what := range []string{"emits", "receives"} {
		ours, official := rates["ours "+what], rates["official "+what]
		slices.Sort(ours)
		slices.Sort(official)
		t.Logf("%s per second, median of three: ours %.0f, official %.0f, ratio %.2f", what, ours[1], official[1], ours[1]/official[1])
	}
}
