package browser

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

//go:embed worker.js
var workerScript string

// TestWorkers: the client in each kind of worker, which has no document and no
// window, against both servers.
func TestWorkers(t *testing.T) {
	browser := chromium(t)
	for server, start := range servers {
		o := newOrigin(t, start)
		p := openTab(t, browser, o.URL()+"/")
		p.until("the page", `typeof inWorker == "function"`)
		for _, kind := range []string{"Worker", "SharedWorker", "ServiceWorker"} {
			for _, over := range []string{"websocket", "polling", "polling,websocket"} {
				t.Run(fmt.Sprintf("%s/%s/%s", server, kind, over), func(t *testing.T) {
					list, _ := json.Marshal(strings.Split(over, ","))
					var said string
					p.call(fmt.Sprintf("inWorker(%q, %s)", kind, list), &said)
					if want := "undefined " + over[strings.LastIndex(over, ",")+1:]; said != want {
						t.Errorf("it said %q; want %q", said, want)
					}
				})
			}
		}
	}
}
