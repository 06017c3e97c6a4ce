package metrics

import (
	"fmt"
	"net/http"

	"github.com/sockeye-go/socketio"
)

// Healthz answers 200 as long as the process can answer at all.
func Healthz() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive") })
}

// Readyz answers 200 while srv takes new clients and 503 when it drains, so that a
// load balancer looks elsewhere. Trouble on the way to other nodes is told in
// words and is no reason to send clients away: every node would have it.
func Readyz(srv *socketio.Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if srv.Draining() {
			answer(w, http.StatusServiceUnavailable, "draining")
			return
		}
		for _, n := range srv.Namespaces() {
			if err := n.Health(); err != nil {
				answer(w, http.StatusOK, fmt.Sprintf("degraded: namespace %s: %v", n.Name(), err))
				return
			}
		}
		answer(w, http.StatusOK, "ready")
	})
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}
